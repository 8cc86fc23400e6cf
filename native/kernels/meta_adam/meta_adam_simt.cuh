// Metaplastic Adam over all tensors, and behind a gradient product. Contracts: metaplast/binary.h.
#ifndef METAPLAST_KERNELS_META_ADAM_SIMT_CUH_
#define METAPLAST_KERNELS_META_ADAM_SIMT_CUH_

#include "kernels/meta_adam/meta_adam_math.h"
#include "kernels/sign_gemm/sign_gemm_simt.cuh"

namespace metaplast {
namespace simt {

// One weight; g has its gradient.
struct AdamValues {
  float w, g, m, v;
};

METAPLAST_DEVICE void adam_update(const metaplast_adam_row_t& row, AdamValues* x) {
  const AdamLanes r = adam_lanes(row);
  x->w = row.weight_decay != 0.0f ? meta_adam_lanes<true>(r, x->w, x->g, &x->m, &x->v) : meta_adam_lanes<false>(r, x->w, x->g, &x->m, &x->v);
}

struct MetaAdam {
  static constexpr int kThreads = 256;
  static constexpr int kElementsPerThread = 16;  // a group of 512 columns a warp

  struct Common {};
  struct Entry {
    static constexpr int kBits = 1;
    using Values = AdamValues;
    int64_t count;  // with the columns that fill up the groups
    int64_t cols;
    float *w, *m, *v;
    const float* g;
    uint64_t* sign;
    metaplast_adam_row_t row;

    METAPLAST_DEVICE uint64_t* bits(int) const { return sign; }
    METAPLAST_DEVICE void load(int64_t r, int64_t c, AdamValues* x) const {
      const int64_t i = r * cols + c;
      *x = {w[i], g[i], m[i], v[i]};
    }
    METAPLAST_DEVICE unsigned apply(AdamValues* x) const {
      adam_update(row, x);
      return x->w >= 0.0f ? 1u : 0u;
    }
    METAPLAST_DEVICE void store(int64_t r, int64_t c, const AdamValues& x) const {
      const int64_t i = r * cols + c;
      w[i] = x.w;
      m[i] = x.m;
      v[i] = x.v;
    }
  };

  static METAPLAST_DEVICE void tile(const Common&, const Entry& e, int64_t tile) {
    const int64_t groups = bit_row_groups(e.cols);
    const int64_t index = tile * (blockDim.x / 32) + threadIdx.x / 32;
    if (index * kGroupColumns < e.count) row_group(e, index / groups, index % groups, e.cols);
  }
};

// The gradient of a tile from the product, then the update; the gradient is never stored.
template <class Right>
struct MetaAdamFromProduct {
  using Tile = ProductTile<true, Right>;
  static constexpr int kThreads = kTileThreads;
  static constexpr size_t kSharedBytes = Tile::kSharedBytes;

  struct Args {
    int64_t batch, out, in;
    uint32_t column_tiles;
    LeftOperand dy;
    Right x;
    float *w, *m, *v;
    uint64_t* bits;  // null, or as many words a row as there are tiles
    metaplast_adam_row_t row;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const int64_t column_tile = blockIdx.x % a.column_tiles;
    const int64_t first_row = int64_t{blockIdx.x / a.column_tiles} * kTileSide, first_column = column_tile * kTileSide;
    float gradient[4][4];
    Tile::run(a.dy, a.x, first_row, a.out, first_column, a.in, a.batch, gradient);
    METAPLAST_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int64_t row = first_row + tile_y() + 16 * i;
      bool bit[4];
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) {
        const int64_t col = first_column + tile_x() + 16 * j;
        bit[j] = false;
        if (row < a.out && col < a.in) {
          const int64_t e = row * a.in + col;
          AdamValues x = {a.w[e], gradient[i][j], a.m[e], a.v[e]};
          adam_update(a.row, &x);
          a.w[e] = x.w;
          a.m[e] = x.m;
          a.v[e] = x.v;
          bit[j] = x.w >= 0.0f;
        }
      }
      if (a.bits == nullptr) continue;
      const uint64_t word = word_of_row(bit);
      if (row < a.out && tile_x() == 0) a.bits[row * a.column_tiles + column_tile] = word;
    }
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_META_ADAM_SIMT_CUH_
