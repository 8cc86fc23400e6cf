// Factor statistics: packing with scan, tiles of X'X, and F from the sums. Scheme: kronecker_factor.h; register tiles: real_gemm/real_tiles.h.
#include "kernels/kronecker_factor/kronecker_factor.h"
#include "kernels/real_gemm/real_tiles.h"
#include "metaplast/kfac.h"
#include "runtime/kernel_table.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

constexpr int kPanelVectors = static_cast<int>(kRealPanel / kLanes);

int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// Whether the element is NaN or infinite.
bool not_finite(float x) { return !(x - x == 0.0f); }
bool not_finite(uint16_t bf16) { return (bf16 & 0x7f80) == 0x7f80; }

// pack_real_rows that says whether all was finite; `mean` is taken off where it is not null. A sum of products with 0 is 0, or NaN from the first NaN or
// infinity on.
template <bool kCentred, class T>
bool pack_scanned(const T* x, int64_t ld, int64_t depth, int64_t columns, const float* mean, float* to) {
  RealVector seen[kPanelVectors], shift[kPanelVectors];
  const RealVector zero = F32::zero();
#pragma GCC unroll 16
  for (int v = 0; v < kPanelVectors; ++v) {
    seen[v] = zero;
    if (kCentred) shift[v] = F32::load(mean + v * kLanes);
  }
  if (columns >= kRealPanel) {
    for (int64_t p = 0; p < depth; ++p, x += ld, to += kRealPanel) {
#pragma GCC unroll 16
      for (int v = 0; v < kPanelVectors; ++v) {
        const RealVector e = real_load(x + v * kLanes);
        seen[v] = F32::fma(e, zero, seen[v]);
        F32::store(to + v * kLanes, kCentred ? F32::sub(e, shift[v]) : e);
      }
    }
  } else {
    for (int64_t p = 0; p < depth; ++p, x += ld, to += kRealPanel) {
#pragma GCC unroll 16
      for (int v = 0; v < kPanelVectors; ++v) {
        const int64_t left = columns - v * kLanes;
        const RealVector e = left >= kLanes ? real_load(x + v * kLanes) : left > 0 ? real_load_n(x + v * kLanes, left) : zero;
        seen[v] = F32::fma(e, zero, seen[v]);
        F32::store(to + v * kLanes, kCentred ? F32::sub(e, shift[v]) : e);
      }
    }
  }
  for (int v = 1; v < kPanelVectors; ++v) seen[0] = F32::add(seen[0], seen[v]);
  float lanes[kLanes];
  F32::store(lanes, seen[0]);
  for (float lane : lanes) {
    if (!(lane == 0.0f)) return false;
  }
  return true;
}

