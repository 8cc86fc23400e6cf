// Products of tiles of 64 x 64 on tensor cores (compute capability 8.0 and newer), as accurate as those of tile_product.h: x = big + small, both TF32, and
// a b = small big + big small + big big, accumulated in fp32. What is left out is below 2^-21 |a b|.
//
// Eight terms are added up by the tensor cores, from 0; these sums are added with rounding to nearest. However coarsely an instruction adds, its error
// is a few units of eight terms and does not grow with the length of a sum. Blocks of kSumBlock terms as in tile_product.h.
//
// Numbers whose parts are not normal, infinities, NaN, and numbers whose products overflow do not split: sixteen terms with such a number in one of their rows take
// fused multiply-add. This depends on the operands of a tile only.
#ifndef METAPLAST_RUNTIME_CUDA_TILE_PRODUCT_TF32_H_
#define METAPLAST_RUNTIME_CUDA_TILE_PRODUCT_TF32_H_

#include "runtime/cuda/tile_product.h"

#if !defined(__CUDACC__)
#include "shim/mma.h"
#endif

namespace metaplast {
namespace simt {

constexpr int kTf32Step = 16;  // terms in shared memory at a time, two instructions deep
constexpr int kTf32Cells = kSide * kTf32Step;
constexpr int kTf32Fetches = kTf32Cells / kProductThreads;
// Shorter sums are left to tile_product.h: the bound of their error is tighter than what two parts of a number hold. Small matrices would leave tiles empty.
constexpr int64_t kTf32Terms = 64;
constexpr int64_t kTf32Extent = 32;

METAPLAST_HD bool suits_tf32(int64_t m, int64_t n, int64_t terms) { return m >= kTf32Extent && n >= kTf32Extent && terms >= kTf32Terms; }

// A number in two parts, or as it is in `big`.
struct alignas(8) SplitNumber {
  uint32_t big, small;
};
constexpr size_t kTf32Shared = 2 * 2 * kTf32Cells * sizeof(SplitNumber);  // two operands, two stages

// x rounded to TF32, ties away from zero.
METAPLAST_DEVICE uint32_t tf32_of(float x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
#elif defined(METAPLAST_SHIM)
  return shim::round_to_tf32(x);
#else
  return as_int(x);  // not reached
#endif
}

// Zero, or 2^-103 <= |x| < 2^60: every bit of the rest is that of a normal number, no product overflows.
METAPLAST_DEVICE bool splits(float x) {
  const uint32_t magnitude = as_int(x) & 0x7FFFFFFFu;
  return magnitude == 0 || magnitude - 0x0C000000u < 0x5D800000u - 0x0C000000u;
}
METAPLAST_DEVICE SplitNumber split(float x) {
  SplitNumber s;
  s.big = tf32_of(x);
  s.small = tf32_of(sub(x, as_float(s.big)));
  return s;
}

// d = a b, and d += a b, of 16 x 8 by 8 x 8. A thread (g, t) = (lane / 4, lane % 4) has of a the rows g (a[0], a[2]) and g + 8 (a[1], a[3]) in the columns t and
// t + 4, of b these rows in column g, and of d rows g and g + 8, columns 2t and 2t + 1.
METAPLAST_DEVICE void mma_tf32_first(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %10, %10, %10};"
               : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(0.0f));
#else
  for (int e = 0; e < 4; ++e) d[e] = 0.0f;
#if defined(METAPLAST_SHIM)
  shim::mma_m16n8k8_tf32(d, a, b);
#endif
#endif
}
METAPLAST_DEVICE void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#elif defined(METAPLAST_SHIM)
  shim::mma_m16n8k8_tf32(d, a, b);
#endif
}

// Four warps with 32 x 32 sums each: two fragments of 16 rows, four of eight columns.
using Tf32Sums = float[2][4][4];

METAPLAST_DEVICE void clear_sums(Tf32Sums& sum) {
  METAPLAST_UNROLL
  for (int e = 0; e < 32; ++e) sum[e / 16][e / 4 % 4][e % 4] = 0.0f;
}
// Rows and columns of a thread in the tile: of fragment i and element e, of fragment j and element e.
METAPLAST_DEVICE int tf32_row(int i, int e) {
  return static_cast<int>(threadIdx.x) / 64 * 32 + 16 * i + static_cast<int>(threadIdx.x) % 32 / 4 + e / 2 * 8;
}
METAPLAST_DEVICE int tf32_column(int j, int e) {
  return static_cast<int>(threadIdx.x) / 32 % 2 * 32 + 8 * j + static_cast<int>(threadIdx.x) % 4 * 2 + e % 2;
}

