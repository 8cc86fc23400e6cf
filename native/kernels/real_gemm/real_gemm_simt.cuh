// Products of real matrices, a list of them in one launch. Contract: metaplast/kfac.h.
#ifndef METAPLAST_KERNELS_REAL_GEMM_SIMT_CUH_
#define METAPLAST_KERNELS_REAL_GEMM_SIMT_CUH_

#include "runtime/cuda/tile_product.h"

namespace metaplast {
namespace simt {

// c = alpha op(a) op(b) + beta c; with `minus` a is f32(a - minus), of the same shape.
struct RealProduct {
  int64_t m, n, inner;
  const float* a;
  const float* minus;
  int64_t lda, ldminus;
  const float* b;
  int64_t ldb;
  float* c;
  int64_t ldc;
  float alpha, beta;
  int32_t transpose_a, transpose_b;
};

struct LeftReal {
  const float* p;
  const float* minus;
  int64_t ld, ldminus, extent;
  int32_t transposed;
  METAPLAST_DEVICE bool along_k() const { return transposed == 0; }
  METAPLAST_DEVICE float at(int64_t i, int64_t k) const {
    const int64_t row = transposed != 0 ? k : i, col = transposed != 0 ? i : k;
    const float x = p[row * ld + col];
    return minus == nullptr ? x : sub(x, minus[row * ldminus + col]);
  }
};

struct RealGemm {
  static constexpr int kThreads = kProductThreads;
  static constexpr int kMinBlocks = 3;  // with four, sm_100 spills
  static constexpr size_t kSharedBytes = kProductShared<float>;
  struct Common {};
  using Entry = RealProduct;

  static METAPLAST_DEVICE void block(const Common&, const Entry& e, int64_t tile) {
    const int64_t tile_columns = (e.n + kSide - 1) / kSide;
    const int64_t first_row = tile / tile_columns * kSide, first_column = tile % tile_columns * kSide;
    const LeftReal left = {e.a, e.minus, e.lda, e.ldminus, e.m, e.transpose_a};
    const bool t = e.transpose_b != 0;
    const Strided<float> right = {e.b, t ? e.ldb : 1, t ? 1 : e.ldb, e.n};
    float sum[8][4];
    clear_sums(sum);
    tile_product_in_blocks(left, first_row, right, first_column, 0, e.inner, sum);
    METAPLAST_UNROLL
    for (int i = 0; i < 8; ++i) {
      const int64_t row = first_row + product_row(i);
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) {
        const int64_t col = first_column + product_column(j);
        if (row >= e.m || col >= e.n) continue;
        float* const c = e.c + row * e.ldc + col;
        const float v = mul(e.alpha, sum[i][j]);
        *c = e.beta == 0.0f ? v : fused(e.beta, *c, v);
      }
    }
  }
};

}  // namespace simt

namespace cuda_runtime {

template <class Fill>
void run_products(Launcher* launcher, int64_t count, const Fill& fill) noexcept {
  run_list<simt::RealGemm>(
      launcher, count, 1, simt::RealGemm::kThreads, simt::RealGemm::kSharedBytes, {},
      [&](int64_t i) {
        const simt::RealProduct e = fill(i);
        return tiles_of(e.m) * tiles_of(e.n);
      },
      fill);
}

}  // namespace cuda_runtime
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_REAL_GEMM_SIMT_CUH_
