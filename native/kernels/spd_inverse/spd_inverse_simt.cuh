// Damped SPD inverses of a batch: small matrices by one block (up to 32 rows: one warp) in shared memory, large ones by tiles of 64 x 64 over
// the device. Contract: metaplast/kfac.h.
#ifndef METAPLAST_KERNELS_SPD_INVERSE_SIMT_CUH_
#define METAPLAST_KERNELS_SPD_INVERSE_SIMT_CUH_

#include "kernels/spd_inverse/spd_block_simt.cuh"

namespace metaplast {
namespace simt {

METAPLAST_DEVICE void spd_verdict(metaplast_spd_result_t* result, double residual, double tolerance, double cond1) {
  metaplast_spd_result_t r = {};
  r.status = residual <= tolerance ? METAPLAST_SPD_OK : METAPLAST_SPD_RESIDUAL;
  r.residual = residual;
  r.cond1 = cond1;
  r.flags = (cond1 > 1e5 ? METAPLAST_SPD_ILL_CONDITIONED : 0) | (cond1 > 1.7e6 ? METAPLAST_SPD_UNRELIABLE : 0);
  *result = r;
}
METAPLAST_DEVICE void spd_failure(metaplast_spd_result_t* result, int32_t status, double pivot, int64_t index) {
  metaplast_spd_result_t r = {};
  r.status = status;
  r.pivot = pivot;
  r.index = index;
  *result = r;
}

METAPLAST_HD bool spd_valid(const metaplast_spd_item_t& e) {
  return e.n >= 0 && e.ldm >= e.n && e.ldo >= e.n && e.damping >= 0 && e.damping <= 1.7976931348623157e308 &&
         (e.n == 0 || (e.m != nullptr && e.out != nullptr));
}

// ---- small ---------------------------------------------------------------------------------------------------------------------------

// Largest n in 48 KB of shared memory, in multiples of a warp.
template <class T>
constexpr int kSpdSmall = sizeof(T) == 4 ? 96 : 64;
constexpr int kSpdWarp = 32;

template <class T>
struct SpdSmall {
  static constexpr int kThreads = 128;
  static constexpr int kItems = 256;  // of a launch

  static METAPLAST_HD size_t shared_bytes(int n) {
    const size_t pitch = static_cast<size_t>(n | 1);
    return static_cast<size_t>(n) * 3 * sizeof(double) + (static_cast<size_t>(n) * pitch + kPanel * pitch + 3 * static_cast<size_t>(n)) * sizeof(T);
  }

  struct Args {
    int64_t low, high;  // sizes that this launch takes; what is not valid or empty goes with low = 0
    double tolerance;
    metaplast_spd_result_t* results;
    metaplast_spd_item_t items[kItems];
  };

  // products[v] = M factors[v] and norms = absolute sums, a row a thread, columns ascending.
  template <class Team, class Factor>
  static METAPLAST_DEVICE void multiply(const SharedMatrix<T>& a, const Factor& factor, double* products, double* norms) {
    for (int i = Team::index(); i < a.n; i += Team::size()) {
      double sum0 = 0, sum1 = 0, norm = 0;
      for (int j = 0; j < a.n; ++j) {
        const double x = static_cast<double>(j <= i ? a.at(i, j) : a.at(j, i));
        sum0 += x * factor(0, j);
        sum1 += x * factor(1, j);
        norm += ::fabs(x);
      }
      products[i] = sum0;
      products[a.n + i] = sum1;
      norms[i] = norm;
    }
  }
  static METAPLAST_DEVICE double largest(const double* x, int n) {
    double most = 0;
    for (int i = 0; i < n; ++i) most = x[i] > most ? x[i] : most;
    return most;
  }

  static METAPLAST_DEVICE void run(const Args& args) {
    const metaplast_spd_item_t& e = args.items[blockIdx.x];
    metaplast_spd_result_t* const result = args.results + blockIdx.x;
    if (!spd_valid(e) || e.n == 0) {
      if (args.low == 0) nothing_to_do<WholeBlock>(e, result);
    } else if (e.n > args.low && e.n <= args.high) {
      invert<WholeBlock>(e, result, args.tolerance, shared_memory<double>());
    }
  }

