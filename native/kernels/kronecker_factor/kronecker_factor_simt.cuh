// Factor statistics: lower tiles of X'X over chunks of rows, then the chunks in order, then F. Contract: metaplast/kfac.h.
#ifndef METAPLAST_KERNELS_KRONECKER_FACTOR_SIMT_CUH_
#define METAPLAST_KERNELS_KRONECKER_FACTOR_SIMT_CUH_

#include "kernels/kronecker_factor/kronecker_factor.h"
#include "kernels/matrix_pieces/matrix_pieces_simt.cuh"
#include "runtime/cuda/tile_product_tf32.h"

namespace metaplast {
namespace simt {

constexpr int kTileFloats = kSide * kSide;
constexpr int64_t kRowBlock = kSumBlock;

struct FactorRows {
  const void* x;
  int64_t ld, cols;
  const float* mean;  // taken off, null: 0
  int32_t bf16;
  float bias;         // of column cols
  int64_t extent;     // columns with the bias

  METAPLAST_DEVICE float raw(int64_t row, int64_t col) const {
    return bf16 != 0 ? load_bf16(static_cast<const uint16_t*>(x) + row * ld + col) : static_cast<const float*>(x)[row * ld + col];
  }
  METAPLAST_DEVICE bool along_k() const { return false; }
  METAPLAST_DEVICE float at(int64_t col, int64_t row) const {
    if (col >= cols) return bias;
    const float v = raw(row, col);
    return mean == nullptr ? v : sub(v, mean[col]);
  }
};

// *index starts as -1, the largest index without a sign, and becomes that of the first element that is not finite.
struct FactorScan {
  static constexpr int kThreads = 256;
  struct Args {
    MatrixBlocks shape;
    FactorRows rows;
    int64_t* index;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    for_elements(a.shape, blockIdx.x, [&](int64_t r, int64_t c) {
      const float v = a.rows.raw(r, c);
      if (v - v == 0.0f) return;
      atomicMin(reinterpret_cast<unsigned long long*>(a.index), static_cast<unsigned long long>(r * a.shape.cols + c));
    });
  }
};

// sums[block][column] of 256 rows, in double: eight threads a column take every eighth row, then the eight in order.
struct FactorColumnSums {
  static constexpr int kThreads = 256;
  static constexpr int kColumns = 32, kShares = kThreads / kColumns;
  static constexpr size_t kSharedBytes = kThreads * sizeof(double);
  struct Args {
    FactorRows x;
    int64_t rows, column_blocks;
    double* sums;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    double* const shared = shared_memory<double>();
    const int64_t row_block = blockIdx.x / a.column_blocks, col = blockIdx.x % a.column_blocks * kColumns + threadIdx.x % kColumns;
    const int64_t first = row_block * kRowBlock, end = first + kRowBlock < a.rows ? first + kRowBlock : a.rows;
    double sum = 0;
    for (int64_t r = first + threadIdx.x / kColumns; col < a.x.cols && r < end; r += kShares) sum += static_cast<double>(a.x.raw(r, col));
    shared[threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.x >= kColumns || col >= a.x.cols) return;
    for (int s = 1; s < kShares; ++s) sum += shared[s * kColumns + threadIdx.x];
    a.sums[row_block * a.x.cols + col] = sum;
  }
};

struct FactorMeans {
  static constexpr int kThreads = 128;
  struct Args {
    int64_t rows, cols;
    const double* sums;
    float* mean;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    const int64_t col = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    if (col >= a.cols) return;
    double sum = 0;
    for (int64_t b = 0; b * kRowBlock < a.rows; ++b) sum += a.sums[b * a.cols + col];
    a.mean[col] = static_cast<float>(sum / static_cast<double>(a.rows));
  }
};

// partial[chunk][tile] = the tile of X'X over the rows of a chunk, in blocks of 256 rows in index order.
struct FactorProduct {
  static constexpr int kThreads = kProductThreads;
  static constexpr size_t kSharedBytes = kProductShared<float>;
  struct Args {
    FactorRows x;
    int64_t rows, chunk_rows, tiles;
    float* partial;
    const int64_t* index;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    if (*a.index >= 0) return;
    const int64_t tile = blockIdx.x % a.tiles, chunk = blockIdx.x / a.tiles, I = triangle_row(tile), J = tile - I * (I + 1) / 2;
    const int64_t first = chunk * a.chunk_rows, end = first + a.chunk_rows < a.rows ? first + a.chunk_rows : a.rows;
    float sum[8][4];
    clear_sums(sum);
    tile_product_in_blocks(a.x, I * kSide, a.x, J * kSide, first, end, sum);
    float* const to = a.partial + (chunk * a.tiles + tile) * kTileFloats;
    METAPLAST_UNROLL
    for (int i = 0; i < 8; ++i) {
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) to[product_row(i) * kSide + product_column(j)] = sum[i][j];
    }
  }
};

// The same on tensor cores.
struct FactorProductTf32 {
  static constexpr int kThreads = kProductThreads;
  static constexpr int kMinBlocks = 2;
  static constexpr size_t kSharedBytes = kTf32Shared;
  using Args = FactorProduct::Args;
  static METAPLAST_DEVICE void run(const Args& a) {
    if (*a.index >= 0) return;
    const int64_t tile = blockIdx.x % a.tiles, chunk = blockIdx.x / a.tiles, I = triangle_row(tile), J = tile - I * (I + 1) / 2;
    const int64_t first = chunk * a.chunk_rows, end = first + a.chunk_rows < a.rows ? first + a.chunk_rows : a.rows;
    Tf32Sums sum;
    clear_sums(sum);
    tf32_product_in_blocks(a.x, I * kSide, a.x, J * kSide, first, end, sum);
    float* const to = a.partial + (chunk * a.tiles + tile) * kTileFloats;
    METAPLAST_UNROLL
    for (int i = 0; i < 2; ++i) {
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) {
        METAPLAST_UNROLL
        for (int e = 0; e < 4; ++e) to[tf32_row(i, e) * kSide + tf32_column(j, e)] = sum[i][j][e];
      }
    }
  }
};

