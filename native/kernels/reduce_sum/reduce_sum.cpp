// R16 over any length without scratch memory: chunk sums go to a buffer on the stack, one span of 4096 chunks after the other.
#include "kernels/reduce_sum/reduce_sum.h"

#include "runtime/entry.h"
#include "runtime/math/r16.h"

namespace metaplast {
namespace {

using scalar::R16Chunks;
using scalar::kR16Chunk;

constexpr int64_t kSpan = kR16Chunk * kR16Chunk;  // 2^24 elements, whose chunk sums make up one chunk of the next level
constexpr int64_t kGrain = 65536;

// R16 of at most kSpan elements.
float sum_span(const metaplast_context_t* context, int64_t n, const float* x) noexcept {
  float sums[kR16Chunk];
  parallel_range(context, n, kGrain, [&](int64_t begin, int64_t end) {
    context->kernels.sum_chunks(end - begin, x + begin, sums + begin / kR16Chunk);
  });
  const int64_t chunks = (n + kR16Chunk - 1) / kR16Chunk;
  if (chunks > 1) {
    float sum = 0;
    context->kernels.sum_chunks(chunks, sums, &sum);
    return sum;
  }
  return sums[0];
}

}  // namespace

float reduce_sum(const metaplast_context_t* context, int64_t n, const float* x) noexcept {
  if (n <= 0) {
    return 0.0f;
  }
  if (n <= kSpan) {
    return sum_span(context, n, x);
  }
  R16Chunks spans;
  for (int64_t begin = 0; begin < n; begin += kSpan) {
    spans.push(sum_span(context, n - begin < kSpan ? n - begin : kSpan, x + begin));
  }
  return spans.finish();
}

}  // namespace metaplast

extern "C" metaplast_status_t metaplast_reduce_sum_f32(const metaplast_context_t* context, int64_t n, const float* x, float* out) {
  if (context == nullptr || n < 0 || out == nullptr || (n > 0 && x == nullptr)) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  out[0] = metaplast::reduce_sum(context, n, x);
  return METAPLAST_OK;
}
