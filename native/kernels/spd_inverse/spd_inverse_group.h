// Damped SPD inverses of small matrices of one size, one a lane: the bits of a matrix depend neither on its lane nor on the others.
#include <cmath>
#include <type_traits>

#include "kernels/spd_inverse/spd_lanes.h"
#include "runtime/kernel_table.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

constexpr int kGroupWidth = F32::W;

// A vector of floats as doubles.
struct Wide {
  F64::V low, high;
};
// Converted from memory, half a vector at a time: cheaper than taking a register apart.
METAPLAST_HD Wide widen(const F32::V* x) {
  const float* const p = reinterpret_cast<const float*>(x);
  return {F64::load(p), F64::load(p + F64::W)};
}
METAPLAST_HD Wide wide_add(Wide a, Wide b) { return {F64::add(a.low, b.low), F64::add(a.high, b.high)}; }
METAPLAST_HD Wide wide_load(const double* p) { return {F64::load(p), F64::load(p + F64::W)}; }

// The lower triangle lies in tiles of kT rows and columns, the last ones filled up with the identity.
constexpr int64_t kT = 4;
constexpr int64_t kGroupTiles = kSpdGroupSize / kT * (kSpdGroupSize / kT + 1) / 2;
using Tile = F32::V[kT][kT];

// Up to this size a line of a matrix may be read and written in parts: all matrices of a group lie in the cache meanwhile.
constexpr int64_t kNarrow = 16;

constexpr int64_t tile_of(int64_t i, int64_t j) { return i * (i + 1) / 2 + j; }

// Phases that are functions of their own have the registers to themselves.
#define METAPLAST_APART __attribute__((noinline))

// Columns of a tile whose sums are in registers at once.
constexpr int kColumns = kGroupWidth == 16 ? 4 : 2;

// Vectors of one index, for both probes: [half of the lanes][probe].
using Pair = F64::V[2][2];

// Where the matrices of a group lie and what is found out about them, by lane. Idle lanes repeat the first matrix.
struct Lanes {
  const float* m[kGroupWidth];
  float* out[kGroupWidth];
  int64_t ldm[kGroupWidth], ldo[kGroupWidth];
  bool same_ldm, same_ldo;
  bool crowded;  // lines of a row of the results fall into one set of the first-level cache, which takes fewer than 16
  alignas(64) double damping[kGroupWidth];
  int64_t failure[kGroupWidth];
  double pivot[kGroupWidth];

  void fill(int64_t count, const metaplast_spd_item_t* items, const int64_t* order) {
    same_ldm = same_ldo = true;
    for (int64_t k = 0; k < kGroupWidth; ++k) {
      const metaplast_spd_item_t& item = items[order[k < count ? k : 0]];
      m[k] = item.m;
      out[k] = item.out;
      ldm[k] = item.ldm;
      ldo[k] = item.ldo;
      damping[k] = item.damping;
      same_ldm &= item.ldm == ldm[0];
      same_ldo &= item.ldo == ldo[0];
      failure[k] = 0;
      pivot[k] = 0;
    }
    crowded = kGroupWidth == 16 && (reinterpret_cast<uintptr_t>(out[1]) - reinterpret_cast<uintptr_t>(out[0])) % 4096 == 0;
  }
};

struct Group {
  int64_t n, tiles;
  Lanes lanes;
  Tile a[kGroupTiles];
  Pair product[kSpdGroupSize];
};

// body(0), body(1), ... with arguments known at compile time. Arrays whose every index is known before the compiler takes them apart lie in registers; its
// own loops come too late for that.
template <int kCount, class Body>
METAPLAST_HD void unrolled(Body body) {
  if constexpr (kCount > 0) {
    unrolled<kCount - 1>(body);
    body(std::integral_constant<int, kCount - 1>());
  }
}

// body(from), body(from + 1), ..., body(to - 1).
template <int kFrom, int kTo, class Body>
METAPLAST_HD void unrolled_range(Body body) {
  unrolled<(kTo > kFrom ? kTo - kFrom : 0)>([&](auto i) { body(std::integral_constant<int, kFrom + i>()); });
}

