// Products of bit matrices on tensor cores by mma.sync. The same results as xnor_gemm_simt.cuh.
#ifndef METAPLAST_KERNELS_XNOR_GEMM_MMA_CUH_
#define METAPLAST_KERNELS_XNOR_GEMM_MMA_CUH_

#include "kernels/xnor_gemm/xnor_gemm_simt.cuh"

#if !defined(__CUDACC__)
#include "shim/mma.h"
#endif

namespace metaplast {
namespace simt {

// Whether bit_mma counts differing bits, or common ones; then differing = set bits of both rows - 2*common.
METAPLAST_DEVICE bool bit_mma_counts_differing() {
#if defined(__CUDA_ARCH__)
  return __CUDA_ARCH__ < 800;
#elif defined(METAPLAST_SHIM)
  return shim::bit_mma() == shim::BitMma::kXor;
#else
  return false;  // the host pass of nvcc only has to parse this
#endif
}

METAPLAST_DEVICE void mma_and(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800 && __CUDA_ARCH__ < 1000
  asm volatile("mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.and.popc {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#elif defined(METAPLAST_SHIM)
  shim::mma_m16n8k256_and(d, a, b);
#endif
}

METAPLAST_DEVICE void mma_bytes(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
  asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#elif defined(METAPLAST_SHIM)
  shim::mma_m16n8k32_s8(d, a, b);
#endif
}

METAPLAST_DEVICE void mma_xor(int* d, uint32_t a, uint32_t b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
  asm volatile("mma.sync.aligned.m8n8k128.row.col.s32.b1.b1.s32.xor.popc {%0, %1}, {%2}, {%3}, {%0, %1};"
               : "+r"(d[0]), "+r"(d[1])
               : "r"(a), "r"(b));
#elif defined(METAPLAST_SHIM)
  int two[2] = {d[0], d[1]};
  shim::mma_m8n8k128_xor(two, a, b);
  d[0] = two[0];
  d[1] = two[1];
#endif
}

// Four bits as four bytes 0 or 1.
METAPLAST_DEVICE uint32_t bytes_of_bits(uint32_t nibble) { return (nibble & 15u) * 0x00204081u & 0x01010101u; }

// 256 bits of 16 rows of a and 8 rows of b, one fragment of each: a thread (g, t) = (lane / 4, lane % 4) has the words t and t + 4 of the rows g and
// g + 8 of a (a[0], a[2] and a[1], a[3]) and of row g of b, and of the result rows g and g + 8, columns 2t and 2t + 1.
METAPLAST_DEVICE void bit_mma(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(__CUDA_ARCH__)
  constexpr bool bytes = __CUDA_ARCH__ >= 1000;  // from there on 1-bit instructions are emulated
#elif defined(METAPLAST_SHIM)
  const bool bytes = shim::bit_mma() == shim::BitMma::kBytes;
#else
  constexpr bool bytes = false;
#endif
  if (bit_mma_counts_differing()) {
    mma_xor(d, a[0], b[0]);
    mma_xor(d, a[2], b[1]);
    mma_xor(d + 2, a[1], b[0]);
    mma_xor(d + 2, a[3], b[1]);
  } else if (bytes) {
    // Every thread expands its own words, nibble by nibble. Which bit becomes which k does not matter: a and b agree.
    METAPLAST_UNROLL
    for (int s = 0; s < 32; s += 4) {
      const uint32_t x[4] = {bytes_of_bits(a[0] >> s), bytes_of_bits(a[1] >> s), bytes_of_bits(a[2] >> s), bytes_of_bits(a[3] >> s)};
      const uint32_t y[2] = {bytes_of_bits(b[0] >> s), bytes_of_bits(b[1] >> s)};
      mma_bytes(d, x, y);
    }
  } else {
    mma_and(d, a, b);
  }
}

// The accumulators of a warp, 16 rows by 8*kTiles columns, to the epilogue. set_a, set_b: set bits of these rows of the operands.
template <int kTiles, class Epilogue>
METAPLAST_DEVICE void finish_fragment(const Epilogue& epilogue, int64_t m, int64_t n, unsigned k, int64_t first_row, int64_t first_column,
                                      const int (&d)[kTiles][4], const unsigned* set_a, const unsigned* set_b) {
  const int g = static_cast<int>(threadIdx.x & 31) / 4, t = static_cast<int>(threadIdx.x & 3);
  METAPLAST_UNROLL
  for (int h = 0; h < 2; ++h) {
    const int64_t row = first_row + g + 8 * h;
    uint64_t word = 0;
    METAPLAST_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      METAPLAST_UNROLL
      for (int e = 0; e < 2; ++e) {
        const int c = 8 * i + 2 * t + e;
        const int64_t col = first_column + c;
        const unsigned counted = static_cast<unsigned>(d[i][2 * h + e]);
        const unsigned differ = bit_mma_counts_differing() ? counted : set_a[g + 8 * h] + set_b[c] - 2 * counted;
        if constexpr (Epilogue::kPacks) {
          if (col < n && epilogue.bit(col, differ)) word |= uint64_t{1} << (c & 63);
        } else {
          if (row < m && col < n) epilogue.put(row, col, k, differ);
        }
      }
      if constexpr (Epilogue::kPacks) {
        if (i % 8 != 7) continue;
        // Four threads have two of every eight bits each.
        unsigned long long whole = word;
        whole |= __shfl_xor_sync(kFullMask, whole, 1);
        whole |= __shfl_xor_sync(kFullMask, whole, 2);
        const int64_t at = first_column / 64 + i / 8;
        if (t == 0 && row < m && at < epilogue.row_words) epilogue.y[row * epilogue.row_words + at] = whole;
        word = 0;
      }
    }
  }
}

// 128 x 128 outputs by eight warps, 32 x 64 each; 512 bits of every row in shared memory at a time, the next ones in registers. The threads
// count the set bits of what they bring.
template <class Epilogue>
struct XnorGemmMma {
  static constexpr int kThreads = 256;
  static constexpr int kSide = 128;
  static constexpr int kWords = 8;   // of 64 bits
  static constexpr int kPitch = 10;  // no two threads of a fragment read from one bank
  static constexpr int kFetches = kSide * kWords / kThreads;
  static constexpr size_t kSharedBytes = 2 * kSide * (kPitch * sizeof(uint64_t) + sizeof(unsigned));

