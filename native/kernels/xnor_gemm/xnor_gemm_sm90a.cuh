// Products of bit matrices on Hopper's tensor cores: wgmma on operands that TMA brings. The same results as xnor_gemm_simt.cuh. Compiled for
// sm_90a only; elsewhere the kernel is empty and never launched.
#ifndef METAPLAST_KERNELS_XNOR_GEMM_SM90A_CUH_
#define METAPLAST_KERNELS_XNOR_GEMM_SM90A_CUH_

#include <cuda.h>

#include "kernels/xnor_gemm/xnor_gemm_mma.cuh"

namespace metaplast {
namespace simt {

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)

METAPLAST_DEVICE uint32_t shared_address(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }

// An mbarrier in shared memory.
struct Barrier {
  uint32_t address;

  METAPLAST_DEVICE void init(unsigned arrivals) const {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(address), "r"(arrivals) : "memory");
  }
  METAPLAST_DEVICE void arrive() const { asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(address) : "memory"); }
  METAPLAST_DEVICE void arrive_expecting(unsigned bytes) const {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(address), "r"(bytes) : "memory");
  }
  METAPLAST_DEVICE void wait(unsigned parity) const {
    asm volatile(
        "{\n"
        ".reg .pred done;\n"
        "again:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@!done bra again;\n"
        "}" ::"r"(address), "r"(parity)
        : "memory");
  }
};

// A box of bytes x rows from global to shared memory.
METAPLAST_DEVICE void load_box(uint32_t to, const CUtensorMap* map, int byte, int row, const Barrier& barrier) {
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(to), "l"(map),
               "r"(byte), "r"(row), "r"(barrier.address)
               : "memory");
}

// Rows of 128 bytes, swizzled over 128 bytes: groups of eight rows are 1024 bytes apart.
METAPLAST_DEVICE uint64_t matrix_descriptor(uint32_t address) {
  return static_cast<uint64_t>((address & 0x3ffffu) >> 4) | uint64_t{1} << 16 | uint64_t{1024 >> 4} << 32 | uint64_t{1} << 62;
}

// d (64 x 128) += the common set bits of 64 rows of a and 128 rows of b, 256 bits of each.
METAPLAST_DEVICE void wgmma_and(int (&d)[16][4], uint64_t a, uint64_t b) {
  asm volatile(
      "{\n"
      ".reg .pred adds;\n"
      "setp.eq.b64 adds, %64, %64;\n"
      "wgmma.mma_async.sync.aligned.m64n128k256.s32.b1.b1.and.popc {"
      "%0, %1, %2, %3, %4, %5, %6, %7, "
      "%8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, "
      "%24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, "
      "%40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, "
      "%56, %57, %58, %59, %60, %61, %62, %63"
      "}, %64, %65, adds;\n"
      "}"
      : "+r"(d[0][0]), "+r"(d[0][1]), "+r"(d[0][2]), "+r"(d[0][3]), "+r"(d[1][0]), "+r"(d[1][1]), "+r"(d[1][2]), "+r"(d[1][3]),
        "+r"(d[2][0]), "+r"(d[2][1]), "+r"(d[2][2]), "+r"(d[2][3]), "+r"(d[3][0]), "+r"(d[3][1]), "+r"(d[3][2]), "+r"(d[3][3]),
        "+r"(d[4][0]), "+r"(d[4][1]), "+r"(d[4][2]), "+r"(d[4][3]), "+r"(d[5][0]), "+r"(d[5][1]), "+r"(d[5][2]), "+r"(d[5][3]),
        "+r"(d[6][0]), "+r"(d[6][1]), "+r"(d[6][2]), "+r"(d[6][3]), "+r"(d[7][0]), "+r"(d[7][1]), "+r"(d[7][2]), "+r"(d[7][3]),
        "+r"(d[8][0]), "+r"(d[8][1]), "+r"(d[8][2]), "+r"(d[8][3]), "+r"(d[9][0]), "+r"(d[9][1]), "+r"(d[9][2]), "+r"(d[9][3]),
        "+r"(d[10][0]), "+r"(d[10][1]), "+r"(d[10][2]), "+r"(d[10][3]), "+r"(d[11][0]), "+r"(d[11][1]), "+r"(d[11][2]), "+r"(d[11][3]),
        "+r"(d[12][0]), "+r"(d[12][1]), "+r"(d[12][2]), "+r"(d[12][3]), "+r"(d[13][0]), "+r"(d[13][1]), "+r"(d[13][2]), "+r"(d[13][3]),
        "+r"(d[14][0]), "+r"(d[14][1]), "+r"(d[14][2]), "+r"(d[14][3]), "+r"(d[15][0]), "+r"(d[15][1]), "+r"(d[15][2]), "+r"(d[15][3])
      : "l"(a), "l"(b));
}
METAPLAST_DEVICE void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
METAPLAST_DEVICE void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
// Until at most kLeft groups are under way.
template <int kLeft>
METAPLAST_DEVICE void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kLeft) : "memory");
}

