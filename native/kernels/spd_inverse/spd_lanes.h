// Vectors of float and of double with fused multiply-add, for the kernels of the damped inverse. The scalar tier has vectors of 16 bytes, which every
// compiler maps to what the target has, and a rounded product before the sum.
#ifndef METAPLAST_KERNELS_SPD_INVERSE_SPD_LANES_H_
#define METAPLAST_KERNELS_SPD_INVERSE_SPD_LANES_H_

#include "runtime/math/lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

// R: rows of the register tile R x 2W, a divisor of W; its 2R accumulators hide the latency of the multiply-add and leave registers for operands.
#if defined(__AVX512F__)

struct F64 {
  using T = double;
  using V = __m512d;
  static constexpr int W = 8, R = 8;
  METAPLAST_HD static V zero() { return _mm512_setzero_pd(); }
  METAPLAST_HD static V set(double x) { return _mm512_set1_pd(x); }
  METAPLAST_HD static V load(const double* p) { return _mm512_loadu_pd(p); }
  METAPLAST_HD static V load(const float* p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
  METAPLAST_HD static V load_n(const float* p, int64_t n) { return _mm512_cvtps_pd(_mm256_maskz_loadu_ps(mask(n), p)); }
  METAPLAST_HD static void store(double* p, V x) { _mm512_storeu_pd(p, x); }
  METAPLAST_HD static void store(float* p, V x) { _mm256_storeu_ps(p, _mm512_cvtpd_ps(x)); }
  METAPLAST_HD static void store_n(double* p, V x, int64_t n) { _mm512_mask_storeu_pd(p, mask(n), x); }
  METAPLAST_HD static void store_n(float* p, V x, int64_t n) { _mm256_mask_storeu_ps(p, mask(n), _mm512_cvtpd_ps(x)); }
  METAPLAST_HD static V add(V a, V b) { return _mm512_add_pd(a, b); }
  METAPLAST_HD static V sub(V a, V b) { return _mm512_sub_pd(a, b); }
  METAPLAST_HD static V mul(V a, V b) { return _mm512_mul_pd(a, b); }
  METAPLAST_HD static V div(V a, V b) { return _mm512_div_pd(a, b); }
  METAPLAST_HD static V sqrt(V a) { return _mm512_sqrt_pd(a); }
  METAPLAST_HD static V fma(V a, V b, V c) { return _mm512_fmadd_pd(a, b, c); }
  METAPLAST_HD static V fnma(V a, V b, V c) { return _mm512_fnmadd_pd(a, b, c); }
  METAPLAST_HD static V absolute(V a) { return _mm512_abs_pd(a); }
  // The larger one; NaN where one is NaN.
  METAPLAST_HD static V worst(V a, V b) { return _mm512_mask_blend_pd(_mm512_cmp_pd_mask(b, b, _CMP_UNORD_Q), _mm512_max_pd(b, a), b); }
  // Lane k everywhere.
  METAPLAST_HD static V lane(V a, int64_t k) { return _mm512_permutexvar_pd(_mm512_set1_epi64(k), a); }
  METAPLAST_HD static void transpose(V r[8]) {
    V t[8];
    for (int i = 0; i < 8; i += 2) {
      t[i] = _mm512_unpacklo_pd(r[i], r[i + 1]);
      t[i + 1] = _mm512_unpackhi_pd(r[i], r[i + 1]);
    }
    V s[8];
    for (int i = 0; i < 8; i += 4) {
      for (int j = 0; j < 2; ++j) {
        s[i + j] = _mm512_shuffle_f64x2(t[i + j], t[i + 2 + j], 0x88);
        s[i + 2 + j] = _mm512_shuffle_f64x2(t[i + j], t[i + 2 + j], 0xDD);
      }
    }
    for (int j = 0; j < 4; ++j) {
      r[j] = _mm512_shuffle_f64x2(s[j], s[4 + j], 0x88);
      r[4 + j] = _mm512_shuffle_f64x2(s[j], s[4 + j], 0xDD);
    }
  }

 private:
  METAPLAST_HD static __mmask8 mask(int64_t n) { return static_cast<__mmask8>(n >= 8 ? 0xFF : (1u << n) - 1); }
};

struct F32 {
  using T = float;
  using V = __m512;
  static constexpr int W = 16, R = 8;
  METAPLAST_HD static V zero() { return _mm512_setzero_ps(); }
  METAPLAST_HD static V set(float x) { return _mm512_set1_ps(x); }
  METAPLAST_HD static V load(const float* p) { return _mm512_loadu_ps(p); }
  METAPLAST_HD static V load_n(const float* p, int64_t n) { return _mm512_maskz_loadu_ps(mask(n), p); }
  METAPLAST_HD static void store(float* p, V x) { _mm512_storeu_ps(p, x); }
  METAPLAST_HD static void store_n(float* p, V x, int64_t n) { _mm512_mask_storeu_ps(p, mask(n), x); }
  METAPLAST_HD static V add(V a, V b) { return _mm512_add_ps(a, b); }
  METAPLAST_HD static V sub(V a, V b) { return _mm512_sub_ps(a, b); }
  METAPLAST_HD static V mul(V a, V b) { return _mm512_mul_ps(a, b); }
  METAPLAST_HD static V div(V a, V b) { return _mm512_div_ps(a, b); }
  METAPLAST_HD static V sqrt(V a) { return _mm512_sqrt_ps(a); }
  METAPLAST_HD static V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  METAPLAST_HD static V fnma(V a, V b, V c) { return _mm512_fnmadd_ps(a, b, c); }
  METAPLAST_HD static V absolute(V a) { return _mm512_abs_ps(a); }
  METAPLAST_HD static V max(V a, V b) { return _mm512_max_ps(a, b); }
  METAPLAST_HD static V lane(V a, int64_t k) { return _mm512_permutexvar_ps(_mm512_set1_epi32(static_cast<int>(k)), a); }
  // Bit j: a > b in lane j.
  METAPLAST_HD static uint32_t greater(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
  METAPLAST_HD static V narrow(F64::V low, F64::V high) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1);
  }
  // Four floats at `offset` of every fourth address, the first of them in the low lanes.
  METAPLAST_HD static V load_quads(const float* const* p, int64_t offset) {
    V x = _mm512_castps128_ps512(_mm_loadu_ps(p[0] + offset));
    x = _mm512_insertf32x4(x, _mm_loadu_ps(p[4] + offset), 1);
    x = _mm512_insertf32x4(x, _mm_loadu_ps(p[8] + offset), 2);
    return _mm512_insertf32x4(x, _mm_loadu_ps(p[12] + offset), 3);
  }
  METAPLAST_HD static void store_quads(float* const* p, int64_t offset, V x) {
    _mm_storeu_ps(p[0] + offset, _mm512_castps512_ps128(x));
    _mm_storeu_ps(p[4] + offset, _mm512_extractf32x4_ps(x, 1));
    _mm_storeu_ps(p[8] + offset, _mm512_extractf32x4_ps(x, 2));
    _mm_storeu_ps(p[12] + offset, _mm512_extractf32x4_ps(x, 3));
  }
  // The first n < 4 floats of each quad, zeros behind them.
  METAPLAST_HD static V load_quads_n(const float* const* p, int64_t offset, int64_t n) {
    const __mmask8 some = static_cast<__mmask8>((1u << n) - 1);
    V x = _mm512_castps128_ps512(_mm_maskz_loadu_ps(some, p[0] + offset));
    x = _mm512_insertf32x4(x, _mm_maskz_loadu_ps(some, p[4] + offset), 1);
    x = _mm512_insertf32x4(x, _mm_maskz_loadu_ps(some, p[8] + offset), 2);
    return _mm512_insertf32x4(x, _mm_maskz_loadu_ps(some, p[12] + offset), 3);
  }
  METAPLAST_HD static void store_quads_n(float* const* p, int64_t offset, V x, int64_t n) {
    const __mmask8 some = static_cast<__mmask8>((1u << n) - 1);
    _mm_mask_storeu_ps(p[0] + offset, some, _mm512_castps512_ps128(x));
    _mm_mask_storeu_ps(p[4] + offset, some, _mm512_extractf32x4_ps(x, 1));
    _mm_mask_storeu_ps(p[8] + offset, some, _mm512_extractf32x4_ps(x, 2));
    _mm_mask_storeu_ps(p[12] + offset, some, _mm512_extractf32x4_ps(x, 3));
  }
  // The quads of x and of y side by side.
  METAPLAST_HD static void store_quads(float* const* p, int64_t offset, V x, V y) {
    const __m512d a = _mm512_castps_pd(x), b = _mm512_castps_pd(y);
    const __m512d low = _mm512_permutex2var_pd(a, _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), b);
    const __m512d high = _mm512_permutex2var_pd(a, _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), b);
    _mm256_storeu_ps(p[0] + offset, _mm256_castpd_ps(_mm512_castpd512_pd256(low)));
    _mm256_storeu_ps(p[4] + offset, _mm256_castpd_ps(_mm512_extractf64x4_pd(low, 1)));
    _mm256_storeu_ps(p[8] + offset, _mm256_castpd_ps(_mm512_castpd512_pd256(high)));
    _mm256_storeu_ps(p[12] + offset, _mm256_castpd_ps(_mm512_extractf64x4_pd(high, 1)));
  }
  // Of each four lanes of r[0..3]: rows become columns.
  METAPLAST_HD static void transpose_quads(V r[4]) {
    const auto pd = [](V x) { return _mm512_castps_pd(x); };
    const auto ps = [](__m512d x) { return _mm512_castpd_ps(x); };
    const V a = _mm512_unpacklo_ps(r[0], r[1]), b = _mm512_unpackhi_ps(r[0], r[1]);
    const V c = _mm512_unpacklo_ps(r[2], r[3]), d = _mm512_unpackhi_ps(r[2], r[3]);
    r[0] = ps(_mm512_unpacklo_pd(pd(a), pd(c)));
    r[1] = ps(_mm512_unpackhi_pd(pd(a), pd(c)));
    r[2] = ps(_mm512_unpacklo_pd(pd(b), pd(d)));
    r[3] = ps(_mm512_unpackhi_pd(pd(b), pd(d)));
  }
  METAPLAST_HD static void transpose(V r[16]) {
    V t[16];
    const auto pd = [](V x) { return _mm512_castps_pd(x); };
    const auto ps = [](__m512d x) { return _mm512_castpd_ps(x); };
    for (int i = 0; i < 16; i += 2) {
      t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    V s[16];
    for (int i = 0; i < 16; i += 4) {
      s[i] = ps(_mm512_unpacklo_pd(pd(t[i]), pd(t[i + 2])));
      s[i + 1] = ps(_mm512_unpackhi_pd(pd(t[i]), pd(t[i + 2])));
      s[i + 2] = ps(_mm512_unpacklo_pd(pd(t[i + 1]), pd(t[i + 3])));
      s[i + 3] = ps(_mm512_unpackhi_pd(pd(t[i + 1]), pd(t[i + 3])));
    }
    for (int j = 0; j < 4; ++j) {
      t[j] = _mm512_shuffle_f32x4(s[j], s[4 + j], 0x88);
      t[4 + j] = _mm512_shuffle_f32x4(s[j], s[4 + j], 0xDD);
      t[8 + j] = _mm512_shuffle_f32x4(s[8 + j], s[12 + j], 0x88);
      t[12 + j] = _mm512_shuffle_f32x4(s[8 + j], s[12 + j], 0xDD);
    }
    for (int j = 0; j < 8; ++j) {
      r[j] = _mm512_shuffle_f32x4(t[j], t[8 + j], 0x88);
      r[8 + j] = _mm512_shuffle_f32x4(t[j], t[8 + j], 0xDD);
    }
  }

 private:
  METAPLAST_HD static __mmask16 mask(int64_t n) { return static_cast<__mmask16>(n >= 16 ? 0xFFFF : (1u << n) - 1); }
};