// Place of a term of a row. Sixteen terms of a row, sixteen rows of a term, and four terms of four rows of a fragment lie in different banks.
METAPLAST_DEVICE int tf32_cell(int row, int term) { return row * kTf32Step + (term ^ ((row & 3) << 2 | (row >> 2 & 3))); }
// The place that lies `rows` rows, a multiple of 8, and `terms` terms behind one of the first eight rows; no bit of `terms` is one of that place's term.
METAPLAST_DEVICE int tf32_cell_behind(int cell, int rows, int terms) { return rows * kTf32Step + (cell ^ (terms | (rows >> 3 & 1) << 1)); }

// x, which the compiler takes for something new: what is computed from it in a loop is computed there and not kept in registers from before the loop.
METAPLAST_DEVICE int opaque(int x) {
#if defined(__CUDA_ARCH__)
  asm volatile("" : "+r"(x));
#endif
  return x;
}

// A tile of an operand on its way to shared memory, kTf32Step terms at a time. Every thread has one row, or one term, of its own.
template <class Source>
struct Tf32Operand {
  const Source& source;
  int64_t first;
  int rows, row, term, row_step, term_step;
  float next[kTf32Fetches];

  METAPLAST_DEVICE Tf32Operand(const Source& from, int64_t first_row) : source(from), first(first_row) {
    const int t = static_cast<int>(threadIdx.x);
    const bool along_k = source.along_k();
    rows = source.extent - first < kSide ? static_cast<int>(source.extent - first) : kSide;
    row = along_k ? t / kTf32Step : t % kSide;
    term = along_k ? t % kTf32Step : t / kSide;
    row_step = along_k ? kProductThreads / kTf32Step : 0;
    term_step = along_k ? 0 : kProductThreads / kSide;
  }
  METAPLAST_DEVICE void fetch(int64_t k, int64_t k_end) {
    const int r = opaque(row), s = opaque(term), terms = k_end - k < kTf32Step ? static_cast<int>(k_end - k) : kTf32Step;
    METAPLAST_UNROLL
    for (int h = 0; h < kTf32Fetches; ++h) {
      const int i = r + h * row_step, j = s + h * term_step;
      next[h] = i < rows && j < terms ? source.at(first + i, k + j) : 0.0f;
    }
  }
  // Whether all of them split.
  METAPLAST_DEVICE bool keep(SplitNumber* cells) const {
    const int r = opaque(row), s = opaque(term);
    bool all = true;
    METAPLAST_UNROLL
    for (int h = 0; h < kTf32Fetches; ++h) {
      all = all && splits(next[h]);
      cells[tf32_cell(r + h * row_step, s + h * term_step)] = split(next[h]);
    }
    return all;
  }
  METAPLAST_DEVICE void keep_whole(SplitNumber* cells) const {
    const int r = opaque(row), s = opaque(term);
    METAPLAST_UNROLL
    for (int h = 0; h < kTf32Fetches; ++h) cells[tf32_cell(r + h * row_step, s + h * term_step)].big = as_int(next[h]);
  }
};

// The warp's first row of either tile.
METAPLAST_DEVICE const SplitNumber* warp_rows(const SplitNumber* cells) { return cells + static_cast<int>(threadIdx.x) / 64 * (32 * kTf32Step); }
METAPLAST_DEVICE const SplitNumber* warp_columns(const SplitNumber* cells) { return cells + static_cast<int>(threadIdx.x) / 32 % 2 * (32 * kTf32Step); }

