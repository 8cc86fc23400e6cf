// Triangular matrices by blocks: Cholesky factor, inverse, solution of linear systems.
#ifndef METAPLAST_KERNELS_CHOLESKY_PIECES_CHOLESKY_PIECES_H_
#define METAPLAST_KERNELS_CHOLESKY_PIECES_CHOLESKY_PIECES_H_

#include <cstdint>

namespace metaplast {

// Order of the diagonal blocks that are worked on by columns; everything else is products.
constexpr int64_t kTriangleBlock = 64;

// c [rows][cols] += sign a op(b), a [rows][depth], op(b) [depth][cols]; sign is 1 or -1. Where transpose_a, a is stored [depth][rows], where
// transpose_b, b is stored [cols][depth]. Sums over blocks of the depth are added to c one after the other.
struct BlockProduct {
  bool transpose_a, transpose_b;
  int64_t rows, cols, depth;
  float sign;
  const float* a;
  int64_t lda;
  const float* b;
  int64_t ldb;
  float* c;
  int64_t ldc;
};

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_CHOLESKY_PIECES_CHOLESKY_PIECES_H_