METAPLAST_APART void group_load(Group* g) {
  const Lanes& lanes = g->lanes;
  const Wide d = wide_load(lanes.damping);
  for (int64_t i = 0; i < g->tiles; ++i) {
    const int64_t rows = g->n - i * kT < kT ? g->n - i * kT : kT;
    for (int64_t j = 0; j <= i; ++j) {
      Tile& tile = g->a[tile_of(i, j)];
      if (rows == kT && g->n > kNarrow) {
        // Tiles to the end of a vector, so that a line is read once: lines of a row of all matrices may fall into one set of the cache.
        constexpr int64_t kTiles = kGroupWidth / kT;
        const int64_t tiles = i + 1 - j < kTiles ? i + 1 - j : kTiles;
        for (int64_t r = 0; r < kT; ++r) {
          F32::V t[kGroupWidth];
          if (lanes.same_ldm) {
            const int64_t offset = (i * kT + r) * lanes.ldm[0] + j * kT;
            unrolled<kGroupWidth>([&](auto k) { t[k] = F32::load_n(lanes.m[k] + offset, tiles * kT); });
          } else {
            unrolled<kGroupWidth>([&](auto k) { t[k] = F32::load_n(lanes.m[k] + (i * kT + r) * lanes.ldm[k] + j * kT, tiles * kT); });
          }
          F32::transpose(t);
          unrolled<kTiles>([&](auto u) {
            if (u < tiles) {
              unrolled<kT>([&](auto c) { (&tile)[u][r][c] = t[u * kT + c]; });
            }
          });
        }
        j += tiles - 1;
      } else if (lanes.same_ldm && rows == kT) {
        const int64_t ld = lanes.ldm[0], offset = i * kT * ld + j * kT;
        unrolled<kT>([&](auto r) {
          F32::V t[4];
          unrolled<4>([&](auto q) { t[q] = F32::load_quads(lanes.m + q, offset + r * ld); });
          F32::transpose_quads(t);
          unrolled<4>([&](auto c) { tile[r][c] = t[c]; });
        });
      } else if (lanes.same_ldm) {
        // The last rows, and of the tile on the diagonal the last columns.
        const int64_t ld = lanes.ldm[0], offset = i * kT * ld + j * kT;
        for (int64_t r = 0; r < kT; ++r) {
          F32::V t[4];
          unrolled<4>([&](auto q) {
            t[q] = r >= rows ? F32::zero()
                   : j < i   ? F32::load_quads(lanes.m + q, offset + r * ld)
                             : F32::load_quads_n(lanes.m + q, offset + r * ld, rows);
          });
          F32::transpose_quads(t);
          unrolled<4>([&](auto c) { tile[r][c] = t[c]; });
        }
      } else {
        for (int64_t r = 0; r < kT; ++r) {
          alignas(64) float t[kT][kGroupWidth] = {};
          for (int64_t k = 0; k < kGroupWidth; ++k) {
            const float* const row = lanes.m[k] + (i * kT + r) * lanes.ldm[k] + j * kT;
            for (int64_t c = 0; c < kT && r < rows && (j < i || c <= r); ++c) t[c][k] = row[c];
          }
          for (int64_t c = 0; c < kT; ++c) tile[r][c] = F32::load(t[c]);
        }
      }
    }
    Tile& diagonal = g->a[tile_of(i, i)];
    for (int64_t r = 0; r < kT; ++r) {
      const Wide damped = wide_add(widen(&diagonal[r][r]), d);
      diagonal[r][r] = r < rows ? F32::narrow(damped.low, damped.high) : F32::set(1);
    }
  }
}

// Sums of absolute values are scaled: neither a row of 32 nor the sum of 32 rows may overflow where the matrix does not.
constexpr float kNormScale = 0x1p-12f;

