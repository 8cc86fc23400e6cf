// Cholesky factor, triangular inverse and triangular solve, with the tiles of the damped inverse. Contract: metaplast/kfac.h.
#ifndef METAPLAST_KERNELS_CHOLESKY_PIECES_SIMT_CUH_
#define METAPLAST_KERNELS_CHOLESKY_PIECES_SIMT_CUH_

#include "kernels/spd_inverse/spd_inverse_simt.cuh"

namespace metaplast {
namespace simt {

// What damped_cholesky says, from the state of the matrix.
struct CholeskyReport {
  static constexpr int kThreads = 32;
  struct Args {
    const SpdState* state;  // null: an argument is wrong
    int32_t* status;
    double* pivot;
    int64_t* index;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    if (threadIdx.x != 0) return;
    const int64_t failure = a.state == nullptr ? 0 : a.state->failure;
    *a.status = a.state == nullptr ? METAPLAST_SPD_ARGUMENT : failure < 0 ? METAPLAST_SPD_NOT_FINITE : static_cast<int32_t>(failure);
    *a.pivot = failure > 0 ? a.state->pivot : 0;
    *a.index = failure < 0 ? static_cast<int64_t>(a.state->norm) : 0;
  }
};

// *status = order of the first diagonal element that is 0 or not finite, 0 without.
struct TriangularCheck {
  static constexpr int kThreads = 256;
  static constexpr size_t kSharedBytes = kThreads * sizeof(int64_t);
  struct Args {
    const float* l;
    int64_t ld, n;
    int32_t* status;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    int64_t* const shared = shared_memory<int64_t>();
    int64_t first = a.n;
    for (int64_t i = threadIdx.x; i < a.n; i += kThreads) {
      const float x = a.l[i * a.ld + i];
      if ((x == 0.0f || !finite_value(x)) && i < first) first = i;
    }
    shared[threadIdx.x] = first;
    __syncthreads();
    if (threadIdx.x != 0) return;
    for (int i = 1; i < kThreads; ++i) first = shared[i] < first ? shared[i] : first;
    *a.status = first < a.n ? static_cast<int32_t>(first + 1) : 0;
  }
};

// out = the lower triangle of l and zeros, a block a row.
struct TriangularCopy {
  static constexpr int kThreads = 256;
  struct Args {
    const float* l;
    int64_t ldl, n;
    float* out;
    int64_t ldo;
    const int32_t* status;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    if (*a.status != 0) return;
    const int64_t i = blockIdx.x;
    for (int64_t j = threadIdx.x; j < a.n; j += kThreads) a.out[i * a.ldo + j] = j <= i ? a.l[i * a.ldl + j] : 0.0f;
  }
};

struct TriangularArgs {
  const float* l;
  int64_t ldl, n, columns;
  int32_t transposed;
  float* b;
  int64_t ldb;
  const int32_t* status;
  int64_t panel;

  METAPLAST_DEVICE int width() const { return static_cast<int>(n - panel * kSide < kSide ? n - panel * kSide : kSide); }
};

// The panel's rows of b by substitution with the diagonal tile, a column a thread.
struct TriangularRows {
  static constexpr int kThreads = 64;
  static constexpr size_t kSharedBytes = DiagonalTile<float>::kBytes;
  using Args = TriangularArgs;
  static METAPLAST_DEVICE void run(const Args& a) {
    if (*a.status != 0) return;
    const int n = a.width();
    const int64_t first = a.panel * kSide, col = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    const SharedMatrix<float> l = DiagonalTile<float>::load(a.l + first * a.ldl + first, a.ldl, n, shared_memory<float>());
    if (col >= a.columns) return;
    float* const x = a.b + first * a.ldb + col;
    if (a.transposed == 0) {
      for (int i = 0; i < n; ++i) {
        float v = x[i * a.ldb];
        for (int k = 0; k < i; ++k) v = fused(-l.at(i, k), x[k * a.ldb], v);
        x[i * a.ldb] = div(v, l.at(i, i));
      }
    } else {
      for (int i = n - 1; i >= 0; --i) {
        float v = x[i * a.ldb];
        for (int k = n - 1; k > i; --k) v = fused(-l.at(k, i), x[k * a.ldb], v);
        x[i * a.ldb] = div(v, l.at(i, i));
      }
    }
  }
};

// The rows of b that are still to come, less their products with the panel's rows.
struct TriangularUpdate {
  static constexpr int kThreads = kProductThreads;
  static constexpr size_t kSharedBytes = kProductShared<float>;
  using Args = TriangularArgs;
  static METAPLAST_DEVICE void run(const Args& a) {
    if (*a.status != 0) return;
    const int64_t columns = (a.columns + kSide - 1) / kSide;
    const int64_t I = blockIdx.x / columns + (a.transposed == 0 ? a.panel + 1 : 0), J = blockIdx.x % columns;
    const int64_t p = a.panel * kSide;
    const Strided<float> left = a.transposed == 0 ? Strided<float>{a.l + p, a.ldl, 1, a.n} : Strided<float>{a.l + p * a.ldl, 1, a.ldl, a.n};
    const Strided<float> right = {a.b + p * a.ldb, 1, a.ldb, a.columns};
    float sum[8][4];
    clear_sums(sum);
    tile_product(left, I * kSide, right, J * kSide, 0, a.width(), sum);
    METAPLAST_UNROLL
    for (int i = 0; i < 8; ++i) {
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) {
        const int64_t row = I * kSide + product_row(i), col = J * kSide + product_column(j);
        if (row < a.n && col < a.columns) a.b[row * a.ldb + col] = sub(a.b[row * a.ldb + col], sum[i][j]);
      }
    }
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_CHOLESKY_PIECES_SIMT_CUH_
