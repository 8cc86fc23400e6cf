// Damped inverses of a list of mixed sizes in one launch: the pieces of spd_inverse_simt.cuh, taken from a queue. The same bits.
//
// A matrix of tiles goes through stages, each of which needs the one before; items of a stage may run in any order. Tickets are given out stage by stage over
// all matrices, the largest first. A block that has an item waits until the stage before is done: that one's items have smaller tickets, so blocks that run
// have them, and there is always one that need not wait. While it waits it takes small matrices, also the largest first: those with more
// than kSpdWarp rows one by one, the others a warp each.
#ifndef METAPLAST_KERNELS_SPD_QUEUE_SIMT_CUH_
#define METAPLAST_KERNELS_SPD_QUEUE_SIMT_CUH_

#include <algorithm>

#include "kernels/spd_inverse/spd_inverse_simt.cuh"

namespace metaplast {
namespace simt {

constexpr int kQueueTiled = 128;  // of a launch: matrices of tiles
constexpr int kQueueSmall = 256;  // and small ones

enum SpdWork { kSpdLoad, kSpdMultiply, kSpdJudge, kSpdFactor, kSpdSolve, kSpdUpdate, kSpdRow, kSpdCopy, kSpdStore };

struct SpdStage {
  int32_t work;
  int32_t option;  // of the work: kind of an update, vectors of a product, what Common of a piece says
  int64_t panel, blocks;
};

template <class T>
struct SpdStages {
  static METAPLAST_HD int64_t count(int64_t tiles) { return 6 + 9 * tiles; }

  static METAPLAST_HD int64_t solve_blocks(int64_t n, int64_t panel) {
    const int64_t rows = n - (panel + 1) * kSide;
    return rows <= 0 ? 0 : (rows + SpdSolve<T>::kRows - 1) / SpdSolve<T>::kRows;
  }

  // Stage s of a matrix; no blocks beyond the last one.
  static METAPLAST_HD SpdStage of(int64_t n, int64_t s) {
    const int64_t tiles = (n + kSide - 1) / kSide, triangle = tiles * (tiles + 1) / 2;
    if (s == 0) return {kSpdLoad, 0, 0, triangle};
    if (s == 1) return {kSpdMultiply, 0, 0, tiles};
    if (s == 2) return {kSpdJudge, 0, 0, 1};
    s -= 3;
    if (s < 3 * tiles) {
      const int64_t p = s / 3;
      if (s % 3 == 0) return {kSpdFactor, 0, p, 1};
      if (s % 3 == 1) return {kSpdSolve, 0, p, solve_blocks(n, p)};
      return {kSpdUpdate, kSpdFactorUpdate, p, SpdUpdate<T>::blocks(kSpdFactorUpdate, p, tiles)};
    }
    s -= 3 * tiles;
    if (s < 4 * tiles) {
      const int64_t p = tiles - 1 - s / 4;
      if (s % 4 == 0) return {kSpdSolve, 1, p, solve_blocks(n, p)};
      if (s % 4 == 1) return {kSpdUpdate, kSpdInverseUpdate, p, SpdUpdate<T>::blocks(kSpdInverseUpdate, p, tiles)};
      if (s % 4 == 2) return {kSpdRow, 0, p, (p * kSide + SpdInverseRow<T>::kThreads - 1) / SpdInverseRow<T>::kThreads};
      return {kSpdRow, 1, p, 1};
    }
    s -= 4 * tiles;
    if (s < 2 * tiles) {
      const int64_t p = s / 2;
      if (s % 2 == 0) return {kSpdCopy, 0, p, p + 1};
      return {kSpdUpdate, kSpdSquareUpdate, p, SpdUpdate<T>::blocks(kSpdSquareUpdate, p, tiles)};
    }
    s -= 2 * tiles;
    if (s == 0) return {kSpdMultiply, 2, 0, tiles};
    if (s == 1) return {kSpdJudge, 1, 0, 1};
    return {kSpdStore, 0, 0, s == 2 ? triangle : 0};
  }
};

// What the blocks of a launch share; cleared before it.
struct SpdProgress {
  unsigned long long ticket, small;
  unsigned long long done[kQueueTiled];  // items of each matrix of tiles
};

template <class T>
struct SpdQueue {
  static constexpr int kThreads = 128;
  static constexpr int kMinBlocks = sizeof(T) == 4 ? 3 : 0;  // without 3 sm_120 spills, with 3 double on sm_75
  static METAPLAST_HD size_t larger(size_t a, size_t b) { return a > b ? a : b; }
  static METAPLAST_HD size_t warp_bytes() { return (SpdSmall<T>::shared_bytes(kSpdWarp) + 15) / 16 * 16; }
  // Of any item, then what thread 0 or a warp tells the block.
  static METAPLAST_HD size_t item_bytes() {
    size_t bytes = larger(SpdSmall<T>::shared_bytes(kSpdSmall<T>), kThreads / 32 * warp_bytes());
    bytes = larger(bytes, larger(SpdMultiply<T>::kSharedBytes, SpdJudge<T>::kSharedBytes));
    bytes = larger(bytes, larger(SpdFactor<T>::kSharedBytes, SpdSolve<T>::kSharedBytes));
    bytes = larger(bytes, larger(SpdUpdate<T>::kSharedBytes, SpdInverseRow<T>::kSharedBytes));
    return (larger(bytes, SpdStore<T>::kSharedBytes) + 15) / 16 * 16;
  }
  struct Told {
    int64_t matrix, stage, block;  // matrix -1: the queue is empty
    unsigned long long needed;     // items of the stages before
    int64_t ready, small;
  };
  static METAPLAST_HD size_t shared_bytes() { return item_bytes() + sizeof(Told); }