void lower_to(int64_t* least_index, int64_t index) {
  int64_t seen = __atomic_load_n(least_index, __ATOMIC_RELAXED);
  while (index < seen && !__atomic_compare_exchange_n(least_index, &seen, index, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

// One block of rows of a panel of a matrix; *first: the least row*cols + column of what is not finite.
template <class T>
void pack_matrix(const FactorWork& w, int64_t row, int64_t depth, int64_t panel, float* to, int64_t* first) {
  const int64_t column = panel * kRealPanel, columns = w.cols > column ? least(w.cols - column, kRealPanel) : 0;
  const T* const x = static_cast<const T*>(w.x) + (columns > 0 ? row * w.ldx + column : 0);
  const bool finite = w.mean == nullptr ? pack_scanned<false>(x, w.ldx, depth, columns, nullptr, to)
                                        : pack_scanned<true>(x, w.ldx, depth, columns, w.mean + column, to);
  if (finite) return;
  for (int64_t p = 0; p < depth; ++p) {
    for (int64_t c = 0; c < columns; ++c) {
      if (not_finite(x[p * w.ldx + c])) return lower_to(first, (row + p) * w.cols + column + c);
    }
  }
}

// The output positions begin..end-1 whose tap lies inside an image of that size.
struct Inside {
  int64_t begin, end;
  Inside(int64_t outs, int64_t size, int64_t stride, int64_t offset) {
    begin = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
    end = size - offset <= 0 ? 0 : (size - offset - 1) / stride + 1;
    if (begin > outs) begin = outs;
    end = end < begin ? begin : least(end, outs);
  }
};

// One column (c, ky, kx) of the patches of a group.
class PatchColumn {
 public:
  PatchColumn(const FactorPatches& p, int64_t group, int64_t column)
      : p_(p), x_offset_(column % p.kernel_w * p.dilation_w - p.pad_w), y_offset_(column / p.kernel_w % p.kernel_h * p.dilation_h - p.pad_h),
        plane_(p.x + (group * p.group_channels + column / (p.kernel_w * p.kernel_h)) * p.height * p.width),
        rows_(p.out_h, p.height, p.stride_h, y_offset_), columns_(p.out_w, p.width, p.stride_w, x_offset_) {}

  // Rows row..row+depth-1, of which there is one for each position of an image.
  void expand(int64_t row, int64_t depth, float* to) const {
    int64_t image = row / p_.positions(), oy = row % p_.positions() / p_.out_w, ox = row % p_.out_w;
    for (int64_t i = 0; i < depth;) {
      const int64_t count = least(p_.out_w - ox, depth - i);
      run(image, oy, ox, count, to + i);
      i += count;
      ox = 0;
      if (++oy == p_.out_h) {
        oy = 0;
        ++image;
      }
    }
  }

  // Rows row..row+depth-1, of which there is one for each image: the sum over its positions, by rows of the output, in double.
  void reduce(int64_t row, int64_t depth, bool mean, float* to) const {
    for (int64_t i = 0; i < depth; ++i) {
      const float* const image = plane_ + (row + i) * p_.channels * p_.height * p_.width;
      double sum = 0;
      for (int64_t oy = rows_.begin; oy < rows_.end; ++oy) {
        const float* const from = image + (oy * p_.stride_h + y_offset_) * p_.width + x_offset_;
        double of_row = 0;
        for (int64_t ox = columns_.begin; ox < columns_.end; ++ox) of_row += static_cast<double>(from[ox * p_.stride_w]);
        sum += of_row;
      }
      to[i] = static_cast<float>(mean && p_.positions() > 0 ? sum / static_cast<double>(p_.positions()) : sum);
    }
  }

 private:
  // Positions (oy, ox..ox+count-1) of an image.
  void run(int64_t image, int64_t oy, int64_t ox, int64_t count, float* to) const {
    const bool inside = oy >= rows_.begin && oy < rows_.end;
    const int64_t end = ox + count, first = !inside || columns_.begin > end ? end : columns_.begin > ox ? columns_.begin : ox;
    const int64_t last = !inside ? end : columns_.end < first ? first : least(columns_.end, end);
    for (int64_t i = ox; i < first; ++i) to[i - ox] = 0;
    if (first < last) {
      const float* const from =
          plane_ + image * p_.channels * p_.height * p_.width + (oy * p_.stride_h + y_offset_) * p_.width + x_offset_;
      if (p_.stride_w == 1) {
        int64_t i = first;
        for (; i + kLanes <= last; i += kLanes) F32::store(to + i - ox, F32::load(from + i));
        if (i < last) F32::store_n(to + i - ox, F32::load_n(from + i, last - i), last - i);
      } else {
        for (int64_t i = first; i < last; ++i) to[i - ox] = from[i * p_.stride_w];
      }
    }
    for (int64_t i = last; i < end; ++i) to[i - ox] = 0;
  }

  const FactorPatches& p_;
  const int64_t x_offset_, y_offset_;
  const float* const plane_;  // of the first image
  const Inside rows_, columns_;
};

// One block of rows of a panel of patches: some columns at a time, then transposed.
void pack_patches(const FactorWork& w, int64_t group, int64_t row, int64_t depth, int64_t panel, float* to) {
  const FactorPatches& p = *w.patches;
  const int64_t column = panel * kRealPanel, columns = w.cols > column ? least(w.cols - column, kRealPanel) : 0;
  // One vector more than a block, so that columns do not fall on the same sets of the cache.
  constexpr int64_t kStride = kRealBlock + kLanes;
  alignas(64) float lines[kRealPanel * kStride];
  for (int64_t c = 0; c < columns; ++c) {
    const PatchColumn one(p, group, column + c);
    if (p.sharing == METAPLAST_SHARING_EXPAND) {
      one.expand(row, depth, lines + c * kStride);
    } else {
      one.reduce(row, depth, p.sharing == METAPLAST_SHARING_REDUCE_MEAN, lines + c * kStride);
    }
  }
  pack_real_columns(lines, kStride, depth, columns, to);
}

// Row and column of a tile of the lower triangle, in the order in which tiles are numbered (kronecker_factor.h).
struct TilePlace {
  int64_t i, j;
  TilePlace(int64_t panels, int64_t tile) {
    int64_t group = 0;
    while (factor_tiles(group + kFactorGroup) <= tile) group += kFactorGroup;
    const int64_t rows = least(kFactorGroup, panels - group);
    int64_t left = tile - factor_tiles(group);
    if (left < rows * group) {
      i = group + left % rows;
      j = left / rows;
      return;
    }
    left -= rows * group;
    i = 0;
    while (factor_tiles(i + 1) <= left) ++i;
    j = group + left - factor_tiles(i);
    i += group;
  }
};

// Fetches an area of F that is about to be written.
void prefetch_area(const float* f, int64_t ld, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; c += 16) __builtin_prefetch(f + r * ld + c, 1, 2);
    __builtin_prefetch(f + r * ld + columns - 1, 1, 2);
  }
}

// Element (r, c..) of S from a sum.
RealVector statistic(const FactorWork& w, RealVector sum, int64_t row, int64_t column) {
  if (w.kind == METAPLAST_FACTOR_SECOND_MOMENT) return sum;
  const RealVector centred = F32::div(sum, F32::set(static_cast<float>(w.rows)));
  if (w.kind == METAPLAST_FACTOR_CENTRED) return centred;
  const RealVector mean = F32::mul(F32::set(w.mean[row]), F32::load(w.mean + column));
  return w.kind == METAPLAST_FACTOR_MEAN ? mean : F32::sub(mean, F32::div(centred, F32::set(static_cast<float>(w.rows - 1))));
}

// The first n lanes, or all.
void store_some(float* to, RealVector x, int64_t n) {
  if (n >= kLanes) {
    F32::store(to, x);
  } else if (n > 0) {
    F32::store_n(to, x, n);
  }
}

// F from the sums of a tile, both sides of the diagonal, a square of vectors at a time.
void finish_tile(const FactorWork& w, const TilePlace& at, const float* from) {
  const RealVector alpha = F32::set(w.alpha), beta = F32::set(w.beta);
  const int64_t row = at.i * kRealPanel, column = at.j * kRealPanel;
  const int64_t height = least(w.d - row, kRealPanel), width = least(w.d - column, kRealPanel);
  for (int64_t r = 0; r < height; r += kLanes) {
    const int64_t rows = least(height - r, kLanes);
    for (int64_t c = 0; c < (at.i == at.j ? r + 1 : width); c += kLanes) {
      const int64_t columns = least(width - c, kLanes);
      const bool square = at.i == at.j && r == c;
      float* const below = w.f + (row + r) * w.ldf + column + c;
      float* const above = w.f + (column + c) * w.ldf + row + r;
      RealVector t[kLanes], lower[kLanes];
#pragma GCC unroll 16
      for (int64_t k = 0; k < kLanes; ++k) {
        t[k] = F32::zero();
        if (k < rows) {
          t[k] = F32::mul(alpha, statistic(w, F32::load(from + (r + k) * kRealPanel + c), row + r + k, column + c));
          const int64_t n = square ? k + 1 : columns;
          if (w.beta != 0.0f) {
            t[k] = real_fma(beta, n >= kLanes ? F32::load(below + k * w.ldf) : F32::load_n(below + k * w.ldf, n), t[k]);
          }
        }
        lower[k] = t[k];
      }
      F32::transpose(t);
#pragma GCC unroll 16
      for (int64_t k = 0; k < kLanes; ++k) {
        if (k < columns) store_some(above + k * w.ldf, t[k], rows);
      }
      // Over the same memory on the diagonal, where only the lower triangle of the sums counts.
#pragma GCC unroll 16
      for (int64_t k = 0; k < kLanes; ++k) {
        if (k < rows) store_some(below + k * w.ldf, lower[k], square ? k + 1 : columns);
      }
    }
  }
}

}  // namespace

