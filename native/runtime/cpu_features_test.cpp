// Tier detection on CPUs that do not exist: register sets given by hand.
#include "runtime/cpu_features.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <utility>

#include "runtime/kernel_table.h"
#include "testing/testing.h"

using namespace metaplast;           // NOLINT: a test of these names
using namespace metaplast::testing;  // NOLINT

namespace {

// CPUID bits by register.
constexpr uint32_t kSse42 = 1u << 20, kPopcntBit = 1u << 23, kOsxsave = 1u << 27, kAvx = 1u << 28, kF16cBit = 1u << 29;  // 1.ecx
constexpr uint32_t kFmaBit = 1u << 12;                                                                                    // 1.ecx
constexpr uint32_t kBmi1Bit = 1u << 3, kAvx2Bit = 1u << 5, kBmi2Bit = 1u << 8;                                            // 7.ebx
constexpr uint32_t kFBit = 1u << 16, kDqBit = 1u << 17, kBwBit = 1u << 30, kVlBit = 1u << 31;                             // 7.ebx
constexpr uint32_t kVpopcntdqBit = 1u << 14;                                                                              // 7.ecx
constexpr uint32_t kLzcntBit = 1u << 5;                                                                                   // 80000001.ecx

struct FakeCpu {
  uint32_t max_leaf = 7;
  uint32_t max_extended = 0x80000008u;
  uint32_t leaf1_ecx = kSse42 | kPopcntBit | kOsxsave | kAvx | kF16cBit | kFmaBit;
  uint32_t leaf7_ebx = kBmi1Bit | kAvx2Bit | kBmi2Bit | kFBit | kDqBit | kBwBit | kVlBit;
  uint32_t leaf7_ecx = kVpopcntdqBit;
  uint32_t extended1_ecx = kLzcntBit;
  uint64_t xcr0 = 0xE7;
  const char* brand = "";
  bool xgetbv_without_osxsave = false;
};

CpuidRegisters fake_cpuid(void* state, uint32_t leaf, uint32_t subleaf) {
  const FakeCpu& cpu = *static_cast<FakeCpu*>(state);
  CpuidRegisters r{};
  if (leaf == 0) {
    r.eax = cpu.max_leaf;
  } else if (leaf == 1 && cpu.max_leaf >= 1) {
    r.ecx = cpu.leaf1_ecx;
  } else if (leaf == 7 && subleaf == 0) {
    // Past the highest leaf Intel CPUs answer with the data of another one: detection must not look.
    r.ebx = cpu.max_leaf >= 7 ? cpu.leaf7_ebx : 0xFFFFFFFFu;
    r.ecx = cpu.max_leaf >= 7 ? cpu.leaf7_ecx : 0xFFFFFFFFu;
  } else if (leaf == 0x80000000u) {
    r.eax = cpu.max_extended;
  } else if (leaf == 0x80000001u) {
    r.ecx = cpu.max_extended >= 0x80000001u ? cpu.extended1_ecx : 0xFFFFFFFFu;
  } else if (leaf >= 0x80000002u && leaf <= 0x80000004u) {
    char text[48] = {};
    std::memcpy(text, cpu.brand, std::min(std::strlen(cpu.brand), sizeof text));
    std::memcpy(&r, text + (leaf - 0x80000002u) * 16, 16);
  }
  return r;
}

uint64_t fake_xgetbv(void* state) {
  FakeCpu& cpu = *static_cast<FakeCpu*>(state);
  if ((cpu.leaf1_ecx & kOsxsave) == 0) {
    cpu.xgetbv_without_osxsave = true;  // an illegal instruction on real hardware
  }
  return cpu.xcr0;
}

int32_t tier_of(FakeCpu cpu) {
  const CpuidSource source{fake_cpuid, fake_xgetbv, &cpu};
  const int32_t tier = tier_of_features(detect_cpu_features(source));
  expect(!cpu.xgetbv_without_osxsave, "XGETBV without OSXSAVE");
  return tier;
}

void expect_tier(const char* cpu_name, const FakeCpu& cpu, int32_t wanted) {
  const int32_t seen = tier_of(cpu);
  expect(seen == wanted, "%s: tier %s, expected %s", cpu_name, tier_name(seen), tier_name(wanted));
}

}  // namespace

