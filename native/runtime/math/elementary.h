// ln32, sin/cos of 2 pi u, exp32, tanh32: our own polynomials in single IEEE operations, so that every backend gives the same bits. Measured maximum
// errors: ln32 0.84 ulp, sin and cos 1.57, exp32 0.98, tanh32 1.52. Mirrored line by line in io.metaplast.internal.java.
#ifndef METAPLAST_RUNTIME_MATH_ELEMENTARY_H_
#define METAPLAST_RUNTIME_MATH_ELEMENTARY_H_

#include "lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {

// Polynomial of ln(1+f) beyond f - f*f/2, f in [sqrt(1/2)-1, sqrt(2)-1].
METAPLAST_HD F ln32_polynomial(F f) {
  F p = set_bits(0x3D5A0998u);
  p = add(mul(p, f), set_bits(0xBDDF9EB1u));
  p = add(mul(p, f), set_bits(0x3DF8066Au));
  p = add(mul(p, f), set_bits(0xBE0080A8u));
  p = add(mul(p, f), set_bits(0x3E1181B7u));
  p = add(mul(p, f), set_bits(0xBE2A978Cu));
  p = add(mul(p, f), set_bits(0x3E4CD2A0u));
  p = add(mul(p, f), set_bits(0xBE800038u));
  p = add(mul(p, f), set_bits(0x3EAAAAA4u));
  return p;
}

constexpr uint32_t kSqrtHalf = 0x3F3504F3u;  // bits of sqrt(1/2)

// Natural logarithm of a normal x > 0.
METAPLAST_HD F ln32(F x) {
  const I t = isub(as_int(x), iset(kSqrtHalf));
  const F e = to_float(sar<23>(t));
  const F m = as_float(iadd(iand(t, iset(0x007fffffu)), iset(kSqrtHalf)));
  const F f = sub(m, set(1.0f));
  const F z = mul(f, f);
  F y = mul(mul(f, z), ln32_polynomial(f));
  y = add(y, mul(e, set_bits(0xB95E8083u)));
  y = sub(y, mul(set(0.5f), z));
  const F r = add(f, y);
  return add(r, mul(e, set_bits(0x3F318000u)));
}

// sqrt(-2*ln32(u)) for u = k*2^-24, k = 1 | word>>>8. The factor 2 is folded into the constants and the sign into the last subtraction; scaling by a
// power of two and negation change no rounding, so the bits are those of the formula as written.
METAPLAST_HD F radius_of_word(I word) {
  const F k = to_float(ior(shr<8>(word), iset(1u)));
  const I t = isub(as_int(k), iset(kSqrtHalf + (24u << 23)));
  const F e = to_float(sar<23>(t));
  const F m = as_float(iadd(iand(t, iset(0x007fffffu)), iset(kSqrtHalf)));
  const F f = sub(m, set(1.0f));
  const F z = mul(f, f);
  const F f2 = add(f, f);
  F y = mul(mul(f2, z), ln32_polynomial(f));
  y = add(y, mul(e, set_bits(0xB9DE8083u)));  // 2 * LO
  y = sub(y, z);
  const F r = add(f2, y);
  return sqrt(sub(mul(e, set_bits(0xBFB18000u)), r));  // -2 * HI
}

// sin and cos of 2 pi t for |t| < 1/8, t never 0.
METAPLAST_HD F sin_polynomial(F t, F y) {
  F s = set_bits(0xC2998CC7u);
  s = add(mul(s, y), set_bits(0x42A34052u));
  s = add(mul(s, y), set_bits(0xC2255E12u));
  s = add(mul(s, y), set_bits(0x40C90FDBu));
  return mul(t, s);
}
METAPLAST_HD F cos_polynomial(F y) {
  F c = set_bits(0x426A7BF7u);
  c = add(mul(c, y), set_bits(0xC2AAD95Bu));
  c = add(mul(c, y), set_bits(0x4281E0D8u));
  c = add(mul(c, y), set_bits(0xC19DE9E6u));
  return add(mul(c, y), set(1.0f));
}