void factor_means(const FactorWork* work, int64_t panel_begin, int64_t panel_end, float* mean, int64_t* not_finite_sums) noexcept {
  constexpr int64_t D = F64::W;
  const FactorWork& w = *work;
  for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
    const int64_t column = panel * kRealPanel, columns = w.cols > column ? least(w.cols - column, kRealPanel) : 0;
    alignas(64) double total[kRealPanel] = {};
    for (int64_t row = 0; row < w.rows && columns > 0; row += kRealBlock) {
      alignas(64) float x[kRealPanel];
      F64::V sum[kRealPanel / D];
      for (int v = 0; v < kRealPanel / D; ++v) sum[v] = F64::zero();
      for (int64_t p = row; p < least(row + kRealBlock, w.rows); ++p) {
        for (int64_t c = 0; c < kRealPanel; c += kLanes) {
          const int64_t left = columns - c, at = p * w.ldx + column + c;
          F32::store(x + c, left <= 0                    ? F32::zero()
                            : w.x_type == METAPLAST_BF16 ? real_load_n(static_cast<const uint16_t*>(w.x) + at, left)
                            : left >= kLanes                  ? real_load(static_cast<const float*>(w.x) + at)
                                                         : real_load_n(static_cast<const float*>(w.x) + at, left));
        }
#pragma GCC unroll 32
        for (int v = 0; v < kRealPanel / D; ++v) sum[v] = F64::add(sum[v], F64::load(x + v * D));
      }
      for (int v = 0; v < kRealPanel / D; ++v) F64::store(total + v * D, F64::add(F64::load(total + v * D), sum[v]));
    }
    for (int64_t c = 0; c < kRealPanel; ++c) {
      mean[column + c] = c < columns ? static_cast<float>(total[c] / static_cast<double>(w.rows)) : 0.0f;
      if (!(total[c] - total[c] == 0.0)) __atomic_store_n(not_finite_sums, int64_t{1}, __ATOMIC_RELAXED);
    }
  }
}

