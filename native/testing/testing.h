// What the native tests share: contexts of every tier this CPU runs, memory between guard pages, test data, bit comparison.
#ifndef METAPLAST_TESTING_TESTING_H_
#define METAPLAST_TESTING_TESTING_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "metaplast/bayes.h"
#include "metaplast/runtime.h"

namespace metaplast {
namespace testing {

// Counts a failure and prints the message when `ok` is false; only the first failures of a test are printed.
void expect(bool ok, const char* format, ...) __attribute__((format(printf, 2, 3)));
// For main(): prints a summary, gives the exit code. A test that made no expectation fails.
int finish(const char* test);

// Whether to leave out most sizes and all exhaustive inputs (variable METAPLAST_TEST_SPARSE): for emulators.
bool sparse();

// A context, destroyed at the end of its scope.
class Context {
 public:
  Context(int32_t tier, int32_t threads);
  ~Context();
  operator const metaplast_context_t*() const { return context_; }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

 private:
  metaplast_context_t* context_;
};

// What Context takes for avx512 on a CPU without VPOPCNTDQ.
constexpr int32_t kTierAvx512WithoutVpopcntdq = METAPLAST_TIER_AVX512 + 1;

// Tiers that this CPU runs, lowest first. The variable METAPLAST_TEST_TIER (0, 1, 2), where set, is the tier the CPU must turn out to
// have: runs under an emulator prove the detection with it.
std::vector<int32_t> tiers();
// The same, and kTierAvx512WithoutVpopcntdq where there is something to be left out: for kernels with such a variant.
std::vector<int32_t> tiers_and_variants();
const char* tier_name(int32_t tier);

// Memory whose pages before and after are not accessible. What a kernel writes into the gaps between the data and the guards is seen by
// gaps_intact().
class GuardedMemory {
 public:
  explicit GuardedMemory(int64_t capacity);
  ~GuardedMemory();
  // Data of `bytes` whose first byte lies `offset` bytes behind the lower guard, or whose last byte lies `offset` before the upper one
  // (64 bytes more, so that alignment stays, with the variable METAPLAST_TEST_EMULATED_MASKS set, for emulators that touch masked-out lanes).
  unsigned char* at_start(int64_t bytes, int64_t offset);
  unsigned char* at_end(int64_t bytes, int64_t offset);
  bool gaps_intact() const;
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

 private:
  unsigned char* place(int64_t begin, int64_t bytes);
  unsigned char* base_;    // first accessible byte
  int64_t accessible_;
  int64_t mapped_;
  int64_t begin_ = 0;
  int64_t end_ = 0;
};

// Test values: 40 % normal, 15 % small integers, 15 % powers of two, 10 % subnormal, 10 % zeros of both signs, 5 % near overflow, 5 % NaN
// and infinities.
std::vector<float> mixed_values(uint64_t seed, int64_t n);
// Positive and ordinary, as standard deviations are: mostly 0.01 .. 1.
std::vector<float> positive_values(uint64_t seed, int64_t n);
// Uniform in [low, high].
std::vector<float> uniform_values(uint64_t seed, int64_t n, float low, float high);

// Equal bits, or both NaN.
bool same(float a, float b);
// The larger of both; NaN if one is NaN, which std::max and std::fmax lose.
inline double larger(double a, double b) { return a > b || a != a ? a : b; }

// An operand of an element-wise kernel: `copies` slices of `n` elements each, [copies][n] in the call, of `size` bytes an element.
struct Operand {
  std::string name;
  int32_t size;
  int64_t copies;
  std::vector<unsigned char> initial;   // [copies][most]
  std::vector<unsigned char> expected;  // after the call; equal to `initial` for inputs
};

Operand input(const char* name, const std::vector<float>& values, int64_t copies = 1);
Operand input_bf16(const char* name, const std::vector<float>& values, int64_t copies = 1);  // the upper halves of the values
Operand output(const char* name, const std::vector<float>& expected, int64_t copies = 1);
Operand output_words(const char* name, const std::vector<uint32_t>& expected);
Operand in_place(const char* name, const std::vector<float>& values, const std::vector<float>& expected);

// The call under test on n elements; data[i] is the memory of operand i.
using ElementwiseCall = std::function<metaplast_status_t(const metaplast_context_t* context, int64_t n, void* const* data)>;

// Elements that every operand of check_elementwise must have.
extern const int64_t kMostElements;

// Checks a kernel whose result for an element depends on that element only, on every tier: n = 0..1030 at 16 offsets from either guard
// page, then larger sizes with 1 to 4 threads, each against `expected` to the bit.
void check_elementwise(const char* kernel, const std::vector<Operand>& operands, const ElementwiseCall& call);

}  // namespace testing
}  // namespace metaplast

#endif  // METAPLAST_TESTING_TESTING_H_
