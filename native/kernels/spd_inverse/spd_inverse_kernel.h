// Damped SPD inverse of one matrix, phase by phase. Algorithm and layout: spd_inverse.h.
//
// All multiplications of matrices run through one register tile of R rows and two vectors of columns. Its column operand is a panel of P = 2 vectors
// packed into v, its row operand is broadcast and lies as it is. Sums are made of short chains that start at zero: rounding errors grow with
// kChain + n/kChain terms, not with n. The terms of an element and their order depend on n only, never on the range it was computed in.
#include "kernels/spd_inverse/spd_lanes.h"
#include "runtime/kernel_table.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

template <class L>
class SpdMatrix {
  using T = typename L::T;
  using V = typename L::V;
  static constexpr int W = L::W, P = 2 * L::W, R = L::R;
  static constexpr int64_t kChain = 32;
  // Vectors of rows that are mirrored at a time: a row of the result is written in pieces longer than a vector.
  static constexpr int64_t kMirrored = 4;
  // Rows of a packed row operand that are fetched ahead: its lines are far apart.
  static constexpr int64_t kFetched = 8;
  // Columns that are still near when they are read again.
  static constexpr int64_t kNear = 256;
  static constexpr int kProbeRows = sizeof(F32::V) == 64 ? 4 : 2;
  static_assert(W * sizeof(T) == kSpdVectorBytes[sizeof(F32::V) == 64 ? 2 : sizeof(F32::V) == 32 ? 1 : 0], "width known to the driver");
  static_assert(W % R == 0, "row tiles fill half a panel");

 public:
  explicit SpdMatrix(const SpdWork& work)
      : w_(work),
        n_(work.item.n),
        ld_(work.ld),
        a_(static_cast<T*>(work.matrix)),
        v_(static_cast<T*>(work.v)),
        root_(static_cast<T*>(work.root)) {}

  // Rows of the lower triangle, damped, and what they add to the probe.
  void load(int64_t begin, int64_t end) const {
    constexpr T kUnit = sizeof(T) == 4 ? T(0x1p-24) : T(0x1p-53);
    for (int64_t strip = begin; strip < end; ++strip) {
      const int64_t first = spd_strip_begin(w_, strip), last = spd_strip_begin(w_, strip + 1);
      clear_shares(strip, first);
      for (int64_t i = first; i < last; i += W) {
        for (int r = 0; r < W; ++r) {
          const float* const from = w_.item.m + (i + r) * w_.item.ldm;
          T* const row = a_ + (i + r) * ld_;
          const bool inside = i + r < n_;
          for (int64_t j = 0; j < i; j += W) L::store(row + j, inside ? L::load(from + j) : L::zero());
          L::store(row + i, inside ? L::load_n(from + i, r + 1) : L::zero());
          T* const diagonal = row + i + r;
          *diagonal = inside ? static_cast<T>(static_cast<double>(*diagonal) + w_.item.damping) : T(1);
          root_[i + r] = inside ? 8 * kUnit * *diagonal : T(0);
        }
        probe_rows(strip, i);
      }
    }
  }

  void probe(int64_t begin, int64_t end) const {
    for (int64_t strip = begin; strip < end; ++strip) {
      const int64_t first = spd_strip_begin(w_, strip), last = spd_strip_begin(w_, strip + 1);
      clear_shares(strip, first);
      for (int64_t i = first; i < last; i += W) probe_rows(strip, i);
    }
  }

  void gather(int64_t begin, int64_t end) const {
    constexpr int D = F64::W;
    for (int v = 0; v < 3; ++v) {
      double* const to = v < 2 ? w_.product[v] : w_.sums;
      for (int64_t j = begin; j < end; j += D) F64::store(to + j, F64::zero());
      for (int64_t strip = 0; strip < w_.strips; ++strip) {
        const int64_t stop = spd_strip_begin(w_, strip + 1) < end ? spd_strip_begin(w_, strip + 1) : end;
        for (int64_t j = begin; j < stop; j += D) F64::store(to + j, F64::add(F64::load(to + j), F64::load(share(strip, v) + j)));
      }
    }
  }

  // ---- pass 1: Cholesky