int main() {
  const FakeCpu full;
  expect_tier("everything", full, METAPLAST_TIER_AVX512);

  const auto with = [&](auto change) {
    FakeCpu cpu = full;
    change(cpu);
    return cpu;
  };
  constexpr uint32_t kAvx512Bits = kFBit | kDqBit | kBwBit | kVlBit;

  // Real ones.
  expect_tier("80486", with([](FakeCpu& c) { c.max_leaf = 0; c.max_extended = 0; }), METAPLAST_TIER_SCALAR);
  expect_tier("Core 2", with([](FakeCpu& c) { c.max_leaf = 10; c.leaf1_ecx = 0; c.leaf7_ebx = 0; c.extended1_ecx = 0; }),
              METAPLAST_TIER_SCALAR);
  expect_tier("Nehalem", with([](FakeCpu& c) { c.leaf1_ecx = kSse42 | kPopcntBit; c.leaf7_ebx = 0; c.extended1_ecx = 0; }),
              METAPLAST_TIER_SCALAR);
  expect_tier("Sandy Bridge", with([](FakeCpu& c) { c.leaf1_ecx &= ~(kF16cBit | kFmaBit); c.leaf7_ebx = 0; c.extended1_ecx = 0; c.xcr0 = 7; }),
              METAPLAST_TIER_SCALAR);
  expect_tier("Haswell", with([](FakeCpu& c) { c.leaf7_ebx = kBmi1Bit | kAvx2Bit | kBmi2Bit; c.leaf7_ecx = 0; c.xcr0 = 7; }),
              METAPLAST_TIER_AVX2);
  expect_tier("Knights Landing", with([](FakeCpu& c) { c.leaf7_ebx &= ~(kDqBit | kBwBit | kVlBit); }), METAPLAST_TIER_AVX2);
  expect_tier("Skylake-X", with([](FakeCpu& c) { c.leaf7_ecx = 0; }), METAPLAST_TIER_AVX512);
  expect_tier("Alder Lake", with([](FakeCpu& c) { c.leaf7_ebx &= ~kAvx512Bits; c.leaf7_ecx = 0; c.xcr0 = 0x207; }), METAPLAST_TIER_AVX2);

  // Operating systems that do not save the registers.
  expect_tier("no OSXSAVE", with([](FakeCpu& c) { c.leaf1_ecx &= ~kOsxsave; }), METAPLAST_TIER_SCALAR);
  expect_tier("XCR0 x87 only", with([](FakeCpu& c) { c.xcr0 = 0x1; }), METAPLAST_TIER_SCALAR);
  expect_tier("XCR0 without ymm", with([](FakeCpu& c) { c.xcr0 = 0xE3; }), METAPLAST_TIER_SCALAR);
  expect_tier("XCR0 without xmm", with([](FakeCpu& c) { c.xcr0 = 0xE5; }), METAPLAST_TIER_SCALAR);
  expect_tier("XCR0 without opmask", with([](FakeCpu& c) { c.xcr0 = 0xC7; }), METAPLAST_TIER_AVX2);
  expect_tier("XCR0 without upper zmm", with([](FakeCpu& c) { c.xcr0 = 0xA7; }), METAPLAST_TIER_AVX2);
  expect_tier("XCR0 without zmm16-31", with([](FakeCpu& c) { c.xcr0 = 0x67; }), METAPLAST_TIER_AVX2);
  expect_tier("XCR0 ymm only", with([](FakeCpu& c) { c.xcr0 = 0x7; }), METAPLAST_TIER_AVX2);
  expect_tier("XCR0 with AMX", with([](FakeCpu& c) { c.xcr0 = 0x602E7; }), METAPLAST_TIER_AVX512);

  // Hypervisors that hide single extensions.
  expect_tier("no AVX", with([](FakeCpu& c) { c.leaf1_ecx &= ~kAvx; }), METAPLAST_TIER_SCALAR);
  expect_tier("no AVX2", with([](FakeCpu& c) { c.leaf7_ebx &= ~kAvx2Bit; }), METAPLAST_TIER_SCALAR);
  expect_tier("no POPCNT", with([](FakeCpu& c) { c.leaf1_ecx &= ~kPopcntBit; }), METAPLAST_TIER_SCALAR);
  expect_tier("no F16C", with([](FakeCpu& c) { c.leaf1_ecx &= ~kF16cBit; }), METAPLAST_TIER_SCALAR);
  expect_tier("no FMA", with([](FakeCpu& c) { c.leaf1_ecx &= ~kFmaBit; }), METAPLAST_TIER_SCALAR);
  expect_tier("no LZCNT", with([](FakeCpu& c) { c.extended1_ecx = 0; }), METAPLAST_TIER_SCALAR);
  expect_tier("no BMI1", with([](FakeCpu& c) { c.leaf7_ebx &= ~kBmi1Bit; }), METAPLAST_TIER_SCALAR);
  expect_tier("no BMI2", with([](FakeCpu& c) { c.leaf7_ebx &= ~kBmi2Bit; }), METAPLAST_TIER_SCALAR);
  expect_tier("no AVX512F", with([](FakeCpu& c) { c.leaf7_ebx &= ~kFBit; }), METAPLAST_TIER_AVX2);
  expect_tier("no AVX512DQ", with([](FakeCpu& c) { c.leaf7_ebx &= ~kDqBit; }), METAPLAST_TIER_AVX2);
  expect_tier("no AVX512BW", with([](FakeCpu& c) { c.leaf7_ebx &= ~kBwBit; }), METAPLAST_TIER_AVX2);
  expect_tier("no AVX512VL", with([](FakeCpu& c) { c.leaf7_ebx &= ~kVlBit; }), METAPLAST_TIER_AVX2);
  expect_tier("no VPOPCNTDQ", with([](FakeCpu& c) { c.leaf7_ecx = 0; }), METAPLAST_TIER_AVX512);

  // Leaves that are missing.
  expect_tier("no leaf 7", with([](FakeCpu& c) { c.max_leaf = 6; }), METAPLAST_TIER_SCALAR);
  expect_tier("no extended leaf 1", with([](FakeCpu& c) { c.max_extended = 0x80000000u; }), METAPLAST_TIER_SCALAR);
  expect_tier("no extended leaves", with([](FakeCpu& c) { c.max_extended = 0; }), METAPLAST_TIER_SCALAR);
  expect_tier("no leaf 1", with([](FakeCpu& c) { c.max_leaf = 0; }), METAPLAST_TIER_SCALAR);

  // Dispatch: tier = what features and cap allow, for every slot.
  for (const auto& [features, possible] : std::map<uint32_t, int32_t>{{0u, METAPLAST_TIER_SCALAR},
                                                                     {kAvx2TierFeatures, METAPLAST_TIER_AVX2},
                                                                     {kAvx512TierFeatures & ~kAvx512vl, METAPLAST_TIER_AVX2},
                                                                     {kAvx512TierFeatures, METAPLAST_TIER_AVX512}}) {
    for (int32_t cap = METAPLAST_TIER_SCALAR; cap <= METAPLAST_TIER_AVX512; ++cap) {
      KernelTable table;
      fill_kernel_table(features, cap, &table);
      for (int32_t slot = 0; slot < kSlotCount; ++slot) {
        expect(table.tier_of_slot[slot] == (possible < cap ? possible : cap), "slot %s: tier %d with features %x, cap %d",
               metaplast_slot_name(slot), table.tier_of_slot[slot], features, cap);
      }
      expect(table.sgd_step != nullptr, "an empty slot");
    }
  }
  // A variant inside a tier: taken with its feature, in its tier only, and without the tier's number changing.
  KernelTable with_feature, without_feature, capped;
  fill_kernel_table(kAvx512TierFeatures | kAvx512Vpopcntdq, METAPLAST_TIER_AVX512, &with_feature);
  fill_kernel_table(kAvx512TierFeatures, METAPLAST_TIER_AVX512, &without_feature);
  fill_kernel_table(kAvx512TierFeatures | kAvx512Vpopcntdq, METAPLAST_TIER_AVX2, &capped);
#if defined(__x86_64__)
  expect(with_feature.xnor_gemm == &avx512_vpopcntdq::xnor_gemm && without_feature.xnor_gemm == &avx512::xnor_gemm &&
             capped.xnor_gemm == &avx2::xnor_gemm,
         "xnor_gemm by VPOPCNTDQ");
#endif
  expect(with_feature.tier_of_slot[kSlot_xnor_gemm] == without_feature.tier_of_slot[kSlot_xnor_gemm], "a variant has its tier's number");
  expect(metaplast_slot_name(-1) == nullptr && metaplast_slot_name(kSlotCount) == nullptr, "names past the slots are null");

  // Brand strings.
  for (const auto& [text, wanted] :
       {std::pair<const char*, const char*>{"", ""},
        {"  Some CPU @ 2.00GHz   ", "Some CPU @ 2.00GHz"},
        {"0123456789abcdef0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef0123456789abcdef"}}) {
    FakeCpu cpu;
    cpu.brand = text;
    char brand[49];
    cpu_brand({fake_cpuid, fake_xgetbv, &cpu}, brand);
    expect(std::string(brand) == wanted, "brand '%s'", brand);
  }
  FakeCpu nameless;
  nameless.max_extended = 0x80000001u;
  char brand[49] = "x";
  cpu_brand({fake_cpuid, fake_xgetbv, &nameless}, brand);
  expect(brand[0] == '\0', "a CPU without brand leaves has no brand");
  expect(std::strlen(metaplast_cpu_name()) > 0, "this CPU has a name");
  return finish("cpu_features_test");
}
