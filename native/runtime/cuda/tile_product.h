// Products of tiles of 64 x 64 for the Kronecker family, and launches over the tiles of a list of matrices. Class B: fused multiply-add is
// spelled out, the order of a sum depends on its length only.
#ifndef METAPLAST_RUNTIME_CUDA_TILE_PRODUCT_H_
#define METAPLAST_RUNTIME_CUDA_TILE_PRODUCT_H_

#include <math.h>

#include <type_traits>

#include "runtime/cuda/tensor_table.h"

namespace metaplast {
namespace simt {

METAPLAST_DEVICE float fused(float a, float b, float c) { return ::fmaf(a, b, c); }
METAPLAST_DEVICE double fused(double a, double b, double c) { return ::fma(a, b, c); }
METAPLAST_DEVICE float root(float a) { return sqrt(a); }
METAPLAST_DEVICE double root(double a) { return ::sqrt(a); }

constexpr int kSide = 64;                // of a tile
constexpr int kProductThreads = 128;     // of a block; each has 8 x 4 sums
constexpr int kProductStep = 16;         // terms of a sum in shared memory at a time
constexpr int kProductPitch = kSide + 4; // quads stay aligned to 16 bytes
constexpr int kSumBlock = 256;           // terms that are added up first
template <class T>
constexpr size_t kProductShared = 2 * kProductStep * kProductPitch * sizeof(T);

// Place of a thread's sums in the tile.
METAPLAST_DEVICE int product_row(int i) { return static_cast<int>(threadIdx.x) / 16 * 4 + i / 4 * 32 + i % 4; }
METAPLAST_DEVICE int product_column(int j) { return static_cast<int>(threadIdx.x) % 16 * 4 + j; }

template <class T>
METAPLAST_DEVICE void clear_sums(T (&sum)[8][4]) {
  METAPLAST_UNROLL
  for (int i = 0; i < 8; ++i) {
    METAPLAST_UNROLL
    for (int j = 0; j < 4; ++j) sum[i][j] = T(0);
  }
}

METAPLAST_DEVICE void load_quad(const float* p, float (&v)[4]) {
  const Four x = load4(p);
  METAPLAST_UNROLL
  for (int j = 0; j < 4; ++j) v[j] = x.v[j];
}
METAPLAST_DEVICE void load_quad(const double* p, double (&v)[4]) {
  METAPLAST_UNROLL
  for (int j = 0; j < 4; ++j) v[j] = p[j];
}

// Elements (i, k) of an operand, i < extent. along_k: threads that follow each other read along k.
template <class T>
struct Strided {
  const T* p;
  int64_t stride_i, stride_k, extent;
  METAPLAST_DEVICE bool along_k() const { return stride_k == 1; }
  METAPLAST_DEVICE T at(int64_t i, int64_t k) const { return p[i * stride_i + k * stride_k]; }
};

// Elements [first, first + kSide) x [k, k + kProductStep) to shared memory, 0 beyond the extents. Every thread has one row, or one term, of its own.
template <class T, class Operand>
METAPLAST_DEVICE void fetch_step(const Operand& a, int64_t first, int64_t k, int64_t k_end, T* shared) {
  const int t = static_cast<int>(threadIdx.x);
  if (a.along_k()) {
    const int term = t % kProductStep;
    METAPLAST_UNROLL_BY(4)
    for (int row = t / kProductStep; row < kSide; row += kProductThreads / kProductStep) {
      const bool there = first + row < a.extent && k + term < k_end;
      shared[term * kProductPitch + row] = there ? a.at(first + row, k + term) : T(0);
    }
  } else {
    const int row = t % kSide;
    METAPLAST_UNROLL_BY(4)
    for (int term = t / kSide; term < kProductStep; term += kProductThreads / kSide) {
      const bool there = first + row < a.extent && k + term < k_end;
      shared[term * kProductPitch + row] = there ? a.at(first + row, k + term) : T(0);
    }
  }
}

// sum += a(first_a + row, k) b(first_b + column, k), k ascending from k_begin to k_end - 1. Operands beyond their extent are 0.
template <class T, class A, class B>
METAPLAST_DEVICE void tile_product(const A& a, int64_t first_a, const B& b, int64_t first_b, int64_t k_begin, int64_t k_end, T (&sum)[8][4]) {
  T* const left = shared_memory<T>();
  T* const right = left + kProductStep * kProductPitch;
  for (int64_t k = k_begin; k < k_end; k += kProductStep) {
    __syncthreads();
    fetch_step(a, first_a, k, k_end, left);
    fetch_step(b, first_b, k, k_end, right);
    __syncthreads();
    METAPLAST_UNROLL_BY(4)
    for (int t = 0; t < kProductStep; ++t) {
      T l[2][4], r[4];
      load_quad(left + t * kProductPitch + product_row(0), l[0]);
      load_quad(left + t * kProductPitch + product_row(4), l[1]);
      load_quad(right + t * kProductPitch + product_column(0), r);
      METAPLAST_UNROLL
      for (int i = 0; i < 8; ++i) {
        METAPLAST_UNROLL
        for (int j = 0; j < 4; ++j) sum[i][j] = fused(l[i / 4][i % 4], r[j], sum[i][j]);
      }
    }
  }
}

// The same in blocks of kSumBlock terms, whose sums are added in order.
template <class A, class B>
METAPLAST_DEVICE void tile_product_in_blocks(const A& a, int64_t first_a, const B& b, int64_t first_b, int64_t k_begin, int64_t k_end,
                                             float (&total)[8][4]) {
  for (int64_t k = k_begin; k < k_end; k += kSumBlock) {
    float sum[8][4];
    clear_sums(sum);
    tile_product(a, first_a, b, first_b, k, k + kSumBlock < k_end ? k + kSumBlock : k_end, sum);
    METAPLAST_UNROLL
    for (int i = 0; i < 8; ++i) {
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) total[i][j] = add(total[i][j], sum[i][j]);
    }
  }
}

// Row and column of a tile of a lower triangle that is counted row by row.
METAPLAST_DEVICE int64_t triangle_row(int64_t tile) {
  int64_t row = static_cast<int64_t>(::sqrt(2.0 * static_cast<double>(tile)));
  while (row * (row + 1) / 2 > tile) --row;
  while ((row + 1) * (row + 2) / 2 <= tile) ++row;
  return row;
}

// A kernel over the blocks of a list: Traits has Entry, Common, kThreads, perhaps kMinBlocks, and `static METAPLAST_DEVICE void block(const Common&, const Entry&,
// int64_t block)`.
template <class Traits, class = void>
constexpr int kListMinBlocks = 0;
template <class Traits>
constexpr int kListMinBlocks<Traits, std::void_t<decltype(Traits::kMinBlocks)>> = Traits::kMinBlocks;
template <class Traits>
struct ListKernel {
  static constexpr int kThreads = Traits::kThreads;
  static constexpr int kMinBlocks = kListMinBlocks<Traits>;
  struct Args {
    typename Traits::Common common;
    TensorTable<typename Traits::Entry> table;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    const int t = tensor_of_block(a.table, blockIdx.x);
    Traits::block(a.common, a.table.entry[t], static_cast<int64_t>(blockIdx.x - a.table.first_block[t]));
  }
};

}  // namespace simt

