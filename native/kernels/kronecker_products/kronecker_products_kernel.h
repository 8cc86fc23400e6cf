// A band of G W A. Tiles of rows x up to 2 vectors stay in registers for a block of the depth; the right operand lies in panels of two vectors,
// which the L1 cache holds while the rows of the left operand pass. T is written in panels and is so the right operand of the second product.
#include "kernels/kronecker_products/kronecker_products.h"
#include "kernels/spd_inverse/spd_lanes.h"
#include "runtime/kernel_table.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

constexpr int64_t kPanel = 2 * F32::W;
static_assert(kKroneckerBandUnit % kPanel == 0, "bands of whole panels");

// Most rows of a tile: accumulators, two vectors of the right operand and one element of the left fill the registers.
#if defined(__AVX512F__)
constexpr int kTileRows = 14;
#elif defined(__AVX2__)
constexpr int kTileRows = 6;
#else
constexpr int kTileRows = 5;
#endif

// Rows of a panel that come into the cache meanwhile.
struct Ahead {
  const float* row;
  int64_t ld, rows;
};

// c [kRows][kPanel] = left right, or += ; left has pitch kKroneckerPitch, right kPanel.
template <int kRows, int kVectors>
void tile(int64_t depth, const float* left, const float* right, float* c, bool first, Ahead ahead) {
  using V = F32::V;
  V acc[kRows][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) acc[r][v] = F32::zero();
  }
  for (int64_t k = 0; k < depth; ++k, right += kPanel) {
    V b[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) b[v] = F32::load(right + v * F32::W);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const V a = F32::set(left[r * kKroneckerPitch + k]);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) acc[r][v] = F32::fma(a, b[v], acc[r][v]);
    }
    if (k < ahead.rows) {
      const float* const row = ahead.row + k * ahead.ld;
      for (int64_t line = 0; line < kPanel; line += 16) __builtin_prefetch(row + line);
      __builtin_prefetch(row + kPanel - 1);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      float* const to = c + r * kPanel + v * F32::W;
      F32::store(to, first ? acc[r][v] : F32::add(F32::load(to), acc[r][v]));
    }
  }
}

using Tile = void (*)(int64_t, const float*, const float*, float*, bool, Ahead);

template <int kVectors>
void tile_of_rows(int64_t rows, int64_t depth, const float* left, const float* right, float* c, bool first, Ahead ahead) {
  constexpr Tile kTiles[] = {tile<1, kVectors>,  tile<2, kVectors>,  tile<3, kVectors>, tile<4, kVectors>, tile<5, kVectors>,
#if defined(__AVX2__)
                             tile<6, kVectors>,
#endif
#if defined(__AVX512F__)
                             tile<7, kVectors>,  tile<8, kVectors>,  tile<9, kVectors>, tile<10, kVectors>, tile<11, kVectors>,
                             tile<12, kVectors>, tile<13, kVectors>, tile<14, kVectors>
#endif
  };
  static_assert(sizeof(kTiles) / sizeof(kTiles[0]) == kTileRows, "one of each height");
  kTiles[rows - 1](depth, left, right, c, first, ahead);
}

// to [rows][kKroneckerPitch] = from, or from - minus.
void copy_left(int64_t rows, int64_t depth, const float* from, int64_t ld, const float* minus, int64_t ldminus, float* to) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* const x = from + r * ld;
    const float* const y = minus == nullptr ? nullptr : minus + r * ldminus;
    float* const z = to + r * kKroneckerPitch;
    for (int64_t k = 0; k < depth; k += F32::W) {
      const int64_t n = depth - k;
      const auto load = [n, k](const float* p) { return n >= F32::W ? F32::load(p + k) : F32::load_n(p + k, n); };
      F32::store(z + k, y == nullptr ? load(x) : F32::sub(load(x), load(y)));
    }
  }
}

// to [panels][depth][kPanel] = from [depth][columns], zeros behind the last column.
void pack_right(int64_t depth, int64_t columns, const float* from, int64_t ld, float* to) {
  for (int64_t k = 0; k < depth; ++k) {
    const float* const x = from + k * ld;
    float* z = to + k * kPanel;
    int64_t c = 0;
    for (; c + kPanel <= columns; c += kPanel, z += depth * kPanel) {
      F32::store(z, F32::load(x + c));
      F32::store(z + F32::W, F32::load(x + c + F32::W));
    }
    if (c < columns) {
      F32::store(z, F32::load_n(x + c, columns - c));
      F32::store(z + F32::W, columns - c > F32::W ? F32::load_n(x + c + F32::W, columns - c - F32::W) : F32::zero());
    }
  }
}

