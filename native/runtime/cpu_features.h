// What the CPU and the operating system support, read through CPUID and XGETBV.
//
// Detection is a pure function of the register values, so that tests can run it on machines that do not exist.
#ifndef METAPLAST_RUNTIME_CPU_FEATURES_H_
#define METAPLAST_RUNTIME_CPU_FEATURES_H_

#include <cstdint>

namespace metaplast {

// One bit for every extension that a kernel variant may ask for. A bit is set only when the operating system also saves the
// registers that the extension needs.
enum CpuFeature : uint32_t {
  kPopcnt = 1u << 0,
  kAvx2 = 1u << 1,
  kF16c = 1u << 2,
  kLzcnt = 1u << 3,
  kBmi1 = 1u << 4,
  kBmi2 = 1u << 5,
  kAvx512f = 1u << 6,
  kAvx512bw = 1u << 7,
  kAvx512dq = 1u << 8,
  kAvx512vl = 1u << 9,
  kAvx512Vpopcntdq = 1u << 10,
  kFma = 1u << 11,
};

// What the files of a tier may use without asking: the flags of cmake/Isa.cmake, plus POPCNT, which -mavx2 implies.
// Every CPU with AVX2 known to us has FMA; class B kernels use it.
constexpr uint32_t kAvx2TierFeatures = kPopcnt | kAvx2 | kF16c | kLzcnt | kBmi1 | kBmi2 | kFma;
constexpr uint32_t kAvx512TierFeatures = kAvx2TierFeatures | kAvx512f | kAvx512bw | kAvx512dq | kAvx512vl;

struct CpuidRegisters {
  uint32_t eax, ebx, ecx, edx;
};

// Where register values come from: the instructions themselves, or a table in tests.
struct CpuidSource {
  CpuidRegisters (*cpuid)(void* state, uint32_t leaf, uint32_t subleaf);
  uint64_t (*xgetbv0)(void* state);  // called only when CPUID reports OSXSAVE
  void* state;
};

// Features found through `source`.
uint32_t detect_cpu_features(const CpuidSource& source) noexcept;

// Highest METAPLAST_TIER_* whose features are all present.
int32_t tier_of_features(uint32_t features) noexcept;

// Brand string, trimmed; at most 48 characters and a final zero are written. Empty when the CPU has none.
void cpu_brand(const CpuidSource& source, char brand[49]) noexcept;

// Features of this machine, detected once.
uint32_t cpu_features() noexcept;

}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_CPU_FEATURES_H_