// sums (0 with `fresh`) += the chunks in order.
struct FactorAdd {
  static constexpr int kThreads = 256;
  struct Args {
    int64_t chunks, floats;
    int32_t fresh;
    const float* partial;
    float* sums;
    const int64_t* index;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    if (*a.index >= 0) return;
    const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    if (i >= a.floats) return;
    float sum = a.fresh != 0 ? 0.0f : a.sums[i];
    for (int64_t c = 0; c < a.chunks; ++c) sum = add(sum, a.partial[c * a.floats + i]);
    a.sums[i] = sum;
  }
};

// F = beta F + alpha S, a tile of the lower triangle and its mirror image a block.
struct FactorFinish {
  static constexpr int kThreads = 256;
  static constexpr int kPitch = kSide + 1;
  static constexpr size_t kSharedBytes = kSide * kPitch * sizeof(float);
  struct Args {
    int32_t kind;
    int64_t rows, d;
    const float* sums;  // null for the outer product of the mean
    const float* mean;
    float alpha, beta;
    float* f;
    int64_t ldf;
    const int64_t* index;
  };
  static METAPLAST_DEVICE float statistic(const Args& a, float sum, int64_t r, int64_t c) {
    if (a.kind == METAPLAST_FACTOR_SECOND_MOMENT) return sum;
    const float centred = div(sum, static_cast<float>(a.rows));
    if (a.kind == METAPLAST_FACTOR_CENTRED) return centred;
    const float mean = mul(a.mean[r], a.mean[c]);
    return a.kind == METAPLAST_FACTOR_MEAN ? mean : sub(mean, div(centred, static_cast<float>(a.rows - 1)));
  }
  static METAPLAST_DEVICE void run(const Args& a) {
    if (*a.index >= 0) return;
    float* const tile = shared_memory<float>();
    const int64_t I = triangle_row(blockIdx.x), J = static_cast<int64_t>(blockIdx.x) - I * (I + 1) / 2;
    const int t = static_cast<int>(threadIdx.x);
    for (int q = t; q < kTileFloats; q += kThreads) {
      const int i = q / kSide, j = q % kSide;
      const int64_t r = I * kSide + i, c = J * kSide + j;
      if (r >= a.d || c > r) continue;
      const float sum = a.sums == nullptr ? 0.0f : a.sums[static_cast<int64_t>(blockIdx.x) * kTileFloats + q];
      const float v = mul(a.alpha, statistic(a, sum, r, c));
      float* const to = a.f + r * a.ldf + c;
      const float result = a.beta == 0.0f ? v : fused(a.beta, *to, v);
      *to = result;
      tile[i * kPitch + j] = result;
    }
    __syncthreads();
    for (int q = t; q < kTileFloats; q += kThreads) {
      const int i = q % kSide, j = q / kSide;
      const int64_t r = I * kSide + i, c = J * kSide + j;
      if (r < a.d && c < r) a.f[c * a.ldf + r] = tile[i * kPitch + j];
    }
  }
};

// Rows first..first+rows-1 of the patches of all groups, one group behind the other, to `to` without padding.
struct FactorPatchRows {
  static constexpr int kThreads = 256;
  struct Args {
    MatrixBlocks shape;
    FactorPatches p;
    int64_t first, group_rows;
    float* to;
    const int64_t* index;
  };
  static METAPLAST_DEVICE float tap(const FactorPatches& p, const float* plane, int64_t oy, int64_t ox, int64_t ky, int64_t kx) {
    const int64_t y = oy * p.stride_h + ky * p.dilation_h - p.pad_h, x = ox * p.stride_w + kx * p.dilation_w - p.pad_w;
    return y >= 0 && y < p.height && x >= 0 && x < p.width ? plane[y * p.width + x] : 0.0f;
  }
  static METAPLAST_DEVICE void run(const Args& a) {
    if (*a.index >= 0) return;
    const FactorPatches& p = a.p;
    for_elements(a.shape, blockIdx.x, [&](int64_t r, int64_t col) {
      const int64_t group = (a.first + r) / a.group_rows, row = (a.first + r) % a.group_rows;
      const int64_t kx = col % p.kernel_w, ky = col / p.kernel_w % p.kernel_h, channel = group * p.group_channels + col / (p.kernel_w * p.kernel_h);
      const int64_t image = p.sharing == METAPLAST_SHARING_EXPAND ? row / p.positions() : row;
      const float* const plane = p.x + (image * p.channels + channel) * p.height * p.width;
      float* const to = a.to + r * a.shape.cols + col;
      if (p.sharing == METAPLAST_SHARING_EXPAND) {
        const int64_t position = row % p.positions();
        *to = tap(p, plane, position / p.out_w, position % p.out_w, ky, kx);
        return;
      }
      double sum = 0;
      for (int64_t oy = 0; oy < p.out_h; ++oy) {
        double of_row = 0;
        for (int64_t ox = 0; ox < p.out_w; ++ox) of_row += static_cast<double>(tap(p, plane, oy, ox, ky, kx));
        sum += of_row;
      }
      const bool mean = p.sharing == METAPLAST_SHARING_REDUCE_MEAN && p.positions() > 0;
      *to = static_cast<float>(mean ? sum / static_cast<double>(p.positions()) : sum);
    });
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_KRONECKER_FACTOR_SIMT_CUH_
