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
// body(i, z, lanes) for the Gaussians of elements first + i, i < n.
template <class Body>
METAPLAST_HD void for_gaussians(const RandomStream& r, uint64_t first, int64_t n, Body body) {
  for_random_vectors(
      r, first, n,
      [](const I* w, F* z) {
        gaussian_pair(w[0], w[1], &z[0], &z[1]);
        gaussian_pair(w[2], w[3], &z[2], &z[3]);
      },
      body);
}
#endif

}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MATH_GAUSSIAN_H_
