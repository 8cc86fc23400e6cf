// The gradient of sign inputs and the metaplastic step in one: a tile of the product is used up while it is in the L1 cache. Weights and moments
// stream through row by row beside the product, which needs no memory. The step is inlined here: called as a function, a tile cost a fifth more.
#include "kernels/meta_adam/meta_adam_words.h"
#include "kernels/sign_gemm/sign_gemm_tiles.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

// Takes the gradients of kPanelTile columns at a time.
template <bool kDecays>
struct StepSink {
  AdamLanes constants;
  int64_t cols, row_words;
  float *w, *m, *v;  // of the first row and column
  uint64_t* bits;    // likewise; null: not wanted
  float* g;          // [kRowTile][kPanelTile]

  StepSink rows_from(int64_t row) const {
    StepSink s = *this;
    s.w += row * cols;
    s.m += row * cols;
    s.v += row * cols;
    if (bits != nullptr) s.bits += row * row_words;
    return s;
  }
  float* target(int64_t n) const { return g + n % kPanelTile; }
  int64_t ld() const { return kPanelTile; }
  void complete(int rows, int64_t begin, int64_t end) const {
    for (int r = 0; r < rows; ++r) {
      uint64_t unwanted;
      uint64_t* word = bits == nullptr ? &unwanted : bits + r * row_words + begin / kWordBits;
      const int64_t first = r * cols + begin;
      step_with_bits<kDecays>(constants, end - begin, w + first, g + r * kPanelTile, m + first, v + first, word);
    }
  }
};

template <bool kDecays>
void step_from_signs(const SignGemm& gemm, int64_t cols, int64_t o_begin, int64_t o_end, int64_t i_begin, int64_t i_end, float* w, float* m,
                     float* v, uint64_t* bits, const metaplast_adam_row_t& row) {
  static_assert(kPanelTile == kWordBits, "a tile of columns is a word of bits");
  alignas(64) float g[kRowTile * kPanelTile];
  const int64_t row_words = metaplast_bit_row_words(cols);
  run_sign_gemm(gemm, o_begin, o_end, i_begin, i_end, [&](int64_t i) {
    const int64_t first = o_begin * cols + i;
    return StepSink<kDecays>{adam_lanes(row), cols, row_words, w + first, m + first, v + first,
                             bits == nullptr ? nullptr : bits + o_begin * row_words + i / kWordBits, g};
  });
  if (bits == nullptr || i_end < cols) return;
  for (int64_t o = o_begin; o < o_end; ++o) {
    for (int64_t pad = (cols + kWordBits - 1) / kWordBits; pad < row_words; ++pad) bits[o * row_words + pad] = 0;
  }
}

}  // namespace

// Rows o_begin..o_end-1, columns i_begin..i_end-1 of a layer with `cols` inputs; i_begin is a multiple of 512, the terms are one block.
void meta_adam_step_from_signs(const SignGemm* gemm, int64_t cols, int64_t o_begin, int64_t o_end, int64_t i_begin, int64_t i_end, float* w,
                               float* m, float* v, uint64_t* bits, const metaplast_adam_row_t* row) noexcept {
  if (row->weight_decay != 0.0f) {
    step_from_signs<true>(*gemm, cols, o_begin, o_end, i_begin, i_end, w, m, v, bits, *row);
  } else {
    step_from_signs<false>(*gemm, cols, o_begin, o_end, i_begin, i_end, w, m, v, bits, *row);
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