#endif

// 256 x 128 outputs a block, blocks take several tiles. Warps 0-7 multiply, a warpgroup 128 rows in two strips; warps 8-11 count the set bits of
// every row, and one thread of them keeps the stages filled. A stage has 1024 bits of every row.
template <class Epilogue>
struct XnorGemmSm90a {
  static constexpr int kThreads = 384;
  static constexpr int kRows = 256, kColumns = 128;
  static constexpr int kRowBytes = 128;
  static constexpr int kStages = 4;
  static constexpr unsigned kStageBytes = (kRows + kColumns) * kRowBytes;
  static constexpr int kCounts = kRows + kColumns;
  // Stages on multiples of 1024 bytes; counts of two tiles; a full and an empty barrier a stage.
  static constexpr size_t kSharedBytes = 1024 + kStages * kStageBytes + 2 * kCounts * sizeof(unsigned) + 2 * kStages * sizeof(uint64_t);

  struct Args {
    CUtensorMap a, b;  // bytes x rows, boxes of 128 x 256 and 128 x 128
    int64_t m, n;
    uint32_t k, steps, column_tiles, tiles;  // steps: stages of one tile, at least 1
    Epilogue epilogue;
  };

#if !defined(__CUDA_ARCH_FEAT_SM90_ALL)
  static METAPLAST_DEVICE void run(const Args&) {}
#else
  struct Shared {
    uint32_t stages;  // address of the first one
    unsigned* counts;
    uint32_t barriers;

    METAPLAST_DEVICE Barrier full(unsigned stage) const { return {barriers + 16 * stage}; }
    METAPLAST_DEVICE Barrier empty(unsigned stage) const { return {barriers + 16 * stage + 8}; }
    METAPLAST_DEVICE uint32_t stage(unsigned i) const { return stages + i * kStageBytes; }
  };

  // Stage number i of this block: waits until it is free and has it filled.
  static METAPLAST_DEVICE void fill(const Args& p, const Shared& s, unsigned i) {
    const unsigned tile = blockIdx.x + i / p.steps * gridDim.x, stage = i % kStages;
    const int byte = static_cast<int>(i % p.steps * kRowBytes);
    if (i >= kStages) s.empty(stage).wait((i / kStages - 1) & 1);
    s.full(stage).arrive_expecting(kStageBytes);
    load_box(s.stage(stage), &p.a, byte, static_cast<int>(tile / p.column_tiles) * kRows, s.full(stage));
    load_box(s.stage(stage) + kRows * kRowBytes, &p.b, byte, static_cast<int>(tile % p.column_tiles) * kColumns, s.full(stage));
  }

  // Multiplying and counting warps meet when the counts of a tile are complete.
  static METAPLAST_DEVICE void meet() { asm volatile("bar.sync 1, 384;" ::: "memory"); }