#elif defined(__AVX2__)

struct F64 {
  using T = double;
  using V = __m256d;
  static constexpr int W = 4, R = 4;
  METAPLAST_HD static V zero() { return _mm256_setzero_pd(); }
  METAPLAST_HD static V set(double x) { return _mm256_set1_pd(x); }
  METAPLAST_HD static V load(const double* p) { return _mm256_loadu_pd(p); }
  METAPLAST_HD static V load(const float* p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
  METAPLAST_HD static V load_n(const float* p, int64_t n) {
    const __m128i lanes = _mm_cmpgt_epi32(_mm_set1_epi32(static_cast<int>(n < 4 ? n : 4)), _mm_setr_epi32(0, 1, 2, 3));
    return _mm256_cvtps_pd(_mm_maskload_ps(p, lanes));
  }
  METAPLAST_HD static void store(double* p, V x) { _mm256_storeu_pd(p, x); }
  METAPLAST_HD static void store(float* p, V x) { _mm_storeu_ps(p, _mm256_cvtpd_ps(x)); }
  METAPLAST_HD static void store_n(double* p, V x, int64_t n) {
    _mm256_maskstore_pd(p, _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3)), x);
  }
  METAPLAST_HD static void store_n(float* p, V x, int64_t n) {
    const __m128i lanes = _mm_cmpgt_epi32(_mm_set1_epi32(static_cast<int>(n < 4 ? n : 4)), _mm_setr_epi32(0, 1, 2, 3));
    _mm_maskstore_ps(p, lanes, _mm256_cvtpd_ps(x));
  }
  METAPLAST_HD static V add(V a, V b) { return _mm256_add_pd(a, b); }
  METAPLAST_HD static V sub(V a, V b) { return _mm256_sub_pd(a, b); }
  METAPLAST_HD static V mul(V a, V b) { return _mm256_mul_pd(a, b); }
  METAPLAST_HD static V div(V a, V b) { return _mm256_div_pd(a, b); }
  METAPLAST_HD static V sqrt(V a) { return _mm256_sqrt_pd(a); }
  METAPLAST_HD static V fma(V a, V b, V c) { return _mm256_fmadd_pd(a, b, c); }
  METAPLAST_HD static V fnma(V a, V b, V c) { return _mm256_fnmadd_pd(a, b, c); }
  METAPLAST_HD static V absolute(V a) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a); }
  METAPLAST_HD static V worst(V a, V b) { return _mm256_blendv_pd(_mm256_max_pd(b, a), b, _mm256_cmp_pd(b, b, _CMP_UNORD_Q)); }
  METAPLAST_HD static V lane(V a, int64_t k) {
    const int even = static_cast<int>(2 * k), odd = even + 1;
    return _mm256_castps_pd(
        _mm256_permutevar8x32_ps(_mm256_castpd_ps(a), _mm256_setr_epi32(even, odd, even, odd, even, odd, even, odd)));
  }
  METAPLAST_HD static void transpose(V r[4]) {
    const V a = _mm256_unpacklo_pd(r[0], r[1]), b = _mm256_unpackhi_pd(r[0], r[1]);
    const V c = _mm256_unpacklo_pd(r[2], r[3]), d = _mm256_unpackhi_pd(r[2], r[3]);
    r[0] = _mm256_permute2f128_pd(a, c, 0x20);
    r[1] = _mm256_permute2f128_pd(b, d, 0x20);
    r[2] = _mm256_permute2f128_pd(a, c, 0x31);
    r[3] = _mm256_permute2f128_pd(b, d, 0x31);
  }
};