  // Of an item that is not valid or empty.
  template <class Team>
  static METAPLAST_DEVICE void nothing_to_do(const metaplast_spd_item_t& e, metaplast_spd_result_t* result) {
    if (Team::index() == 0) spd_failure(result, spd_valid(e) ? METAPLAST_SPD_OK : METAPLAST_SPD_ARGUMENT, 0, 0);
  }

  // By a team of at least n threads with shared_bytes(n) of shared memory.
  template <class Team>
  static METAPLAST_DEVICE void invert(const metaplast_spd_item_t& e, metaplast_spd_result_t* result, double tolerance, double* products) {
    const int t = Team::index(), threads = Team::size();
    const int n = static_cast<int>(e.n);
    double* const norms = products + 2 * n;
    T* const matrix = reinterpret_cast<T*>(norms + n);
    const SharedMatrix<T> a = {matrix, n | 1, n};
    T* const buffer = matrix + n * a.pitch;
    T* const diagonal = buffer + kPanel * a.pitch;
    T* const signs = diagonal + n;

    int wrong = 0;
    for (int q = t; q < n * n; q += threads) {
      const int i = q / n, j = q % n;
      if (j > i) continue;
      const float m = e.m[i * e.ldm + j];
      const T x = i == j ? damped(m, e.damping, T(0)) : static_cast<T>(m);
      wrong |= finite_value(m) && finite_value(x) ? 0 : 1;
      a.at(i, j) = x;
      if (i == j) diagonal[i] = x;
    }
    for (int q = t; q < 2 * n; q += threads) signs[q] = static_cast<T>(probe_sign(q / n, q % n));
    if (Team::any(wrong)) {
      if (t != 0) return;
      for (int i = 0; i < n; ++i) {
        for (int j = 0; j <= i; ++j) {
          if (finite_value(a.at(i, j)) && finite_value(e.m[i * e.ldm + j])) continue;
          spd_failure(result, METAPLAST_SPD_NOT_FINITE, 0, int64_t{i} * n + j);
          return;
        }
      }
      return;
    }
    multiply<Team>(a, [=](int v, int j) { return static_cast<double>(signs[v * n + j]); }, products, norms);
    Team::sync();
    const double norm = largest(norms, n);
    double pivot = 0;
    const int failed = block_cholesky<Team>(a, diagonal, &pivot);
    if (failed != 0) {
      if (t == 0) spd_failure(result, failed, pivot, 0);
      return;
    }
    block_triangular_inverse<Team>(a, buffer);
    block_square<Team>(a, buffer);
    // A thread has one row: launches have at least n threads. It keeps its differences until all have read the products.
    double sum0 = 0, sum1 = 0, row = 0;
    for (int j = 0; t < n && j < n; ++j) {
      const double x = static_cast<double>(j <= t ? a.at(t, j) : a.at(j, t));
      sum0 += x * products[j];
      sum1 += x * products[n + j];
      row += ::fabs(x);
    }
    Team::sync();
    if (t < n) {
      norms[t] = row;
      products[t] = sum0 - static_cast<double>(signs[t]);
      products[n + t] = sum1 - static_cast<double>(signs[n + t]);
    }
    Team::sync();
    double worst = 0;
    for (int v = 0; v < 2; ++v) {
      double square = 0;
      for (int i = 0; i < n; ++i) square += products[v * n + i] * products[v * n + i];
      worst = square > worst || !(square >= 0) ? square : worst;
      if (!(worst >= 0)) break;
    }
    const double residual = ::sqrt(worst / static_cast<double>(n));
    if (t == 0) spd_verdict(result, residual, tolerance, norm * largest(norms, n));
    if (!(residual <= tolerance)) return;
    for (int q = t; q < n * n; q += threads) {
      const int i = q / n, j = q % n;
      e.out[i * e.ldo + j] = static_cast<float>(j <= i ? a.at(i, j) : a.at(j, i));
    }
  }
};

// ---- large ---------------------------------------------------------------------------------------------------------------------------

// What is known of a large matrix while its tiles are worked on.
struct SpdState {
  int64_t failure;  // -1: not finite; k > 0: order of the minor that failed
  double pivot, norm;
};

// A matrix on its way through the tiles.
template <class T>
struct SpdLarge {
  const float* m;
  int64_t ldm, n;
  double damping;
  T* w;  // lower triangle of the work
  int64_t ldw;
  int64_t panel;     // of this launch
  SpdState* state;   // null where nothing can fail here
  const int32_t* status;  // null, or what stops the work where it is not 0
  double* vectors;   // [7][n]: signs 2, products 2, residuals 2, norms
  T* row;            // [kSide][ldw]: a row of tiles
  float* out;
  int64_t ldo;
  metaplast_spd_result_t* result;

