// Gram matrices of signs, and running Kronecker factors. Contracts: metaplast/binary.h.
#ifndef METAPLAST_KERNELS_XNOR_SYRK_SIMT_CUH_
#define METAPLAST_KERNELS_XNOR_SYRK_SIMT_CUH_

#include "kernels/xnor_gemm/xnor_gemm_simt.cuh"

namespace metaplast {
namespace simt {

// Tiles of the lower triangle; each also writes its mirror image, which goes through shared memory so that both are written by rows.
struct XnorSyrk {
  static constexpr int kThreads = kTileThreads;
  static constexpr int kPitch = kTileSide + 1;
  static constexpr size_t kSharedBytes =
      XnorTile::kSharedBytes > kTileSide * kPitch * sizeof(int32_t) ? XnorTile::kSharedBytes : kTileSide * kPitch * sizeof(int32_t);

  struct Args {
    int64_t in;
    uint32_t batch;
    int32_t accumulate;
    const uint64_t* columns;  // [in][batch]
    int32_t* s;
    int64_t lds;
  };

  static METAPLAST_DEVICE void put(const Args& p, int64_t row, int64_t col, int32_t d) {
    if (row >= p.in || col >= p.in) return;
    int32_t* s = p.s + row * p.lds + col;
    *s = p.accumulate != 0 ? *s + d : d;
  }

  static METAPLAST_DEVICE void run(const Args& p) {
    // Tiles are counted row by row: row r has r + 1 of them.
    int64_t row_tile = static_cast<int64_t>((sqrt(static_cast<float>(8 * static_cast<int64_t>(blockIdx.x) + 1)) - 1.0f) * 0.5f);
    while (row_tile * (row_tile + 1) / 2 > blockIdx.x) --row_tile;
    while ((row_tile + 1) * (row_tile + 2) / 2 <= blockIdx.x) ++row_tile;
    const int64_t column_tile = blockIdx.x - row_tile * (row_tile + 1) / 2;
    const int64_t first_row = row_tile * kTileSide, first_column = column_tile * kTileSide;
    const unsigned words = static_cast<unsigned>(bit_row_words(p.batch));
    unsigned differ[4][4];
    XnorTile::count(XnorTile::Rows(p.columns, first_row, p.in, words), XnorTile::Rows(p.columns, first_column, p.in, words), differ);
    int32_t* tile = shared_memory<int32_t>();
    __syncthreads();  // the words have been read
    METAPLAST_UNROLL
    for (int i = 0; i < 4; ++i) {
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) {
        const int r = tile_y() + 16 * i, c = tile_x() + 16 * j;
        const int32_t d = static_cast<int32_t>(p.batch - 2 * differ[i][j]);
        put(p, first_row + r, first_column + c, d);
        tile[c * kPitch + r] = d;
      }
    }
    if (row_tile == column_tile) return;
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < kTileSide * kTileSide; i += kThreads) {
      put(p, first_column + i / kTileSide, first_row + i % kTileSide, tile[i / kTileSide * kPitch + i % kTileSide]);
    }
  }
};

struct FactorMovingAverage {
  static constexpr int kBits = 0;
  struct Values {
    int32_t s;
    float a;
  };
  const int32_t* s;
  int64_t lds;
  float inverse_batch, decay, fresh;
  float* a;
  int64_t lda;

  METAPLAST_DEVICE uint64_t* bits(int) const { return nullptr; }
  METAPLAST_DEVICE void load(int64_t row, int64_t col, Values* v) const {
    v->s = s[row * lds + col];
    v->a = a[row * lda + col];
  }
  METAPLAST_DEVICE unsigned apply(Values* v) const {
    const float t = mul(fresh, mul(static_cast<float>(v->s), inverse_batch));
    v->a = add(mul(decay, v->a), t);
    return 0;
  }
  METAPLAST_DEVICE void store(int64_t row, int64_t col, const Values& v) const { a[row * lda + col] = v.a; }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_XNOR_SYRK_SIMT_CUH_
