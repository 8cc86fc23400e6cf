#include "kernels/binary_conv2d/binary_conv2d_simt.cuh"

#include "runtime/cuda/row_groups.h"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::ceil_div;
using metaplast::cuda_runtime::Launcher;

bool valid_shape(const metaplast_conv2d_t* c) {
  return c != nullptr && c->batch >= 0 && c->channels >= 0 && c->height >= 0 && c->width >= 0 && c->out_channels >= 0 && c->kernel_h >= 1 &&
         c->kernel_w >= 1 && c->stride_h >= 1 && c->stride_w >= 1 && c->pad_h >= 0 && c->pad_w >= 0 && c->dilation_h >= 1 &&
         c->dilation_w >= 1 && c->groups >= 1 && c->channels % c->groups == 0 && c->out_channels % c->groups == 0;
}

int64_t positions_along(int64_t size, int64_t pad, int64_t dilation, int64_t kernel, int64_t stride) {
  const int64_t room = size + 2 * pad - dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

simt::ConvShape shape_of(const metaplast_conv2d_t& c) {
  simt::ConvShape s = {};
  s.c = c;
  s.group_channels = c.channels / c.groups;
  s.group_outputs = c.out_channels / c.groups;
  s.channel_words = ceil_div(s.group_channels, 64);
  s.out_height = positions_along(c.height, c.pad_h, c.dilation_h, c.kernel_h, c.stride_h);
  s.out_width = positions_along(c.width, c.pad_w, c.dilation_w, c.kernel_w, c.stride_w);
  s.positions = s.out_height * s.out_width;
  s.taps = static_cast<int64_t>(c.kernel_h) * c.kernel_w;
  return s;
}

int64_t x_words(const simt::ConvShape& s) {
  return static_cast<int64_t>(s.c.batch) * s.c.height * s.c.width * s.c.groups * s.channel_words;
}
int64_t w_words(const simt::ConvShape& s) { return s.c.out_channels * s.taps * s.channel_words; }

void repack(Launcher* launcher, int64_t outer, int64_t groups, int64_t group_channels, int64_t inner, const uint64_t* bits, uint64_t* out) {
  using Kernel = simt::ChannelsInnermost;
  const int64_t words = outer * groups * ceil_div(group_channels, 64) * inner;
  launcher->run<Kernel>(ceil_div(words, Kernel::kThreads), 1, Kernel::kThreads, 0, {outer, groups, group_channels, inner, bits, out});
}
void repack_x(Launcher* launcher, const simt::ConvShape& s, const uint64_t* x, uint64_t* out) {
  repack(launcher, s.c.batch, s.c.groups, s.group_channels, static_cast<int64_t>(s.c.height) * s.c.width, x, out);
}
void repack_w(Launcher* launcher, const simt::ConvShape& s, const uint64_t* w, uint64_t* out) {
  repack(launcher, s.c.out_channels, 1, s.group_channels, s.taps, w, out);
}

}  // namespace

extern "C" int64_t metaplast_binary_conv2d_workspace_bytes_cuda(const metaplast_conv2d_t* shape) {
  if (!valid_shape(shape)) return 0;
  const simt::ConvShape s = shape_of(*shape);
  return 8 * (x_words(s) + w_words(s));
}

extern "C" metaplast_status_t metaplast_binary_conv2d_i32_cuda(metaplast_cuda_context_t* context, const metaplast_conv2d_t* shape,
                                                               const uint64_t* x, const uint64_t* w, int32_t* y, void* workspace,
                                                               int64_t workspace_bytes, void* stream) {
  using Kernel = simt::BinaryConv2d;
  const int64_t bytes = metaplast_binary_conv2d_workspace_bytes_cuda(shape);
  if (!valid_shape(shape) || workspace_bytes < bytes || (bytes > 0 && workspace == nullptr)) return METAPLAST_E_ARGUMENT;
  const simt::ConvShape s = shape_of(*shape);
  Launcher launcher(context, "binary_conv2d", stream);
  uint64_t* packed_x = static_cast<uint64_t*>(workspace);
  uint64_t* packed_w = packed_x + x_words(s);
  repack_x(&launcher, s, x, packed_x);
  repack_w(&launcher, s, w, packed_w);
  const int64_t position_tiles = ceil_div(s.c.batch * s.positions, simt::kTileSide);
  launcher.run<Kernel>(position_tiles * ceil_div(s.group_outputs, simt::kTileSide), s.c.groups, Kernel::kThreads, Kernel::kSharedBytes,
                       {s, position_tiles, packed_x, packed_w, y});
  return launcher.status();
}

extern "C" metaplast_status_t metaplast_binary_conv2d_grad_input_f32_cuda(metaplast_cuda_context_t* context,
                                                                          const metaplast_conv2d_t* shape, const float* dy,
                                                                          const uint64_t* w, float* dx, void* workspace,
                                                                          int64_t workspace_bytes, void* stream) {
  using Kernel = simt::BinaryConv2dGradInput;
  const int64_t bytes = metaplast_binary_conv2d_workspace_bytes_cuda(shape);
  if (!valid_shape(shape) || workspace_bytes < bytes || (bytes > 0 && workspace == nullptr)) return METAPLAST_E_ARGUMENT;
  const simt::ConvShape s = shape_of(*shape);
  Launcher launcher(context, "binary_conv2d_grad_input", stream);
  uint64_t* packed_w = static_cast<uint64_t*>(workspace);
  repack_w(&launcher, s, w, packed_w);
  const int64_t channel_blocks = ceil_div(s.group_channels, Kernel::kChannels);
  launcher.run<Kernel>(ceil_div(static_cast<int64_t>(s.c.batch) * s.c.height * s.c.width, Kernel::kThreads), channel_blocks * s.c.groups,
                       Kernel::kThreads, 0, {s, channel_blocks, dy, packed_w, dx});
  return launcher.status();
}

extern "C" metaplast_status_t metaplast_binary_conv2d_grad_weight_f32_cuda(metaplast_cuda_context_t* context,
                                                                           const metaplast_conv2d_t* shape, const float* dy,
                                                                           const uint64_t* x, float* dw, void* workspace,
                                                                           int64_t workspace_bytes, void* stream) {
  using Kernel = simt::BinaryConv2dGradWeight;
  const int64_t bytes = metaplast_binary_conv2d_workspace_bytes_cuda(shape);
  if (!valid_shape(shape) || workspace_bytes < bytes || (bytes > 0 && workspace == nullptr)) return METAPLAST_E_ARGUMENT;
  const simt::ConvShape s = shape_of(*shape);
  Launcher launcher(context, "binary_conv2d_grad_weight", stream);
  uint64_t* packed_x = static_cast<uint64_t*>(workspace);
  repack_x(&launcher, s, x, packed_x);
  const int64_t channel_blocks = ceil_div(s.group_channels, Kernel::kChannels);
  launcher.run<Kernel>(ceil_div(s.c.out_channels * s.taps * channel_blocks, Kernel::kThreads), 1, Kernel::kThreads, 0,
                       {s, channel_blocks, dy, packed_x, dw});
  return launcher.status();
}
