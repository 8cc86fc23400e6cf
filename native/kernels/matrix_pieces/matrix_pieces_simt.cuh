// Small pieces of the Kronecker family: linear combinations, element-wise operations, traces, inner products. Contract: metaplast/kfac.h.
#ifndef METAPLAST_KERNELS_MATRIX_PIECES_SIMT_CUH_
#define METAPLAST_KERNELS_MATRIX_PIECES_SIMT_CUH_

#include "metaplast/kfac.h"
#include "runtime/cuda/tile_product.h"

namespace metaplast {
namespace simt {

// Sum over a warp in a fixed order; every lane has it.
METAPLAST_DEVICE double warp_sum(double x) {
  METAPLAST_UNROLL
  for (int flip = 16; flip > 0; flip /= 2) x += __shfl_xor_sync(kFullMask, x, flip);
  return x;
}
METAPLAST_DEVICE double from_lane(double x, int lane) { return __shfl_sync(kFullMask, x, lane); }

// A matrix whose elements are shared out: blocks of 256 threads take up to four rounds of columns of one row, or of several rows where rows are short.
struct MatrixBlocks {
  int64_t rows, cols;
  int32_t row_threads;  // threads of a row, a power of two
  int64_t row_blocks;   // blocks of a row

  static constexpr int kRounds = 4;
  METAPLAST_HD int64_t blocks() const { return (rows + 256 / row_threads - 1) / (256 / row_threads) * row_blocks; }
};

// body(row, column) for the elements of a block of 256 threads.
template <class Body>
METAPLAST_DEVICE void for_elements(const MatrixBlocks& m, int64_t block, const Body& body) {
  const int t = static_cast<int>(threadIdx.x);
  const int64_t row = block / m.row_blocks * (256 / m.row_threads) + t / m.row_threads;
  const int64_t first = block % m.row_blocks * m.row_threads * MatrixBlocks::kRounds + t % m.row_threads;
  if (row >= m.rows) return;
  METAPLAST_UNROLL
  for (int r = 0; r < MatrixBlocks::kRounds; ++r) {
    const int64_t c = first + static_cast<int64_t>(r) * m.row_threads;
    if (c < m.cols) body(row, c);
  }
}

struct MatrixCombine {
  static constexpr int kThreads = 256;
  struct Args {
    MatrixBlocks shape;
    float a, b;
    const float* x;
    const float* y;
    float* out;
    int64_t ldx, ldy, ldo;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    for_elements(a.shape, blockIdx.x, [&](int64_t r, int64_t c) {
      const float v = mul(a.a, a.x[r * a.ldx + c]);
      a.out[r * a.ldo + c] = a.y == nullptr ? v : add(v, mul(a.b, a.y[r * a.ldy + c]));
    });
  }
};

struct ElementArgs {
  MatrixBlocks shape;
  int32_t operation;
  const float* row;
  const float* column;
  const float* s;
  int64_t lds;
  float shift;
  float* t;
  int64_t ldt;
  int64_t* not_positive;

  METAPLAST_DEVICE float denominator(int64_t r, int64_t c) const {
    return add(operation == METAPLAST_ELEMENT_DIVIDE ? s[r * lds + c] : mul(row[r], column[c]), shift);
  }
};

struct CountNotPositive {
  static constexpr int kThreads = 256;
  using Args = ElementArgs;
  static METAPLAST_DEVICE void run(const Args& a) {
    unsigned long long n = 0;
    for_elements(a.shape, blockIdx.x, [&](int64_t r, int64_t c) { n += a.denominator(r, c) > 0.0f ? 0 : 1; });
    add_count(a.not_positive, n);
  }
};

struct MatrixElements {
  static constexpr int kThreads = 256;
  using Args = ElementArgs;
  static METAPLAST_DEVICE void run(const Args& a) {
    if (*a.not_positive != 0) return;
    for_elements(a.shape, blockIdx.x, [&](int64_t r, int64_t c) {
      float* const p = a.t + r * a.ldt + c;
      const float x = *p;
      switch (a.operation) {
        case METAPLAST_ELEMENT_SQUARE: *p = mul(x, x); break;
        case METAPLAST_ELEMENT_SCALE_ROWS: *p = mul(x, a.row[r]); break;
        case METAPLAST_ELEMENT_SCALE_COLUMNS: *p = mul(x, a.column[c]); break;
        default: *p = div(x, a.denominator(r, c));
      }
    });
  }
};

// traces[i]; a warp reads ahead, additions stay in order.
struct MatrixTraces {
  static constexpr int kThreads = 32;
  struct Common {};
  struct Entry {
    const float* data;
    int64_t length, step;
    double* trace;
  };
  static METAPLAST_DEVICE void block(const Common&, const Entry& e, int64_t) {
    const int lane = static_cast<int>(threadIdx.x);
    double sum = 0;
    for (int64_t j = 0; j < e.length; j += 32) {
      const double mine = j + lane < e.length ? static_cast<double>(e.data[(j + lane) * e.step]) : 0.0;
      const int here = e.length - j < 32 ? static_cast<int>(e.length - j) : 32;
      for (int l = 0; l < here; ++l) sum += from_lane(mine, l);
    }
    if (lane == 0) *e.trace = sum;
  }
};

// Inner products: a warp adds up to kInnerColumns columns of a row, then one block the sums of a list.
constexpr int64_t kInnerColumns = 4096;

struct InnerRows {
  static constexpr int kThreads = 256;
  struct Common {};
  struct Entry {
    int64_t rows, cols, segments;  // segments of a row
    const float* x;
    const float* y;
    int64_t ldx, ldy;
    double* sums;  // [rows][segments]
  };
  static METAPLAST_DEVICE void block(const Common&, const Entry& e, int64_t block) {
    const int64_t unit = block * (kThreads / 32) + threadIdx.x / 32, row = unit / e.segments, first = unit % e.segments * kInnerColumns;
    double sum = 0;
    if (row < e.rows) {
      const int64_t end = first + kInnerColumns < e.cols ? first + kInnerColumns : e.cols;
      for (int64_t c = first + threadIdx.x % 32; c < end; c += 32) {
        sum += static_cast<double>(e.x[row * e.ldx + c]) * static_cast<double>(e.y[row * e.ldy + c]);
      }
    }
    sum = warp_sum(sum);
    if (row < e.rows && threadIdx.x % 32 == 0) e.sums[unit] = sum;
  }
};

struct InnerSum {
  static constexpr int kThreads = 256;
  static constexpr size_t kSharedBytes = kThreads * sizeof(double);
  struct Args {
    int64_t n;
    const double* sums;
    double* sum;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    double* const shared = shared_memory<double>();
    double sum = 0;
    for (int64_t i = threadIdx.x; i < a.n; i += kThreads) sum += a.sums[i];
    shared[threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.x != 0) return;
    double total = 0;
    for (int i = 0; i < kThreads; ++i) total += shared[i];
    *a.sum = total;
  }
};

}  // namespace simt

namespace cuda_runtime {

inline simt::MatrixBlocks matrix_blocks(int64_t rows, int64_t cols) noexcept {
  int32_t threads = 4;
  while (threads < 256 && threads * simt::MatrixBlocks::kRounds < cols) threads *= 2;
  const int64_t columns = int64_t{threads} * simt::MatrixBlocks::kRounds;
  return {rows, cols, threads, (cols + columns - 1) / columns};
}

}  // namespace cuda_runtime
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_MATRIX_PIECES_SIMT_CUH_
