// The metaplastic step of weights whose sign bits are whole words.
#ifndef METAPLAST_KERNELS_META_ADAM_WORDS_H_
#define METAPLAST_KERNELS_META_ADAM_WORDS_H_

#include "kernels/meta_adam/meta_adam_math.h"

namespace metaplast {
namespace METAPLAST_TIER {

constexpr int64_t kWordBits = 64;

// n weights of a row from a column that is a multiple of 64 on: updates them and writes their sign words, the last one filled up with zeros.
template <bool kDecays>
METAPLAST_HD void step_with_bits(const AdamLanes& r, int64_t n, float* w, const float* g, float* m, float* v, uint64_t* bits) {
  for (int64_t i = 0; i < n; i += kWordBits) {
    const int64_t here = n - i < kWordBits ? n - i : kWordBits;
    uint64_t word = 0;
    for_vectors(here, [&](int64_t j, int64_t lanes) {
      const int64_t e = i + j;
      F mean = load_lanes(m + e, lanes);
      F variance = load_lanes(v + e, lanes);
      const F next = meta_adam_lanes<kDecays>(r, load_lanes(w + e, lanes), load_lanes(g + e, lanes), &mean, &variance);
      store_lanes(w + e, next, lanes);
      store_lanes(m + e, mean, lanes);
      store_lanes(v + e, variance, lanes);
      word |= static_cast<uint64_t>(mask_bits(mask_and(first_lanes(lanes), ge(next, set(0.0f))))) << j;
    });
    bits[i / kWordBits] = word;
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_META_ADAM_WORDS_H_