  METAPLAST_DEVICE bool stopped() const { return (state != nullptr && state->failure != 0) || (status != nullptr && *status != 0); }
  METAPLAST_HD int64_t tiles() const { return (n + kSide - 1) / kSide; }
  METAPLAST_DEVICE int width(int64_t tile) const { return static_cast<int>(n - tile * kSide < kSide ? n - tile * kSide : kSide); }
  METAPLAST_DEVICE T* tile(int64_t i, int64_t j) const { return w + i * kSide * ldw + j * kSide; }
};

struct NoCommon {};

// w = damped lower triangle; signs.
template <class T>
struct SpdLoad {
  static constexpr int kThreads = 128;
  using Common = NoCommon;
  using Entry = SpdLarge<T>;
  static METAPLAST_DEVICE void block(const Common&, const Entry& e, int64_t block) {
    const int64_t I = triangle_row(block), J = block - I * (I + 1) / 2;
    const int t = static_cast<int>(threadIdx.x), rows = e.width(I);
    for (int q = t; q < rows * kSide; q += kThreads) {
      const int64_t i = I * kSide + q / kSide, j = J * kSide + q % kSide;
      if (j > i) continue;
      const float m = e.m[i * e.ldm + j];
      e.w[i * e.ldw + j] = i == j ? damped(m, e.damping, T(0)) : static_cast<T>(m);
    }
    if (J == 0 && e.vectors != nullptr) {
      for (int q = t; q < 2 * rows; q += kThreads) {
        const int64_t i = I * kSide + q / 2;
        e.vectors[(q % 2) * e.n + i] = static_cast<double>(probe_sign(q % 2, i));
      }
    }
    if (block == 0 && t == 0) *e.state = {0, 0, 0};
  }
};

// Products of a symmetric matrix with two vectors and its absolute sums: a block a row of tiles.
template <class T>
struct SpdMultiply {
  static constexpr int kThreads = 128;
  static constexpr int kPitch = kSide + 1;
  static constexpr size_t kSharedBytes = kSide * kPitch * sizeof(T) + 3 * kSide * sizeof(double);
  struct Common {
    int32_t from, to;  // numbers of the vectors
  };
  using Entry = SpdLarge<T>;
  static METAPLAST_DEVICE void block(const Common& c, const Entry& e, int64_t I) {
    if (e.stopped()) return;
    double* const halves = shared_memory<double>();
    T* const tile = reinterpret_cast<T*>(halves + 3 * kSide);
    const int t = static_cast<int>(threadIdx.x), r = t % kSide, half = t / kSide;
    const double* const factor = e.vectors + c.from * e.n;
    double sum0 = 0, sum1 = 0, norm = 0;
    for (int64_t J = 0; J < e.tiles(); ++J) {
      __syncthreads();
      const bool mirrored = J > I;
      const T* const from = mirrored ? e.tile(J, I) : e.tile(I, J);
      const int rows = e.width(mirrored ? J : I), cols = e.width(mirrored ? I : J);
      for (int q = t; q < kSide * kSide; q += kThreads) {
        const int i = q / kSide, j = q % kSide;
        if (i >= rows || j >= cols || (I == J && j > i)) continue;
        const T x = from[i * e.ldw + j];
        if (mirrored) {
          tile[j * kPitch + i] = x;
        } else {
          tile[i * kPitch + j] = x;
          if (I == J) tile[j * kPitch + i] = x;
        }
      }
      __syncthreads();
      const int end = smaller((half + 1) * (kSide / 2), e.width(J));
      for (int j = half * (kSide / 2); r < e.width(I) && j < end; ++j) {
        const double x = static_cast<double>(tile[r * kPitch + j]);
        sum0 += x * factor[J * kSide + j];
        sum1 += x * factor[e.n + J * kSide + j];
        norm += ::fabs(x);
      }
    }
    if (half == 1) {
      halves[r] = sum0;
      halves[kSide + r] = sum1;
      halves[2 * kSide + r] = norm;
    }
    __syncthreads();
    if (half != 0 || r >= e.width(I)) return;
    const int64_t i = I * kSide + r;
    e.vectors[c.to * e.n + i] = sum0 + halves[r];
    e.vectors[(c.to + 1) * e.n + i] = sum1 + halves[kSide + r];
    e.vectors[6 * e.n + i] = norm + halves[2 * kSide + r];
  }
};

// The norm and the finite scan, or with `last` the verdict. One block a matrix.
template <class T>
struct SpdJudge {
  static constexpr int kThreads = 128;
  static constexpr size_t kSharedBytes = 3 * kThreads * sizeof(double);
  struct Common {
    int32_t last;
    double tolerance;
  };
  using Entry = SpdLarge<T>;
  static METAPLAST_DEVICE void block(const Common& c, const Entry& e, int64_t) {
    const int t = static_cast<int>(threadIdx.x);
    if (e.stopped()) {
      if (c.last != 0 && t == 0 && e.state->failure > 0) spd_failure(e.result, static_cast<int32_t>(e.state->failure), e.state->pivot, 0);
      return;
    }
    double* const shared = shared_memory<double>();
    const double* const norms = e.vectors + 6 * e.n;
    double most = 0, square0 = 0, square1 = 0;
    int wrong = 0;
    for (int64_t i = t; i < e.n; i += kThreads) {
      most = norms[i] > most ? norms[i] : most;
      wrong |= finite_value(norms[i]) ? 0 : 1;
      if (c.last == 0) continue;
      const double d0 = e.vectors[4 * e.n + i] - e.vectors[i], d1 = e.vectors[5 * e.n + i] - e.vectors[e.n + i];
      square0 += d0 * d0;
      square1 += d1 * d1;
    }
    shared[t] = most;
    shared[kThreads + t] = square0;
    shared[2 * kThreads + t] = square1;
    wrong = __syncthreads_or(wrong);
    if (c.last == 0 && wrong != 0) {
      find(e, reinterpret_cast<int64_t*>(shared));
      return;
    }
    if (t != 0) return;
    most = square0 = square1 = 0;
    for (int i = 0; i < kThreads; ++i) {
      most = shared[i] > most ? shared[i] : most;
      square0 += shared[kThreads + i];
      square1 += shared[2 * kThreads + i];
    }
    if (c.last == 0) {
      e.state->norm = most;
      return;
    }
    const double worst = square0 > square1 || !(square0 >= 0) ? square0 : square1;
    const double residual = ::sqrt(worst / static_cast<double>(e.n));
    spd_verdict(e.result, residual, c.tolerance, e.state->norm * most);
    if (!(residual <= c.tolerance)) e.state->failure = METAPLAST_SPD_RESIDUAL;
  }

