// The weight-gradient product of real inputs: dw[o][i] = sum over b ascending of dy[b][o]*x[b][i].
#ifndef METAPLAST_KERNELS_GEMM_TN_H_
#define METAPLAST_KERNELS_GEMM_TN_H_

#include <cstdint>

namespace metaplast {

struct GemmTn {
  int64_t batch;
  const float* dy;
  int64_t lddy;
  const float* x;
  int64_t ldx;
  float* dw;
  int64_t lddw;
};

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_GEMM_TN_H_
