// The dispatch table: one function pointer for every slot of kernels/kernels.def.
//
// Rule for tier files: everything they define lives in their tier's namespace, in an anonymous namespace, or is a template over the
// tier's lane type. An ordinary inline function shared by two tiers would be merged by the linker, and the merged copy may hold
// instructions that the running CPU lacks (check_binaries.sh looks for such symbols).
#ifndef METAPLAST_RUNTIME_KERNEL_TABLE_H_
#define METAPLAST_RUNTIME_KERNEL_TABLE_H_

#include <cstdint>

#include "metaplast/binary.h"
#include "kernels/batch_norm/batch_norm.h"
#include "kernels/gemm_tn/gemm_tn.h"
#include "kernels/kronecker_factor/kronecker_factor.h"
#include "kernels/linear_batch1/linear_batch1.h"
#include "kernels/real_gemm/real_gemm.h"
#include "kernels/sign_gemm/sign_gemm.h"
#include "kernels/xnor_gemm/xnor_gemm.h"
#include "kernels/spd_inverse/spd_inverse.h"
#include "metaplast/runtime.h"

namespace metaplast {

struct BlockProduct;   // kernels/cholesky_pieces/cholesky_pieces.h
struct ConvShape;      // kernels/binary_conv2d/binary_conv2d.h
struct KroneckerBand;  // kernels/kronecker_products/kronecker_products.h

// Declarations of all variants.
#define METAPLAST_KERNEL(slot, variants, ...) \
  namespace scalar {                          \
  void slot(__VA_ARGS__) noexcept;            \
  }                                           \
  namespace avx2 {                            \
  void slot(__VA_ARGS__) noexcept;            \
  }                                           \
  namespace avx512 {                          \
  void slot(__VA_ARGS__) noexcept;            \
  }                                           \
  namespace avx512_vpopcntdq {                \
  void slot(__VA_ARGS__) noexcept;            \
  }
#include "kernels/kernels.def"
#undef METAPLAST_KERNEL

enum KernelSlot : int32_t {
#define METAPLAST_KERNEL(slot, variants, ...) kSlot_##slot,
#include "kernels/kernels.def"
#undef METAPLAST_KERNEL
  kSlotCount
};

struct KernelTable {
#define METAPLAST_KERNEL(slot, variants, ...) void (*slot)(__VA_ARGS__) noexcept;
#include "kernels/kernels.def"
#undef METAPLAST_KERNEL
  int8_t tier_of_slot[kSlotCount];  // METAPLAST_TIER_* of the variant in each slot
};

// Fills the table with the best variants that `features` (CpuFeature bits) and the tier cap allow.
void fill_kernel_table(uint32_t features, int32_t max_tier, KernelTable* table) noexcept;

}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_KERNEL_TABLE_H_