  // L of the rows of a block.
  void factor(int64_t block) const {
    const int64_t first = block * w_.block, last = last_of(block);
    for (int64_t r = first; r < last; ++r) {
      const int64_t t = r - first, height = height_of(r);
      T* const tile = a_ + r * P * ld_ + r * P;
      for (int64_t q = 0; t > 0 && q < height; q += R) {
        tile_rows<kSubtract, kUnpacked>(height, a_ + (r * P + q) * ld_ + first * P, panel_of(r), t * P, tile + q * ld_);
      }
      diagonal(block, t);
      if (*w_.failure != 0) return;
      for (int64_t i = r + 1; i < last; ++i) solve_panel(block, i, t, t + 1);
    }
  }

  // L of row panels behind the block.
  void solve(int64_t block, int64_t begin, int64_t end) const {
    const int64_t first = block * w_.block, last = last_of(block);
    for (int64_t i = begin > last ? begin : last; i < end; ++i) solve_panel(block, i, 0, last - first);
  }

  // A_ij -= sum over s in the block of L_is L_js', j behind the block.
  void update(int64_t block, int64_t begin, int64_t end) const {
    const int64_t first = block * w_.block, last = last_of(block);
    units(begin, end, last, w_.panels, [&](int64_t i, int64_t j) {
      if (j < last || j > i) return;
      update_tile<kSubtract, kPacked>(i, j, panel_of(i), panel_of(j), (last - first) * P);
    });
  }

  // ---- pass 2: Y = L^-1 from the last columns on

  // The rows of the block as panels; j = begin..end-1. Several panels at a time: a row is read in pieces longer than a panel is wide.
  void pack(int64_t block, int64_t begin, int64_t end) const {
    constexpr int64_t kTogether = 8;
    if (in_place()) return;
    const int64_t first = block * w_.block, last = last_of(block), height = depth_of(block);
    const bool far = n_ > kSpdUpdateRows;
    if (end > last) end = last;
    for (int64_t j = begin; j < end; j += kTogether) {
      const int64_t stop = j + kTogether < end ? j + kTogether : end;
      for (int64_t p = j > first ? (j - first) * P : 0; p < height; ++p) {
        const T* const row = a_ + (first * P + p) * ld_;
        for (int64_t k = j; k < stop && (k - first) * P <= p; ++k) {
          // A matrix row has room for whole panels.
          T* const to = panel_of(k) + p * P;
          L::store(to, L::load(row + k * P));
          L::store(to + W, L::load(row + k * P + W));
          if (far) {
            __builtin_prefetch(row + 4 * ld_ + k * P);
            __builtin_prefetch(row + 4 * ld_ + k * P + W);
          }
        }
      }
    }
  }

  // Y_it = (B_it - sum over s > t in the block of Y_is L_st) Y_t, where B is zero for rows of the block.
  void inverse_panel(int64_t block, int64_t begin, int64_t end) const {
    const int64_t first = block * w_.block, last = last_of(block);
    for (int64_t i = end - 1; i >= (begin > first ? begin : first); --i) {
      for (int64_t r = (i < last ? i : last) - 1; r >= first; --r) {
        T* const tile = a_ + i * P * ld_ + r * P;
        const T* const y = a_ + r * P * ld_ + r * P;
        const int64_t depth = depth_between(r + 1, i < last ? i : last);
        const T* const panel = panel_of(r) + (r + 1 - first) * P * P;
        for (int64_t q = height_of(i) - R; q >= 0; q -= R) {
          const T* const rows = a_ + (i * P + q) * ld_ + (r + 1) * P;
          if (i < last) {
            // Y_ii is lower triangular.
            const int64_t terms = (i - r - 1) * P + q + R;
            if (in_place()) {
              tile_rows<kAssignNegative, kUnpacked>(P, rows, a_ + (r + 1) * P * ld_ + r * P, terms, tile + q * ld_, ld_);
            } else {
              tile_rows<kAssignNegative, kUnpacked>(P, rows, panel, terms, tile + q * ld_);
            }
          } else if (depth > 0) {
            tile_rows<kSubtract, kUnpacked>(P, rows, panel, depth, tile + q * ld_);
          }
          // Y is lower triangular: the upper half of its rows is of use to the left half of the columns only.
          V sum[R][2], left[R][1];
          product<2, kUnpacked>(tile + q * ld_ + W, y + W * ld_, ld_, W, sum);
          product<1, kUnpacked>(tile + q * ld_, y, ld_, W, left);
          for (int k = 0; k < R; ++k) sum[k][0] = L::add(left[k][0], sum[k][0]);
          put<kAssign, 2>(sum, tile + q * ld_);
        }
      }
    }
  }

