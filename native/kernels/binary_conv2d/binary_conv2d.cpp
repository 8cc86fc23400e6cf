// Entry points: binary 2-D convolution and its gradients.
//
// Forward: an image's bits are transposed to [pixel][channel], so that a patch in the order (r, s, c) is put together from runs of channels; then
// y of an image is the product of the weights, in the same order, and the patches. A bit of padding is 0 in a patch, which the product counts as
// -1; what that gave is taken away again at the border.
#include "kernels/binary_conv2d/binary_conv2d.h"

#include <cstring>

#include "kernels/xnor_gemm/xnor_gemm.h"
#include "runtime/entry.h"

namespace {

using metaplast::bit_at;
using metaplast::ConvShape;
using metaplast::parallel_chunks;
using metaplast::present;

constexpr int64_t kBlockBytes = 8 << 20;  // of images worked on at a time
constexpr int64_t kLeastImages = 4;       // so that several threads have one
constexpr int64_t kSlice = 640;           // output positions of one product: a multiple of every panel
constexpr int64_t kTransposed = 512;      // rows and columns of a block of bits_transpose
constexpr int64_t kChannels = 8;          // channels of a task of the gradients

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t parts(int64_t n, int64_t part) { return (n + part - 1) / part; }
int64_t rounded(int64_t bytes) { return parts(bytes, 64) * 64; }

bool valid(const metaplast_conv2d_t& s) {
  return s.batch >= 0 && s.channels >= 0 && s.height >= 0 && s.width >= 0 && s.out_channels >= 0 && s.kernel_h > 0 && s.kernel_w > 0 &&
         s.stride_h > 0 && s.stride_w > 0 && s.pad_h >= 0 && s.pad_w >= 0 && s.dilation_h > 0 && s.dilation_w > 0 && s.groups > 0 &&
         s.channels % s.groups == 0 && s.out_channels % s.groups == 0;
}

// Parts of the workspace of the forward pass, in bytes.
struct ForwardLayout {
  explicit ForwardLayout(const ConvShape& g)
      : patch_words(metaplast_bit_row_words(g.patch)), pixel_words(metaplast_bit_row_words(g.channels)),
        channel_words(metaplast_bit_row_words(g.pixels)), weights(rounded(g.outs * patch_words * 8)), padding(rounded(g.outs * g.taps * 4)),
        channels(g.channels * channel_words * 8), pixels(g.pixels * pixel_words * 8), patches(g.positions * patch_words * 8),
        image(channels + pixels + patches) {}
  int64_t patch_words, pixel_words, channel_words;
  int64_t weights, padding;            // once
  int64_t channels, pixels, patches;   // of an image
  int64_t image;
};

int64_t images_at_once(const ConvShape& g, int64_t image_bytes) {
  const int64_t fitting = image_bytes == 0 ? g.batch : kBlockBytes / image_bytes;
  return smaller(g.batch, fitting < kLeastImages ? kLeastImages : fitting);
}

int64_t forward_bytes(const ConvShape& g) {
  const ForwardLayout layout(g);
  return layout.weights + layout.padding + images_at_once(g, layout.image) * layout.image;
}

// dw in the order [channel][tap][out], then dy of the images as [position][out].
int64_t sums_bytes(const ConvShape& g) { return rounded(g.channels * g.taps * g.group_outs * 4); }
int64_t transposed_bytes(const ConvShape& g) { return g.positions * g.outs * 4; }
int64_t grad_weight_bytes(const ConvShape& g) { return sums_bytes(g) + images_at_once(g, transposed_bytes(g)) * transposed_bytes(g); }

// Copies n bits; those of the target are 0 before.
void copy_bits(uint64_t* to, int64_t to_bit, const uint64_t* from, int64_t from_bit, int64_t n) {
  while (n > 0) {
    const int64_t count = smaller(n, 64);
    const int64_t shift = from_bit & 63;
    const uint64_t* source = from + (from_bit >> 6);
    uint64_t bits = source[0] >> shift;
    if (shift + count > 64) bits |= source[1] << (64 - shift);
    if (count < 64) bits &= (uint64_t{1} << count) - 1;
    const int64_t target_shift = to_bit & 63;
    uint64_t* target = to + (to_bit >> 6);
    target[0] |= bits << target_shift;
    if (target_shift + count > 64) target[1] |= bits >> (64 - target_shift);
    to_bit += count;
    from_bit += count;
    n -= count;
  }
}

// The weights of one output in the order (r, s, c), and for each tap what a padded pixel contributes to a product that takes its bits for -1.
void reorder_weights(const ConvShape& g, const uint64_t* w, uint64_t* ordered, int64_t words, int32_t* padding) {
  std::memset(ordered, 0, static_cast<size_t>(words) * 8);
  for (int64_t tap = 0; tap < g.taps; ++tap) {
    int64_t set = 0;
    for (int64_t c = 0; c < g.group_channels; ++c) {
      const uint64_t bit = bit_at(w, c * g.taps + tap);
      const int64_t i = tap * g.group_channels + c;
      ordered[i >> 6] |= bit << (i & 63);
      set += static_cast<int64_t>(bit);
    }
    padding[tap] = static_cast<int32_t>(g.group_channels - 2 * set);
  }
}

// bits [pixel][channel] of an image.
void transpose_image(const metaplast_context_t* context, const ConvShape& g, const ForwardLayout& layout, const uint64_t* x,
                     uint64_t* channels, uint64_t* pixels) {
  std::memset(channels, 0, static_cast<size_t>(layout.channels));
  for (int64_t c = 0; c < g.channels; ++c) copy_bits(channels + c * layout.channel_words, 0, x, c * g.pixels, g.pixels);
  for (int64_t c = 0; c < g.channels; c += kTransposed) {
    for (int64_t p = 0; p < g.pixels; p += kTransposed) {
      context->kernels.bits_transpose(smaller(kTransposed, g.channels - c), smaller(kTransposed, g.pixels - p),
                                      channels + c * layout.channel_words + p / 64, layout.channel_words,
                                      pixels + p * layout.pixel_words + c / 64, layout.pixel_words);
    }
  }
}

// Patches of output positions begin..end-1.
void gather_patches(const ConvShape& g, const ForwardLayout& layout, const uint64_t* pixels, int64_t group, int64_t begin, int64_t end,
                    uint64_t* patches) {
  for (int64_t p = begin; p < end; ++p) {
    uint64_t* patch = patches + p * layout.patch_words;
    std::memset(patch, 0, static_cast<size_t>(layout.patch_words) * 8);
    for (int64_t r = 0; r < g.kernel_h; ++r) {
      const int64_t h = g.row(p / g.out_w, r);
      if (!g.has_row(h)) continue;
      for (int64_t s = 0; s < g.kernel_w; ++s) {
        const int64_t column = g.column(p % g.out_w, s);
        if (!g.has_column(column)) continue;
        copy_bits(patch, (r * g.kernel_w + s) * g.group_channels, pixels + (h * g.width + column) * layout.pixel_words,
                  group * g.group_channels, g.group_channels);
      }
    }
  }
}

// Takes the share of padded pixels from y [outs][positions] of a group.
void remove_padding(const ConvShape& g, const int32_t* padding, int64_t begin, int64_t end, int32_t* y) {
  for (int64_t p = begin; p < end; ++p) {
    for (int64_t tap = 0; tap < g.taps; ++tap) {
      if (g.has_row(g.row(p / g.out_w, tap / g.kernel_w)) && g.has_column(g.column(p % g.out_w, tap % g.kernel_w))) continue;
      for (int64_t o = 0; o < g.group_outs; ++o) y[o * g.positions + p] -= padding[o * g.taps + tap];
    }
  }
}

}  // namespace

