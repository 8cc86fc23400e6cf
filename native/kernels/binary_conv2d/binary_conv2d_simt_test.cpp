#include "shim/bit_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::mixed_values;
using metaplast::testing::uniform_values;

namespace {

// batch, channels, height, width, out channels, kernel, stride, pad, dilation (each height, width), groups
constexpr metaplast_conv2d_t kShapes[] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1}, {2, 3, 5, 7, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1},  {1, 65, 4, 4, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1},
    {3, 2, 6, 5, 70, 2, 3, 2, 1, 0, 1, 1, 1, 1}, {2, 6, 7, 7, 9, 3, 2, 2, 3, 2, 0, 2, 1, 3}, {1, 128, 5, 5, 66, 3, 3, 1, 1, 1, 1, 1, 1, 2},
    {2, 12, 9, 9, 20, 4, 4, 1, 1, 1, 1, 1, 1, 1}, {1, 4, 3, 3, 2, 5, 5, 1, 1, 0, 0, 1, 1, 1}, {2, 8, 6, 6, 8, 3, 3, 1, 1, 1, 1, 1, 1, 8},
    {0, 3, 4, 4, 2, 3, 3, 1, 1, 1, 1, 1, 1, 1}};

int64_t along(int32_t size, int32_t pad, int32_t dilation, int32_t kernel, int32_t stride) {
  const int32_t room = size + 2 * pad - dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

struct Case {
  explicit Case(const metaplast_conv2d_t& shape, int64_t offset)
      : c(shape),
        pixels(c.channels * c.height * c.width),
        patch(c.channels / c.groups * c.kernel_h * c.kernel_w),
        positions(along(c.height, c.pad_h, c.dilation_h, c.kernel_h, c.stride_h) * along(c.width, c.pad_w, c.dilation_w, c.kernel_w, c.stride_w)),
        outputs(c.batch * c.out_channels * positions),
        x(random_bits(121, c.batch, pixels), offset),
        w(random_bits(122, c.out_channels, patch), offset),
        cpu_workspace(static_cast<size_t>(metaplast_binary_conv2d_workspace_bytes(&c)) / 8 + 1),
        cuda_bytes(metaplast_binary_conv2d_workspace_bytes_cuda(&c)),
        cuda_workspace(std::vector<uint64_t>(static_cast<size_t>(cuda_bytes / 8), 0xA5A5A5A5A5A5A5A5u)) {}

  int64_t cpu_bytes() const { return static_cast<int64_t>(cpu_workspace.size()) * 8; }

  metaplast_conv2d_t c;
  int64_t pixels, patch, positions, outputs;
  Both<uint64_t> x, w;
  std::vector<uint64_t> cpu_workspace;
  int64_t cuda_bytes;
  Device<uint64_t> cuda_workspace;
};

std::string where(const char* kernel, const metaplast_conv2d_t& c, int order) {
  return format("%s, shape %zd (%d channels, %d groups), order %d", kernel, &c - kShapes, c.channels, c.groups, order);
}

std::vector<float> values(uint64_t seed, int64_t n, int order) {
  return order % 2 == 0 ? uniform_values(seed, n, -3.0f, 3.0f) : mixed_values(seed, n);
}

}  // namespace

METAPLAST_SIMT_TEST(binary_conv2d_i32) {
  for (const metaplast_conv2d_t& shape : kShapes) {
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("binary_conv2d", shape, order);
      Case t(shape, offset);
      Both<int32_t> y(std::vector<int32_t>(static_cast<size_t>(t.outputs), 77), offset);
      check(metaplast_binary_conv2d_i32(cpu(), &t.c, t.x.cpu(), t.w.cpu(), y.cpu(), t.cpu_workspace.data(), t.cpu_bytes()) == METAPLAST_OK,
            "%s: CPU", at.c_str());
      check(metaplast_binary_conv2d_i32_cuda(cuda(), &t.c, t.x.gpu(), t.w.gpu(), y.gpu(), t.cuda_workspace.data(), t.cuda_bytes, nullptr) ==
                METAPLAST_OK,
            "%s: CUDA", at.c_str());
      y.expect_same_on_both("y", at);
    });
  }
  metaplast_conv2d_t bad = kShapes[1];
  bad.groups = 2;
  check(metaplast_binary_conv2d_i32_cuda(cuda(), &bad, nullptr, nullptr, nullptr, nullptr, 0, nullptr) == METAPLAST_E_ARGUMENT,
        "groups that do not divide the channels");
}

METAPLAST_SIMT_TEST(binary_conv2d_grad_input_f32) {
  for (const metaplast_conv2d_t& shape : kShapes) {
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("binary_conv2d_grad_input", shape, order);
      Case t(shape, offset);
      Both<float> dy(values(123, t.outputs, order), offset), dx(std::vector<float>(static_cast<size_t>(t.c.batch * t.pixels), 7.0f), offset);
      check(metaplast_binary_conv2d_grad_input_f32(cpu(), &t.c, dy.cpu(), t.w.cpu(), dx.cpu(), t.cpu_workspace.data(), t.cpu_bytes()) ==
                METAPLAST_OK,
            "%s: CPU", at.c_str());
      check(metaplast_binary_conv2d_grad_input_f32_cuda(cuda(), &t.c, dy.gpu(), t.w.gpu(), dx.gpu(), t.cuda_workspace.data(), t.cuda_bytes,
                                                        nullptr) == METAPLAST_OK,
            "%s: CUDA", at.c_str());
      dx.expect_same_on_both("dx", at);
    });
  }
}

METAPLAST_SIMT_TEST(binary_conv2d_grad_weight_f32) {
  for (const metaplast_conv2d_t& shape : kShapes) {
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("binary_conv2d_grad_weight", shape, order);
      Case t(shape, offset);
      Both<float> dy(values(124, t.outputs, order), offset);
      Both<float> dw(std::vector<float>(static_cast<size_t>(t.c.out_channels * t.patch), 7.0f), offset);
      check(metaplast_binary_conv2d_grad_weight_f32(cpu(), &t.c, dy.cpu(), t.x.cpu(), dw.cpu(), t.cpu_workspace.data(), t.cpu_bytes()) ==
                METAPLAST_OK,
            "%s: CPU", at.c_str());
      check(metaplast_binary_conv2d_grad_weight_f32_cuda(cuda(), &t.c, dy.gpu(), t.x.gpu(), dw.gpu(), t.cuda_workspace.data(), t.cuda_bytes,
                                                         nullptr) == METAPLAST_OK,
            "%s: CUDA", at.c_str());
      dw.expect_same_on_both("dw", at);
    });
  }
}
