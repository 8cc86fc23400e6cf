#include "runtime/cpu_features.h"

#include <cstring>

#include "metaplast/runtime.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace metaplast {
namespace {

constexpr bool bit(uint32_t word, int index) { return ((word >> index) & 1u) != 0; }

// XCR0: the operating system saves xmm and ymm (bits 1, 2); opmask, upper zmm halves and zmm16..31 (bits 5, 6, 7).
constexpr uint64_t kYmmState = 0x06;
constexpr uint64_t kZmmState = 0xE6;

#if defined(__x86_64__)
CpuidRegisters hardware_cpuid(void*, uint32_t leaf, uint32_t subleaf) {
  CpuidRegisters r{};
  __cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
  return r;
}

uint64_t hardware_xgetbv0(void*) {
  uint32_t low = 0;
  uint32_t high = 0;
  // As an instruction, because the intrinsic would need -mxsave for this file.
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

constexpr CpuidSource kHardware = {hardware_cpuid, hardware_xgetbv0, nullptr};
#endif

struct BrandString {
  char text[49];
  BrandString() noexcept {
#if defined(__x86_64__)
    cpu_brand(kHardware, text);
#else
    text[0] = '\0';
#endif
    if (text[0] == '\0') {
      std::memcpy(text, "unknown", 8);
    }
  }
};

}  // namespace

uint32_t detect_cpu_features(const CpuidSource& source) noexcept {
  const uint32_t max_leaf = source.cpuid(source.state, 0, 0).eax;
  if (max_leaf < 1) {
    return 0;
  }
  const CpuidRegisters leaf1 = source.cpuid(source.state, 1, 0);
  const bool os_saves_state = bit(leaf1.ecx, 27);
  const uint64_t xcr0 = os_saves_state ? source.xgetbv0(source.state) : 0;
  const bool ymm = (xcr0 & kYmmState) == kYmmState && bit(leaf1.ecx, 28);
  const bool zmm = ymm && (xcr0 & kZmmState) == kZmmState;

  // A leaf past the highest one answers with the data of another leaf on some CPUs, so the maxima are checked.
  CpuidRegisters leaf7{};
  if (max_leaf >= 7) {
    leaf7 = source.cpuid(source.state, 7, 0);
  }
  CpuidRegisters extended1{};
  if (source.cpuid(source.state, 0x80000000u, 0).eax >= 0x80000001u) {
    extended1 = source.cpuid(source.state, 0x80000001u, 0);
  }

  uint32_t features = 0;
  const auto add = [&features](bool present, uint32_t feature) {
    if (present) {
      features |= feature;
    }
  };
  add(bit(leaf1.ecx, 23), kPopcnt);
  add(bit(extended1.ecx, 5), kLzcnt);
  add(bit(leaf7.ebx, 3), kBmi1);
  add(bit(leaf7.ebx, 8), kBmi2);
  add(ymm && bit(leaf1.ecx, 29), kF16c);
  add(ymm && bit(leaf1.ecx, 12), kFma);
  add(ymm && bit(leaf7.ebx, 5), kAvx2);
  const bool avx512f = zmm && bit(leaf7.ebx, 16);
  add(avx512f, kAvx512f);
  add(avx512f && bit(leaf7.ebx, 30), kAvx512bw);
  add(avx512f && bit(leaf7.ebx, 17), kAvx512dq);
  add(avx512f && bit(leaf7.ebx, 31), kAvx512vl);
  add(avx512f && bit(leaf7.ecx, 14), kAvx512Vpopcntdq);
  return features;
}

int32_t tier_of_features(uint32_t features) noexcept {
  if ((features & kAvx512TierFeatures) == kAvx512TierFeatures) {
    return METAPLAST_TIER_AVX512;
  }
  if ((features & kAvx2TierFeatures) == kAvx2TierFeatures) {
    return METAPLAST_TIER_AVX2;
  }
  return METAPLAST_TIER_SCALAR;
}

void cpu_brand(const CpuidSource& source, char brand[49]) noexcept {
  brand[0] = '\0';
  if (source.cpuid(source.state, 0x80000000u, 0).eax < 0x80000004u) {
    return;
  }
  char raw[49] = {};
  for (uint32_t part = 0; part < 3; ++part) {
    const CpuidRegisters r = source.cpuid(source.state, 0x80000002u + part, 0);
    const uint32_t words[4] = {r.eax, r.ebx, r.ecx, r.edx};
    std::memcpy(raw + part * sizeof words, words, sizeof words);
  }
  const char* first = raw;
  while (*first == ' ') {
    ++first;
  }
  size_t length = std::strlen(first);
  while (length > 0 && first[length - 1] == ' ') {
    --length;
  }
  std::memcpy(brand, first, length);
  brand[length] = '\0';
}

uint32_t cpu_features() noexcept {
#if defined(__x86_64__)
  static const uint32_t features = detect_cpu_features(kHardware);
  return features;
#else
  return 0;
#endif
}

}  // namespace metaplast

extern "C" int32_t metaplast_cpu_tier(void) { return metaplast::tier_of_features(metaplast::cpu_features()); }

extern "C" const char* metaplast_cpu_name(void) {
  static const metaplast::BrandString brand;
  return brand.text;
}