  // The first element that is not finite, row by row.
  static METAPLAST_DEVICE void find(const Entry& e, int64_t* shared) {
    const int t = static_cast<int>(threadIdx.x);
    int64_t first = e.n * e.n;
    __syncthreads();
    for (int64_t i = t; i < e.n; i += kThreads) {
      for (int64_t j = 0; j <= i && i * e.n < first; ++j) {
        if (finite_value(e.w[i * e.ldw + j])) continue;
        first = i * e.n + j;
        break;
      }
    }
    shared[t] = first;
    __syncthreads();
    if (t != 0) return;
    for (int i = 1; i < kThreads; ++i) first = shared[i] < first ? shared[i] : first;
    e.state->failure = -1;
    if (e.result != nullptr) spd_failure(e.result, METAPLAST_SPD_NOT_FINITE, 0, first);
    e.state->norm = static_cast<double>(first);
  }
};

// A tile of the lower triangle in shared memory, as block_* take it.
template <class T>
struct DiagonalTile {
  static constexpr int kPitch = kSide + 1;
  static constexpr size_t kBytes = kSide * kPitch * sizeof(T);
  // Only what is below the diagonal.
  static METAPLAST_DEVICE SharedMatrix<T> load(const T* p, int64_t ld, int n, T* shared) {
    const SharedMatrix<T> a = {shared, kPitch, n};
    for (int q = static_cast<int>(threadIdx.x); q < n * n; q += static_cast<int>(blockDim.x)) {
      const int i = q / n, j = q % n;
      if (j <= i) a.at(i, j) = p[i * ld + j];
    }
    __syncthreads();
    return a;
  }
  static METAPLAST_DEVICE void store(const SharedMatrix<T>& a, T* p, int64_t ld) {
    for (int q = static_cast<int>(threadIdx.x); q < a.n * a.n; q += static_cast<int>(blockDim.x)) {
      const int i = q / a.n, j = q % a.n;
      if (j <= i) p[i * ld + j] = a.at(i, j);
    }
  }
};

// The diagonal tile of the panel becomes L.
template <class T>
struct SpdFactor {
  static constexpr int kThreads = 128;
  static constexpr size_t kSharedBytes = DiagonalTile<T>::kBytes + kSide * sizeof(T);
  using Common = NoCommon;
  using Entry = SpdLarge<T>;
  static METAPLAST_DEVICE void block(const Common&, const Entry& e, int64_t) {
    if (e.stopped()) return;
    const int n = e.width(e.panel);
    T* const diagonal = shared_memory<T>();
    for (int i = static_cast<int>(threadIdx.x); i < n; i += kThreads) {
      const int64_t at = e.panel * kSide + i;
      diagonal[i] = damped(e.m[at * e.ldm + at], e.damping, T(0));
    }
    const SharedMatrix<T> a = DiagonalTile<T>::load(e.tile(e.panel, e.panel), e.ldw, n, diagonal + kSide);
    double pivot = 0;
    const int failed = block_cholesky(a, diagonal, &pivot);
    if (failed == 0) {
      DiagonalTile<T>::store(a, e.tile(e.panel, e.panel), e.ldw);
    } else if (threadIdx.x == 0) {
      e.state->failure = e.panel * kSide + failed;
      e.state->pivot = pivot;
    }
  }
};

// Tiles below the diagonal tile, a row a thread, by substitution with its L: x L' = a of the factorization, or x L = -a of the inverse.
template <class T>
struct SpdSolve {
  static constexpr int kRows = sizeof(T) == 4 ? 64 : 16;
  static constexpr int kThreads = 128;
  static constexpr int kPitch = DiagonalTile<T>::kPitch;
  static constexpr size_t kSharedBytes = DiagonalTile<T>::kBytes + kRows * kPitch * sizeof(T);
  struct Common {
    int32_t inverse;
  };
  using Entry = SpdLarge<T>;
  static METAPLAST_DEVICE void block(const Common& c, const Entry& e, int64_t block) {
    if (e.stopped()) return;
    const int n = e.width(e.panel), t = static_cast<int>(threadIdx.x);
    const int64_t first = (e.panel + 1) * kSide + block * kRows;
    const int rows = static_cast<int>(e.n - first < kRows ? e.n - first : kRows);
    T* const shared = shared_memory<T>();
    T* const x = shared + kSide * kPitch;
    T* const to = e.w + first * e.ldw + e.panel * kSide;
    for (int q = t; q < rows * n; q += kThreads) x[q / n * kPitch + q % n] = to[q / n * e.ldw + q % n];
    const SharedMatrix<T> l = DiagonalTile<T>::load(e.tile(e.panel, e.panel), e.ldw, n, shared);
    if (t < rows) {
      T* const row = x + t * kPitch;
      if (c.inverse == 0) {
        for (int j = 0; j < n; ++j) {
          T v = row[j];
          for (int k = 0; k < j; ++k) v = fused(-row[k], l.at(j, k), v);
          row[j] = v / l.at(j, j);
        }
      } else {
        for (int j = n - 1; j >= 0; --j) {
          T v = -row[j];
          for (int k = n - 1; k > j; --k) v = fused(-row[k], l.at(k, j), v);
          row[j] = v / l.at(j, j);
        }
      }
    }
    __syncthreads();
    for (int q = t; q < rows * n; q += kThreads) to[q / n * e.ldw + q % n] = x[q / n * kPitch + q % n];
  }
};

// Updates of tiles by a panel.
enum { kSpdFactorUpdate, kSpdInverseUpdate, kSpdSquareUpdate };
template <class T>
struct SpdUpdate {
  static constexpr int kThreads = kProductThreads;
  static constexpr size_t kSharedBytes = kProductShared<T>;
  struct Common {
    int32_t kind;
  };
  using Entry = SpdLarge<T>;