// The largest sum of absolute values of a row, scaled; NaN or infinite where an element is.
METAPLAST_APART F32::V group_norm(const Group& g) {
  const F32::V scale = F32::set(kNormScale);
  F32::V sums[kSpdGroupSize];
  for (int64_t i = 0; i < g.tiles; ++i) {
    F32::V row[kT];
    unrolled<kT>([&](auto r) { row[r] = F32::zero(); });
    for (int64_t j = 0; j < i; ++j) {
      const Tile& tile = g.a[tile_of(i, j)];
      unrolled<kT>([&](auto c) {
        F32::V column = sums[j * kT + c];
        unrolled<kT>([&](auto r) {
          const F32::V x = F32::mul(F32::absolute(tile[r][c]), scale);
          row[r] = F32::add(row[r], x);
          column = F32::add(column, x);
        });
        sums[j * kT + c] = column;
      });
    }
    const Tile& tile = g.a[tile_of(i, i)];
    unrolled<kT>([&](auto r) {
      unrolled<r + 1>([&](auto c) {
        const F32::V x = F32::mul(F32::absolute(tile[r][c]), scale);
        row[r] = F32::add(row[r], x);
        if constexpr (r != c) row[c] = F32::add(row[c], x);
      });
    });
    unrolled<kT>([&](auto r) { sums[i * kT + r] = row[r]; });
  }
  F32::V largest = F32::zero(), total = F32::zero();
  for (int64_t i = 0; i < g.n; ++i) {
    largest = F32::max(largest, sums[i]);
    total = F32::add(total, sums[i]);
  }
  // The sum of all differs from itself less itself where it is not finite; NaN and infinity go on from there.
  return F32::add(largest, F32::sub(total, total));
}

// Half of the lanes of a vector of floats, as doubles, from memory: cheaper than taking a register apart.
METAPLAST_HD F64::V widen_half(const F32::V& x, int half) { return F64::load(reinterpret_cast<const float*>(&x) + half * F64::W); }

// product[i] = sum over j of element (i, j) times factor(half, v, j), every element converted once. Rows of tiles, the lower ones first added to what
// their transposes gave the upper ones.
template <class Factor>
METAPLAST_APART void group_multiply(const Group& g, Factor factor, Pair* product) {
  for (int half = 0; half < 2; ++half) {
    for (int64_t i = 0; i < g.tiles; ++i) {
      F64::V own[kT][2], row[kT][2];
      unrolled<kT>([&](auto r) {
        unrolled<2>([&](auto v) {
          own[r][v] = factor(half, v, i * kT + r);
          row[r][v] = F64::zero();
        });
      });
      for (int64_t j = 0; j < i; ++j) {
        const Tile& tile = g.a[tile_of(i, j)];
        unrolled<kT>([&](auto c) {
          const F64::V f0 = factor(half, 0, j * kT + c), f1 = factor(half, 1, j * kT + c);
          F64::V* const to = product[j * kT + c][half];
          F64::V y0 = to[0], y1 = to[1];
          unrolled<kT>([&](auto r) {
            const F64::V x = widen_half(tile[r][c], half);
            row[r][0] = F64::fma(x, f0, row[r][0]);
            row[r][1] = F64::fma(x, f1, row[r][1]);
            y0 = F64::fma(x, own[r][0], y0);
            y1 = F64::fma(x, own[r][1], y1);
          });
          to[0] = y0;
          to[1] = y1;
        });
      }
      const Tile& tile = g.a[tile_of(i, i)];
      unrolled<kT>([&](auto r) {
        unrolled<r + 1>([&](auto c) {
          const F64::V x = widen_half(tile[r][c], half);
          unrolled<2>([&](auto v) {
            row[r][v] = F64::fma(x, own[c][v], row[r][v]);
            if constexpr (r != c) row[c][v] = F64::fma(x, own[r][v], row[c][v]);
          });
        });
      });
      unrolled<kT>([&](auto r) { unrolled<2>([&](auto v) { product[i * kT + r][half][v] = row[r][v]; }); });
    }
  }
}

