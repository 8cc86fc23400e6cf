// Convolution of signs, and its gradients. Contracts: metaplast/binary.h.
#ifndef METAPLAST_KERNELS_BINARY_CONV2D_SIMT_CUH_
#define METAPLAST_KERNELS_BINARY_CONV2D_SIMT_CUH_

#include "metaplast/binary.h"
#include "runtime/cuda/bit_matrix.h"

namespace metaplast {
namespace simt {

// A convolution with what follows from its shape. Both operands are repacked with the channels of a group innermost, 64 to a word:
// x [batch][height*width][groups][channel words], w [out_channels][kernel_h*kernel_w][channel words].
struct ConvShape {
  metaplast_conv2d_t c;
  int64_t group_channels, group_outputs, channel_words;
  int64_t out_height, out_width, positions, taps;  // positions of one image, taps = kernel_h*kernel_w
};

// Where tap (r, s) of an output position reads; false outside of the image.
METAPLAST_DEVICE bool input_of(const ConvShape& s, int64_t position, int tap, int64_t* pixel) {
  const int64_t ho = position / s.out_width, wo = position - ho * s.out_width;
  const int r = tap / s.c.kernel_w;
  const int64_t h = ho * s.c.stride_h - s.c.pad_h + r * static_cast<int64_t>(s.c.dilation_h);
  const int64_t w = wo * s.c.stride_w - s.c.pad_w + (tap - r * s.c.kernel_w) * static_cast<int64_t>(s.c.dilation_w);
  *pixel = h * s.c.width + w;
  return h >= 0 && h < s.c.height && w >= 0 && w < s.c.width;
}

// Words of `outer` rows of bits [channels][inner], to [outer][inner][words of a group's channels]. A thread a word.
struct ChannelsInnermost {
  static constexpr int kThreads = 256;

  struct Args {
    int64_t outer, groups, group_channels, inner;
    const uint64_t* bits;
    uint64_t* out;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const int64_t words = (a.group_channels + 63) / 64;
    // Threads that follow each other take inner positions that do, whose bits lie in the same words.
    int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    const int64_t inner = i % a.inner;
    i /= a.inner;
    const int64_t word = i % words;
    i /= words;
    const int64_t group = i % a.groups, row = i / a.groups;
    if (row >= a.outer) return;
    const int64_t row_words = bit_row_words(a.groups * a.group_channels * a.inner);
    const int64_t rest = a.group_channels - word * 64;
    uint64_t packed = 0;
    for (int c = 0; c < 64 && c < rest; ++c) {
      const int64_t channel = group * a.group_channels + word * 64 + c;
      packed |= static_cast<uint64_t>(bit_at(a.bits, row_words, row, channel * a.inner + inner) ? 1 : 0) << c;
    }
    a.out[((row * a.inner + inner) * a.groups + group) * words + word] = packed;
  }
};

// 64 output channels by 64 positions of the batch, all of one group (blockIdx.y). Eight words of the patches at a time; words outside of the
// image have a zero mask.
struct BinaryConv2d {
  static constexpr int kThreads = kTileThreads;
  static constexpr int kWords = 8;
  static constexpr int kPitch = kTileSide + 2;
  static constexpr size_t kSharedBytes = 3 * kWords * kPitch * sizeof(uint64_t);

