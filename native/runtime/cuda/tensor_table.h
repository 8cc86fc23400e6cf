// Multi-tensor launches: the host tables of a call travel as a kernel parameter, so that a whole network takes one launch and no copy. A
// block works on one tile of one tensor and finds it by the first block of every tensor. More tensors than a table holds take several
// launches.
#ifndef METAPLAST_RUNTIME_CUDA_TENSOR_TABLE_H_
#define METAPLAST_RUNTIME_CUDA_TENSOR_TABLE_H_

#include "runtime/cuda/launch.h"

namespace metaplast {
namespace simt {

// Tensors of one launch. Parameters are copied with every launch, so that a table for the largest networks would make the small ones
// slower.
constexpr int kTableTensors = 64;

template <class Entry>
struct TensorTable {
  int32_t tensors;
  uint32_t first_block[kTableTensors];
  Entry entry[kTableTensors];
};

// The tensor that a block belongs to: the last one whose first block is not after it.
template <class Table>
METAPLAST_DEVICE int tensor_of_block(const Table& table, unsigned block) {
  int low = 0, high = table.tensors;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (table.first_block[middle] <= block) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

// A multi-tensor kernel. Traits has Entry (with `int64_t count`), Common (what all tensors share), kThreads, kElementsPerThread and
// `static METAPLAST_DEVICE void tile(const Common&, const Entry&, int64_t tile)`.
template <class Traits>
struct MultiTensor {
  static constexpr int kThreads = Traits::kThreads;

  struct Args {
    typename Traits::Common common;
    TensorTable<typename Traits::Entry> table;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const int t = tensor_of_block(a.table, blockIdx.x);
    Traits::tile(a.common, a.table.entry[t], static_cast<int64_t>(blockIdx.x - a.table.first_block[t]));
  }
};

}  // namespace simt

namespace cuda_runtime {

inline bool valid_counts(int32_t tensors, const int64_t* count) noexcept {
  if (tensors < 0 || (tensors > 0 && count == nullptr)) return false;
  for (int32_t t = 0; t < tensors; ++t) {
    if (count[t] < 0) return false;
  }
  return true;
}

// Runs a kernel over all tensors. count(t) is the number of elements of tensor t; fill(t) gives its entry, whose count is set here. blocks_y:
// blocks that share a tile.
template <class Traits, class Count, class Fill>
void run_multi_tensor_counted(Launcher* launcher, int32_t tensors, const Count& count, int64_t blocks_y, int threads,
                              const typename Traits::Common& common, const Fill& fill) noexcept {
  using Kernel = simt::MultiTensor<Traits>;
  const int64_t tile = static_cast<int64_t>(threads) * Traits::kElementsPerThread;
  int32_t t = 0;
  while (t < tensors && launcher->status() == METAPLAST_OK) {
    typename Kernel::Args args;
    args.common = common;
    int32_t used = 0;
    int64_t blocks = 0;
    for (; t < tensors && used < simt::kTableTensors; ++t) {
      const int64_t elements = count(t);
      if (elements == 0) continue;
      const int64_t here = (elements + tile - 1) / tile;
      if (used > 0 && blocks + here > 0x7fffffff) break;
      args.table.first_block[used] = static_cast<uint32_t>(blocks);
      args.table.entry[used] = fill(t);
      args.table.entry[used].count = elements;
      blocks += here;
      ++used;
    }
    args.table.tensors = used;
    if (used > 0) launcher->run<Kernel>(blocks, blocks_y, threads, 0, args);
  }
}

template <class Traits, class Fill>
void run_multi_tensor(Launcher* launcher, int32_t tensors, const int64_t* count, int64_t blocks_y, int threads,
                      const typename Traits::Common& common, const Fill& fill) noexcept {
  run_multi_tensor_counted<Traits>(
      launcher, tensors, [=](int32_t t) { return count[t]; }, blocks_y, threads, common, fill);
}

inline int64_t total_count(int32_t tensors, const int64_t* count) noexcept {
  int64_t total = 0;
  for (int32_t t = 0; t < tensors; ++t) total += count[t];
  return total;
}

}  // namespace cuda_runtime
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_CUDA_TENSOR_TABLE_H_