  static METAPLAST_HD int64_t blocks(int32_t kind, int64_t panel, int64_t tiles) {
    const int64_t below = tiles - panel - 1;
    return kind == kSpdFactorUpdate ? below * (below + 1) / 2 : kind == kSpdInverseUpdate ? below * panel : (panel + 1) * (panel + 2) / 2;
  }

  static METAPLAST_DEVICE void block(const Common& c, const Entry& e, int64_t block) {
    if (e.stopped()) return;
    const int64_t p = e.panel;
    int64_t I, J;
    if (c.kind == kSpdInverseUpdate) {
      I = p + 1 + block / p;
      J = block % p;
    } else {
      I = triangle_row(block);
      J = block - I * (I + 1) / 2;
      if (c.kind == kSpdFactorUpdate) {
        I += p + 1;
        J += p + 1;
      }
    }
    // Rows of the left operand are rows of the result, those of the right one its columns.
    const bool square = c.kind == kSpdSquareUpdate;
    const Strided<T> left = square ? Strided<T>{e.row, 1, e.ldw, e.n} : Strided<T>{e.w + p * kSide, e.ldw, 1, e.n};
    const Strided<T> right = square                        ? left
                             : c.kind == kSpdInverseUpdate ? Strided<T>{e.w + p * kSide * e.ldw, 1, e.ldw, e.n}
                                                           : left;
    T sum[8][4];
    clear_sums(sum);
    tile_product(left, I * kSide, right, J * kSide, 0, e.width(p), sum);
    const bool fresh = square && I == p;
    METAPLAST_UNROLL
    for (int i = 0; i < 8; ++i) {
      const int64_t row = I * kSide + product_row(i);
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) {
        const int64_t col = J * kSide + product_column(j);
        if (row >= e.n || col > row) continue;
        T* const x = e.w + row * e.ldw + col;
        *x = c.kind == kSpdFactorUpdate ? *x - sum[i][j] : fresh ? sum[i][j] : *x + sum[i][j];
      }
    }
  }
};

// The panel's row of tiles: left of the diagonal tile L becomes L_pp^-1 L, in place, a column a thread; with `diagonal` the diagonal tile
// becomes its inverse.
template <class T>
struct SpdInverseRow {
  static constexpr int kThreads = 128;
  static constexpr int kMinBlocks = 4;
  static constexpr size_t kSharedBytes = DiagonalTile<T>::kBytes + kPanel * DiagonalTile<T>::kPitch * sizeof(T);
  struct Common {
    int32_t diagonal;
  };
  using Entry = SpdLarge<T>;
  static METAPLAST_DEVICE void block(const Common& c, const Entry& e, int64_t block) {
    if (e.stopped()) return;
    const int n = e.width(e.panel);
    T* const shared = shared_memory<T>();
    T* const tile = e.tile(e.panel, e.panel);
    const SharedMatrix<T> a = DiagonalTile<T>::load(tile, e.ldw, n, shared);
    block_triangular_inverse(a, shared + kSide * DiagonalTile<T>::kPitch);
    if (c.diagonal != 0) {
      DiagonalTile<T>::store(a, tile, e.ldw);
      return;
    }
    const int64_t col = block * kThreads + threadIdx.x;
    if (col >= e.panel * kSide) return;
    T* const x = e.w + e.panel * kSide * e.ldw + col;
    for (int i = n - 1; i >= 0; --i) {
      T sum = T(0);
      for (int k = 0; k <= i; ++k) sum = fused(a.at(i, k), x[k * e.ldw], sum);
      x[i * e.ldw] = sum;
    }
  }
};

// row = the panel's row of tiles of W, 0 above the diagonal.
template <class T>
struct SpdCopyRow {
  static constexpr int kThreads = 128;
  using Common = NoCommon;
  using Entry = SpdLarge<T>;
  static METAPLAST_DEVICE void block(const Common&, const Entry& e, int64_t J) {
    if (e.stopped()) return;
    const int rows = e.width(e.panel), cols = e.width(J);
    for (int q = static_cast<int>(threadIdx.x); q < rows * cols; q += kThreads) {
      const int64_t k = q / cols, j = J * kSide + q % cols, i = e.panel * kSide + k;
      e.row[k * e.ldw + j] = j <= i ? e.w[i * e.ldw + j] : T(0);
    }
  }
};

// out = both triangles of the result, or with `lower` its lower triangle and zeros.
template <class T>
struct SpdStore {
  static constexpr int kThreads = 128;
  static constexpr int kPitch = kSide + 1;
  static constexpr size_t kSharedBytes = kSide * kPitch * sizeof(float);
  struct Common {
    int32_t lower;
  };
  using Entry = SpdLarge<T>;
  static METAPLAST_DEVICE void block(const Common& c, const Entry& e, int64_t block) {
    if (e.stopped()) return;
    float* const tile = shared_memory<float>();
    const int64_t I = triangle_row(block), J = block - I * (I + 1) / 2;
    const int rows = e.width(I), cols = e.width(J), t = static_cast<int>(threadIdx.x);
    for (int q = t; q < rows * cols; q += kThreads) {
      const int i = q / cols, j = q % cols;
      if (I == J && j > i) continue;
      const float x = static_cast<float>(e.tile(I, J)[i * e.ldw + j]);
      tile[i * kPitch + j] = x;
      e.out[(I * kSide + i) * e.ldo + J * kSide + j] = x;
    }
    __syncthreads();
    for (int q = t; q < rows * cols; q += kThreads) {
      const int i = q % rows, j = q / rows;
      if (I == J && j >= i) continue;
      e.out[(J * kSide + j) * e.ldo + I * kSide + i] = c.lower != 0 ? 0.0f : tile[i * kPitch + j];
    }
  }
};

}  // namespace simt