void factor_pack(const FactorWork* work, const FactorWave* wave, int64_t unit_begin, int64_t unit_end, int64_t* first_not_finite) noexcept {
  const FactorWork& w = *work;
  const int64_t blocks = wave->blocks();
  for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
    const int64_t panel = unit / blocks, block = unit % blocks, row = wave->begin + block * kRealBlock;
    const int64_t depth = least(wave->rows - block * kRealBlock, kRealBlock);
    float* const to = w.packed + (panel * w.panel_rows + block * kRealBlock) * kRealPanel;
    if (w.patches != nullptr) {
      pack_patches(w, wave->group, row, depth, panel, to);
    } else if (w.x_type == METAPLAST_BF16) {
      pack_matrix<uint16_t>(w, row, depth, panel, to, first_not_finite);
    } else {
      pack_matrix<float>(w, row, depth, panel, to, first_not_finite);
    }
    if (w.bias && panel == w.cols / kRealPanel) {
      for (int64_t p = 0; p < depth; ++p) to[p * kRealPanel + w.cols % kRealPanel] = w.bias_value;
    }
  }
}

void factor_multiply(const FactorWork* work, const FactorWave* wave, int64_t block_begin, int64_t block_end, bool first, bool last,
                     int64_t tile_begin, int64_t tile_end, float* sums) noexcept {
  const FactorWork& w = *work;
  alignas(64) float whole[kFactorTile];
  for (int64_t tile = tile_begin; tile < tile_end; ++tile) {
    const TilePlace at(w.panels, tile);
    const int64_t row = at.i * kRealPanel, column = at.j * kRealPanel;
    const int64_t height = least(w.d - row, kRealPanel), width = least(w.d - column, kRealPanel);
    if (last) {
      prefetch_area(w.f + row * w.ldf + column, w.ldf, height, width);
      if (at.i != at.j) prefetch_area(w.f + column * w.ldf + row, w.ldf, width, height);
    }
    // Sums that nothing is added to later need no place in memory. Those of large factors come while the first block is computed.
    float* const to = first && last ? whole : sums + tile * kFactorTile;
    for (int64_t i = 0; i < kFactorTile; i += 16) __builtin_prefetch(to + i, 1, 2);
    for (int64_t block = block_begin; block < block_end; ++block) {
      const int64_t depth = least(wave->rows - block * kRealBlock, kRealBlock);
      const float* const a = w.packed + (at.i * w.panel_rows + block * kRealBlock) * kRealPanel;
      const float* const b = w.packed + (at.j * w.panel_rows + block * kRealBlock) * kRealPanel;
      const bool assign = first && block == block_begin;
      if (at.i == at.j) {
        real_panel_square(height, depth, a, assign, to, kRealPanel);
      } else {
        real_panels(height, width, depth, a, b, assign, to, kRealPanel);
      }
    }
    if (last) finish_tile(w, at, to);
  }
}

void factor_add(int64_t n, const float* block, float* sums) noexcept {
  for (int64_t i = 0; i < n; i += kLanes) F32::store(sums + i, F32::add(F32::load(sums + i), F32::load(block + i)));
}

void factor_finish(const FactorWork* work, int64_t tile_begin, int64_t tile_end, const float* sums) noexcept {
  for (int64_t tile = tile_begin; tile < tile_end; ++tile) finish_tile(*work, TilePlace(work->panels, tile), sums + tile * kFactorTile);
}

void factor_scan(int64_t begin, int64_t end, const float* x, int64_t* first_not_finite) noexcept {
  constexpr int64_t kStep = 8 * kLanes;
  const RealVector zero = F32::zero();
  for (int64_t i = begin; i < end; i += kStep) {
    RealVector seen = zero;
    if (i + kStep <= end) {
      RealVector part[8];
#pragma GCC unroll 8
      for (int v = 0; v < 8; ++v) part[v] = F32::mul(F32::load(x + i + v * kLanes), zero);
      seen = F32::add(F32::add(F32::add(part[0], part[1]), F32::add(part[2], part[3])),
                      F32::add(F32::add(part[4], part[5]), F32::add(part[6], part[7])));
    } else {
      for (int64_t k = i; k < end; k += kLanes) seen = F32::fma(F32::load_n(x + k, least(end - k, kLanes)), zero, seen);
    }
    float lanes[kLanes];
    F32::store(lanes, seen);
    float sum = 0;
    for (float lane : lanes) sum += lane;
    if (sum == 0.0f) continue;
    for (int64_t k = i; k < end; ++k) {
      if (not_finite(x[k])) return lower_to(first_not_finite, k);
    }
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
