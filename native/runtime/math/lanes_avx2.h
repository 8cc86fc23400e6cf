// Eight lanes.
#ifndef METAPLAST_RUNTIME_MATH_LANES_AVX2_H_
#define METAPLAST_RUNTIME_MATH_LANES_AVX2_H_

#include <immintrin.h>

namespace metaplast {
namespace avx2 {

using F = __m256;
using I = __m256i;
using M = __m256;  // all ones or all zeros per lane
constexpr int W = 8;

METAPLAST_HD F set(float x) { return _mm256_set1_ps(x); }
METAPLAST_HD I iset(uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }
METAPLAST_HD I as_int(F x) { return _mm256_castps_si256(x); }
METAPLAST_HD F as_float(I x) { return _mm256_castsi256_ps(x); }

METAPLAST_HD F add(F a, F b) { return _mm256_add_ps(a, b); }
METAPLAST_HD F sub(F a, F b) { return _mm256_sub_ps(a, b); }
METAPLAST_HD F mul(F a, F b) { return _mm256_mul_ps(a, b); }
METAPLAST_HD F div(F a, F b) { return _mm256_div_ps(a, b); }
METAPLAST_HD F sqrt(F a) { return _mm256_sqrt_ps(a); }

METAPLAST_HD I iadd(I a, I b) { return _mm256_add_epi32(a, b); }
METAPLAST_HD I isub(I a, I b) { return _mm256_sub_epi32(a, b); }
METAPLAST_HD I iand(I a, I b) { return _mm256_and_si256(a, b); }
METAPLAST_HD I ior(I a, I b) { return _mm256_or_si256(a, b); }
METAPLAST_HD I ixor(I a, I b) { return _mm256_xor_si256(a, b); }
template <int N>
METAPLAST_HD I shl(I a) {
  return _mm256_slli_epi32(a, N);
}
template <int N>
METAPLAST_HD I shr(I a) {
  return _mm256_srli_epi32(a, N);
}
template <int N>
METAPLAST_HD I sar(I a) {
  return _mm256_srai_epi32(a, N);
}
METAPLAST_HD I and_or(I a, I mask, I bits) { return ior(iand(a, mask), bits); }
METAPLAST_HD I xor_and(I a, I b, I mask) { return ixor(a, iand(b, mask)); }
METAPLAST_HD F to_float(I a) { return _mm256_cvtepi32_ps(a); }

METAPLAST_HD M gt(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
METAPLAST_HD M lt(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
METAPLAST_HD M ge(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_GE_OQ); }
METAPLAST_HD M is_nan(F a) { return _mm256_cmp_ps(a, a, _CMP_UNORD_Q); }
METAPLAST_HD M test(I a, I bits) {
  return as_float(_mm256_xor_si256(_mm256_cmpeq_epi32(iand(a, bits), _mm256_setzero_si256()), iset(0xffffffffu)));
}
METAPLAST_HD F select(M m, F yes, F no) { return _mm256_blendv_ps(no, yes, m); }
METAPLAST_HD F select_negated(M m, F yes, F no) { return select(m, _mm256_xor_ps(yes, set(-0.0f)), no); }
// With a NaN among its operands, and for zeros, max and min give the second.
METAPLAST_HD F at_least(F x, F lo) { return _mm256_max_ps(lo, x); }
METAPLAST_HD F at_most(F x, F hi) { return _mm256_min_ps(hi, x); }
METAPLAST_HD int count(M m) { return __builtin_popcount(static_cast<unsigned>(_mm256_movemask_ps(m))); }
METAPLAST_HD uint32_t mask_bits(M m) { return static_cast<uint32_t>(_mm256_movemask_ps(m)); }
METAPLAST_HD M mask_of_bits(uint32_t bits) {
  const I lane_bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  return as_float(_mm256_cmpeq_epi32(iand(iset(bits), lane_bit), lane_bit));
}
METAPLAST_HD M mask_not(M m) { return _mm256_xor_ps(m, as_float(iset(0xffffffffu))); }
METAPLAST_HD M mask_and(M a, M b) { return _mm256_and_ps(a, b); }
METAPLAST_HD M mask_or(M a, M b) { return _mm256_or_ps(a, b); }
METAPLAST_HD M first_lanes(int64_t n) {
  const I lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return as_float(_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n < W ? n : W)), lane));
}

METAPLAST_HD F load(const float* p) { return _mm256_loadu_ps(p); }
METAPLAST_HD void store(float* p, F x) { _mm256_storeu_ps(p, x); }
METAPLAST_HD I iload(const uint32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
METAPLAST_HD void istore(uint32_t* p, I x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x); }
METAPLAST_HD F load_n(const float* p, int64_t n, float pad = 0) {
  const M m = first_lanes(n);
  return select(m, _mm256_maskload_ps(p, as_int(m)), set(pad));
}
METAPLAST_HD void store_n(float* p, F x, int64_t n) { _mm256_maskstore_ps(p, as_int(first_lanes(n)), x); }
METAPLAST_HD void istore_n(uint32_t* p, I x, int64_t n) {
  _mm256_maskstore_epi32(reinterpret_cast<int*>(p), as_int(first_lanes(n)), x);
}
METAPLAST_HD F load_bf16(const uint16_t* p) {
  return as_float(shl<16>(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))));
}
METAPLAST_HD F load_bf16_n(const uint16_t* p, int64_t n) {
  alignas(16) uint16_t lanes[8] = {};
  for (int64_t i = 0; i < n; ++i) lanes[i] = p[i];
  return load_bf16(lanes);
}

}  // namespace avx2
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MATH_LANES_AVX2_H_