  // B_ij -= sum over s in the block, s <= i, of Y_is L_sj, j before the block.
  void inverse_update(int64_t block, int64_t begin, int64_t end) const {
    const int64_t first = block * w_.block, last = last_of(block);
    units(begin, end, first, w_.panels, [&](int64_t i, int64_t j) {
      if (j >= first) return;
      const T* const rows = a_ + i * P * ld_ + first * P;
      if (i < last) {
        // Y_ii is lower triangular.
        for (int64_t q = 0; q < height_of(i); q += R) {
          tile_rows<kAssignNegative, kUnpacked>(P, rows + q * ld_, panel_of(j), (i - first) * P + q + R, a_ + (i * P + q) * ld_ + j * P);
        }
      } else {
        update_tile<kSubtract, kUnpacked>(i, j, rows, panel_of(j), depth_of(block));
      }
    });
  }

  // ---- pass 3: X = Y'Y

  // X_ij += sum over s in the block, s >= i, of Y_si' Y_sj.
  void product_update(int64_t block, int64_t begin, int64_t end) const {
    const int64_t first = block * w_.block, last = last_of(block);
    units(begin, end, 0, last, [&](int64_t i, int64_t j) {
      if (j > i) return;
      if (i >= first) {
        // Y_ii' is upper triangular.
        const int64_t depth = depth_between(i, last), from = (i - first) * P;
        for (int64_t q = 0; q < height_of(i); q += R) {
          const int64_t width = i == j && q + R <= W ? W : height_of(j);
          T* const tile = a_ + (i * P + q) * ld_ + j * P;
          if (in_place()) {
            const T* const row = a_ + (i * P + q) * ld_;
            tile_rows<kAssign, kPacked>(width, row + i * P + q, row + j * P, depth - q, tile, ld_);
          } else {
            tile_rows<kAssign, kPacked>(width, panel_of(i) + (from + q) * P + q, panel_of(j) + (from + q) * P, depth - q, tile);
          }
        }
      } else {
        update_tile<kAdd, kPacked>(i, j, panel_of(i), panel_of(j), depth_of(block));
      }
    });
  }

  void store(int64_t begin, int64_t end) const {
    if (n_ > kNear) {
      store_rows<true>(begin, end);
    } else {
      store_rows<false>(begin, end);
    }
  }

 private:
  // How a row operand lies in memory: a[r*ld + p], or a[p*ldb + r] in a panel.
  enum Operand { kUnpacked, kPacked };
  enum Result { kAssign, kAssignNegative, kAdd, kSubtract };

  int64_t height_of(int64_t panel) const { return w_.padded - panel * P < P ? W : P; }
  int64_t last_of(int64_t block) const { return (block + 1) * w_.block < w_.panels ? (block + 1) * w_.block : w_.panels; }
  // Rows of panels from..to-1.
  int64_t depth_between(int64_t from, int64_t to) const { return to > from ? (to - 1 - from) * P + height_of(to - 1) : 0; }
  int64_t depth_of(int64_t block) const { return depth_between(block * w_.block, last_of(block)); }
  T* panel_of(int64_t panel) const { return v_ + panel * w_.block * P * P; }
  // The only block of a matrix is not packed: passes 2 and 3 read its rows in place, what overwrites them comes after their last use.
  bool in_place() const { return w_.panels <= w_.block; }

  METAPLAST_HD void mirror_diagonal(int64_t i) const {
    V t[W];
    load_transposed(a_ + i * ld_ + i, t);
#pragma GCC unroll 16
    for (int r = 0; r < W; ++r) {
      const V lower = L::load(a_ + (i + r) * ld_ + i);
      L::store(a_ + (i + r) * ld_ + i, t[r]);
      L::store_n(a_ + (i + r) * ld_ + i, lower, r + 1);
    }
  }