// c [panels][rows][kPanel] = (left - minus) right; right [inner][columns] of pitch ldright is packed on the way, or lies in panels of inner rows where
// `packed` is null.
void product(int64_t rows, int64_t inner, int64_t columns, const float* left, int64_t ldleft, const float* minus, int64_t ldminus,
             const float* right, int64_t ldright, float* packed, float* copied, float* c) {
  const int64_t blocks = (rows + kKroneckerRows - 1) / kKroneckerRows;
  // For one block of rows a panel is packed when its turn comes, always to the same place, which stays in the L1 cache; rows of the next panel are
  // fetched meanwhile.
  const bool by_panel = packed != nullptr && blocks == 1;
  for (int64_t k = 0; k < inner; k += kKroneckerDepth) {
    const int64_t depth = inner - k < kKroneckerDepth ? inner - k : kKroneckerDepth;
    const float* const from = right + k * ldright;
    if (packed != nullptr && !by_panel) pack_right(depth, columns, from, ldright, packed);
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t begin = rows * block / blocks, count = rows * (block + 1) / blocks - begin;
      const int64_t tiles = (count + kTileRows - 1) / kTileRows;
      copy_left(count, depth, left + begin * ldleft + k, ldleft, minus == nullptr ? nullptr : minus + begin * ldminus + k, ldminus, copied);
      for (int64_t column = 0; column < columns; column += kPanel) {
        if (by_panel) pack_right(depth, columns - column < kPanel ? columns - column : kPanel, from + column, ldright, packed);
        const float* const b = packed == nullptr ? right + column * inner + k * kPanel : by_panel ? packed : packed + column * depth;
        const bool more = by_panel && column + 2 * kPanel <= columns;
        float* const to = c + column * rows + begin * kPanel;
        for (int64_t t = 0; t < tiles; ++t) {
          const int64_t r = count * t / tiles, height = count * (t + 1) / tiles - r;
          const int64_t share = depth * t / tiles, end = depth * (t + 1) / tiles;
          const Ahead ahead = more ? Ahead{from + column + kPanel + share * ldright, ldright, end - share} : Ahead{nullptr, 0, 0};
          if (columns - column > F32::W) {
            tile_of_rows<2>(height, depth, copied + r * kKroneckerPitch, b, to + r * kPanel, k == 0, ahead);
          } else {
            tile_of_rows<1>(height, depth, copied + r * kKroneckerPitch, b, to + r * kPanel, k == 0, ahead);
          }
        }
      }
    }
  }
}

// sums[c] += (w - anchor)[c] p[c]; products of floats are exact in double.
void add_products(int64_t n, const float* __restrict w, const float* __restrict anchor, const float* __restrict p, double* __restrict sums) {
  if (anchor == nullptr) {
    for (int64_t c = 0; c < n; ++c) sums[c] += static_cast<double>(w[c]) * static_cast<double>(p[c]);
    return;
  }
  for (int64_t c = 0; c < n; ++c) {
    const float d = w[c] - anchor[c];
    sums[c] += static_cast<double>(d) * static_cast<double>(p[c]);
  }
}

}  // namespace

void kronecker_band(const KroneckerBand* band) noexcept {
  const metaplast_kronecker_item_t& item = *band->item;
  const KroneckerScratch& scratch = band->scratch;
  const int64_t columns = band->end - band->begin;
  product(item.m, item.k, columns, band->w, band->ldw, band->anchor, item.ldanchor, item.a + band->begin, item.lda, scratch.right, scratch.left,
          scratch.t);
  product(item.m, item.m, columns, item.g, item.ldg, nullptr, 0, scratch.t, 0, nullptr, scratch.left, scratch.p);
  const F32::V weight = F32::set(static_cast<float>(item.weight));
  for (int64_t column = 0; column < columns; column += kPanel) {
    const int64_t n = columns - column < kPanel ? columns - column : kPanel, at = band->begin + column;
    const float* const panel = scratch.p + column * item.m;
    if (band->column_sums != nullptr) {
      double sums[kPanel] = {};
      for (int64_t r = 0; r < item.m; ++r) {
        add_products(n, band->w + r * band->ldw + at, band->anchor == nullptr ? nullptr : band->anchor + r * item.ldanchor + at,
                     panel + r * kPanel, sums);
      }
      for (int64_t c = 0; c < n; ++c) band->column_sums[at + c] = sums[c];
      if (item.out == nullptr) continue;
    }
    for (int64_t r = 0; r < item.m; ++r) {
      float* const out = item.out + r * item.ldo + at;
      for (int64_t c = 0; c < n; c += F32::W) {
        const F32::V p = F32::load(panel + r * kPanel + c);
        if (band->column_sums == nullptr) {
          n - c >= F32::W ? F32::store(out + c, p) : F32::store_n(out + c, p, n - c);
        } else if (n - c >= F32::W) {
          F32::store(out + c, F32::fma(weight, p, F32::load(out + c)));
        } else {
          F32::store_n(out + c, F32::fma(weight, p, F32::load_n(out + c, n - c)), n - c);
        }
      }
    }
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