  struct Args {
    ConvShape s;
    int64_t position_tiles;
    const uint64_t *x, *w;
    int32_t* y;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const ConvShape& s = a.s;
    uint64_t* w_words = shared_memory<uint64_t>();
    uint64_t* x_words = w_words + kWords * kPitch;
    uint64_t* masks = x_words + kWords * kPitch;
    const int64_t group = blockIdx.y;
    const int64_t output_tile = blockIdx.x / a.position_tiles;
    const int64_t first_output = output_tile * kTileSide;
    const int64_t first_position = (blockIdx.x - output_tile * a.position_tiles) * kTileSide;
    const int64_t all_positions = s.c.batch * s.positions;
    const int64_t patch_words = s.taps * s.channel_words;
    unsigned differ[4][4] = {};
    for (int64_t word = 0; word < patch_words; word += kWords) {
      __syncthreads();
      METAPLAST_UNROLL
      for (int h = 0; h < 2; ++h) {
        const int r = static_cast<int>(threadIdx.x / 8) + 32 * h, k = static_cast<int>(threadIdx.x & 7);
        const int64_t output = first_output + r, position = first_position + r;
        const int tap = static_cast<int>((word + k) / s.channel_words);
        const int64_t channel_word = word + k - tap * s.channel_words;
        uint64_t w_word = 0, x_word = 0, mask = 0;
        if (tap < s.taps && output < s.group_outputs) {
          w_word = a.w[((group * s.group_outputs + output) * s.taps + tap) * s.channel_words + channel_word];
        }
        int64_t pixel = 0;
        if (tap < s.taps && position < all_positions && input_of(s, position % s.positions, tap, &pixel)) {
          const int64_t pixels = static_cast<int64_t>(s.c.height) * s.c.width;
          x_word = a.x[((position / s.positions * pixels + pixel) * s.c.groups + group) * s.channel_words + channel_word];
          mask = ~uint64_t{0};
        }
        w_words[k * kPitch + r] = w_word;
        x_words[k * kPitch + r] = x_word;
        masks[k * kPitch + r] = mask;
      }
      __syncthreads();
      METAPLAST_UNROLL_BY(2)
      for (int k = 0; k < kWords; ++k) {
        uint64_t w[4], x[4], mask[4];
        METAPLAST_UNROLL
        for (int i = 0; i < 4; ++i) {
          w[i] = w_words[k * kPitch + tile_y() + 16 * i];
          x[i] = x_words[k * kPitch + tile_x() + 16 * i];
          mask[i] = masks[k * kPitch + tile_x() + 16 * i];
        }
        METAPLAST_UNROLL
        for (int i = 0; i < 4; ++i) {
          METAPLAST_UNROLL
          for (int j = 0; j < 4; ++j) differ[i][j] += static_cast<unsigned>(__popcll((w[i] ^ x[j]) & mask[j]));
        }
      }
    }
    METAPLAST_UNROLL
    for (int j = 0; j < 4; ++j) {
      const int64_t position = first_position + tile_x() + 16 * j;
      if (position >= all_positions) continue;
      const int64_t image = position / s.positions, within = position - image * s.positions;
      unsigned inside = 0;
      int64_t pixel = 0;
      for (int tap = 0; tap < s.taps; ++tap) inside += input_of(s, within, tap, &pixel) ? 1 : 0;
      const unsigned valid = inside * static_cast<unsigned>(s.group_channels);
      METAPLAST_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int64_t output = first_output + tile_y() + 16 * i;
        if (output < s.group_outputs) {
          a.y[(image * s.c.out_channels + group * s.group_outputs + output) * s.positions + within] =
              static_cast<int32_t>(valid - 2 * differ[i][j]);
        }
      }
    }
  }
};

// A thread has kChannels channels of one pixel, so that it reads a gradient once for all of them.
struct BinaryConv2dGradInput {
  static constexpr int kThreads = 128;
  static constexpr int kChannels = 16;

