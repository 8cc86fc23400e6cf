// What the three kernels of the binary convolution share; meanings as in metaplast/binary.h.
#ifndef METAPLAST_KERNELS_BINARY_CONV2D_H_
#define METAPLAST_KERNELS_BINARY_CONV2D_H_

#include "metaplast/binary.h"
#include "runtime/math/lanes.h"

namespace metaplast {

struct ConvShape {
  METAPLAST_HD explicit ConvShape(const metaplast_conv2d_t& s) noexcept
      : batch(s.batch), channels(s.channels), height(s.height), width(s.width), outs(s.out_channels), kernel_h(s.kernel_h),
        kernel_w(s.kernel_w), stride_h(s.stride_h), stride_w(s.stride_w), pad_h(s.pad_h), pad_w(s.pad_w), dilation_h(s.dilation_h),
        dilation_w(s.dilation_w), groups(s.groups), group_channels(channels / groups), group_outs(outs / groups),
        out_h(out_size(height, kernel_h, stride_h, pad_h, dilation_h)), out_w(out_size(width, kernel_w, stride_w, pad_w, dilation_w)),
        pixels(height * width), positions(out_h * out_w), taps(kernel_h * kernel_w), patch(group_channels * taps) {}

  static METAPLAST_HD int64_t out_size(int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation) noexcept {
    const int64_t last = size + 2 * pad - dilation * (kernel - 1) - 1;
    return last < 0 ? 0 : last / stride + 1;
  }
  // Row and column of the image under tap (r, s) at an output position; outside of the image for padding.
  METAPLAST_HD int64_t row(int64_t out_row, int64_t r) const noexcept { return out_row * stride_h - pad_h + r * dilation_h; }
  METAPLAST_HD int64_t column(int64_t out_column, int64_t s) const noexcept { return out_column * stride_w - pad_w + s * dilation_w; }
  METAPLAST_HD bool has_row(int64_t h) const noexcept { return h >= 0 && h < height; }
  METAPLAST_HD bool has_column(int64_t w) const noexcept { return w >= 0 && w < width; }

  int64_t batch, channels, height, width, outs, kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, groups;
  int64_t group_channels, group_outs, out_h, out_w, pixels, positions, taps, patch;
};

// Bit i of a row of bits.
METAPLAST_HD uint64_t bit_at(const uint64_t* row, int64_t i) noexcept { return row[i >> 6] >> (i & 63) & 1; }

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_BINARY_CONV2D_H_
