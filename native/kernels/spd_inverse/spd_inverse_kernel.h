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
  static_assert(W * sizeof(T) == kSpdVectorBytes[sizeof(F32::V) == 64 ? 2 : sizeof(F32::V) == 32 ? 1 : 0], "width known to the driver");
  static_assert(W % R == 0, "row tiles fill half a panel");

 public:
  explicit SpdMatrix(const SpdWork& work)
      : w_(work),
        n_(work.item.n),
        ld_(work.ld),
        a_(static_cast<T*>(work.matrix)),
        v_(static_cast<T*>(work.v)),
        y_(static_cast<T*>(work.inverse)),
        threshold_(static_cast<T*>(work.threshold)) {}

  void load(int64_t begin, int64_t end) const {
    constexpr T kUnit = sizeof(T) == 4 ? T(0x1p-24) : T(0x1p-53);
    for (int64_t i = begin; i < end; ++i) {
      T* const row = a_ + i * ld_;
      const float* const from = w_.item.m + i * w_.item.ldm;
      int64_t j = 0;
      for (; i < n_ && j + W <= i; j += W) L::store(row + j, L::load(from + j));
      for (; j <= i; j += W) L::store(row + j, i < n_ ? L::load_n(from + j, i + 1 - j) : L::zero());
      row[i] = i < n_ ? static_cast<T>(static_cast<double>(row[i]) + w_.item.damping) : T(1);
      threshold_[i] = i < n_ ? 8 * kUnit * row[i] : T(0);
    }
  }

  void mirror(int64_t begin, int64_t end) const {
    V t[W];
    for (int64_t block = begin; block < end; ++block) {
      const int64_t i = block * W;
      for (int64_t j = 0; j < i; j += W) {
        for (int r = 0; r < W; ++r) t[r] = L::load(a_ + (i + r) * ld_ + j);
        L::transpose(t);
        for (int r = 0; r < W; ++r) L::store(a_ + (j + r) * ld_ + i, t[r]);
      }
      V lower[W];
      for (int r = 0; r < W; ++r) t[r] = lower[r] = L::load(a_ + (i + r) * ld_ + i);
      L::transpose(t);
      for (int r = 0; r < W; ++r) {
        L::store(a_ + (i + r) * ld_ + i, t[r]);
        L::store_n(a_ + (i + r) * ld_ + i, lower[r], r + 1);
      }
    }
  }

  // As many rows at once as a vector has doubles; their sums are brought together by a transposition.
  void multiply(int64_t begin, int64_t end) const {
    constexpr int D = F64::W;
    for (int64_t i = begin; i < end; i += D) {
      F64::V sum[3][D];
      for (int r = 0; r < D; ++r) sum[0][r] = sum[1][r] = sum[2][r] = F64::zero();
      for (int64_t j = 0; j < w_.padded; j += D) {
        const F64::V x = F64::load(w_.factor[0] + j), z = F64::load(w_.factor[1] + j);
#pragma GCC unroll 8
        for (int r = 0; r < D; ++r) {
          const F64::V m = F64::load(a_ + (i + r) * ld_ + j);
          sum[0][r] = F64::fma(m, x, sum[0][r]);
          sum[1][r] = F64::fma(m, z, sum[1][r]);
          sum[2][r] = F64::add(F64::absolute(m), sum[2][r]);
        }
      }
      for (int k = 0; k < 3; ++k) {
        F64::transpose(sum[k]);
        for (int r = 1; r < D; ++r) sum[k][0] = F64::add(sum[k][0], sum[k][r]);
        F64::store((k < 2 ? w_.product[k] : w_.sums) + i, sum[k][0]);
      }
    }
  }

  // ---- pass 1: Cholesky

  void diagonal(int64_t block, int64_t t) const {
    const int64_t first = block * w_.block, r = first + t, height = height_of(r);
    T* const tile = a_ + r * P * ld_ + r * P;
    for (int64_t q = 0; q < height; q += R) {
      tile_rows<kSubtract, kUnpacked>(height, a_ + (r * P + q) * ld_ + first * P, panel_of(r), t * P, tile + q * ld_);
    }
    alignas(64) T s[P * P], u[P * P], f[P], root[P + W];
    // The upper triangle of s is used.
    transpose_tile(tile, ld_, height, height, s, P);
    for (int64_t i = 0; i < height; ++i) {
      for (int64_t j = 0; j < P; ++j) u[i * P + j] = i == j ? T(1) : T(0);
    }
    // Elimination without square roots: [S | I] becomes [. | U], U = diag(sqrt(pivots)) Y unit lower triangular. Row k stays in registers from the
    // moment it is complete: the chain from pivot to pivot is what takes the time.
    const bool wide = height > W;
    V s0 = L::load(s), s1 = wide ? L::load(s + W) : L::zero(), u0 = L::load(u), u1 = L::zero();
    for (int64_t k = 0; k < height; ++k) {
      const V pivot = k < W ? L::lane(s0, k) : L::lane(s1, k - W), inverse = L::div(L::set(T(1)), pivot);
      const V f0 = L::mul(s0, inverse), f1 = L::mul(s1, inverse);
      L::store(root + k, pivot);
      L::store(u + k * P, u0);
      L::store(u + k * P + W, u1);
      if (k + 1 == height) break;
      L::store(f, f0);
      L::store(f + W, f1);
      const int64_t next = k + 1;
      T* const sn = s + next * P;
      T* const un = u + next * P;
      const V factor = next < W ? L::lane(f0, next) : L::lane(f1, next - W);
      const V s0_next = L::fnma(factor, s0, L::load(sn)), s1_next = wide ? L::fnma(factor, s1, L::load(sn + W)) : s1;
      const V u0_next = L::fnma(factor, u0, L::load(un)), u1_next = L::fnma(factor, u1, L::load(un + W));
      if (k < W) {
        // Columns past W of U are still those of the identity.
        for (int64_t i = k + 2; i < height; ++i) {
          const V x = L::set(f[i]);
          T* const si = s + i * P;
          T* const ui = u + i * P;
          if (i < W) L::store(si, L::fnma(x, s0, L::load(si)));
          if (wide) L::store(si + W, L::fnma(x, s1, L::load(si + W)));
          L::store(ui, L::fnma(x, u0, L::load(ui)));
        }
      } else {
        for (int64_t i = k + 2; i < height; ++i) {
          const V x = L::set(f[i]);
          T* const si = s + i * P;
          T* const ui = u + i * P;
          L::store(si + W, L::fnma(x, s1, L::load(si + W)));
          L::store(ui, L::fnma(x, u0, L::load(ui)));
          L::store(ui + W, L::fnma(x, u1, L::load(ui + W)));
        }
      }
      s0 = s0_next;
      s1 = s1_next;
      u0 = u0_next;
      u1 = u1_next;
    }
    // What follows a failed pivot is void, so the first one counts.
    for (int64_t k = 0; k < height; ++k) {
      if (!(root[k] > threshold_[r * P + k])) {
        *w_.failure = r * P + k + 1;
        *w_.pivot = static_cast<double>(root[k]);
        return;
      }
    }
    for (int64_t k = 0; k < height; k += W) {
      L::store(root + k, L::div(L::set(T(1)), L::sqrt(L::load(root + k))));
    }
    for (int64_t k = 0; k < height; ++k) {
      const V scale = L::set(root[k]);
      for (int64_t j = 0; j < height; j += W) L::store(tile + k * ld_ + j, L::mul(L::load(u + k * P + j), scale));
    }
    transpose_tile(tile, ld_, height, height, y_, P);
  }

  // L_it = (A_it - sum over s of L_is L_ts') Y_t', and its transpose into the panel of i.
  void panel(int64_t block, int64_t t, int64_t begin, int64_t end) const {
    const int64_t first = block * w_.block, r = first + t;
    for (int64_t i = begin > r ? begin : r + 1; i < end; ++i) {
      T* const tile = a_ + i * P * ld_ + r * P;
      for (int64_t q = 0; q < height_of(i); q += R) {
        tile_rows<kSubtract, kUnpacked>(P, a_ + (i * P + q) * ld_ + first * P, panel_of(r), t * P, tile + q * ld_);
        // Y' is upper triangular: the lower half of its rows is of use to the right half of the columns only.
        V sum[R][2], right[R][1];
        product<2, kUnpacked>(tile + q * ld_, y_, W, sum);
        product<1, kUnpacked>(tile + q * ld_ + W, y_ + W * P + W, W, right);
        for (int k = 0; k < R; ++k) sum[k][1] = L::add(sum[k][1], right[k][0]);
        put<kAssign, 2>(sum, tile + q * ld_);
      }
      transpose_tile(tile, ld_, height_of(i), P, panel_of(i) + t * P * P, P);
    }
  }

  // A_ij -= sum over s in the block of L_is L_js', j behind the block.
  void update(int64_t block, int64_t begin, int64_t end) const {
    const int64_t first = block * w_.block, last = last_of(block);
    units(begin, end, last, w_.panels, [&](int64_t i, int64_t j) {
      if (j < last || j > i) return;
      update_tile<kSubtract, kUnpacked>(i, j, a_ + i * P * ld_ + first * P, panel_of(j), (last - first) * P);
    });
  }

  // ---- pass 2: Y = L^-1 from the last columns on

  // The rows of the block as panels; j = begin..end-1.
  void pack(int64_t block, int64_t begin, int64_t end) const {
    const int64_t first = block * w_.block, last = last_of(block), height = depth_of(block);
    for (int64_t j = begin; j < (end < last ? end : last); ++j) {
      // A matrix row has room for whole panels.
      T* const to = panel_of(j);
      const T* const rows = a_ + first * P * ld_ + j * P;
      for (int64_t p = j > first ? (j - first) * P : 0; p < height; ++p) {
        L::store(to + p * P, L::load(rows + p * ld_));
        L::store(to + p * P + W, L::load(rows + p * ld_ + W));
      }
    }
  }

  // Y_it = (B_it - sum over s > t in the block of Y_is L_st) Y_t, where B is zero for rows of the block.
  void inverse_panel(int64_t block, int64_t t, int64_t begin, int64_t end) const {
    const int64_t first = block * w_.block, last = last_of(block), r = first + t;
    for (int64_t i = begin > r ? begin : r + 1; i < end; ++i) {
      T* const tile = a_ + i * P * ld_ + r * P;
      const T* const y = a_ + r * P * ld_ + r * P;
      const int64_t depth = depth_between(r + 1, i < last ? i : last);
      for (int64_t q = 0; q < height_of(i); q += R) {
        const T* const rows = a_ + (i * P + q) * ld_ + (r + 1) * P;
        const T* const panel = panel_of(r) + (t + 1) * P * P;
        if (i < last) {
          // Y_ii is lower triangular.
          tile_rows<kAssignNegative, kUnpacked>(P, rows, panel, depth + q + R, tile + q * ld_);
        } else {
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
          tile_rows<kAssign, kPacked>(width, panel_of(i) + (from + q) * P + q, panel_of(j) + (from + q) * P, depth - q,
                                      a_ + (i * P + q) * ld_ + j * P);
        }
      } else {
        update_tile<kAdd, kPacked>(i, j, panel_of(i), panel_of(j), depth_of(block));
      }
    });
  }

  void store(int64_t begin, int64_t end) const {
    for (int64_t i = begin; i < (end < n_ ? end : n_); ++i) {
      const T* const row = a_ + i * ld_;
      float* const to = w_.item.out + i * w_.item.ldo;
      int64_t j = 0;
      for (; j + W <= n_; j += W) L::store(to + j, L::load(row + j));
      if (j < n_) L::store_n(to + j, L::load(row + j), n_ - j);
    }
  }

 private:
  // How a row operand lies in memory: a[r*ld + p], or a[p*P + r] in a panel.
  enum Operand { kUnpacked, kPacked };
  enum Result { kAssign, kAssignNegative, kAdd, kSubtract };

  int64_t height_of(int64_t panel) const { return w_.padded - panel * P < P ? W : P; }
  int64_t last_of(int64_t block) const { return (block + 1) * w_.block < w_.panels ? (block + 1) * w_.block : w_.panels; }
  // Rows of panels from..to-1.
  int64_t depth_between(int64_t from, int64_t to) const { return to > from ? (to - 1 - from) * P + height_of(to - 1) : 0; }
  int64_t depth_of(int64_t block) const { return depth_between(block * w_.block, last_of(block)); }
  T* panel_of(int64_t panel) const { return v_ + panel * w_.block * P * P; }

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

  // sum[r][c] = sum over p < depth of row operand (r, p) * b[p*ldb + c], in chains of kChain terms.
  template <int kVectors, Operand kOperand>
  METAPLAST_HD void product(const T* a, const T* b, int64_t ldb, int64_t depth, V (&sum)[R][kVectors]) const {
    chain<kVectors, kOperand>(a, b, ldb, depth < kChain ? depth : kChain, sum);
    for (int64_t p = kChain; p < depth; p += kChain) {
      V more[R][kVectors];
      const T* const rest = a + p * (kOperand == kPacked ? P : 1);
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
    const int64_t row = kOperand == kPacked ? 1 : ld_;
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      for (int c = 0; c < kVectors; ++c) sum[r][c] = L::zero();
    }
    for (int64_t p = 0; p < depth; ++p, a += kOperand == kPacked ? P : 1, b += ldb) {
      V x[kVectors];
      for (int c = 0; c < kVectors; ++c) x[c] = L::load(b + c * W);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const V y = L::set(a[r * row]);
        for (int c = 0; c < kVectors; ++c) sum[r][c] = L::fma(y, x[c], sum[r][c]);
      }
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
  METAPLAST_HD void tile_rows(int64_t width, const T* a, const T* panel, int64_t depth, T* c) const {
    if (width > W) {
      V sum[R][2];
      product<2, kOperand>(a, panel, depth, sum);
      put<kResult, 2>(sum, c);
    } else {
      V sum[R][1];
      product<1, kOperand>(a, panel, depth, sum);
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
  T* const y_;
  T* const threshold_;
};

template <class L>
METAPLAST_HD void spd_phase(const SpdWork* work, SpdPhase phase, int64_t block, int64_t panel, int64_t begin, int64_t end) {
  const SpdMatrix<L> matrix(*work);
  switch (phase) {
    case kSpdLoad: return matrix.load(begin, end);
    case kSpdMirror: return matrix.mirror(begin, end);
    case kSpdMultiply: return matrix.multiply(begin, end);
    case kSpdDiagonal: return matrix.diagonal(block, panel);
    case kSpdPanel: return matrix.panel(block, panel, begin, end);
    case kSpdUpdate: return matrix.update(block, begin, end);
    case kSpdPack: return matrix.pack(block, begin, end);
    case kSpdInversePanel: return matrix.inverse_panel(block, panel, begin, end);
    case kSpdInverseUpdate: return matrix.inverse_update(block, begin, end);
    case kSpdProductUpdate: return matrix.product_update(block, begin, end);
    case kSpdStore: return matrix.store(begin, end);
  }
}

}  // namespace

void spd_phase_f32(const SpdWork* work, SpdPhase phase, int64_t block, int64_t panel, int64_t begin, int64_t end) noexcept {
  spd_phase<F32>(work, phase, block, panel, begin, end);
}

void spd_phase_f64(const SpdWork* work, SpdPhase phase, int64_t block, int64_t panel, int64_t begin, int64_t end) noexcept {
  spd_phase<F64>(work, phase, block, panel, begin, end);
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
