// Products of real matrices, a list of them in one launch. Contract: metaplast/kfac.h.
#ifndef METAPLAST_KERNELS_REAL_GEMM_SIMT_CUH_
#define METAPLAST_KERNELS_REAL_GEMM_SIMT_CUH_

#include "runtime/cuda/tile_product_tf32.h"

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

  // The operands of a tile.
  struct Tile {
    int64_t first_row, first_column;
    LeftReal left;
    Strided<float> right;
    METAPLAST_DEVICE Tile(const Entry& e, int64_t tile) {
      const int64_t tile_columns = (e.n + kSide - 1) / kSide;
      first_row = tile / tile_columns * kSide;
      first_column = tile % tile_columns * kSide;
      left = {e.a, e.minus, e.lda, e.ldminus, e.m, e.transpose_a};
      const bool t = e.transpose_b != 0;
      right = {e.b, t ? e.ldb : 1, t ? 1 : e.ldb, e.n};
    }
  };
  static METAPLAST_DEVICE void put(const Entry& e, int64_t row, int64_t col, float sum) {
    if (row >= e.m || col >= e.n) return;
    float* const c = e.c + row * e.ldc + col;
    const float v = mul(e.alpha, sum);
    *c = e.beta == 0.0f ? v : fused(e.beta, *c, v);
  }

  static METAPLAST_DEVICE void block(const Common&, const Entry& e, int64_t tile) {
    const Tile t(e, tile);
    float sum[8][4];
    clear_sums(sum);
    tile_product_in_blocks(t.left, t.first_row, t.right, t.first_column, 0, e.inner, sum);
    METAPLAST_UNROLL
    for (int i = 0; i < 8; ++i) {
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) put(e, t.first_row + product_row(i), t.first_column + product_column(j), sum[i][j]);
    }
  }
};

// The same with products on tensor cores where they suit the shape.
struct RealGemmTf32 {
  static constexpr int kThreads = kProductThreads;
  static constexpr int kMinBlocks = 2;
  static constexpr size_t kSharedBytes = kTf32Shared > kProductShared<float> ? kTf32Shared : kProductShared<float>;
  using Common = RealGemm::Common;
  using Entry = RealProduct;

  static METAPLAST_DEVICE void block(const Common& common, const Entry& e, int64_t tile) {
    if (!suits_tf32(e.m, e.n, e.inner)) {
      RealGemm::block(common, e, tile);
      return;
    }
    const RealGemm::Tile t(e, tile);
    Tf32Sums sum;
    clear_sums(sum);
    tf32_product_in_blocks(t.left, t.first_row, t.right, t.first_column, 0, e.inner, sum);
    METAPLAST_UNROLL
    for (int i = 0; i < 2; ++i) {
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) {
        METAPLAST_UNROLL
        for (int k = 0; k < 4; ++k) RealGemm::put(e, t.first_row + tf32_row(i, k), t.first_column + tf32_column(j, k), sum[i][j][k]);
      }
    }
  }
};

}  // namespace simt

namespace cuda_runtime {

// Products of a list: blocks(i) tiles, 0 to leave an item out, of the product fill(i).
template <class Blocks, class Fill>
void run_products(Launcher* launcher, int32_t variant, int64_t count, const Blocks& blocks, const Fill& fill) noexcept {
  if (variant == METAPLAST_CUDA_PRODUCT_TF32X3) {
    using Kernel = simt::RealGemmTf32;
    run_list<Kernel>(launcher, count, 1, Kernel::kThreads, Kernel::kSharedBytes, {}, blocks, fill);
  } else {
    using Kernel = simt::RealGemm;
    run_list<Kernel>(launcher, count, 1, Kernel::kThreads, Kernel::kSharedBytes, {}, blocks, fill);
  }
}

template <class Fill>
void run_products(Launcher* launcher, int32_t variant, int64_t count, const Fill& fill) noexcept {
  run_products(
      launcher, variant, count,
      [&](int64_t i) {
        const simt::RealProduct e = fill(i);
        return tiles_of(e.m) * tiles_of(e.n);
      },
      fill);
}

}  // namespace cuda_runtime
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_REAL_GEMM_SIMT_CUH_