// Terms k to k + 7 of the step.
METAPLAST_DEVICE void add_tf32(const SplitNumber* left, const SplitNumber* right, int k, Tf32Sums& sum) {
  const SplitNumber *const rows = warp_rows(left), *const columns = warp_columns(right);
  const int cell = tf32_cell(static_cast<int>(threadIdx.x) % 32 / 4, static_cast<int>(threadIdx.x) % 4);
  uint32_t big[2][4], small[2][4];
  METAPLAST_UNROLL
  for (int i = 0; i < 2; ++i) {
    METAPLAST_UNROLL
    for (int r = 0; r < 4; ++r) {
      const SplitNumber x = rows[tf32_cell_behind(cell, 16 * i + 8 * (r & 1), k + 4 * (r >> 1))];
      big[i][r] = x.big;
      small[i][r] = x.small;
    }
  }
  METAPLAST_UNROLL
  for (int j = 0; j < 4; ++j) {
    const SplitNumber low = columns[tf32_cell_behind(cell, 8 * j, k)], high = columns[tf32_cell_behind(cell, 8 * j, k + 4)];
    const uint32_t right_big[2] = {low.big, high.big}, right_small[2] = {low.small, high.small};
    float d[2][4];
    METAPLAST_UNROLL
    for (int i = 0; i < 2; ++i) mma_tf32_first(d[i], small[i], right_big);
    METAPLAST_UNROLL
    for (int i = 0; i < 2; ++i) mma_tf32(d[i], big[i], right_small);
    METAPLAST_UNROLL
    for (int i = 0; i < 2; ++i) mma_tf32(d[i], big[i], right_big);
    METAPLAST_UNROLL
    for (int i = 0; i < 2; ++i) {
      METAPLAST_UNROLL
      for (int e = 0; e < 4; ++e) sum[i][j][e] = add(sum[i][j][e], d[i][e]);
    }
  }
}

// The step in fused multiply-add, of numbers that were kept whole.
METAPLAST_DEVICE void add_fused(const SplitNumber* left, const SplitNumber* right, Tf32Sums& sum) {
  const SplitNumber *const rows = warp_rows(left), *const columns = warp_columns(right);
  const int t = static_cast<int>(threadIdx.x) % 4, cell = tf32_cell(static_cast<int>(threadIdx.x) % 32 / 4, 0);
  const int even = tf32_cell(2 * t, 0), odd = tf32_cell(2 * t + 1, 0);
  METAPLAST_UNROLL_BY(1)
  for (int term = 0; term < kTf32Step; ++term) {
    METAPLAST_UNROLL
    for (int i = 0; i < 2; ++i) {
      const float l[2] = {as_float(rows[tf32_cell_behind(cell ^ term, 16 * i, 0)].big), as_float(rows[tf32_cell_behind(cell ^ term, 16 * i + 8, 0)].big)};
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) {
        const float r[2] = {as_float(columns[tf32_cell_behind(even ^ term, 8 * j, 0)].big), as_float(columns[tf32_cell_behind(odd ^ term, 8 * j, 0)].big)};
        METAPLAST_UNROLL
        for (int e = 0; e < 4; ++e) sum[i][j][e] = fused(l[e / 2], r[e % 2], sum[i][j][e]);
      }
    }
  }
}

// total += a(first_a + row, k) b(first_b + column, k) for k from k_begin to k_end - 1. Operands beyond their extent are 0.
template <class A, class B>
METAPLAST_DEVICE void tf32_product_in_blocks(const A& a, int64_t first_a, const B& b, int64_t first_b, int64_t k_begin, int64_t k_end, Tf32Sums& total) {
  Tf32Operand<A> left(a, first_a);
  Tf32Operand<B> right(b, first_b);
  Tf32Sums sum;
  clear_sums(sum);
  int stage = 0;
  left.fetch(k_begin, k_end);
  right.fetch(k_begin, k_end);
  for (int64_t k = k_begin; k < k_end; k += kTf32Step) {
    SplitNumber *const cells = shared_memory<SplitNumber>() + stage, *const right_cells = cells + kTf32Cells;
    stage ^= 2 * kTf32Cells;
    // Nobody reads this stage any more: all threads have passed the barrier of the step before.
    const bool left_splits = left.keep(cells), right_splits = right.keep(right_cells);
    const bool whole = __syncthreads_or(left_splits && right_splits ? 0 : 1) != 0;
    if (whole) {
      left.keep_whole(cells);
      right.keep_whole(right_cells);
      __syncthreads();
    }
    left.fetch(k + kTf32Step, k_end);
    right.fetch(k + kTf32Step, k_end);
    if (whole) {
      add_fused(cells, right_cells, sum);
    } else {
      METAPLAST_UNROLL
      for (int half = 0; half < kTf32Step; half += 8) add_tf32(cells, right_cells, half, sum);
    }
    if (k + kTf32Step < k_end && (k + kTf32Step - k_begin) % kSumBlock != 0) continue;
    METAPLAST_UNROLL
    for (int e = 0; e < 32; ++e) total[e / 16][e / 4 % 4][e % 4] = add(total[e / 16][e / 4 % 4][e % 4], sum[e / 16][e / 4 % 4][e % 4]);
    clear_sums(sum);
  }
}

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_CUDA_TILE_PRODUCT_TF32_H_