  struct Args {
    double tolerance;
    int32_t tiled, small;  // both lists: the largest first
    int32_t whole;         // of the small ones: by a block
    int64_t stages;        // of the largest
    SpdProgress* progress;
    metaplast_spd_result_t* results;
    SpdLarge<T> large[kQueueTiled];
    metaplast_spd_item_t items[kQueueSmall];
    int32_t result[kQueueSmall];  // of the small ones
  };

  // An item of a matrix of tiles, by a block.
  static METAPLAST_DEVICE void work(const Args& a, int64_t matrix, int64_t stage, int64_t block) {
    SpdLarge<T> e = a.large[matrix];
    const SpdStage s = SpdStages<T>::of(e.n, stage);
    e.panel = s.panel;
    switch (s.work) {
      case kSpdLoad: SpdLoad<T>::block({}, e, block); break;
      case kSpdMultiply: SpdMultiply<T>::block({s.option, s.option + 2}, e, block); break;
      case kSpdJudge: SpdJudge<T>::block({s.option, a.tolerance}, e, block); break;
      case kSpdFactor: SpdFactor<T>::block({}, e, block); break;
      case kSpdSolve: SpdSolve<T>::block({s.option}, e, block); break;
      case kSpdUpdate: SpdUpdate<T>::block({s.option}, e, block); break;
      case kSpdRow: SpdInverseRow<T>::block({s.option}, e, block); break;
      case kSpdCopy: SpdCopyRow<T>::block({}, e, block); break;
      default: SpdStore<T>::block({0}, e, block); break;
    }
  }
  // Small matrices: one for the block, or as many as it has warps.
  static METAPLAST_HD int64_t small_items(int64_t small, int64_t whole) { return whole + (small - whole + kThreads / 32 - 1) / (kThreads / 32); }
  static METAPLAST_DEVICE void work_small(const Args& a, int64_t item) {
    if (item < a.whole) {
      SpdSmall<T>::template invert<WholeBlock>(a.items[item], a.results + a.result[item], a.tolerance, shared_memory<double>());
      return;
    }
    const int64_t warp = threadIdx.x / 32, i = a.whole + (item - a.whole) * (kThreads / 32) + warp;
    if (i >= a.small) return;
    const metaplast_spd_item_t& e = a.items[i];
    metaplast_spd_result_t* const result = a.results + a.result[i];
    if (spd_valid(e) && e.n > 0) {
      double* const shared = reinterpret_cast<double*>(shared_memory<char>() + warp * static_cast<int64_t>(warp_bytes()));
      SpdSmall<T>::template invert<OneWarp>(e, result, a.tolerance, shared);
    } else {
      SpdSmall<T>::template nothing_to_do<OneWarp>(e, result);
    }
  }

  // Finds what a ticket stands for; the tickets of a block ascend. By the first warp: a lane has every 32nd matrix.
  struct Cursor {
    static constexpr int kMatrices = kQueueTiled / 32;
    int64_t stage = 0, first = 0;  // ticket of the first item of the stage
    unsigned long long before[kMatrices] = {};

