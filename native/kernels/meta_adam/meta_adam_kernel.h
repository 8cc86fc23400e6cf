#include "kernels/meta_adam/meta_adam_words.h"
#include "runtime/kernel_table.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

template <bool kDecays>
void step_without_bits(const AdamLanes& r, int64_t n, float* w, const float* g, float* m, float* v) {
  for_vectors(n, [&](int64_t i, int64_t lanes) {
    F mean = load_lanes(m + i, lanes);
    F variance = load_lanes(v + i, lanes);
    const F next = meta_adam_lanes<kDecays>(r, load_lanes(w + i, lanes), load_lanes(g + i, lanes), &mean, &variance);
    store_lanes(w + i, next, lanes);
    store_lanes(m + i, mean, lanes);
    store_lanes(v + i, variance, lanes);
  });
}

template <bool kDecays>
void step_range(int64_t begin, int64_t end, int64_t cols, float* w, const float* g, float* m, float* v, uint64_t* bits,
                const metaplast_adam_row_t& row) {
  const AdamLanes r = adam_lanes(row);
  if (bits == nullptr) {
    step_without_bits<kDecays>(r, end - begin, w + begin, g + begin, m + begin, v + begin);
    return;
  }
  const int64_t row_words = metaplast_bit_row_words(cols);
  while (begin < end) {
    const int64_t column = begin % cols;
    const int64_t n = cols - column < end - begin ? cols - column : end - begin;
    uint64_t* words = bits + begin / cols * row_words + column / kWordBits;
    step_with_bits<kDecays>(r, n, w + begin, g + begin, m + begin, v + begin, words);
    if (column + n == cols) {
      for (int64_t pad = (cols + kWordBits - 1) / kWordBits - column / kWordBits; pad < row_words - column / kWordBits; ++pad) words[pad] = 0;
    }
    begin += n;
  }
}

}  // namespace

// Elements begin..end-1 of a tensor of rows of `cols` elements. With bits, both ends lie at a multiple of 64 columns or at the end of a row.
void meta_adam_step(int64_t begin, int64_t end, int64_t cols, float* w, const float* g, float* m, float* v, uint64_t* bits,
                    const metaplast_adam_row_t* row) noexcept {
  if (row->weight_decay != 0.0f) {
    step_range<true>(begin, end, cols, w, g, m, v, bits, *row);
  } else {
    step_range<false>(begin, end, cols, w, g, m, v, bits, *row);
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