// Lanes whose pivot fails are noted and go on with pivot 1; what they compute is not used.
METAPLAST_HD F32::V checked_pivot(F32::V pivot, F32::V threshold, int64_t k, Lanes* lanes) {
  constexpr uint32_t kAll = static_cast<uint32_t>((uint64_t{1} << kGroupWidth) - 1);
  const uint32_t good = F32::greater(pivot, threshold);
  if (__builtin_expect(good == kAll, 1)) return pivot;
  alignas(64) float p[kGroupWidth];
  F32::store(p, pivot);
  for (int64_t lane = 0; lane < kGroupWidth; ++lane) {
    if ((good >> lane & 1) != 0) continue;
    if (lanes->failure[lane] == 0) {
      lanes->failure[lane] = k + 1;
      lanes->pivot[lane] = static_cast<double>(p[lane]);
    }
    p[lane] = 1;
  }
  return F32::load(p);
}

// A tile on the diagonal, factored: unit lower triangle l, roots of the inverse pivots, and u, the transposed inverse of its Cholesky factor.
struct Factored {
  F32::V l[kT][kT], root[kT], u[kT][kT];
};

// One sweep does Cholesky, inverse of the factor and their product at once. With steps 0..k-1 done the triangle holds, Y = L^-1,
//   i, j >= k: the Schur complement;   i >= k > j: -sum over s < k of L_is Y_sj;   i, j < k: sum over s < k of Y_si Y_sj,
// and step k forms v, column k of the symmetric matrix so stored over the root of its pivot, v_k = 1/root; sets row and column k to zero; and
// adds v_i v_j where i <= k, subtracts it where i > k. (Large matrices are not inverted so, see spd_inverse.h; here the sums are short.)
// The kT steps of a tile on the diagonal are one pass over the others.
class Sweep {
 public:
  explicit Sweep(Group* g) : g_(*g) {}

  // The first pivots, which other work need not wait for.
  METAPLAST_APART void begin() {
    const F32::V unit = F32::set(8 * 0x1p-24f);
    for (int64_t i = 0; i < g_.tiles; ++i) {
      const Tile& tile = g_.a[tile_of(i, i)];
      unrolled<kT>([&](auto r) { threshold_[i * kT + r] = F32::mul(tile[r][r], unit); });
    }
    factor(0);
  }

  METAPLAST_APART void run() {
    for (int64_t k = 0; k < g_.tiles; ++k) {
      const Factored& f = factored_[k % 2];
      for (int64_t j = 0; j < k; ++j) panel<true>(f, g_.a[tile_of(k, j)], v_[j]);
      for (int64_t i = k + 1; i < g_.tiles; ++i) panel<false>(f, g_.a[tile_of(i, k)], v_[i]);
      // The pivots of the next tile are waited for while the other tiles are updated.
      if (k + 1 < g_.tiles) {
        update_diagonal<true>(k + 1);
        factor(k + 1);
      }
      for (int64_t i = 0; i < k; ++i) {
        for (int64_t j = 0; j < i; ++j) update<false>(g_.a[tile_of(i, j)], v_[i], v_[j]);
        update_diagonal<false>(i);
      }
      for (int64_t j = 0; j < k; ++j) renew_row(f, v_[j], g_.a[tile_of(k, j)]);
      renew_diagonal(f, g_.a[tile_of(k, k)]);
      for (int64_t i = k + 1; i < g_.tiles; ++i) {
        for (int64_t j = 0; j < k; ++j) update<true>(g_.a[tile_of(i, j)], v_[i], v_[j]);
        renew_column(f, v_[i], g_.a[tile_of(i, k)]);
        for (int64_t j = k + 1; j < i; ++j) update<true>(g_.a[tile_of(i, j)], v_[i], v_[j]);
        if (i > k + 1) update_diagonal<true>(i);
      }
    }
  }