extern "C" {

int64_t metaplast_binary_conv2d_workspace_bytes(const metaplast_conv2d_t* shape) {
  if (shape == nullptr || !valid(*shape)) return 0;
  const ConvShape g(*shape);
  const int64_t forward = forward_bytes(g);
  const int64_t weight = grad_weight_bytes(g);
  return forward > weight ? forward : weight;
}

metaplast_status_t metaplast_binary_conv2d_i32(const metaplast_context_t* context, const metaplast_conv2d_t* shape, const uint64_t* x,
                                               const uint64_t* w, int32_t* y, void* workspace, int64_t workspace_bytes) {
  if (context == nullptr || shape == nullptr || !valid(*shape)) return METAPLAST_E_ARGUMENT;
  const ConvShape g(*shape);
  if (g.batch == 0 || g.outs == 0 || g.positions == 0) return METAPLAST_OK;
  const ForwardLayout layout(g);
  if (g.patch > INT32_MAX || !present(y, workspace) || (g.patch > 0 && w == nullptr) ||
      (g.channels > 0 && g.pixels > 0 && x == nullptr) || workspace_bytes < forward_bytes(g)) {
    return METAPLAST_E_ARGUMENT;
  }
  unsigned char* bytes = static_cast<unsigned char*>(workspace);
  uint64_t* weights = reinterpret_cast<uint64_t*>(bytes);
  int32_t* padding = reinterpret_cast<int32_t*>(bytes + layout.weights);
  unsigned char* images = bytes + layout.weights + layout.padding;
  parallel_chunks(context, g.outs, [=, &g, &layout](int64_t o) {
    reorder_weights(g, w + o * layout.patch_words, weights + o * layout.patch_words, layout.patch_words, padding + o * g.taps);
  });

  const int64_t x_words = metaplast_bit_row_words(g.channels * g.pixels);
  const int64_t most = images_at_once(g, layout.image);
  const int64_t slices = parts(g.positions, kSlice);
  for (int64_t first = 0; first < g.batch; first += most) {
    const int64_t here = smaller(most, g.batch - first);
    parallel_chunks(context, here, [=, &g, &layout](int64_t i) {
      unsigned char* image = images + i * layout.image;
      transpose_image(context, g, layout, x + (first + i) * x_words, reinterpret_cast<uint64_t*>(image),
                      reinterpret_cast<uint64_t*>(image + layout.channels));
    });
    parallel_chunks(context, here * slices, [=, &g, &layout](int64_t task) {
      const int64_t i = task / slices;
      const int64_t begin = task % slices * kSlice;
      const int64_t end = smaller(begin + kSlice, g.positions);
      unsigned char* image = images + i * layout.image;
      const uint64_t* pixels = reinterpret_cast<const uint64_t*>(image + layout.channels);
      uint64_t* patches = reinterpret_cast<uint64_t*>(image + layout.channels + layout.pixels);
      for (int64_t group = 0; group < g.groups; ++group) {
        const int64_t out = group * g.group_outs;
        int32_t* group_y = y + ((first + i) * g.outs + out) * g.positions;
        gather_patches(g, layout, pixels, group, begin, end, patches);
        const metaplast::XnorGemm product{g.group_outs, g.positions, g.patch, weights + out * layout.patch_words, patches,
                                          metaplast::XnorOutput::kInt32, group_y, g.positions, nullptr, nullptr, nullptr, nullptr};
        context->kernels.xnor_gemm(&product, 0, g.group_outs, begin, end);
        remove_padding(g, padding + out * g.taps, begin, end, group_y);
      }
    });
  }
  return METAPLAST_OK;
}

metaplast_status_t metaplast_binary_conv2d_grad_input_f32(const metaplast_context_t* context, const metaplast_conv2d_t* shape,
                                                          const float* dy, const uint64_t* w, float* dx, void*, int64_t) {
  if (context == nullptr || shape == nullptr || !valid(*shape)) return METAPLAST_E_ARGUMENT;
  const ConvShape g(*shape);
  if (g.batch == 0 || g.channels == 0 || g.pixels == 0) return METAPLAST_OK;
  if (dx == nullptr || (g.outs > 0 && g.positions > 0 && !present(dy, w))) return METAPLAST_E_ARGUMENT;
  const metaplast::FpEnvironment environment;
  const int64_t w_words = metaplast_bit_row_words(g.patch);
  const int64_t tasks = parts(g.group_channels, kChannels);
  parallel_chunks(context, g.batch * g.groups * tasks, [=, &g](int64_t task) {
    const int64_t n = task / (g.groups * tasks);
    const int64_t group = task / tasks % g.groups;
    const int64_t begin = task % tasks * kChannels;
    context->kernels.conv_grad_input(&g, dy + (n * g.outs + group * g.group_outs) * g.positions, w + group * g.group_outs * w_words, w_words,
                                     begin, smaller(begin + kChannels, g.group_channels),
                                     dx + (n * g.channels + group * g.group_channels) * g.pixels);
  });
  return METAPLAST_OK;
}

metaplast_status_t metaplast_binary_conv2d_grad_weight_f32(const metaplast_context_t* context, const metaplast_conv2d_t* shape,
                                                           const float* dy, const uint64_t* x, float* dw, void* workspace,
                                                           int64_t workspace_bytes) {
  if (context == nullptr || shape == nullptr || !valid(*shape)) return METAPLAST_E_ARGUMENT;
  const ConvShape g(*shape);
  if (g.outs == 0 || g.channels == 0) return METAPLAST_OK;
  const bool empty = g.batch == 0 || g.positions == 0;
  if (!present(dw, workspace) || workspace_bytes < grad_weight_bytes(g) || (!empty && (dy == nullptr || (g.pixels > 0 && x == nullptr)))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  float* sums = static_cast<float*>(workspace);
  float* transposed = reinterpret_cast<float*>(static_cast<unsigned char*>(workspace) + sums_bytes(g));
  for (int64_t i = 0; i < g.channels * g.taps * g.group_outs; ++i) sums[i] = 0.0f;

  const int64_t x_words = metaplast_bit_row_words(g.channels * g.pixels);
  const int64_t image = g.positions * g.outs;
  const int64_t most = images_at_once(g, transposed_bytes(g));
  const int64_t tasks = parts(g.group_channels, kChannels);
  for (int64_t first = 0; first < g.batch && !empty; first += most) {
    const int64_t here = smaller(most, g.batch - first);
    parallel_chunks(context, here, [=, &g](int64_t i) {
      const float* from = dy + (first + i) * image;
      float* to = transposed + i * image;
      // Sixteen columns at a time: whole cache lines on both sides.
      constexpr int64_t kColumns = 16;
      for (int64_t p = 0; p < g.positions; p += kColumns) {
        const int64_t end = smaller(p + kColumns, g.positions);
        for (int64_t o = 0; o < g.outs; ++o) {
          for (int64_t q = p; q < end; ++q) to[q * g.outs + o] = from[o * g.positions + q];
        }
      }
    });
    parallel_chunks(context, g.groups * tasks, [=, &g](int64_t task) {
      const int64_t group = task / tasks;
      const int64_t begin = task % tasks * kChannels;
      for (int64_t i = 0; i < here; ++i) {
        context->kernels.conv_grad_weight(&g, transposed + i * image + group * g.group_outs, x + (first + i) * x_words,
                                          group * g.group_channels * g.pixels, begin, smaller(begin + kChannels, g.group_channels),
                                          sums + group * g.group_channels * g.taps * g.group_outs);
      }
    });
  }
  for (int64_t o = 0; o < g.outs; ++o) {
    const float* from = sums + o / g.group_outs * g.patch * g.group_outs + o % g.group_outs;
    for (int64_t i = 0; i < g.patch; ++i) dw[o * g.patch + i] = from[i * g.group_outs];
  }
  return METAPLAST_OK;
}

}  // extern "C"