    // Beyond the last ticket *told stays as it is.
    METAPLAST_DEVICE void find(const Args& a, int64_t ticket, Told* told) {
      const int lane = static_cast<int>(threadIdx.x) % 32;
      for (; stage < a.stages; ++stage) {
        int64_t blocks[kMatrices], end[kMatrices], all = 0;
        METAPLAST_UNROLL
        for (int q = 0; q < kMatrices; ++q) {
          const int matrix = 32 * q + lane;
          blocks[q] = matrix < a.tiled ? SpdStages<T>::of(a.large[matrix].n, stage).blocks : 0;
          int64_t sum = blocks[q];
          METAPLAST_UNROLL
          for (int lanes = 1; lanes < 32; lanes *= 2) {
            const int64_t other = __shfl_sync(kFullMask, sum, lane >= lanes ? lane - lanes : lane);
            sum += lane >= lanes ? other : 0;
          }
          end[q] = all + sum;
          all = __shfl_sync(kFullMask, end[q], 31);
        }
        if (ticket < first + all) {
          METAPLAST_UNROLL
          for (int q = 0; q < kMatrices; ++q) {
            const int64_t block = ticket - first - (end[q] - blocks[q]);
            if (block >= 0 && block < blocks[q]) {
              told->matrix = 32 * q + lane;
              told->stage = stage;
              told->block = block;
              told->needed = before[q];
            }
          }
          return;
        }
        first += all;
        METAPLAST_UNROLL
        for (int q = 0; q < kMatrices; ++q) before[q] += static_cast<unsigned long long>(blocks[q]);
      }
    }
  };

  // The next small matrix, if there is one left; alone they are shared out. By the whole block; taken: how many it had before.
  static METAPLAST_DEVICE bool take_small(const Args& a, int64_t taken, Told* told) {
    int64_t i = static_cast<int64_t>(blockIdx.x) + taken * gridDim.x;
    __syncthreads();
    if (a.progress != nullptr) {
      if (threadIdx.x == 0) told->small = static_cast<int64_t>(atomicAdd(&a.progress->small, 1ull));
      __syncthreads();
      i = told->small;
    }
    if (i >= small_items(a.small, a.whole)) return false;
    work_small(a, i);
    return true;
  }

