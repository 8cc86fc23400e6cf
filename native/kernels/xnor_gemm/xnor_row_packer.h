// Packing of the left operand's rows while the product of earlier rows runs.
//
// Reading fp32 rows from memory takes a tenth of the time of a product with 2,000 columns, in which no arithmetic is done. Here a row is
// packed in four shares, each inside the loop of one full tile: a line of 16 numbers for each word of K, asked for well before it is needed.
#ifndef METAPLAST_KERNELS_XNOR_ROW_PACKER_H_
#define METAPLAST_KERNELS_XNOR_ROW_PACKER_H_

#include "kernels/sign_pack/sign_pack_words.h"
#include "kernels/xnor_gemm/xnor_gemm.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

// What the loop of a tile packs: as many lines of x, and 16 bits each, as K has words. `ahead`: lines to fetch for later.
struct PackShare {
  const float* x;
  const float* ahead;
  uint64_t* row;
  int64_t first;  // number of 16 bits in the row
};

class RowPacker {
 public:
  static constexpr int64_t kShares = 4;

  explicit RowPacker(const XnorGemm& g) noexcept
      : x_(g.x), a_(g.packed), k_(g.k), ldx_(g.ldx), stride_(metaplast_bit_row_words(g.k)), words_((g.k + 63) / 64),
        distance_(kLinesAhead / (words_ > 0 ? words_ : 1) + 1) {}

  // Rows begin..end-1 at once.
  void pack(int64_t begin, int64_t end) const noexcept {
    for (int64_t r = begin; r < end; ++r) pack_row<false>(k_, x_ + r * ldx_, a_ + r * stride_, nullptr);
  }

  // Rows begin..end-1 share by share.
  void start(int64_t begin, int64_t end) noexcept {
    row_ = begin;
    end_ = end;
    share_ = 0;
  }

  bool done() const noexcept { return row_ == end_; }

  // The next share. What shares do not cover, the last few numbers of a row and the words behind them, is done here.
  PackShare next() noexcept {
    if (share_ == 0) finish_row();
    const int64_t later = share_ + distance_;
    const PackShare share = {x_ + row_ * ldx_ + first_of(share_) * 16, x_ + (row_ + later / kShares) * ldx_ + first_of(later % kShares) * 16,
                             a_ + row_ * stride_, first_of(share_)};
    if (++share_ == kShares) {
      share_ = 0;
      ++row_;
    }
    return share;
  }

  // Packs the rows that are left.
  void finish() noexcept {
    pack(row_, end_);
    row_ = end_;
  }

 private:
  static constexpr int64_t kLinesAhead = 64;

  // Shares overlap where a row's whole lines are no multiple of four shares.
  int64_t first_of(int64_t share) const noexcept {
    const int64_t last = k_ / 16 - words_;
    return share * words_ < last ? share * words_ : last;
  }

  void finish_row() const noexcept {
    const float* x = x_ + row_ * ldx_;
    uint64_t* bits = a_ + row_ * stride_;
    uint64_t unused;
    int64_t w = k_ / 64;
    if (w < words_) {
      bits[w] = pack_word<false>(x + w * 64, k_ - w * 64, &unused);
      ++w;
    }
    for (; w < stride_; ++w) bits[w] = 0;
  }

  const float* x_;
  uint64_t* a_;
  int64_t k_, ldx_, stride_, words_, distance_;
  int64_t row_ = 0, end_ = 0, share_ = 0;
};

}  // namespace
}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_XNOR_ROW_PACKER_H_