namespace cuda_runtime {

// Launches over a group of at most kTableTensors large matrices; entry(i) with its panel unset.
template <class T>
class SpdGroup {
 public:
  SpdGroup(Launcher* launcher, int64_t count, simt::SpdLarge<T>* entries) noexcept : launcher_(launcher), count_(count), entries_(entries) {
    for (int64_t i = 0; i < count; ++i) most_ = entries[i].tiles() > most_ ? entries[i].tiles() : most_;
  }

  void load() noexcept { triangle<simt::SpdLoad<T>>(0, {}); }
  void multiply(int32_t from, int32_t to) noexcept {
    run<simt::SpdMultiply<T>>(simt::SpdMultiply<T>::kSharedBytes, {from, to}, [](const auto& e) { return e.tiles(); });
  }
  void judge(bool last, double tolerance) noexcept {
    run<simt::SpdJudge<T>>(simt::SpdJudge<T>::kSharedBytes, {last ? 1 : 0, tolerance}, [](const auto&) { return 1; });
  }
  void factor() noexcept {
    for (int64_t p = 0; p < most_; ++p) {
      const auto there = [=](const auto& e) { return p < e.tiles(); };
      panel([=](const auto&) { return p; });
      run<simt::SpdFactor<T>>(simt::SpdFactor<T>::kSharedBytes, {}, [=](const auto& e) { return there(e) ? 1 : 0; });
      run<simt::SpdSolve<T>>(simt::SpdSolve<T>::kSharedBytes, {0}, [=](const auto& e) { return there(e) ? solve_blocks(e, p) : 0; });
      update(simt::kSpdFactorUpdate, there);
    }
  }
  // L becomes its inverse.
  void invert_triangle() noexcept {
    for (int64_t step = 0; step < most_; ++step) {
      const auto there = [=](const auto& e) { return step < e.tiles(); };
      panel([=](const auto& e) { return e.tiles() - 1 - step; });
      run<simt::SpdSolve<T>>(simt::SpdSolve<T>::kSharedBytes, {1}, [=](const auto& e) { return there(e) ? solve_blocks(e, e.panel) : 0; });
      update(simt::kSpdInverseUpdate, there);
      run<simt::SpdInverseRow<T>>(simt::SpdInverseRow<T>::kSharedBytes, {0}, [=](const auto& e) {
        return there(e) ? (e.panel * simt::kSide + simt::SpdInverseRow<T>::kThreads - 1) / simt::SpdInverseRow<T>::kThreads : 0;
      });
      run<simt::SpdInverseRow<T>>(simt::SpdInverseRow<T>::kSharedBytes, {1}, [=](const auto& e) { return there(e) ? 1 : 0; });
    }
  }
  // W becomes W'W.
  void square() noexcept {
    for (int64_t p = 0; p < most_; ++p) {
      const auto there = [=](const auto& e) { return p < e.tiles(); };
      panel([=](const auto&) { return p; });
      run<simt::SpdCopyRow<T>>(0, {}, [=](const auto& e) { return there(e) ? p + 1 : 0; });
      update(simt::kSpdSquareUpdate, there);
    }
  }
  void store(bool lower) noexcept { triangle<simt::SpdStore<T>>(simt::SpdStore<T>::kSharedBytes, {lower ? 1 : 0}); }

