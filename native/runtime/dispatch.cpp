#include "runtime/cpu_features.h"
#include "runtime/kernel_table.h"

namespace metaplast {
namespace {

// One step of a slot's ladder: takes the variant when its features are there and the cap permits its tier.
template <class Function>
void take(Function variant, int32_t tier, uint32_t needs, uint32_t features, int32_t max_tier, Function* slot, int8_t* tier_of_slot) {
  if (tier <= max_tier && (features & needs) == needs) {
    *slot = variant;
    *tier_of_slot = static_cast<int8_t>(tier);
  }
}

constexpr const char* kSlotNames[] = {
#define METAPLAST_KERNEL(slot, variants, ...) #slot,
#include "kernels/kernels.def"
#undef METAPLAST_KERNEL
};

}  // namespace

// The ladders that kernels.def may name. Lower tiers come first, so the best one that fits stays.
#define METAPLAST_TAKE(slot, space, tier, needs) \
  take(&space::slot, tier, needs, features, max_tier, &table->slot, &table->tier_of_slot[kSlot_##slot])
#define METAPLAST_LADDER_SCALAR(slot) METAPLAST_TAKE(slot, scalar, METAPLAST_TIER_SCALAR, 0u)
#if defined(__x86_64__)
#define METAPLAST_LADDER_SCALAR_AVX2_AVX512(slot)                              \
  METAPLAST_LADDER_SCALAR(slot);                                               \
  METAPLAST_TAKE(slot, avx2, METAPLAST_TIER_AVX2, kAvx2TierFeatures);          \
  METAPLAST_TAKE(slot, avx512, METAPLAST_TIER_AVX512, kAvx512TierFeatures)
// Finer than a tier: a variant that needs one feature more than its tier has.
#define METAPLAST_LADDER_SCALAR_AVX2_AVX512_VPOPCNTDQ(slot) \
  METAPLAST_LADDER_SCALAR_AVX2_AVX512(slot);                \
  METAPLAST_TAKE(slot, avx512_vpopcntdq, METAPLAST_TIER_AVX512, kAvx512TierFeatures | kAvx512Vpopcntdq)
#else
#define METAPLAST_LADDER_SCALAR_AVX2_AVX512(slot) METAPLAST_LADDER_SCALAR(slot)
#define METAPLAST_LADDER_SCALAR_AVX2_AVX512_VPOPCNTDQ(slot) METAPLAST_LADDER_SCALAR(slot)
#endif

void fill_kernel_table(uint32_t features, int32_t max_tier, KernelTable* table) noexcept {
#define METAPLAST_KERNEL(slot, variants, ...) METAPLAST_LADDER_##variants(slot);
#include "kernels/kernels.def"
#undef METAPLAST_KERNEL
}

}  // namespace metaplast

extern "C" const char* metaplast_slot_name(int32_t slot) {
  return slot >= 0 && slot < metaplast::kSlotCount ? metaplast::kSlotNames[slot] : nullptr;
}