  // Large matrices: rows are copied in pieces longer than a vector before their tiles are mirrored.
  template <bool kFar>
  void store_rows(int64_t begin, int64_t end) const {
    const int64_t ldo = w_.item.ldo;
    float* const out = w_.item.out;
    for (int64_t first = begin; first < end; first += kMirrored * W) {
      const int64_t last = first + kMirrored * W < end ? first + kMirrored * W : end;
      for (int64_t piece = 0; piece < last; piece += kNear) {
        const int64_t stop = piece + kNear < last ? piece + kNear : last;
        if (kFar) {
          for (int64_t i = first; i < last && i < n_; ++i) {
            const int64_t own = (i / W + 1) * W;
            for (int64_t j = piece; j < (own < stop ? own : stop); j += W) store_vector(out + i * ldo + j, L::load(a_ + i * ld_ + j), n_ - j);
          }
        }
        for (int64_t j = piece; j < stop; j += W) {
          for (int64_t i = j < first ? first : j + (kFar ? W : 0); i < last; i += W) {
            V t[W];
#pragma GCC unroll 16
            for (int r = 0; r < W; ++r) t[r] = L::load(a_ + (i + r) * ld_ + j);
            const int64_t inside = n_ - i;
            if (inside >= W) {
              if (!kFar) {
#pragma GCC unroll 16
                for (int r = 0; r < W; ++r) L::store(out + (i + r) * ldo + j, t[r]);
              }
              if (i == j) continue;
              L::transpose(t);
#pragma GCC unroll 16
              for (int r = 0; r < W; ++r) L::store(out + (j + r) * ldo + i, t[r]);
            } else {
              for (int r = 0; r < inside && !kFar; ++r) store_vector(out + (i + r) * ldo + j, t[r], n_ - j);
              if (i == j) continue;
              L::transpose(t);
              for (int r = 0; r < W; ++r) L::store_n(out + (j + r) * ldo + i, t[r], inside);
            }
          }
        }
      }
    }
  }

  METAPLAST_HD static void store_vector(float* to, V x, int64_t n) {
    if (n >= W) {
      L::store(to, x);
    } else {
      L::store_n(to, x, n);
    }
  }

  double* share(int64_t strip, int v) const {
    return w_.strips > 1 ? reinterpret_cast<double*>(v_) + (strip * 3 + v) * w_.padded : v < 2 ? w_.product[v] : w_.sums;
  }
  void clear_shares(int64_t strip, int64_t n) const {
    for (int v = 0; v < 3; ++v) {
      for (int64_t j = 0; j < n; j += F64::W) F64::store(share(strip, v) + j, F64::zero());
    }
  }

  // A vector of rows: products of the rows with the factors, and their terms in the products of the columns before them.
  void probe_rows(int64_t strip, int64_t i) const {
    constexpr int D = F64::W;
    constexpr int64_t kPiece = 512;
    double* const to[3] = {share(strip, 0), share(strip, 1), share(strip, 2)};
    alignas(64) double lanes[3][W * D];
    mirror_diagonal(i);
    int64_t stop = i < kPiece ? i : kPiece;
    for (int r = 0; r < W; r += kProbeRows) probe_piece<true>(i, 0, stop, r, to, lanes);
    for (int64_t from = stop; from < i; from = stop) {
      stop = from + kPiece < i ? from + kPiece : i;
      for (int r = 0; r < W; r += kProbeRows) probe_piece<false>(i, from, stop, r, to, lanes);
    }
    for (int v = 0; v < 3; ++v) {
#pragma GCC unroll 1
      for (int r = 0; r < W; r += D) {
        F64::V t[D];
#pragma GCC unroll 8
        for (int k = 0; k < D; ++k) t[k] = F64::load(lanes[v] + (r + k) * D);
        F64::transpose(t);
#pragma GCC unroll 8
        for (int k = 1; k < D; ++k) t[0] = F64::add(t[0], t[k]);
        F64::store(to[v] + i + r, t[0]);
      }
    }
  }