 private:
  // Pivots one after the other wait for a division, a product and a difference; the roots wait for nothing.
  METAPLAST_APART void factor(int64_t k) {
    const Tile& tile = g_.a[tile_of(k, k)];
    Factored& f = factored_[k % 2];
    const F32::V one = F32::set(1), zero = F32::zero();
    F32::V a[kT][kT], l[kT][kT], root[kT];
    unrolled<kT>([&](auto r) { unrolled<r + 1>([&](auto c) { a[r][c] = tile[r][c]; }); });
    unrolled<kT>([&](auto t) {
      const F32::V pivot = checked_pivot(a[t][t], threshold_[k * kT + t], k * kT + t, &g_.lanes);
      const F32::V inverse = F32::div(one, pivot);
      root[t] = F32::sqrt(inverse);
      f.root[t] = root[t];
      f.u[t][t] = root[t];
      unrolled_range<t + 1, kT>([&](auto r) {
        l[r][t] = F32::mul(a[r][t], inverse);
        f.l[r][t] = l[r][t];
        unrolled_range<t + 1, r + 1>([&](auto c) { a[r][c] = F32::fnma(l[r][t], a[c][t], a[r][c]); });
      });
    });
    // Columns of the transposed inverse of the unit triangle, times their roots.
    unrolled<kT>([&](auto t) {
      F32::V u[kT];
      unrolled<t>([&](auto back) {
        constexpr int s = t - 1 - back;
        u[s] = F32::sub(zero, l[t][s]);
        unrolled_range<s + 1, t>([&](auto q) { u[s] = F32::fnma(u[q], l[q][s], u[s]); });
      });
      unrolled<t>([&](auto s) { f.u[s][t] = F32::mul(u[s], root[t]); });
    });
  }

  // v of the rows of a tile below the diagonal one, or of the columns of one beside it.
  template <bool kTransposed>
  METAPLAST_HD static void panel(const Factored& f, const Tile& tile, Tile& v) {
    unrolled<kT>([&](auto r) {
      F32::V w[kT];
      unrolled<kT>([&](auto t) {
        w[t] = kTransposed ? tile[t][r] : tile[r][t];
        unrolled<t>([&](auto s) { w[t] = F32::fnma(w[s], f.l[t][s], w[t]); });
      });
      unrolled<kT>([&](auto t) { v[r][t] = F32::mul(w[t], f.root[t]); });
    });
  }

  template <bool kMinus>
  METAPLAST_HD static F32::V term(F32::V a, F32::V b, F32::V x) {
    return kMinus ? F32::fnma(a, b, x) : F32::fma(a, b, x);
  }

  template <bool kMinus>
  METAPLAST_HD static void update(Tile& tile, const Tile& v, const Tile& w) {
    unrolled<kT / kColumns>([&](auto part) {
      constexpr int first = part * kColumns;
      F32::V x[kT][kColumns];
      unrolled<kT>([&](auto r) { unrolled<kColumns>([&](auto c) { x[r][c] = tile[r][first + c]; }); });
      unrolled<kT>([&](auto s) {
        F32::V b[kColumns];
        unrolled<kColumns>([&](auto c) { b[c] = w[first + c][s]; });
        unrolled<kT>([&](auto r) {
          const F32::V a = v[r][s];
          unrolled<kColumns>([&](auto c) { x[r][c] = term<kMinus>(a, b[c], x[r][c]); });
        });
      });
      unrolled<kT>([&](auto r) { unrolled<kColumns>([&](auto c) { tile[r][first + c] = x[r][c]; }); });
    });
  }

  template <bool kMinus>
  METAPLAST_HD void update_diagonal(int64_t i) {
    Tile& tile = g_.a[tile_of(i, i)];
    const Tile& v = v_[i];
    F32::V x[kT][kT];
    unrolled<kT>([&](auto r) { unrolled<r + 1>([&](auto c) { x[r][c] = tile[r][c]; }); });
    unrolled<kT>([&](auto s) {
      unrolled<kT>([&](auto r) { unrolled<r + 1>([&](auto c) { x[r][c] = term<kMinus>(v[r][s], v[c][s], x[r][c]); }); });
    });
    unrolled<kT>([&](auto r) { unrolled<r + 1>([&](auto c) { tile[r][c] = x[r][c]; }); });
  }

