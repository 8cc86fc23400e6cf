// Arguments of the product of bit matrices, and how its entry points split it; meanings as in metaplast/binary.h.
#ifndef METAPLAST_KERNELS_XNOR_GEMM_H_
#define METAPLAST_KERNELS_XNOR_GEMM_H_

#include "metaplast/binary.h"

namespace metaplast {

enum class XnorOutput : int32_t {
  kInt32,
  kFloat,
  kBits,
};

struct XnorGemm {
  int64_t m, n, k;
  const uint64_t *a, *b;
  XnorOutput output;
  void* y;
  int64_t ldy;  // elements, words for kBits
  const float *scale, *bias;
  const int32_t *limit, *invert;
  // Rows x [m][k] whose signs the call packs into `packed`, which is a, before it reads them there; null: a is ready.
  const float* x = nullptr;
  int64_t ldx = 0;
  uint64_t* packed = nullptr;
};

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_XNOR_GEMM_H_