  // Columns from..stop-1. The first piece begins with the tile on the diagonal, which is symmetric: its columns are rows of it.
  template <bool kFirst>
  METAPLAST_HD void probe_piece(int64_t i, int64_t from, int64_t stop, int r, double* const (&to)[3], double (&lanes)[3][W * F64::W]) const {
    constexpr int D = F64::W;
    F64::V sum[3][kProbeRows], x[2][kProbeRows];
    const T* const row = a_ + (i + r) * ld_;
#pragma GCC unroll 4
    for (int k = 0; k < kProbeRows; ++k) {
      for (int v = 0; v < 3; ++v) sum[v][k] = kFirst ? F64::zero() : F64::load(lanes[v] + (r + k) * D);
      for (int v = 0; v < 2; ++v) x[v][k] = F64::set(w_.factor[v][i + r + k]);
    }
    const auto add_row = [&](int k, F64::V m, F64::V size, int64_t j) {
      sum[0][k] = F64::fma(m, F64::load(w_.factor[0] + j), sum[0][k]);
      sum[1][k] = F64::fma(m, F64::load(w_.factor[1] + j), sum[1][k]);
      sum[2][k] = F64::add(size, sum[2][k]);
    };
    if (kFirst) {
#pragma GCC unroll 4
      for (int64_t j = i; j < i + W; j += D) {
#pragma GCC unroll 4
        for (int k = 0; k < kProbeRows; ++k) {
          const F64::V m = F64::load(row + k * ld_ + j);
          add_row(k, m, F64::absolute(m), j);
        }
      }
    }
    for (int64_t j = from; j < stop; j += D) {
      F64::V column[3];
      for (int v = 0; v < 3; ++v) column[v] = F64::load(to[v] + j);
#pragma GCC unroll 4
      for (int k = 0; k < kProbeRows; ++k) {
        const F64::V m = F64::load(row + k * ld_ + j), size = F64::absolute(m);
        add_row(k, m, size, j);
        column[0] = F64::fma(m, x[0][k], column[0]);
        column[1] = F64::fma(m, x[1][k], column[1]);
        column[2] = F64::add(size, column[2]);
      }
      for (int v = 0; v < 3; ++v) F64::store(to[v] + j, column[v]);
    }
#pragma GCC unroll 4
    for (int k = 0; k < kProbeRows; ++k) {
      for (int v = 0; v < 3; ++v) F64::store(lanes[v] + (r + k) * D, sum[v][k]);
    }
  }