  static METAPLAST_DEVICE void run(const Args& a) {
    Told* const told = reinterpret_cast<Told*>(shared_memory<char>() + item_bytes());
    constexpr int kPatience = 1 << 30;  // pauses: minutes
    Cursor cursor;
    bool small_left = true;
    int64_t taken = 0;
    for (;;) {
      __syncthreads();
      if (threadIdx.x < 32) {
        unsigned long long ticket = 0;
        if (threadIdx.x == 0) {
          told->matrix = -1;
          if (a.progress != nullptr) ticket = atomicAdd(&a.progress->ticket, 1ull);
        }
        __syncwarp();
        cursor.find(a, static_cast<int64_t>(__shfl_sync(kFullMask, ticket, 0)), told);
      }
      __syncthreads();
      const int64_t matrix = told->matrix, stage = told->stage, block = told->block;
      const unsigned long long needed = told->needed;
      for (int pauses = 0;; ++pauses) {
        if (threadIdx.x == 0) told->ready = matrix >= 0 && published_count(&a.progress->done[matrix]) >= needed ? 1 : 0;
        __syncthreads();
        if (told->ready != 0) break;
        small_left = small_left && take_small(a, taken++, told);
        if (small_left) continue;
        if (matrix < 0) return;
        if (pauses == kPatience) give_up();
        pause();
        __syncthreads();
      }
      work(a, matrix, stage, block);
      __syncthreads();
      if (threadIdx.x == 0) publish(&a.progress->done[matrix]);
    }
  }
};

}  // namespace simt

namespace cuda_runtime {

constexpr int64_t kSpdAlign = 256;
// Large matrices of one group work side by side while their workspaces fit this.
constexpr int64_t kSpdGroupBytes = int64_t{1} << 30;

constexpr int64_t spd_round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
constexpr int64_t kSpdProgress = spd_round_up(static_cast<int64_t>(sizeof(simt::SpdProgress)), kSpdAlign);

// Workspace of a large matrix.
template <class T>
struct SpdPlan {
  int64_t ld, matrix, row, vectors;
  explicit SpdPlan(int64_t n)
      : ld(spd_round_up(n, 32)), matrix(spd_round_up(n * ld * static_cast<int64_t>(sizeof(T)), kSpdAlign)),
        row(spd_round_up(simt::kSide * ld * static_cast<int64_t>(sizeof(T)), kSpdAlign)), vectors(spd_round_up(7 * n * 8, kSpdAlign)) {}
  int64_t total() const { return matrix + row + vectors + kSpdAlign; }
};

template <class T>
bool spd_large(const metaplast_spd_item_t& item) {
  return item.n > simt::kSpdSmall<T>;
}

// The end of the group that begins at `begin`, and its bytes. Decided by sizes alone.
template <class T>
int64_t spd_group_end(int64_t count, const metaplast_spd_item_t* items, int64_t begin, int64_t* bytes) {
  int64_t members = 0, i = begin;
  *bytes = 0;
  for (; i < count && i - begin < simt::kQueueSmall; ++i) {
    if (!spd_large<T>(items[i])) continue;
    const int64_t here = SpdPlan<T>(items[i].n).total() + (members == 0 ? kSpdProgress : 0);
    if (members == simt::kQueueTiled || (members > 0 && *bytes + here > kSpdGroupBytes)) break;
    *bytes += here;
    ++members;
  }
  return i;
}

// Matrices of tiles of a group, in its order; their number. memory: behind the progress of the queue.
template <class T>
int64_t place_spd_large(int64_t begin, int64_t end, const metaplast_spd_item_t* items, metaplast_spd_result_t* results, char* memory,
                    simt::SpdLarge<T>* entries) {
  int64_t members = 0;
  for (int64_t i = begin; i < end; ++i) {
    const metaplast_spd_item_t& item = items[i];
    if (!spd_large<T>(item) || !simt::spd_valid(item)) continue;
    const SpdPlan<T> plan(item.n);
    simt::SpdLarge<T>& e = entries[members++];
    e = {};
    e.m = item.m;
    e.ldm = item.ldm;
    e.n = item.n;
    e.damping = item.damping;
    e.w = reinterpret_cast<T*>(memory);
    e.ldw = plan.ld;
    e.row = reinterpret_cast<T*>(memory + plan.matrix);
    e.vectors = reinterpret_cast<double*>(memory + plan.matrix + plan.row);
    e.state = reinterpret_cast<simt::SpdState*>(memory + plan.matrix + plan.row + plan.vectors);
    e.out = item.out;
    e.ldo = item.ldo;
    e.result = results + i;
    memory += plan.total();
  }
  return members;
}

// Parameters of the queue for a group; returns how many items can begin at once.
template <class T>
int64_t fill_spd_queue(int64_t begin, int64_t end, const metaplast_spd_item_t* items, double tolerance, metaplast_spd_result_t* results, char* workspace,
                   typename simt::SpdQueue<T>::Args* args) {
  args->tolerance = tolerance;
  args->results = results + begin;
  args->tiled = static_cast<int32_t>(place_spd_large<T>(begin, end, items, results, workspace + kSpdProgress, args->large));
  std::sort(args->large, args->large + args->tiled, [](const auto& a, const auto& b) { return a.n != b.n ? a.n > b.n : a.result < b.result; });
  args->small = 0;
  for (int64_t i = begin; i < end; ++i) {
    if (!spd_large<T>(items[i]) || !simt::spd_valid(items[i])) args->result[args->small++] = static_cast<int32_t>(i - begin);
  }
  const auto size = [&](int32_t i) { return simt::spd_valid(items[begin + i]) ? items[begin + i].n : 0; };
  std::sort(args->result, args->result + args->small, [&](int32_t a, int32_t b) { return size(a) != size(b) ? size(a) > size(b) : a < b; });
  for (int32_t i = 0; i < args->small; ++i) args->items[i] = items[begin + args->result[i]];
  args->whole = 0;
  while (args->whole < args->small && size(args->result[args->whole]) > simt::kSpdWarp) ++args->whole;
  int64_t parallel = simt::SpdQueue<T>::small_items(args->small, args->whole);
  for (int32_t i = 0; i < args->tiled; ++i) parallel += simt::SpdStages<T>::of(args->large[i].n, 0).blocks;
  args->stages = args->tiled > 0 ? simt::SpdStages<T>::count(args->large[0].tiles()) : 0;
  // Small matrices alone need no workspace.
  args->progress = args->tiled > 0 ? reinterpret_cast<simt::SpdProgress*>(workspace) : nullptr;
  return parallel;
}

}  // namespace cuda_runtime
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_SPD_QUEUE_SIMT_CUH_