namespace cuda_runtime {

// Runs a list kernel: item i of n has blocks(i) blocks and the entry fill(i); those without blocks are left out.
template <class Traits, class Blocks, class Fill>
void run_list(Launcher* launcher, int64_t n, int64_t blocks_y, int threads, size_t shared_bytes, const typename Traits::Common& common,
              const Blocks& blocks, const Fill& fill) noexcept {
  using Kernel = simt::ListKernel<Traits>;
  int64_t i = 0;
  while (i < n && launcher->status() == METAPLAST_OK) {
    typename Kernel::Args args;
    args.common = common;
    int32_t used = 0;
    int64_t total = 0;
    for (; i < n && used < simt::kTableTensors; ++i) {
      const int64_t here = blocks(i);
      if (here == 0) continue;
      if (used > 0 && total + here > 0x7fffffff) break;
      args.table.first_block[used] = static_cast<uint32_t>(total);
      args.table.entry[used] = fill(i);
      total += here;
      ++used;
    }
    args.table.tensors = used;
    if (used > 0) launcher->run<Kernel>(total, blocks_y, threads, shared_bytes, args);
  }
}

inline int64_t tiles_of(int64_t n) noexcept { return (n + simt::kSide - 1) / simt::kSide; }

}  // namespace cuda_runtime
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_CUDA_TILE_PRODUCT_H_
