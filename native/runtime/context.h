// A context: the dispatch table and the pool that entry points work with.
#ifndef METAPLAST_RUNTIME_CONTEXT_H_
#define METAPLAST_RUNTIME_CONTEXT_H_

#include <cstdint>

#include "metaplast/runtime.h"
#include "runtime/fp_environment.h"
#include "runtime/kernel_table.h"
#include "runtime/thread_pool.h"

struct metaplast_context {
  metaplast::KernelTable kernels;
  int32_t tier;
  metaplast::ThreadPool* pool;
};

namespace metaplast {

// Ranges handed out per thread where there is enough to do: a few even out cores that are also busy with something else.
constexpr int64_t kRangesPerThread = 4;

// Calls body(chunk) for chunk = 0..chunks-1 over the context's pool; returns when all are done. Does not allocate.
template <class Body>
void parallel_chunks(const metaplast_context* context, int64_t chunks, const Body& body) noexcept {
  context->pool->run(
      chunks, [](void* argument, int64_t chunk) { (*static_cast<const Body*>(argument))(chunk); }, const_cast<Body*>(&body));
}

// Calls body(begin, end) on disjoint ranges that cover 0..n-1. A range holds at least `grain` elements (the last one excepted) and
// begins at a multiple of 4096 elements, which is a chunk of R16, a block of Philox and a whole number of cache lines; below two grains
// everything is one range on the calling thread. Only for kernels whose bits do not depend on the split.
template <class Body>
void parallel_range(const metaplast_context* context, int64_t n, int64_t grain, const Body& body) noexcept {
  constexpr int64_t kAlign = 4096;
  const int64_t threads = context->pool->threads();
  if (threads == 1 || n / 2 < grain) {
    if (n > 0) {
      body(int64_t{0}, n);
    }
    return;
  }
  int64_t ranges = n / grain;
  if (ranges > threads) {
    ranges = ranges < threads * kRangesPerThread ? threads : threads * kRangesPerThread;
  }
  int64_t length = (n + ranges - 1) / ranges;
  length = (length + kAlign - 1) / kAlign * kAlign;
  parallel_chunks(context, (n + length - 1) / length, [n, length, &body](int64_t chunk) {
    const int64_t begin = chunk * length;
    body(begin, n - begin < length ? n : begin + length);
  });
}

// Calls body(begin, end) on disjoint ranges of items 0..n-1, where an item costs about `work` elementary steps and a range at least
// `grain` of them. For items that do not share cache lines worth aligning for.
template <class Body>
void parallel_items(const metaplast_context* context, int64_t n, int64_t work, int64_t grain, const Body& body) noexcept {
  const int64_t threads = context->pool->threads();
  const int64_t items_of_grain = work >= grain || work <= 0 ? 1 : grain / work;
  int64_t ranges = n / items_of_grain;
  if (threads == 1 || ranges < 2) {
    if (n > 0) {
      body(int64_t{0}, n);
    }
    return;
  }
  ranges = ranges < threads * kRangesPerThread ? ranges : threads * kRangesPerThread;
  const int64_t length = (n + ranges - 1) / ranges;
  parallel_chunks(context, (n + length - 1) / length, [n, length, &body](int64_t chunk) {
    const int64_t begin = chunk * length;
    body(begin, n - begin < length ? n : begin + length);
  });
}

}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_CONTEXT_H_
