// Uniform and Gaussian values from Philox words; Box-Muller on the pairs (word 0, word 1) and (word 2, word 3) of a block.
#ifndef METAPLAST_RUNTIME_MATH_GAUSSIAN_H_
#define METAPLAST_RUNTIME_MATH_GAUSSIAN_H_

#include "elementary.h"
#include "philox.h"

namespace metaplast {
namespace METAPLAST_TIER {

// Odd multiples of 2^-24 in (0,1).
METAPLAST_HD F uniform_of_word(I word) { return mul(to_float(ior(shr<8>(word), iset(1u))), set_bits(0x33800000u)); }

// z0 = r cos, z1 = r sin.
METAPLAST_HD void gaussian_pair(I word0, I word1, F* z0, F* z1) {
  const F r = radius_of_word(word0);
  F s, c;
  sincos_of_word(word1, &s, &c);
  *z0 = mul(r, c);
  *z1 = mul(r, s);
}

#if !defined(__CUDACC__)
// gaussian_pair on kPairs pairs side by side: operation by operation as in radius_of_word and sincos_of_word, each issued for all pairs before the
// next one, because a pair alone is one long dependent chain. Same bits by construction; the exhaustive tests cover both forms.
template <int kPairs>
METAPLAST_HD void gaussian_pairs(const I* word0, const I* word1, F* z0, F* z1) {
  F f[kPairs], f2[kPairs], z[kPairs], e[kPairs], p[kPairs], t[kPairs], y[kPairs], s[kPairs], c[kPairs];
  I b[kPairs], q[kPairs];
#define METAPLAST_ALL(statement) \
  for (int j = 0; j < kPairs; ++j) statement
#define METAPLAST_HORNER(value, at, coefficient) METAPLAST_ALL(value[j] = add(mul(value[j], at[j]), set_bits(coefficient)))
  METAPLAST_ALL(b[j] = ior(shr<8>(word0[j]), iset(1u)));
  METAPLAST_ALL(b[j] = isub(as_int(to_float(b[j])), iset(kSqrtHalf + (24u << 23))));
  METAPLAST_ALL(q[j] = iadd(word1[j], iset(0x20000000u)));
  METAPLAST_ALL(t[j] = sub(as_float(and_or(shr<8>(q[j]), iset(0x003ffffeu), iset(0x3f000001u))), set(0.625f)));
  METAPLAST_ALL(e[j] = to_float(sar<23>(b[j])));
  METAPLAST_ALL(f[j] = as_float(iadd(iand(b[j], iset(0x007fffffu)), iset(kSqrtHalf))));
  METAPLAST_ALL(f[j] = sub(f[j], set(1.0f)));
  METAPLAST_ALL(y[j] = mul(t[j], t[j]));
  METAPLAST_ALL(p[j] = add(mul(set_bits(0x3D5A0998u), f[j]), set_bits(0xBDDF9EB1u)));
  METAPLAST_ALL(s[j] = add(mul(set_bits(0xC2998CC7u), y[j]), set_bits(0x42A34052u)));
  METAPLAST_HORNER(p, f, 0x3DF8066Au);
  METAPLAST_ALL(c[j] = add(mul(set_bits(0x426A7BF7u), y[j]), set_bits(0xC2AAD95Bu)));
  METAPLAST_HORNER(p, f, 0xBE0080A8u);
  METAPLAST_HORNER(s, y, 0xC2255E12u);
  METAPLAST_HORNER(p, f, 0x3E1181B7u);
  METAPLAST_HORNER(c, y, 0x4281E0D8u);
  METAPLAST_HORNER(p, f, 0xBE2A978Cu);
  METAPLAST_HORNER(s, y, 0x40C90FDBu);
  METAPLAST_HORNER(p, f, 0x3E4CD2A0u);
  METAPLAST_HORNER(c, y, 0xC19DE9E6u);
  METAPLAST_HORNER(p, f, 0xBE800038u);
  METAPLAST_ALL(s[j] = mul(t[j], s[j]));
  METAPLAST_HORNER(p, f, 0x3EAAAAA4u);
  METAPLAST_ALL(c[j] = add(mul(c[j], y[j]), set(1.0f)));
  METAPLAST_ALL(z[j] = mul(f[j], f[j]));
  METAPLAST_ALL(f2[j] = add(f[j], f[j]));
  METAPLAST_ALL(p[j] = mul(mul(f2[j], z[j]), p[j]));
  METAPLAST_ALL(p[j] = add(p[j], mul(e[j], set_bits(0xB9DE8083u))));
  METAPLAST_ALL(p[j] = sub(p[j], z[j]));
  METAPLAST_ALL(p[j] = add(f2[j], p[j]));
  METAPLAST_ALL(p[j] = sqrt(sub(mul(e[j], set_bits(0xBFB18000u)), p[j])));
  // Both get the sign of bit 31, so the radius takes it; the cosine's is turned again where the two are swapped.
  METAPLAST_ALL(p[j] = as_float(xor_and(as_int(p[j]), q[j], iset(0x80000000u))));
  METAPLAST_ALL(y[j] = select(test(q[j], iset(0x40000000u)), c[j], s[j]));
  METAPLAST_ALL(c[j] = select_negated(test(q[j], iset(0x40000000u)), s[j], c[j]));
  METAPLAST_ALL(z0[j] = mul(p[j], c[j]));
  METAPLAST_ALL(z1[j] = mul(p[j], y[j]));
#undef METAPLAST_HORNER
#undef METAPLAST_ALL
}

struct ToGaussian {
  template <int n>
  static METAPLAST_HD void run(const I* first, const I* second, F* a, F* b) {
    gaussian_pairs<n>(first, second, a, b);
  }
};

struct ToUniform {
  template <int n>
  static METAPLAST_HD void run(const I* first, const I* second, F* a, F* b) {
    for (int j = 0; j < n; ++j) {
      a[j] = uniform_of_word(first[j]);
      b[j] = uniform_of_word(second[j]);
    }
  }
};

struct ToWord {
  template <int n>
  static METAPLAST_HD void run(const I* first, const I* second, F* a, F* b) {
    for (int j = 0; j < n; ++j) {
      a[j] = as_float(first[j]);
      b[j] = as_float(second[j]);
    }
  }
};

// body(i, z, lanes) for the Gaussians of elements first + i, i < n.
template <class Body>
METAPLAST_HD void for_gaussians(const RandomStream& r, uint64_t first, int64_t n, Body body) {
  for_random_vectors(r, first, n, ToGaussian{}, body);
}
#endif

}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MATH_GAUSSIAN_H_
