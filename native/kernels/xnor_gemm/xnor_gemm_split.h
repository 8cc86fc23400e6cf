// A product of bit matrices over the threads of a context.
#ifndef METAPLAST_KERNELS_XNOR_GEMM_SPLIT_H_
#define METAPLAST_KERNELS_XNOR_GEMM_SPLIT_H_

#include "kernels/xnor_gemm/xnor_gemm.h"
#include "runtime/context.h"

namespace metaplast {

// Words of a against words of b from which a second thread pays: some 10 microseconds of one core.
constexpr int64_t kXnorGrain = int64_t{1} << 18;

// Rows from which a range packs beside its product; fewer spend too much on panels that are packed once a block.
constexpr int64_t kRowsBeside = 480;
// Bytes of x from which that pays: less comes from a cache, faster than the tiles of the product take it.
constexpr int64_t kBytesBeside = int64_t{8} << 20;

// Packs x, all of it.
inline void pack_rows(const metaplast_context* context, const XnorGemm& g) noexcept {
  constexpr int64_t kGrain = 65536;
  const int64_t stride = metaplast_bit_row_words(g.k);
  parallel_items(context, g.m, g.k, kGrain, [=, &g](int64_t begin, int64_t end) {
    context->kernels.sign_pack(end - begin, g.k, g.x + begin * g.ldx, g.ldx, g.packed + begin * stride, nullptr, stride);
  });
}

// Ranges of the longer side that differ by one unit at most. Rows come in multiples of the widest panel's group, columns in multiples of a row
// of bits, so that a word of the result belongs to one thread. Rows that are still to be packed belong to one thread, too.
inline void run_xnor_gemm(const metaplast_context* context, const XnorGemm& g) noexcept {
  constexpr int64_t kRowUnit = 40;
  constexpr int64_t kColumnUnit = 512;
  const int64_t threads = context->pool->threads();
  const bool beside = g.x != nullptr && g.n > 0 && g.m >= kRowsBeside * threads && g.m * g.k * 4 >= kBytesBeside;
  if (g.x != nullptr && !beside) {
    pack_rows(context, g);
    XnorGemm packed = g;
    packed.x = nullptr;
    run_xnor_gemm(context, packed);
    return;
  }
  if (g.m == 0 || g.n == 0) return;
  const auto kernel = context->kernels.xnor_gemm;
  const int64_t words = (g.k + 63) / 64 + 1;  // one for the epilogue
  const bool by_rows = beside || g.m >= g.n;
  const int64_t unit = by_rows ? kRowUnit : kColumnUnit;
  const int64_t units = ((by_rows ? g.m : g.n) + unit - 1) / unit;
  int64_t ranges = g.m * words * g.n / kXnorGrain;
  ranges = ranges < threads * kRangesPerThread ? ranges : threads * kRangesPerThread;
  ranges = ranges < units ? ranges : units;
  if (beside && ranges > g.m / kRowsBeside) ranges = g.m / kRowsBeside;
  if (threads == 1 || ranges < 2) {
    kernel(&g, 0, g.m, 0, g.n);
    return;
  }
  const int64_t total = by_rows ? g.m : g.n;
  parallel_chunks(context, ranges, [=, &g](int64_t chunk) {
    const int64_t begin = units * chunk / ranges * unit;
    const int64_t end = chunk + 1 == ranges ? total : units * (chunk + 1) / ranges * unit;
    if (by_rows) {
      kernel(&g, begin, end, 0, g.n);
    } else {
      kernel(&g, 0, g.m, begin, end);
    }
  });
}

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_XNOR_GEMM_SPLIT_H_