// sin and cos of 2 pi u for u = k*2^-24, k = 1 | word>>>8, straight from the word: with q = word + 2^29 the quadrant is bits 31..30 of q, and the 22
// bits below, behind the exponent of 1/2, are the rest t plus 5/8; the subtraction is exact.
METAPLAST_HD void sincos_of_word(I word, F* sine, F* cosine) {
  const I q = iadd(word, iset(0x20000000u));
  const F t = sub(as_float(and_or(shr<8>(q), iset(0x003ffffeu), iset(0x3f000001u))), set(0.625f));
  const F y = mul(t, t);
  const F s = sin_polynomial(t, y);
  const F c = cos_polynomial(y);
  const M swap = test(q, iset(0x40000000u));
  *sine = as_float(xor_and(as_int(select(swap, c, s)), q, iset(0x80000000u)));
  *cosine = as_float(xor_and(as_int(select(swap, s, c)), iadd(q, iset(0x40000000u)), iset(0x80000000u)));
}

// sin and cos of 2 pi u for a uniform u = k*2^-24 with odd k.
METAPLAST_HD void sincos2pi(F u, F* sine, F* cosine) {
  // k = u*2^24 as an integer: adding 2^23 puts k's bits into the mantissa where k < 2^23; above, subtract first. Exact either way.
  const F scaled = mul(u, set(16777216.0f));
  const M high = ge(scaled, set(8388608.0f));
  const F low = select(high, sub(scaled, set(8388608.0f)), scaled);
  const I k23 = iand(as_int(add(low, set(8388608.0f))), iset(0x007fffffu));
  const I k = ior(k23, as_int(select(high, set_bits(0x00800000u), set_bits(0u))));
  sincos_of_word(shl<8>(k), sine, cosine);
}

// exp(x) for x <= 0; NaN returns itself, x < -87 gives +0.
METAPLAST_HD F exp32(F x) {
  F n = mul(x, set_bits(0x3FB8AA3Bu));
  n = sub(add(n, set(12582912.0f)), set(12582912.0f));
  F r = sub(x, mul(n, set_bits(0x3F318000u)));
  r = sub(r, mul(n, set_bits(0xB95E8083u)));
  const F z = mul(r, r);
  F p = set_bits(0x3AB55BC0u);
  p = add(mul(p, r), set_bits(0x3C091EAEu));
  p = add(mul(p, r), set_bits(0x3D2AAC2Du));
  p = add(mul(p, r), set_bits(0x3E2AAA46u));
  p = add(mul(p, r), set_bits(0x3EFFFFFEu));
  p = mul(p, z);
  p = add(p, r);
  p = add(p, set(1.0f));
  // 2^n: n + 127 in the exponent field, taken from the low mantissa bits of n + 12582912 (n is an integer in -126..0 where it matters).
  const I power = shl<23>(iadd(as_int(add(n, set(12582912.0f))), iset(127u)));
  const F e = select(lt(x, set(-87.0f)), set(0.0f), mul(p, as_float(power)));
  return select(is_nan(x), x, e);
}

METAPLAST_HD F tanh32(F x) {
  const F a = absolute(x);
  const F y = mul(x, x);
  F t = set_bits(0xBBBA8672u);
  t = add(mul(t, y), set_bits(0x3CA8FC67u));
  t = add(mul(t, y), set_bits(0xBD5C1AD2u));
  t = add(mul(t, y), set_bits(0x3E08837Bu));
  t = add(mul(t, y), set_bits(0xBEAAAA99u));
  const F small = add(x, mul(mul(x, y), t));
  const F e = exp32(mul(set(-2.0f), a));
  const F large = div(sub(set(1.0f), e), add(set(1.0f), e));
  const F signed_large = as_float(xor_and(as_int(large), as_int(x), iset(0x80000000u)));
  return select(lt(a, set(0.625f)), small, signed_large);
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MATH_ELEMENTARY_H_
