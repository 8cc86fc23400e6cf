// Gradients of the binary convolution: sums of +-dy in a written order, four channels at a time so that each dy is loaded once for four.
#include "kernels/binary_conv2d/binary_conv2d.h"
#include "runtime/kernel_table.h"
#include "runtime/math/lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

constexpr int64_t kTogether = 4;   // channels
constexpr int64_t kVectors = 2;    // vectors of results for each
constexpr int64_t kChunk = 256;    // terms whose signs are prepared at a time
constexpr int64_t kPositions = 512;

// What makes a float the term of a product with the sign `bit`: the sign bit to flip.
METAPLAST_HD uint32_t flip_of(uint64_t bit) { return static_cast<uint32_t>(~bit & 1u) << 31; }

// sums[c][i] = (start ? sums[c][i] : nothing) + terms t ascending of x[t][i] with its sign bit flipped by flips[t][c], i = 0..n-1; without `start`
// from the first term. x[t] = x + offsets[t].
template <int kRows>
METAPLAST_HD void add_terms(int64_t terms, const float* x, const int64_t* offsets, const uint32_t (*flips)[kTogether], bool start, int64_t n,
                            float* sums, int64_t ld) {
  for (int64_t i = 0; i < n; i += kVectors * W) {
    F total[kRows][kVectors];
    int64_t lanes[kVectors];
    for (int v = 0; v < kVectors; ++v) lanes[v] = n - i - v * W < 0 ? 0 : n - i - v * W < W ? n - i - v * W : W;
    int64_t t = 0;
    if (start) {
      for (int c = 0; c < kRows; ++c) {
        for (int v = 0; v < kVectors; ++v) total[c][v] = lanes[v] > 0 ? load_lanes(sums + c * ld + i + v * W, lanes[v]) : set(0.0f);
      }
    } else {
      for (int v = 0; v < kVectors; ++v) {
        const F first = lanes[v] > 0 ? load_lanes(x + offsets[0] + i + v * W, lanes[v]) : set(0.0f);
        for (int c = 0; c < kRows; ++c) total[c][v] = negate_if(first, iset(flips[0][c]));
      }
      t = 1;
    }
    if (lanes[kVectors - 1] == W) {
      for (; t < terms; ++t) {
        for (int v = 0; v < kVectors; ++v) {
          const F term = load(x + offsets[t] + i + v * W);
          for (int c = 0; c < kRows; ++c) total[c][v] = add(total[c][v], negate_if(term, iset(flips[t][c])));
        }
      }
    } else {
      for (; t < terms; ++t) {
        for (int v = 0; v < kVectors; ++v) {
          if (lanes[v] == 0) continue;
          const F term = load_lanes(x + offsets[t] + i + v * W, lanes[v]);
          for (int c = 0; c < kRows; ++c) total[c][v] = add(total[c][v], negate_if(term, iset(flips[t][c])));
        }
      }
    }
    for (int c = 0; c < kRows; ++c) {
      for (int v = 0; v < kVectors; ++v) {
        if (lanes[v] > 0) store_lanes(sums + c * ld + i + v * W, total[c][v], lanes[v]);
      }
    }
  }
}

// Output columns first..end-1 whose tap s lies inside the image.
METAPLAST_HD void columns_inside(const ConvShape& g, int64_t s, int64_t* first, int64_t* end) {
  *first = 0;
  while (*first < g.out_w && g.column(*first, s) < 0) ++*first;
  *end = g.out_w;
  while (*end > *first && g.column(*end - 1, s) >= g.width) --*end;
}

