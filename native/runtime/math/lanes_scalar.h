// One lane: the dispatch floor, and what the host shim runs device code with.
#ifndef METAPLAST_RUNTIME_MATH_LANES_SCALAR_H_
#define METAPLAST_RUNTIME_MATH_LANES_SCALAR_H_

#include <math.h>

namespace metaplast {
namespace scalar {

using F = float;
using I = uint32_t;
using M = bool;
constexpr int W = 1;

METAPLAST_HD F set(float x) { return x; }
METAPLAST_HD I iset(uint32_t x) { return x; }
METAPLAST_HD I as_int(F x) {
  uint32_t b;
  memcpy(&b, &x, 4);
  return b;
}
METAPLAST_HD F as_float(I x) {
  float f;
  memcpy(&f, &x, 4);
  return f;
}

METAPLAST_HD F add(F a, F b) { return a + b; }
METAPLAST_HD F sub(F a, F b) { return a - b; }
METAPLAST_HD F mul(F a, F b) { return a * b; }
METAPLAST_HD F div(F a, F b) { return a / b; }
METAPLAST_HD F sqrt(F a) { return ::sqrtf(a); }

METAPLAST_HD I iadd(I a, I b) { return a + b; }
METAPLAST_HD I isub(I a, I b) { return a - b; }
METAPLAST_HD I iand(I a, I b) { return a & b; }
METAPLAST_HD I ior(I a, I b) { return a | b; }
METAPLAST_HD I ixor(I a, I b) { return a ^ b; }
template <int N>
METAPLAST_HD I shl(I a) {
  return a << N;
}
template <int N>
METAPLAST_HD I shr(I a) {
  return a >> N;
}
template <int N>
METAPLAST_HD I sar(I a) {
  return static_cast<uint32_t>(static_cast<int32_t>(a) >> N);
}
// (a & mask) | bits, and a ^ (b & mask).
METAPLAST_HD I and_or(I a, I mask, I bits) { return (a & mask) | bits; }
METAPLAST_HD I xor_and(I a, I b, I mask) { return a ^ (b & mask); }
// Signed integer to float; exact for what kernels pass (at most 24 significant bits).
METAPLAST_HD F to_float(I a) { return static_cast<float>(static_cast<int32_t>(a)); }

METAPLAST_HD M gt(F a, F b) { return a > b; }
METAPLAST_HD M lt(F a, F b) { return a < b; }
METAPLAST_HD M ge(F a, F b) { return a >= b; }
METAPLAST_HD M is_nan(F a) { return a != a; }
METAPLAST_HD M test(I a, I bits) { return (a & bits) != 0; }
METAPLAST_HD F select(M m, F yes, F no) { return m ? yes : no; }
METAPLAST_HD F select_negated(M m, F yes, F no) { return m ? -yes : no; }
METAPLAST_HD F at_least(F x, F lo) { return x < lo ? lo : x; }
METAPLAST_HD F at_most(F x, F hi) { return x > hi ? hi : x; }
METAPLAST_HD int count(M m) { return m ? 1 : 0; }
// Bit i of the word is lane i; bits past the last lane are 0, and are ignored.
METAPLAST_HD uint32_t mask_bits(M m) { return m ? 1u : 0u; }
METAPLAST_HD M mask_of_bits(uint32_t bits) { return (bits & 1u) != 0; }
METAPLAST_HD M mask_not(M m) { return !m; }
METAPLAST_HD M mask_and(M a, M b) { return a && b; }
METAPLAST_HD M mask_or(M a, M b) { return a || b; }
METAPLAST_HD M first_lanes(int64_t n) { return n > 0; }

METAPLAST_HD F load(const float* p) { return *p; }
METAPLAST_HD void store(float* p, F x) { *p = x; }
METAPLAST_HD I iload(const uint32_t* p) { return *p; }
METAPLAST_HD void istore(uint32_t* p, I x) { *p = x; }
// First n lanes, n < W; the others read as `pad`.
METAPLAST_HD F load_n(const float* p, int64_t n, float pad = 0) { return n > 0 ? *p : pad; }
METAPLAST_HD void store_n(float* p, F x, int64_t n) {
  if (n > 0) *p = x;
}
METAPLAST_HD void istore_n(uint32_t* p, I x, int64_t n) {
  if (n > 0) *p = x;
}
// bf16 elements, widened.
METAPLAST_HD F load_bf16(const uint16_t* p) { return as_float(static_cast<uint32_t>(*p) << 16); }
METAPLAST_HD F load_bf16_n(const uint16_t* p, int64_t n) { return n > 0 ? load_bf16(p) : 0.0f; }

}  // namespace scalar
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MATH_LANES_SCALAR_H_