  static METAPLAST_DEVICE void count(const Args& p, const Shared& s, unsigned tiles) {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 48;");
    const unsigned thread = threadIdx.x - 256, lane = thread & 31;
    constexpr int kRowsHere = kCounts / 128;
    const unsigned total = tiles * p.steps;
    if (thread == 0) {
      for (unsigned i = 0; i < kStages - 1 && i < total; ++i) fill(p, s, i);
    }
    unsigned i = 0;
    for (unsigned tile = 0; tile < tiles; ++tile) {
      unsigned set[kRowsHere] = {};
      for (unsigned step = 0; step < p.steps; ++step, ++i) {
        if (thread == 0 && i + kStages - 1 < total) fill(p, s, i + kStages - 1);
        __syncwarp();
        s.full(i % kStages).wait(i / kStages & 1);
        METAPLAST_UNROLL
        for (int r = 0; r < kRowsHere; ++r) {
          const uint32_t row = s.stage(i % kStages) + (thread + 128 * r) * kRowBytes;
          METAPLAST_UNROLL
          for (unsigned c = 0; c < 8; ++c) {
            uint64_t low, high;  // the order of the chunks does not matter; each lane begins in another bank
            asm volatile("ld.shared.v2.b64 {%0, %1}, [%2];" : "=l"(low), "=l"(high) : "r"(row + ((c + lane) & 7) * 16) : "memory");
            set[r] += static_cast<unsigned>(__popcll(low) + __popcll(high));
          }
        }
        __syncwarp();
        if (lane == 0) s.empty(i % kStages).arrive();
      }
      METAPLAST_UNROLL
      for (int r = 0; r < kRowsHere; ++r) s.counts[tile % 2 * kCounts + thread + 128 * r] = set[r];
      meet();
    }
  }

  static METAPLAST_DEVICE void multiply(const Args& p, const Shared& s, unsigned tiles) {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");  // 128 accumulators and the epilogue
    const unsigned group = threadIdx.x / 128, lane = threadIdx.x & 31;
    unsigned i = 0;
    for (unsigned tile = 0; tile < tiles; ++tile) {
      int d[2][16][4];
      METAPLAST_UNROLL
      for (int e = 0; e < 128; ++e) d[e / 64][e / 4 % 16][e % 4] = 0;
      for (unsigned step = 0; step < p.steps; ++step, ++i) {
        const unsigned stage = i % kStages;
        s.full(stage).wait(i / kStages & 1);
        const uint64_t a = matrix_descriptor(s.stage(stage) + group * 128 * kRowBytes);
        const uint64_t b = matrix_descriptor(s.stage(stage) + kRows * kRowBytes);
        wgmma_fence();
        METAPLAST_UNROLL
        for (int k = 0; k < kRowBytes / 32; ++k) {  // 32 bytes along the rows are 2 in the descriptor, 64 rows are 512
          wgmma_and(d[0], a + 2 * k, b + 2 * k);
          wgmma_and(d[1], a + 2 * k + 64 * kRowBytes / 16, b + 2 * k);
        }
        wgmma_commit();
        // The stage before is done: its successor may be loaded while this one multiplies.
        wgmma_wait<1>();
        if (step > 0 && lane == 0) s.empty((i - 1) % kStages).arrive();
      }
      wgmma_wait<0>();
      if (lane == 0) s.empty((i - 1) % kStages).arrive();
      meet();
      const unsigned number = blockIdx.x + tile * gridDim.x;
      const int warp_row = static_cast<int>(group * 128 + threadIdx.x % 128 / 32 * 16);
      const unsigned* counts = s.counts + tile % 2 * kCounts;
      METAPLAST_UNROLL
      for (int strip = 0; strip < 2; ++strip) {
        const int row = warp_row + 64 * strip;
        finish_fragment<16>(p.epilogue, p.m, p.n, p.k, int64_t{number / p.column_tiles} * kRows + row,
                            int64_t{number % p.column_tiles} * kColumns, d[strip], counts + row, counts + kRows);
      }
    }
  }

  static METAPLAST_DEVICE void run(const Args& p) {
    unsigned char* base = shared_memory<unsigned char>();
    base += (1024 - shared_address(base) % 1024) % 1024;
    Shared s;
    s.stages = shared_address(base);
    s.counts = reinterpret_cast<unsigned*>(base + kStages * kStageBytes);
    s.barriers = shared_address(s.counts + 2 * kCounts);
    if (threadIdx.x == 0) {
      for (unsigned stage = 0; stage < kStages; ++stage) {
        s.full(stage).init(1);
        s.empty(stage).init(kThreads / 32);  // every warp
      }
      asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    }
    __syncthreads();
    const unsigned tiles = blockIdx.x < p.tiles ? (p.tiles - blockIdx.x - 1) / gridDim.x + 1 : 0;
    if (threadIdx.x >= 256) {
      count(p, s, tiles);
    } else {
      multiply(p, s, tiles);
    }
  }
#endif
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_XNOR_GEMM_SM90A_CUH_
