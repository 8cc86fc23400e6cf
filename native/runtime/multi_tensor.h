// Work on all tensors of a call as one range: chunks never cross a tensor, and one parallel region serves the whole network.
#ifndef METAPLAST_RUNTIME_MULTI_TENSOR_H_
#define METAPLAST_RUNTIME_MULTI_TENSOR_H_

#include <cstdint>

#include "runtime/context.h"

namespace metaplast {

inline bool valid_counts(int32_t tensors, const int64_t* count) noexcept {
  if (tensors < 0 || (tensors > 0 && count == nullptr)) return false;
  for (int32_t t = 0; t < tensors; ++t) {
    if (count[t] < 0) return false;
  }
  return true;
}

// Calls body(tensor, begin, end) on ranges that cover every tensor, each beginning at a multiple of 4096 elements of its tensor. `grain`: elements
// from which a range of its own pays; count(t): elements of a tensor. Only for kernels whose bits do not depend on the split.
template <class Count, class Body>
void parallel_tensors(const metaplast_context* context, int32_t tensors, const Count& count, int64_t grain, const Body& body) noexcept {
  constexpr int64_t kAlign = 4096;
  int64_t total = 0;
  for (int32_t t = 0; t < tensors; ++t) total += count(t);
  const int64_t threads = context->pool->threads();
  if (threads == 1 || total / 2 < grain) {
    for (int32_t t = 0; t < tensors; ++t) {
      if (count(t) > 0) body(t, int64_t{0}, count(t));
    }
    return;
  }
  int64_t ranges = total / grain;
  if (ranges > threads) ranges = ranges < threads * kRangesPerThread ? threads : threads * kRangesPerThread;
  const int64_t length = (total / ranges + kAlign - 1) / kAlign * kAlign;
  int64_t chunks = 0;
  for (int32_t t = 0; t < tensors; ++t) chunks += (count(t) + length - 1) / length;
  parallel_chunks(context, chunks, [=, &count, &body](int64_t chunk) {
    for (int32_t t = 0; t < tensors; ++t) {
      const int64_t here = (count(t) + length - 1) / length;
      if (chunk < here) {
        const int64_t begin = chunk * length;
        body(t, begin, count(t) - begin < length ? count(t) : begin + length);
        return;
      }
      chunk -= here;
    }
  });
}

template <class Body>
void parallel_tensors(const metaplast_context* context, int32_t tensors, const int64_t* count, int64_t grain, const Body& body) noexcept {
  parallel_tensors(context, tensors, [count](int32_t t) { return count[t]; }, grain, body);
}

// Integer counters of a report; order does not matter.
inline void add_to_report(int64_t* report, int32_t word, int64_t value) noexcept {
  if (report != nullptr && value != 0) __atomic_fetch_add(report + word, value, __ATOMIC_RELAXED);
}

}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MULTI_TENSOR_H_
