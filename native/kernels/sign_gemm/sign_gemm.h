// A real matrix times a matrix of signs, in the form that all three training products share:
//   y[m][n] = sum over k of +-a(m, k), + where the sign bit of (k, n) is set.
#ifndef METAPLAST_KERNELS_SIGN_GEMM_H_
#define METAPLAST_KERNELS_SIGN_GEMM_H_

#include <cstdint>

namespace metaplast {

struct SignGemm {
  int64_t terms;        // k = 0..terms-1
  const float* a;       // element (m, k) is a[m*row_stride + k*term_stride]
  int64_t row_stride;
  int64_t term_stride;
  // y = x sign(W)^T: bits [n][k], quads (t0 + t1) + (t2 + t3), blocks of 512 terms. Otherwise, the gradient products: bits [k][n], quads
  // ((t0 + t1) + t2) + t3 without blocks.
  bool forward;
  const uint64_t* bits;
  int64_t words_of_row;
  float* y;
  int64_t ldy;
};

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_SIGN_GEMM_H_