  // Rows of the block begin anew at their own step, columns of the block at theirs.
  METAPLAST_HD static void renew_row(const Factored& f, const Tile& v, Tile& tile) {
    unrolled<kT>([&](auto r) {
      unrolled<kT>([&](auto c) {
        F32::V x = F32::mul(f.u[r][r], v[c][r]);
        unrolled_range<r + 1, kT>([&](auto s) { x = F32::fma(f.u[r][s], v[c][s], x); });
        tile[r][c] = x;
      });
    });
  }

  METAPLAST_HD static void renew_column(const Factored& f, const Tile& v, Tile& tile) {
    const F32::V zero = F32::zero();
    unrolled<kT>([&](auto c) {
      unrolled<kT>([&](auto r) {
        F32::V x = F32::fnma(v[r][c], f.u[c][c], zero);
        unrolled_range<c + 1, kT>([&](auto s) { x = F32::fnma(v[r][s], f.u[c][s], x); });
        tile[r][c] = x;
      });
    });
  }

  METAPLAST_HD static void renew_diagonal(const Factored& f, Tile& tile) {
    unrolled<kT>([&](auto r) {
      unrolled<r + 1>([&](auto c) {
        F32::V x = F32::mul(f.u[r][r], f.u[c][r]);
        unrolled_range<r + 1, kT>([&](auto s) { x = F32::fma(f.u[r][s], f.u[c][s], x); });
        tile[r][c] = x;
      });
    });
  }

  Group& g_;
  Factored factored_[2];
  F32::V threshold_[kSpdGroupSize];
  Tile v_[kSpdGroupSize / kT];
};

// Results in whole vectors of columns, for half of the lanes: their lines find room in a set of the cache.
template <int kFirst>
METAPLAST_APART void group_store_half(const Group& g) {
  for (int64_t i = 0; i < g.n; ++i) {
    const int64_t tile = i / kT, r = i % kT, begin = i * g.lanes.ldo[0];
    for (int64_t j = 0; j < g.n; j += kGroupWidth) {
      F32::V t[kGroupWidth];
      unrolled<kGroupWidth>([&](auto c) {
        const int64_t other = (j + c) / kT;
        t[c] = other < tile || (other == tile && c % kT <= r) ? g.a[tile_of(tile, other)][r][c % kT] : g.a[tile_of(other, tile)][c % kT][r];
      });
      F32::transpose(t);
      unrolled<kGroupWidth / 2>([&](auto k) { F32::store(g.lanes.out[kFirst + k] + begin + j, t[kFirst + k]); });
    }
  }
}

METAPLAST_APART void group_store(int64_t count, const bool* usable, const Group& g) {
  const Lanes& lanes = g.lanes;
  bool all = count == kGroupWidth && lanes.same_ldo;
  for (int64_t k = 0; k < count; ++k) all &= usable[k];
  for (int64_t i = 0; i < g.n; ++i) {
    const int64_t begin = i * lanes.ldo[0];
    int64_t j = 0;
    // Columns from..from+3 of the row.
    const auto fetch = [&](int64_t from, F32::V* t) {
      const int64_t tile = from / kT, r = i % kT;
      if (tile < i / kT) {
        unrolled<kT>([&](auto c) { t[c] = g.a[tile_of(i / kT, tile)][r][c]; });
      } else if (tile > i / kT) {
        unrolled<kT>([&](auto c) { t[c] = g.a[tile_of(tile, i / kT)][c][r]; });
      } else {
        const Tile& diagonal = g.a[tile_of(tile, tile)];
        unrolled<kT>([&](auto c) { t[c] = diagonal[r > c ? r : c][r > c ? c : r]; });
      }
    };
    const auto quads = [&](int64_t from, F32::V* t) {
      fetch(from, t);
      F32::transpose_quads(t);
    };
    if (all && g.n >= kNarrow) {
      for (; j + kGroupWidth <= g.n; j += kGroupWidth) {
        F32::V t[kGroupWidth];
        unrolled<kGroupWidth / kT>([&](auto u) { fetch(j + u * kT, t + u * kT); });
        F32::transpose(t);
        unrolled<kGroupWidth>([&](auto k) { F32::store(lanes.out[k] + begin + j, t[k]); });
      }
    }
    if (all) {
      for (; j + 8 <= g.n; j += 8) {
        F32::V t[4], u[4];
        quads(j, t);
        quads(j + 4, u);
        unrolled<4>([&](auto q) { F32::store_quads(lanes.out + q, begin + j, t[q], u[q]); });
      }
      for (; j + 4 <= g.n; j += 4) {
        F32::V t[4];
        quads(j, t);
        unrolled<4>([&](auto q) { F32::store_quads(lanes.out + q, begin + j, t[q]); });
      }
      if (j < g.n) {
        F32::V t[4];
        quads(j, t);
        unrolled<4>([&](auto q) { F32::store_quads_n(lanes.out + q, begin + j, t[q], g.n - j); });
        continue;
      }
    }
    for (; j < g.n; j += 4) {
      F32::V t[4];
      alignas(64) float of[4][kGroupWidth];
      const int64_t columns = g.n - j < 4 ? g.n - j : 4;
      quads(j, t);
      unrolled<4>([&](auto q) { F32::store(of[q], t[q]); });
      for (int64_t k = 0; k < count; ++k) {
        float* const row = lanes.out[k] + i * lanes.ldo[k] + j;
        for (int64_t c = 0; c < columns && usable[k]; ++c) row[c] = of[k % 4][k / 4 * 4 + c];
      }
    }
  }
}

}  // namespace

