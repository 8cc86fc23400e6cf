// The vector type of a translation unit: F (float lanes), I (32-bit integer lanes), M (lane mask), W lanes, and the operations that kernels are
// written in. One kernel source is compiled once per tier; the compile flags of the file choose the lanes, and everything lives in a namespace of
// its own per tier (metaplast::scalar, ::avx2, ::avx512, ::cuda), so that no inline function can leak from one tier into another.
//
// at_least(x, lo) is x < lo ? lo : x, at_most(x, hi) is x > hi ? hi : x. Both pass a NaN in x on, and both are one vector instruction, on the units
// that add; a comparison and a selection are two, and on Zen 5 the comparison competes with multiplications.
//
// add, sub, mul, div, sqrt are single IEEE operations, rounded to nearest even; nothing here contracts, approximates or flushes.
#ifndef METAPLAST_RUNTIME_MATH_LANES_H_
#define METAPLAST_RUNTIME_MATH_LANES_H_

#include <stdint.h>
#include <string.h>

#if defined(__CUDACC__)
#define METAPLAST_HD __host__ __device__ __forceinline__
#define METAPLAST_TIER cuda
#elif defined(__AVX512F__)
#define METAPLAST_HD inline __attribute__((always_inline))
#define METAPLAST_TIER avx512
#elif defined(__AVX2__)
#define METAPLAST_HD inline __attribute__((always_inline))
#define METAPLAST_TIER avx2
#else
#define METAPLAST_HD inline __attribute__((always_inline))
#define METAPLAST_TIER scalar
#endif

// Where a file defines its kernels: in the tier's namespace, or in that of a finer variant inside the tier.
#if defined(__AVX512VPOPCNTDQ__)
#define METAPLAST_VARIANT avx512_vpopcntdq
#else
#define METAPLAST_VARIANT METAPLAST_TIER
#endif

#if defined(__CUDACC__)
#include "lanes_cuda.h"
#elif defined(__AVX512F__)
#include "lanes_avx512.h"
#elif defined(__AVX2__)
#include "lanes_avx2.h"
#else
#include "lanes_scalar.h"
#endif

namespace metaplast {
namespace METAPLAST_TIER {

METAPLAST_HD F set_bits(uint32_t bits) { return as_float(iset(bits)); }
METAPLAST_HD F negate_if(F x, I sign_bit) { return as_float(ixor(as_int(x), sign_bit)); }
METAPLAST_HD F absolute(F x) { return as_float(iand(as_int(x), iset(0x7fffffffu))); }

// x > c ? c : x < -c ? -c : x. Passes NaN on.
METAPLAST_HD F clip(F x, F c) { return select(gt(x, c), c, at_least(x, negate_if(c, iset(0x80000000u)))); }
// The same for c > 0, where the two limits cannot cross.
METAPLAST_HD F clip_positive(F x, F c) { return at_least(at_most(x, c), negate_if(c, iset(0x80000000u))); }
// x < lo ? lo : x > hi ? hi : x. Passes NaN on.
METAPLAST_HD F range(F x, F lo, F hi) { return select(lt(x, lo), lo, at_most(x, hi)); }

#if !defined(__CUDACC__)
// The first n lanes, all of them when n >= W; with a constant n = W these are plain loads and stores.
METAPLAST_HD F load_lanes(const float* p, int64_t n) { return n >= W ? load(p) : load_n(p, n); }
METAPLAST_HD F load_lanes(const uint16_t* bf16, int64_t n) { return n >= W ? load_bf16(bf16) : load_bf16_n(bf16, n); }
METAPLAST_HD void store_lanes(float* p, F x, int64_t n) {
  if (n >= W) {
    store(p, x);
  } else {
    store_n(p, x, n);
  }
}
METAPLAST_HD void store_lanes(uint32_t* p, I x, int64_t n) {
  if (n >= W) {
    istore(p, x);
  } else {
    istore_n(p, x, n);
  }
}

// body(i, lanes) for i = 0, W, 2W, ..., lanes = W except in the tail.
template <class Body>
METAPLAST_HD void for_vectors(int64_t n, Body body) {
  int64_t i = 0;
  for (; i + W <= n; i += W) body(i, static_cast<int64_t>(W));
  if (i < n) body(i, n - i);
}
#endif

}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MATH_LANES_H_
