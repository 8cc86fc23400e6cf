// The floating-point state in which every kernel runs: round to nearest even, subnormals computed, no traps.
#ifndef METAPLAST_RUNTIME_FP_ENVIRONMENT_H_
#define METAPLAST_RUNTIME_FP_ENVIRONMENT_H_

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace metaplast {

// Held by every entry point while it computes, and by pool threads for their life. A library built with -ffast-math sets flush to zero
// for its whole process; class A results must not depend on that. Writing MXCSR costs about 10 ns, reading it about 1, so it is written
// only when it differs (the sticky exception flags in its low six bits do not matter).
class FpEnvironment {
 public:
#if defined(__x86_64__)
  FpEnvironment() noexcept : saved_(_mm_getcsr()), changed_((saved_ & ~kStickyFlags) != kDefault) {
    if (changed_) {
      _mm_setcsr(kDefault);
    }
  }
  ~FpEnvironment() {
    if (changed_) {
      _mm_setcsr(saved_);
    }
  }

 private:
  static constexpr uint32_t kDefault = 0x1F80;
  static constexpr uint32_t kStickyFlags = 0x3F;
  const uint32_t saved_;
  const bool changed_;
#else
  FpEnvironment() noexcept {}
  ~FpEnvironment() {}
#endif

 public:
  FpEnvironment(const FpEnvironment&) = delete;
  FpEnvironment& operator=(const FpEnvironment&) = delete;
};

}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_FP_ENVIRONMENT_H_