  struct Args {
    ConvShape s;
    int64_t channel_blocks;  // of a group
    const float* dy;
    const uint64_t* w;
    float* dx;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const ConvShape& s = a.s;
    const int64_t pixels = static_cast<int64_t>(s.c.height) * s.c.width;
    const int64_t pixel_of_batch = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    if (pixel_of_batch >= s.c.batch * pixels) return;
    const int64_t image = pixel_of_batch / pixels, pixel = pixel_of_batch - image * pixels;
    const int64_t h = pixel / s.c.width, w = pixel - h * s.c.width;
    const int64_t group = blockIdx.y / a.channel_blocks;
    const int64_t first = (blockIdx.y - group * a.channel_blocks) * kChannels;
    const float* dy = a.dy + (image * s.c.out_channels + group * s.group_outputs) * s.positions;
    float sum[kChannels];
    METAPLAST_UNROLL
    for (int c = 0; c < kChannels; ++c) sum[c] = 0.0f;
    for (int tap = 0; tap < s.taps; ++tap) {
      const int r = tap / s.c.kernel_w;
      const int64_t down = h + s.c.pad_h - r * static_cast<int64_t>(s.c.dilation_h);
      const int64_t across = w + s.c.pad_w - (tap - r * s.c.kernel_w) * static_cast<int64_t>(s.c.dilation_w);
      if (down < 0 || across < 0 || down % s.c.stride_h != 0 || across % s.c.stride_w != 0) continue;
      const int64_t ho = down / s.c.stride_h, wo = across / s.c.stride_w;
      if (ho >= s.out_height || wo >= s.out_width) continue;
      float term[kChannels];
      METAPLAST_UNROLL
      for (int c = 0; c < kChannels; ++c) term[c] = -0.0f;  // the first output added to -0 is that output
      for (int64_t o = 0; o < s.group_outputs; ++o) {
        const float d = dy[o * s.positions + ho * s.out_width + wo];
        const uint64_t word = a.w[((group * s.group_outputs + o) * s.taps + tap) * s.channel_words + first / 64];
        const uint32_t minus = ~static_cast<uint32_t>(word >> (first & 63));
        METAPLAST_UNROLL
        for (int c = 0; c < kChannels; ++c) term[c] = add(term[c], negate_if(d, minus >> c << 31));
      }
      METAPLAST_UNROLL
      for (int c = 0; c < kChannels; ++c) sum[c] = add(sum[c], term[c]);
    }
    float* dx = a.dx + (image * s.c.channels + group * s.group_channels + first) * pixels + pixel;
    METAPLAST_UNROLL
    for (int c = 0; c < kChannels; ++c) {
      if (first + c < s.group_channels) dx[c * pixels] = sum[c];
    }
  }
};

// A thread has kChannels channels of one tap of one output channel. Every sum is one chain over the batch, as the order says; what runs side by
// side are the weights.
struct BinaryConv2dGradWeight {
  static constexpr int kThreads = 64;
  static constexpr int kChannels = 8;

  struct Args {
    ConvShape s;
    int64_t channel_blocks;
    const float* dy;
    const uint64_t* x;
    float* dw;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const ConvShape& s = a.s;
    int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    const int64_t block = i % a.channel_blocks;
    i /= a.channel_blocks;
    const int tap = static_cast<int>(i % s.taps);
    const int64_t output = i / s.taps;
    if (output >= s.c.out_channels) return;
    const int64_t group = output / s.group_outputs, first = block * kChannels;
    const int r = tap / s.c.kernel_w;
    const int64_t down = r * static_cast<int64_t>(s.c.dilation_h) - s.c.pad_h;
    const int64_t across = (tap - r * s.c.kernel_w) * static_cast<int64_t>(s.c.dilation_w) - s.c.pad_w;
    float sum[kChannels];
    METAPLAST_UNROLL
    for (int c = 0; c < kChannels; ++c) sum[c] = 0.0f;
    for (int64_t image = 0; image < s.c.batch; ++image) {
      const float* dy = a.dy + (image * s.c.out_channels + output) * s.positions;
      for (int64_t ho = 0; ho < s.out_height; ++ho) {
        const int64_t h = ho * s.c.stride_h + down;
        if (h < 0 || h >= s.c.height) continue;
        const uint64_t* x = a.x + (image * s.c.height + h) * s.c.width * s.c.groups * s.channel_words + group * s.channel_words + first / 64;
        for (int64_t wo = 0; wo < s.out_width; ++wo) {
          const int64_t w = wo * s.c.stride_w + across;
          if (w < 0 || w >= s.c.width) continue;
          const float d = dy[ho * s.out_width + wo];
          const uint32_t minus = ~static_cast<uint32_t>(x[w * s.c.groups * s.channel_words] >> (first & 63));
          METAPLAST_UNROLL
          for (int c = 0; c < kChannels; ++c) sum[c] = add(sum[c], negate_if(d, minus >> c << 31));
        }
      }
    }
    METAPLAST_UNROLL
    for (int c = 0; c < kChannels; ++c) {
      if (first + c < s.group_channels) a.dw[(output * s.group_channels + first + c) * s.taps + tap] = sum[c];
    }
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_BINARY_CONV2D_SIMT_CUH_