void spd_group(int64_t count, const metaplast_spd_item_t* items, const int64_t* order, const double* signs, int64_t signs_stride,
               double tolerance, SpdOutcome* outcomes) noexcept {
  Group g;
  g.n = items[order[0]].n;
  g.tiles = (g.n + kT - 1) / kT;
  g.lanes.fill(count, items, order);
  group_load(&g);

  Sweep sweep(&g);
  sweep.begin();
  alignas(64) float norm[kGroupWidth], inverse_norm[kGroupWidth];
  F32::store(norm, group_norm(g));
  group_multiply(
      g, [&](int, int v, int64_t j) { return F64::set(signs[v * signs_stride + j]); }, g.product);
  sweep.run();

  F32::store(inverse_norm, group_norm(g));
  Pair image[kSpdGroupSize];
  group_multiply(
      g, [&](int half, int v, int64_t j) { return g.product[j][half][v]; }, image);
  alignas(64) double residual[kGroupWidth];
  const F64::V size = F64::set(static_cast<double>(g.n));
  for (int half = 0; half < 2; ++half) {
    F64::V square[2] = {F64::zero(), F64::zero()};
    for (int64_t i = 0; i < g.n; ++i) {
      unrolled<2>([&](auto v) {
        const F64::V e = F64::sub(image[i][half][v], F64::set(signs[v * signs_stride + i]));
        square[v] = F64::fma(e, e, square[v]);
      });
    }
    F64::store(residual + half * F64::W, F64::sqrt(F64::div(F64::worst(square[0], square[1]), size)));
  }
  bool usable[kGroupWidth];
  for (int64_t k = 0; k < count; ++k) {
    constexpr double kScale = 1 / static_cast<double>(kNormScale);
    const bool finite = norm[k] - norm[k] == 0, finished = finite && g.lanes.failure[k] == 0;
    usable[k] = finished && residual[k] <= tolerance;
    outcomes[order[k]] = finished ? SpdOutcome{0, 0, residual[k], static_cast<double>(norm[k]) * kScale, static_cast<double>(inverse_norm[k]) * kScale}
                                  : SpdOutcome{finite ? g.lanes.failure[k] : -1, finite ? g.lanes.pivot[k] : 0, 0, 0, 0};
  }
  bool all = count == kGroupWidth && g.lanes.same_ldo;
  for (int64_t k = 0; k < count; ++k) all &= usable[k];
  if (all && g.lanes.crowded && g.n > kNarrow && g.n % kGroupWidth == 0) {
    group_store_half<0>(g);
    group_store_half<kGroupWidth / 2>(g);
  } else {
    group_store(count, usable, g);
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