 private:
  static int64_t solve_blocks(const simt::SpdLarge<T>& e, int64_t panel) {
    const int64_t rows = e.n - (panel + 1) * simt::kSide;
    return rows <= 0 ? 0 : (rows + simt::SpdSolve<T>::kRows - 1) / simt::SpdSolve<T>::kRows;
  }
  template <class Panel>
  void panel(const Panel& of) noexcept {
    for (int64_t i = 0; i < count_; ++i) entries_[i].panel = of(entries_[i]);
  }
  template <class Kernel>
  void triangle(size_t shared, const typename Kernel::Common& common) noexcept {
    run<Kernel>(shared, common, [](const auto& e) { return e.tiles() * (e.tiles() + 1) / 2; });
  }
  template <class There>
  void update(int32_t kind, const There& there) noexcept {
    run<simt::SpdUpdate<T>>(simt::SpdUpdate<T>::kSharedBytes, {kind}, [=](const auto& e) {
      return there(e) ? simt::SpdUpdate<T>::blocks(kind, e.panel, e.tiles()) : 0;
    });
  }
  template <class Kernel, class Blocks>
  void run(size_t shared, const typename Kernel::Common& common, const Blocks& blocks) noexcept {
    run_list<Kernel>(
        launcher_, count_, 1, Kernel::kThreads, shared, common, [&](int64_t i) { return blocks(entries_[i]); },
        [&](int64_t i) { return entries_[i]; });
  }

  Launcher* const launcher_;
  const int64_t count_;
  simt::SpdLarge<T>* const entries_;
  int64_t most_ = 0;
};

}  // namespace cuda_runtime
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_SPD_INVERSE_SIMT_CUH_