  // Tile on the diagonal: the columns of L into its panel, the inverse Y into the tile. A vector of rows at a time: elimination in registers, S = F'DF
  // with F unit upper triangular, L = F' sqrt(D).
  void diagonal(int64_t block, int64_t t) const {
    const int64_t r = block * w_.block + t, height = height_of(r);
    T* const tile = a_ + r * P * ld_ + r * P;
    T* const l = panel_of(r) + t * P * P;
    alignas(64) T f[W * W], pivots[2 * W], y[2][W * W], lower[W * W];
    for (int h = 0; h * W < height; ++h) {
      V s[W];
      load_transposed(tile + h * W * ld_ + h * W, s);
      if (h == 1) {
#pragma GCC unroll 1
        for (int64_t k = 0; k < W; ++k) {
          const T* const row = l + k * P + W;
          const V x = L::load(row);
#pragma GCC unroll 16
          for (int i = 0; i < W; ++i) s[i] = L::fnma(L::set(row[i]), x, s[i]);
        }
      }
      // The chain from pivot to pivot is what takes the time: it does not wait for the row that the pivot is in.
      V pivot = L::lane(s[0], 0);
#pragma GCC unroll 16
      for (int k = 0; k < W; ++k) {
        L::store(pivots + k, pivot);
        const V inverse = L::div(L::set(T(1)), pivot);
        L::store(f + k * W, L::mul(s[k], inverse));
        written(f);
        if (k + 1 < W) {
          const V next = L::lane(s[k], k + 1), factor = L::mul(next, inverse);
          pivot = L::fnma(factor, next, L::lane(s[k + 1], k + 1));
          s[k + 1] = L::fnma(factor, s[k], s[k + 1]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < W; ++i) {
          if (i > k + 1) s[i] = L::fnma(L::set(f[k * W + i]), s[k], s[i]);
        }
      }
      // What follows a failed pivot is void, so the first one counts.
      T* const root = root_ + r * P + h * W;
      for (int64_t k = 0; k < W; ++k) {
        if (!(pivots[k] > root[k])) {
          *w_.failure = r * P + h * W + k + 1;
          *w_.pivot = static_cast<double>(pivots[k]);
          return;
        }
      }
      L::store(root, L::div(L::set(T(1)), L::sqrt(L::load(pivots))));
      written(root);
#pragma GCC unroll 16
      for (int k = 0; k < W; ++k) L::store(l + (h * W + k) * P + h * W, L::mul(s[k], L::set(root[k])));
      // F'U = I, Y = D^-1/2 U.
#pragma GCC unroll 16
      for (int i = 0; i < W; ++i) s[i] = L::load(kIdentity.row + W - i);
      substitute(f, s);
#pragma GCC unroll 16
      for (int k = 0; k < W; ++k) {
        const V row = L::mul(s[k], L::set(root[k]));
        L::store(y[h] + k * W, row);
        L::store(tile + (h * W + k) * ld_ + h * W, row);
      }
      if (h == 0 && height > W) {
        load_transposed(tile + W * ld_, s);
        substitute(f, s);
#pragma GCC unroll 16
        for (int k = 0; k < W; ++k) {
          s[k] = L::mul(s[k], L::set(root[k]));
          L::store(l + k * P + W, s[k]);
        }
        L::transpose(s);
        for (int k = 0; k < W; ++k) L::store(lower + k * W, s[k]);
      }
    }
    if (height == W) return;
    // Below: -(Y_11 L_10) Y_00.
    V s[W];
    multiply_tile(y[1], lower, s);
    for (int k = 0; k < W; ++k) L::store(lower + k * W, L::sub(L::zero(), s[k]));
    multiply_tile(lower, y[0], s);
    for (int k = 0; k < W; ++k) {
      L::store(tile + (W + k) * ld_, s[k]);
      L::store(tile + k * ld_ + W, L::zero());
    }
  }

  // Multipliers are read back from memory, one for all lanes: otherwise GCC makes a vector of each and keeps all of them on the stack.
  METAPLAST_HD static void written(const T* p) { __asm__ volatile("" : : "r"(p) : "memory"); }

  // s[k] = column k of the rows at `from`.
  METAPLAST_HD void load_transposed(const T* from, V (&s)[W]) const {
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) s[i] = L::load(from + i * ld_);
    L::transpose(s);
  }

  // s becomes F'^-1 s, F unit upper triangular.
  METAPLAST_HD static void substitute(const T* f, V (&s)[W]) {
#pragma GCC unroll 16
    for (int k = 0; k < W; ++k) {
#pragma GCC unroll 16
      for (int i = 0; i < W; ++i) {
        if (i > k) s[i] = L::fnma(L::set(f[k * W + i]), s[k], s[i]);
      }
    }
  }

  // s = a b, W x W.
  METAPLAST_HD static void multiply_tile(const T* a, const T* b, V (&s)[W]) {
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) s[i] = L::zero();
#pragma GCC unroll 1
    for (int k = 0; k < W; ++k) {
      const V x = L::load(b + k * W);
#pragma GCC unroll 16
      for (int i = 0; i < W; ++i) s[i] = L::fma(L::set(a[i * W + k]), x, s[i]);
    }
  }

  // L_it for the tiles t = from..to-1 of row panel i, by substitution: with the inverse of an ill-conditioned tile on the diagonal the result would not be
  // L. The panel of i holds the rows as columns; so they are the vectors, and L of the block the row operand.
  void solve_panel(int64_t block, int64_t i, int64_t from, int64_t to) const {
    T* const panel = panel_of(i);
    T* const row = a_ + i * P * ld_ + block * w_.block * P;
    const int64_t height = height_of(i);
    for (int64_t t = from; t < to; ++t) transpose_tile(row + t * P, ld_, height, P, panel + t * P * P, P);
    for (int64_t p = from * P; p < to * P; p += R) {
      const T* const l = panel_of(block * w_.block + p / P) + p % P;
      const T* const root = root_ + block * w_.block * P + p;
      if (height > W) {
        solve_rows<2>(l, panel, p, root);
      } else {
        solve_rows<1>(l, panel, p, root);
      }
    }
    for (int64_t t = from; t < to; ++t) transpose_tile(panel + t * P * P, P, P, height, row + t * P, ld_);
  }
  template <int kVectors>
  METAPLAST_HD void solve_rows(const T* l, T* panel, int64_t p, const T* root) const {
    V x[R][kVectors];
    product<kVectors, kPacked>(l, panel, p, x);
    T* const rows = panel + p * P;
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      for (int c = 0; c < kVectors; ++c) x[r][c] = L::sub(L::load(rows + r * P + c * W), x[r][c]);
    }