struct F32 {
  using T = float;
  using V = __m256;
  static constexpr int W = 8, R = 4;
  METAPLAST_HD static V zero() { return _mm256_setzero_ps(); }
  METAPLAST_HD static V set(float x) { return _mm256_set1_ps(x); }
  METAPLAST_HD static V load(const float* p) { return _mm256_loadu_ps(p); }
  METAPLAST_HD static V load_n(const float* p, int64_t n) { return _mm256_maskload_ps(p, mask(n)); }
  METAPLAST_HD static void store(float* p, V x) { _mm256_storeu_ps(p, x); }
  METAPLAST_HD static void store_n(float* p, V x, int64_t n) { _mm256_maskstore_ps(p, mask(n), x); }
  METAPLAST_HD static V add(V a, V b) { return _mm256_add_ps(a, b); }
  METAPLAST_HD static V sub(V a, V b) { return _mm256_sub_ps(a, b); }
  METAPLAST_HD static V mul(V a, V b) { return _mm256_mul_ps(a, b); }
  METAPLAST_HD static V div(V a, V b) { return _mm256_div_ps(a, b); }
  METAPLAST_HD static V sqrt(V a) { return _mm256_sqrt_ps(a); }
  METAPLAST_HD static V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  METAPLAST_HD static V fnma(V a, V b, V c) { return _mm256_fnmadd_ps(a, b, c); }
  METAPLAST_HD static V absolute(V a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
  METAPLAST_HD static V max(V a, V b) { return _mm256_max_ps(a, b); }
  METAPLAST_HD static V lane(V a, int64_t k) { return _mm256_permutevar8x32_ps(a, _mm256_set1_epi32(static_cast<int>(k))); }
  METAPLAST_HD static uint32_t greater(V a, V b) {
    return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)));
  }
  METAPLAST_HD static V narrow(F64::V low, F64::V high) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(low)), _mm256_cvtpd_ps(high), 1);
  }
  METAPLAST_HD static V load_quads(const float* const* p, int64_t offset) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p[0] + offset)), _mm_loadu_ps(p[4] + offset), 1);
  }
  METAPLAST_HD static void store_quads(float* const* p, int64_t offset, V x) {
    _mm_storeu_ps(p[0] + offset, _mm256_castps256_ps128(x));
    _mm_storeu_ps(p[4] + offset, _mm256_extractf128_ps(x, 1));
  }
  METAPLAST_HD static V load_quads_n(const float* const* p, int64_t offset, int64_t n) {
    const __m128i some = _mm256_castsi256_si128(mask(n));
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_maskload_ps(p[0] + offset, some)), _mm_maskload_ps(p[4] + offset, some), 1);
  }
  METAPLAST_HD static void store_quads_n(float* const* p, int64_t offset, V x, int64_t n) {
    const __m128i some = _mm256_castsi256_si128(mask(n));
    _mm_maskstore_ps(p[0] + offset, some, _mm256_castps256_ps128(x));
    _mm_maskstore_ps(p[4] + offset, some, _mm256_extractf128_ps(x, 1));
  }
  METAPLAST_HD static void store_quads(float* const* p, int64_t offset, V x, V y) {
    _mm256_storeu_ps(p[0] + offset, _mm256_permute2f128_ps(x, y, 0x20));
    _mm256_storeu_ps(p[4] + offset, _mm256_permute2f128_ps(x, y, 0x31));
  }
  METAPLAST_HD static void transpose_quads(V r[4]) {
    const V a = _mm256_unpacklo_ps(r[0], r[1]), b = _mm256_unpackhi_ps(r[0], r[1]);
    const V c = _mm256_unpacklo_ps(r[2], r[3]), d = _mm256_unpackhi_ps(r[2], r[3]);
    r[0] = _mm256_shuffle_ps(a, c, 0x44);
    r[1] = _mm256_shuffle_ps(a, c, 0xEE);
    r[2] = _mm256_shuffle_ps(b, d, 0x44);
    r[3] = _mm256_shuffle_ps(b, d, 0xEE);
  }
  METAPLAST_HD static void transpose(V r[8]) {
    V t[8], s[8];
    for (int i = 0; i < 8; i += 2) {
      t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
      s[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
      s[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xEE);
      s[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      s[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
    }
    for (int j = 0; j < 4; ++j) {
      r[j] = _mm256_permute2f128_ps(s[j], s[4 + j], 0x20);
      r[4 + j] = _mm256_permute2f128_ps(s[j], s[4 + j], 0x31);
    }
  }

 private:
  METAPLAST_HD static __m256i mask(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n < 8 ? n : 8)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

#else

template <class Number, int kWidth>
struct PlainLanes {
  using T = Number;
  typedef Number V __attribute__((vector_size(16)));
  static constexpr int W = kWidth, R = kWidth;
  METAPLAST_HD static V zero() { return V{}; }
  METAPLAST_HD static V set(T x) { return x - V{}; }
  METAPLAST_HD static V load(const T* p) {
    V x;
    memcpy(&x, p, sizeof x);
    return x;
  }
  template <class From>
  METAPLAST_HD static V load_n(const From* p, int64_t n) {
    V x{};
    for (int i = 0; i < W && i < n; ++i) x[i] = static_cast<T>(p[i]);
    return x;
  }
  METAPLAST_HD static void store(T* p, V x) { memcpy(p, &x, sizeof x); }
  template <class To>
  METAPLAST_HD static void store_n(To* p, V x, int64_t n) {
    for (int i = 0; i < W && i < n; ++i) p[i] = static_cast<To>(x[i]);
  }
  METAPLAST_HD static V add(V a, V b) { return a + b; }
  METAPLAST_HD static V sub(V a, V b) { return a - b; }
  METAPLAST_HD static V mul(V a, V b) { return a * b; }
  METAPLAST_HD static V div(V a, V b) { return a / b; }
  METAPLAST_HD static V sqrt(V a) {
    for (int i = 0; i < W; ++i) a[i] = root(a[i]);
    return a;
  }
  METAPLAST_HD static V fma(V a, V b, V c) { return a * b + c; }
  METAPLAST_HD static V fnma(V a, V b, V c) { return c - a * b; }
  METAPLAST_HD static V absolute(V a) {
    for (int i = 0; i < W; ++i) a[i] = a[i] < 0 ? -a[i] : a[i];
    return a;
  }
  METAPLAST_HD static V max(V a, V b) {
    for (int i = 0; i < W; ++i) a[i] = a[i] > b[i] ? a[i] : b[i];
    return a;
  }
  METAPLAST_HD static V worst(V a, V b) {
    for (int i = 0; i < W; ++i) a[i] = a[i] > b[i] || a[i] != a[i] ? a[i] : b[i];
    return a;
  }
  METAPLAST_HD static V lane(V a, int64_t k) { return set(a[k]); }
  METAPLAST_HD static uint32_t greater(V a, V b) {
    uint32_t bits = 0;
    for (int i = 0; i < W; ++i) bits |= static_cast<uint32_t>(a[i] > b[i]) << i;
    return bits;
  }
  METAPLAST_HD static void transpose(V r[W]) {
    V t[W];
    for (int i = 0; i < W; ++i) t[i] = r[i];
    for (int i = 0; i < W; ++i) {
      for (int j = 0; j < W; ++j) r[i][j] = t[j][i];
    }
  }

 private:
  METAPLAST_HD static float root(float x) { return __builtin_sqrtf(x); }
  METAPLAST_HD static double root(double x) { return __builtin_sqrt(x); }
};

struct F64 : PlainLanes<double, 2> {
  using PlainLanes::load;
  using PlainLanes::store;
  METAPLAST_HD static void store(float* p, V x) { store_n(p, x, W); }
  METAPLAST_HD static V load(const float* p) { return V{p[0], p[1]}; }
};

struct F32 : PlainLanes<float, 4> {
  METAPLAST_HD static V load_quads(const float* const* p, int64_t offset) { return load(p[0] + offset); }
  METAPLAST_HD static void store_quads(float* const* p, int64_t offset, V x) { store(p[0] + offset, x); }
  METAPLAST_HD static V load_quads_n(const float* const* p, int64_t offset, int64_t n) { return load_n(p[0] + offset, n); }
  METAPLAST_HD static void store_quads_n(float* const* p, int64_t offset, V x, int64_t n) { store_n(p[0] + offset, x, n); }
  METAPLAST_HD static void store_quads(float* const* p, int64_t offset, V x, V y) {
    store(p[0] + offset, x);
    store(p[0] + offset + 4, y);
  }
  METAPLAST_HD static void transpose_quads(V r[4]) { transpose(r); }
  METAPLAST_HD static V narrow(F64::V low, F64::V high) {
    return V{static_cast<float>(low[0]), static_cast<float>(low[1]), static_cast<float>(high[0]), static_cast<float>(high[1])};
  }
};

#endif

}  // namespace
}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_SPD_INVERSE_SPD_LANES_H_
