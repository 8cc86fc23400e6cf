// Sixteen lanes (AVX-512 F, BW, DQ, VL).
#ifndef METAPLAST_RUNTIME_MATH_LANES_AVX512_H_
#define METAPLAST_RUNTIME_MATH_LANES_AVX512_H_

#include <immintrin.h>

namespace metaplast {
namespace avx512 {

using F = __m512;
using I = __m512i;
using M = __mmask16;
constexpr int W = 16;

METAPLAST_HD F set(float x) { return _mm512_set1_ps(x); }
METAPLAST_HD I iset(uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); }
METAPLAST_HD I as_int(F x) { return _mm512_castps_si512(x); }
METAPLAST_HD F as_float(I x) { return _mm512_castsi512_ps(x); }

METAPLAST_HD F add(F a, F b) { return _mm512_add_ps(a, b); }
METAPLAST_HD F sub(F a, F b) { return _mm512_sub_ps(a, b); }
METAPLAST_HD F mul(F a, F b) { return _mm512_mul_ps(a, b); }
METAPLAST_HD F div(F a, F b) { return _mm512_div_ps(a, b); }
METAPLAST_HD F sqrt(F a) { return _mm512_sqrt_ps(a); }

METAPLAST_HD I iadd(I a, I b) { return _mm512_add_epi32(a, b); }
METAPLAST_HD I isub(I a, I b) { return _mm512_sub_epi32(a, b); }
METAPLAST_HD I iand(I a, I b) { return _mm512_and_si512(a, b); }
METAPLAST_HD I ior(I a, I b) { return _mm512_or_si512(a, b); }
METAPLAST_HD I ixor(I a, I b) { return _mm512_xor_si512(a, b); }
template <int N>
METAPLAST_HD I shl(I a) {
  return _mm512_slli_epi32(a, N);
}
template <int N>
METAPLAST_HD I shr(I a) {
  return _mm512_srli_epi32(a, N);
}
template <int N>
METAPLAST_HD I sar(I a) {
  return _mm512_srai_epi32(a, N);
}
METAPLAST_HD I and_or(I a, I mask, I bits) { return _mm512_ternarylogic_epi32(a, mask, bits, 0xEA); }
METAPLAST_HD I xor_and(I a, I b, I mask) { return _mm512_ternarylogic_epi32(a, b, mask, 0x78); }
METAPLAST_HD F to_float(I a) { return _mm512_cvtepi32_ps(a); }

METAPLAST_HD M gt(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
METAPLAST_HD M lt(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
METAPLAST_HD M ge(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
METAPLAST_HD M is_nan(F a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }
METAPLAST_HD M test(I a, I bits) { return _mm512_test_epi32_mask(a, bits); }
METAPLAST_HD F select(M m, F yes, F no) { return _mm512_mask_blend_ps(m, no, yes); }
METAPLAST_HD F select_negated(M m, F yes, F no) { return _mm512_mask_xor_ps(no, m, yes, set(-0.0f)); }
// With a NaN among its operands, and for zeros, max and min give the second.
METAPLAST_HD F at_least(F x, F lo) { return _mm512_max_ps(lo, x); }
METAPLAST_HD F at_most(F x, F hi) { return _mm512_min_ps(hi, x); }
METAPLAST_HD int count(M m) { return __builtin_popcount(m); }
METAPLAST_HD uint32_t mask_bits(M m) { return m; }
METAPLAST_HD M mask_of_bits(uint32_t bits) { return static_cast<M>(bits); }
METAPLAST_HD M mask_not(M m) { return static_cast<M>(~m); }
METAPLAST_HD M mask_and(M a, M b) { return static_cast<M>(a & b); }
METAPLAST_HD M mask_or(M a, M b) { return static_cast<M>(a | b); }
METAPLAST_HD M first_lanes(int64_t n) { return n >= W ? static_cast<M>(0xffff) : static_cast<M>((1u << n) - 1); }

METAPLAST_HD F load(const float* p) { return _mm512_loadu_ps(p); }
METAPLAST_HD void store(float* p, F x) { _mm512_storeu_ps(p, x); }
METAPLAST_HD I iload(const uint32_t* p) { return _mm512_loadu_si512(p); }
METAPLAST_HD void istore(uint32_t* p, I x) { _mm512_storeu_si512(p, x); }
METAPLAST_HD F load_n(const float* p, int64_t n, float pad = 0) { return _mm512_mask_loadu_ps(set(pad), first_lanes(n), p); }
METAPLAST_HD void store_n(float* p, F x, int64_t n) { _mm512_mask_storeu_ps(p, first_lanes(n), x); }
METAPLAST_HD void istore_n(uint32_t* p, I x, int64_t n) { _mm512_mask_storeu_epi32(p, first_lanes(n), x); }
METAPLAST_HD F load_bf16(const uint16_t* p) {
  return as_float(shl<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))));
}
METAPLAST_HD F load_bf16_n(const uint16_t* p, int64_t n) {
  return as_float(shl<16>(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first_lanes(n), p))));
}

}  // namespace avx512
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MATH_LANES_AVX512_H_