// dx of kRows channels.
template <int kRows>
void input_channels(const ConvShape& g, const float* dy, const uint64_t* w, int64_t w_stride, int64_t channel, float* dx) noexcept {
  float sums[kRows][kPositions];
  uint32_t flips[kChunk][kTogether];
  int64_t offsets[kChunk];
  for (int64_t i = 0; i < kRows * g.pixels; ++i) dx[channel * g.pixels + i] = 0.0f;
  for (int64_t tap = 0; tap < g.taps && g.group_outs > 0; ++tap) {
    const int64_t r = tap / g.kernel_w;
    int64_t first_column, end_column;
    columns_inside(g, tap % g.kernel_w, &first_column, &end_column);
    for (int64_t begin = 0; begin < g.positions; begin += kPositions) {
      const int64_t end = g.positions - begin < kPositions ? g.positions : begin + kPositions;
      for (int64_t o = 0; o < g.group_outs; o += kChunk) {
        const int64_t terms = g.group_outs - o < kChunk ? g.group_outs - o : kChunk;
        for (int64_t t = 0; t < terms; ++t) {
          offsets[t] = (o + t) * g.positions + begin;
          for (int c = 0; c < kRows; ++c) flips[t][c] = flip_of(bit_at(w + (o + t) * w_stride, (channel + c) * g.taps + tap));
        }
        add_terms<kRows>(terms, dy, offsets, flips, o > 0, end - begin, sums[0], kPositions);
      }
      // To where the tap points.
      for (int64_t out_row = begin / g.out_w; out_row * g.out_w < end; ++out_row) {
        const int64_t h = g.row(out_row, r);
        if (!g.has_row(h)) continue;
        const int64_t row_begin = out_row * g.out_w;
        const int64_t from = begin - row_begin > first_column ? begin - row_begin : first_column;
        const int64_t to = end - row_begin < end_column ? end - row_begin : end_column;
        for (int c = 0; c < kRows; ++c) {
          float* to_row = dx + (channel + c) * g.pixels + h * g.width;
          const float* from_row = sums[c] + row_begin - begin;
          for (int64_t column = from; column < to; ++column) {
            float* target = to_row + g.column(column, tap % g.kernel_w);
            *target = *target + from_row[column];
          }
        }
      }
    }
  }
}

// Adds an image to dw of kRows channels.
template <int kRows>
void weight_channels(const ConvShape& g, const float* dy, const uint64_t* x, int64_t first_bit, int64_t channel, float* dw) noexcept {
  uint32_t flips[kChunk][kTogether];
  int64_t offsets[kChunk];
  for (int64_t tap = 0; tap < g.taps; ++tap) {
    float* sums = dw + (channel * g.taps + tap) * g.group_outs;
    int64_t first_column, end_column;
    columns_inside(g, tap % g.kernel_w, &first_column, &end_column);
    int64_t terms = 0;
    const auto flush = [&] {
      add_terms<kRows>(terms, dy, offsets, flips, true, g.group_outs, sums, g.taps * g.group_outs);
      terms = 0;
    };
    for (int64_t out_row = 0; out_row < g.out_h; ++out_row) {
      const int64_t h = g.row(out_row, tap / g.kernel_w);
      if (!g.has_row(h)) continue;
      for (int64_t column = first_column; column < end_column; ++column) {
        const int64_t pixel = h * g.width + g.column(column, tap % g.kernel_w);
        offsets[terms] = (out_row * g.out_w + column) * g.outs;
        for (int c = 0; c < kRows; ++c) flips[terms][c] = flip_of(bit_at(x, first_bit + (channel + c) * g.pixels + pixel));
        if (++terms == kChunk) flush();
      }
    }
    flush();
  }
}

}  // namespace

// Channels begin..end-1 of a group: dy [group's outs][positions], w its rows, dx [group's channels][pixels].
void conv_grad_input(const ConvShape* shape, const float* dy, const uint64_t* w, int64_t w_stride, int64_t begin, int64_t end,
                     float* dx) noexcept {
  int64_t c = begin;
  for (; c + kTogether <= end; c += kTogether) input_channels<kTogether>(*shape, dy, w, w_stride, c, dx);
  for (; c < end; ++c) input_channels<1>(*shape, dy, w, w_stride, c, dx);
}

// Adds one image, channels begin..end-1 of a group: dy [positions][outs] from the group's first on, x the image's bits, in which the group begins at
// first_bit, dw [group's channels][taps][group's outs].
void conv_grad_weight(const ConvShape* shape, const float* dy, const uint64_t* x, int64_t first_bit, int64_t begin, int64_t end,
                      float* dw) noexcept {
  int64_t c = begin;
  for (; c + kTogether <= end; c += kTogether) weight_channels<kTogether>(*shape, dy, x, first_bit, c, dw);
  for (; c < end; ++c) weight_channels<1>(*shape, dy, x, first_bit, c, dw);
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