#pragma GCC unroll 8
    for (int s = 0; s < R; ++s) {
      const T* const column = l + (p + s) * P;
      for (int c = 0; c < kVectors; ++c) {
        x[s][c] = L::mul(x[s][c], L::set(root[s]));
        L::store(rows + s * P + c * W, x[s][c]);
      }
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        for (int c = 0; c < kVectors; ++c) {
          if (r > s) x[r][c] = L::fnma(L::set(column[r]), x[s][c], x[r][c]);
        }
      }
    }
  }

  struct Identity {
    T row[2 * W + 1];
  };
  static constexpr Identity identity() {
    Identity one{};
    one.row[W] = 1;
    return one;
  }
  static constexpr Identity kIdentity = identity();

  // body(i, j) for the tiles of units begin..end-1; a unit is a column panel in a group of the row panels from..to-1.
  template <class Body>
  void units(int64_t begin, int64_t end, int64_t from, int64_t to, Body body) const {
    const int64_t group = spd_panels_of_group(W);
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t g = unit / w_.panels, j = unit % w_.panels;
      const int64_t first = g * group > from ? g * group : from, last = (g + 1) * group < to ? (g + 1) * group : to;
      for (int64_t i = first; i < last; ++i) body(i, j);
    }
  }

  // to[q][i] = from[i][q], i < rows, q < columns, both multiples of a vector.
  static void transpose_tile(const T* from, int64_t ld, int64_t rows, int64_t columns, T* to, int64_t ldt) {
    V t[W];
    for (int64_t i = 0; i < rows; i += W) {
      for (int64_t q = 0; q < columns; q += W) {
        for (int r = 0; r < W; ++r) t[r] = L::load(from + (i + r) * ld + q);
        L::transpose(t);
        for (int r = 0; r < W; ++r) L::store(to + (q + r) * ldt + i, t[r]);
      }
    }
  }

  // sum[r][c] = sum over p < depth of row operand (r, p) * b[p*ldb + c], in chains of kChain terms. A packed row operand has the stride ldb too.
  template <int kVectors, Operand kOperand>
  METAPLAST_HD void product(const T* a, const T* b, int64_t ldb, int64_t depth, V (&sum)[R][kVectors]) const {
    chain<kVectors, kOperand>(a, b, ldb, depth < kChain ? depth : kChain, sum);
    for (int64_t p = kChain; p < depth; p += kChain) {
      V more[R][kVectors];
      const T* const rest = a + p * (kOperand == kPacked ? ldb : 1);
      chain<kVectors, kOperand>(rest, b + p * ldb, ldb, depth - p < kChain ? depth - p : kChain, more);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        for (int c = 0; c < kVectors; ++c) sum[r][c] = L::add(sum[r][c], more[r][c]);
      }
    }
  }
  template <int kVectors, Operand kOperand>
  METAPLAST_HD void product(const T* a, const T* panel, int64_t depth, V (&sum)[R][kVectors]) const {
    product<kVectors, kOperand>(a, panel, P, depth, sum);
  }
  template <int kVectors, Operand kOperand>
  METAPLAST_HD void chain(const T* a, const T* b, int64_t ldb, int64_t depth, V (&sum)[R][kVectors]) const {
    const int64_t row = kOperand == kUnpacked ? ld_ : 1;
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      for (int c = 0; c < kVectors; ++c) sum[r][c] = L::zero();
    }
    for (int64_t p = 0; p < depth; ++p, a += kOperand == kPacked ? ldb : 1, b += ldb) {
      V x[kVectors];
      for (int c = 0; c < kVectors; ++c) x[c] = L::load(b + c * W);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const V y = L::set(a[r * row]);
        for (int c = 0; c < kVectors; ++c) sum[r][c] = L::fma(y, x[c], sum[r][c]);
      }
      if (kOperand == kPacked && kVectors == 2) __builtin_prefetch(a + kFetched * ldb);
    }
  }

  template <Result kResult, int kVectors>
  METAPLAST_HD void put(const V (&sum)[R][kVectors], T* c) const {
    for (int r = 0; r < R; ++r) {
      for (int x = 0; x < kVectors; ++x) {
        T* const to = c + r * ld_ + x * W;
        if (kResult == kAssign) L::store(to, sum[r][x]);
        if (kResult == kAssignNegative) L::store(to, L::sub(L::zero(), sum[r][x]));
        if (kResult == kAdd) L::store(to, L::add(L::load(to), sum[r][x]));
        if (kResult == kSubtract) L::store(to, L::sub(L::load(to), sum[r][x]));
      }
    }
  }

  // R rows of a tile of the matrix, `width` columns.
  template <Result kResult, Operand kOperand>
  METAPLAST_HD void tile_rows(int64_t width, const T* a, const T* panel, int64_t depth, T* c, int64_t ldb = P) const {
    if (kResult == kAdd || kResult == kSubtract) {
      // The sums are long enough to hide the way to memory.
      for (int r = 0; r < R; ++r) {
        __builtin_prefetch(c + r * ld_);
        __builtin_prefetch(c + r * ld_ + P - 1);
      }
    }
    if (width > W) {
      V sum[R][2];
      product<2, kOperand>(a, panel, ldb, depth, sum);
      put<kResult, 2>(sum, c);
    } else {
      V sum[R][1];
      product<1, kOperand>(a, panel, ldb, depth, sum);
      put<kResult, 1>(sum, c);
    }
  }

  // Tile (i, j) of the matrix; above the diagonal nothing is needed.
  template <Result kResult, Operand kOperand>
  void update_tile(int64_t i, int64_t j, const T* a, const T* panel, int64_t depth) const {
    T* const c = a_ + i * P * ld_ + j * P;
    for (int64_t q = 0; q < height_of(i); q += R) {
      const int64_t width = i == j && q + R <= W ? W : height_of(j);
      tile_rows<kResult, kOperand>(width, a + q * (kOperand == kPacked ? 1 : ld_), panel, depth, c + q * ld_);
    }
  }

  const SpdWork& w_;
  const int64_t n_, ld_;
  T* const a_;
  T* const v_;
  T* const root_;
};