  using Args = typename XnorGemm<Epilogue>::Args;  // column_tiles: of this kernel

  struct Operand {
    const uint64_t* p;
    int rows;
    unsigned row_words;
    uint64_t* tile;
    uint64_t next[kFetches];
    unsigned set[kFetches];

    METAPLAST_DEVICE Operand(const uint64_t* matrix, int64_t first, int64_t all, unsigned words, uint64_t* shared)
        : p(matrix + first * words), rows(all - first < kSide ? static_cast<int>(all - first) : kSide), row_words(words), tile(shared) {
      METAPLAST_UNROLL
      for (int h = 0; h < kFetches; ++h) set[h] = 0;
    }
    METAPLAST_DEVICE void fetch(unsigned word) {
      METAPLAST_UNROLL
      for (int h = 0; h < kFetches; ++h) {
        const int row = static_cast<int>(threadIdx.x / kWords) + kThreads / kWords * h;
        next[h] = row < rows ? p[static_cast<unsigned>(row) * row_words + word + threadIdx.x % kWords] : 0;
      }
    }
    METAPLAST_DEVICE void keep() {
      METAPLAST_UNROLL
      for (int h = 0; h < kFetches; ++h) {
        tile[(threadIdx.x / kWords + kThreads / kWords * h) * kPitch + threadIdx.x % kWords] = next[h];
        set[h] += static_cast<unsigned>(__popcll(next[h]));
      }
    }
    METAPLAST_DEVICE void publish(unsigned* counts) const {
      METAPLAST_UNROLL
      for (int h = 0; h < kFetches; ++h) {
        unsigned sum = set[h];
        METAPLAST_UNROLL
        for (int lanes = 1; lanes < kWords; lanes *= 2) sum += __shfl_xor_sync(kFullMask, sum, lanes);
        if (threadIdx.x % kWords == 0) counts[threadIdx.x / kWords + kThreads / kWords * h] = sum;
      }
    }
    // 32-bit word w of a row of the tile.
    METAPLAST_DEVICE uint32_t word(int row, int w) const { return static_cast<uint32_t>(tile[row * kPitch + w / 2] >> (w % 2 * 32)); }
  };

  static METAPLAST_DEVICE void run(const Args& p) {
    const int warp = static_cast<int>(threadIdx.x / 32), g = static_cast<int>(threadIdx.x & 31) / 4, t = static_cast<int>(threadIdx.x & 3);
    const int64_t first_row = int64_t{blockIdx.x / p.column_tiles} * kSide, first_column = int64_t{blockIdx.x % p.column_tiles} * kSide;
    const unsigned words = static_cast<unsigned>(bit_row_words(p.k));
    uint64_t* shared = shared_memory<uint64_t>();
    unsigned* set_a = reinterpret_cast<unsigned*>(shared + 2 * kSide * kPitch);
    unsigned* set_b = set_a + kSide;
    Operand a(p.a, first_row, p.m, words, shared), b(p.b, first_column, p.n, words, shared + kSide * kPitch);
    const int warp_row = warp / 2 * 32, warp_column = warp % 2 * 64;
    int d[2][8][4];
    METAPLAST_UNROLL
    for (int i = 0; i < 2 * 8 * 4; ++i) d[i / 32][i / 4 % 8][i % 4] = 0;
    if (words > 0) {
      a.fetch(0);
      b.fetch(0);
    }
    for (unsigned word = 0; word < words; word += kWords) {
      __syncthreads();
      a.keep();
      b.keep();
      __syncthreads();
      if (word + kWords < words) {
        a.fetch(word + kWords);
        b.fetch(word + kWords);
      }
      METAPLAST_UNROLL
      for (int half = 0; half < 16; half += 8) {
        uint32_t x[2][4];
        METAPLAST_UNROLL
        for (int i = 0; i < 2; ++i) {
          METAPLAST_UNROLL
          for (int r = 0; r < 4; ++r) x[i][r] = a.word(warp_row + 16 * i + g + 8 * (r & 1), half + t + 4 * (r >> 1));
        }
        METAPLAST_UNROLL
        for (int j = 0; j < 8; ++j) {
          const int row = warp_column + 8 * j + g;
          const uint32_t y[2] = {b.word(row, half + t), b.word(row, half + t + 4)};
          METAPLAST_UNROLL
          for (int i = 0; i < 2; ++i) bit_mma(d[i][j], x[i], y);
        }
      }
    }
    a.publish(set_a);
    b.publish(set_b);
    __syncthreads();
    METAPLAST_UNROLL
    for (int i = 0; i < 2; ++i) {
      const int row = warp_row + 16 * i;
      finish_fragment<8>(p.epilogue, p.m, p.n, p.k, first_row + row, first_column + warp_column, d[i], set_a + row, set_b + warp_column);
    }
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_XNOR_GEMM_MMA_CUH_