template <class L>
METAPLAST_HD void spd_phase(const SpdWork* work, SpdPhase phase, int64_t block, int64_t begin, int64_t end) {
  const SpdMatrix<L> matrix(*work);
  switch (phase) {
    case kSpdLoad: return matrix.load(begin, end);
    case kSpdProbe: return matrix.probe(begin, end);
    case kSpdGather: return matrix.gather(begin, end);
    case kSpdFactor: return matrix.factor(block);
    case kSpdSolve: return matrix.solve(block, begin, end);
    case kSpdUpdate: return matrix.update(block, begin, end);
    case kSpdPack: return matrix.pack(block, begin, end);
    case kSpdInversePanel: return matrix.inverse_panel(block, begin, end);
    case kSpdInverseUpdate: return matrix.inverse_update(block, begin, end);
    case kSpdProductUpdate: return matrix.product_update(block, begin, end);
    case kSpdStore: return matrix.store(begin, end);
  }
}

}  // namespace

void spd_phase_f32(const SpdWork* work, SpdPhase phase, int64_t block, int64_t begin, int64_t end) noexcept {
  spd_phase<F32>(work, phase, block, begin, end);
}

void spd_phase_f64(const SpdWork* work, SpdPhase phase, int64_t block, int64_t begin, int64_t end) noexcept {
  spd_phase<F64>(work, phase, block, begin, end);
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
