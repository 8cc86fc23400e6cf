#include <string>

#include "testing/matrices.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

int64_t out_size(int32_t size, int32_t kernel, int32_t stride, int32_t pad, int32_t dilation) {
  const int32_t last = size + 2 * pad - dilation * (kernel - 1) - 1;
  return last < 0 ? 0 : last / stride + 1;
}

// Operands and results of a shape, by the loops of the contract.
struct Case {
  explicit Case(const metaplast_conv2d_t& s)
      : shape(s), ho(out_size(s.height, s.kernel_h, s.stride_h, s.pad_h, s.dilation_h)),
        wo(out_size(s.width, s.kernel_w, s.stride_w, s.pad_w, s.dilation_w)), group_channels(s.channels / s.groups),
        group_outs(s.out_channels / s.groups), pixels(static_cast<int64_t>(s.height) * s.width),
        x(random_bits(1, s.batch, s.channels * pixels)), w(random_bits(2, s.out_channels, group_channels * s.kernel_h * s.kernel_w)),
        dy(mixed_values(3, s.batch * s.out_channels * ho * wo)), y(dy.size()), dx(static_cast<size_t>(s.batch * s.channels * pixels)),
        dw(static_cast<size_t>(s.out_channels * w.cols)) {
    for (int64_t n = 0; n < s.batch; ++n) {
      for (int64_t o = 0; o < s.out_channels; ++o) {
        for (int64_t p = 0; p < ho * wo; ++p) {
          int32_t sum = 0;
          for (int64_t i = 0; i < w.cols; ++i) {
            int64_t pixel;
            if (inside(p, i, &pixel)) sum += x.get(n, channel(o, i) * pixels + pixel) == w.get(o, i) ? 1 : -1;
          }
          y[static_cast<size_t>((n * s.out_channels + o) * ho * wo + p)] = sum;
        }
      }
    }
    gradients();
  }

  int64_t taps() const { return static_cast<int64_t>(shape.kernel_h) * shape.kernel_w; }
  int64_t channel(int64_t o, int64_t i) const { return o / group_outs * group_channels + i / taps(); }
  float dy_at(int64_t n, int64_t o, int64_t p) const { return dy[static_cast<size_t>((n * shape.out_channels + o) * ho * wo + p)]; }

  // The pixel under weight i at output position p, if it is none of the padding.
  bool inside(int64_t p, int64_t i, int64_t* pixel) const {
    const int64_t r = i % taps() / shape.kernel_w, s = i % shape.kernel_w;
    const int64_t h = p / wo * shape.stride_h - shape.pad_h + r * shape.dilation_h;
    const int64_t c = p % wo * shape.stride_w - shape.pad_w + s * shape.dilation_w;
    *pixel = h * shape.width + c;
    return h >= 0 && h < shape.height && c >= 0 && c < shape.width;
  }

  void gradients() {
    for (int64_t n = 0; n < shape.batch; ++n) {
      for (int64_t c = 0; c < shape.channels; ++c) {
        const int64_t first = c / group_channels * group_outs;
        for (int64_t tap = 0; tap < taps(); ++tap) {
          const int64_t i = c % group_channels * taps() + tap;
          for (int64_t p = 0; p < ho * wo; ++p) {
            int64_t pixel;
            if (group_outs == 0 || !inside(p, i, &pixel)) continue;
            float t = w.get(first, i) ? dy_at(n, first, p) : -dy_at(n, first, p);
            for (int64_t o = first + 1; o < first + group_outs; ++o) t = t + (w.get(o, i) ? dy_at(n, o, p) : -dy_at(n, o, p));
            float& sum = dx[static_cast<size_t>((n * shape.channels + c) * pixels + pixel)];
            sum = sum + t;
          }
        }
      }
      for (int64_t o = 0; o < shape.out_channels; ++o) {
        for (int64_t i = 0; i < w.cols; ++i) {
          float& sum = dw[static_cast<size_t>(o * w.cols + i)];
          for (int64_t p = 0; p < ho * wo; ++p) {
            int64_t pixel;
            if (!inside(p, i, &pixel)) continue;
            sum = sum + (x.get(n, channel(o, i) * pixels + pixel) ? dy_at(n, o, p) : -dy_at(n, o, p));
          }
        }
      }
    }
  }

  void check(int32_t threads, bool at_end) const {
    const int64_t bytes = metaplast_binary_conv2d_workspace_bytes(&shape);
    expect(bytes > 0 && bytes % 8 == 0, "workspace of %lld bytes", static_cast<long long>(bytes));
    for (int32_t tier : tiers_and_variants()) {
      for (int32_t t = 1; t <= threads; ++t) {
        const Context context(tier, t);
        const std::string where = std::string(tier_name(tier)) + ", " + std::to_string(t) + " threads, " + name();
        GuardedArray<uint64_t> workspace(stale_words(static_cast<size_t>(bytes / 8)), at_end);
        GuardedArray<uint64_t> bits(x.words, at_end), weights(w.words, at_end);
        GuardedArray<float> grads(dy, at_end);
        {
          GuardedArray<int32_t> out(std::vector<int32_t>(y.size(), kStale), at_end);
          const metaplast_status_t status = metaplast_binary_conv2d_i32(context, &shape, bits, weights, out, workspace, bytes);
          expect(status == METAPLAST_OK && out.holds(y), "forward, %s: status %d", where.c_str(), status);
        }
        {
          GuardedArray<float> out(std::vector<float>(dx.size(), kStale), at_end);
          const metaplast_status_t status =
              metaplast_binary_conv2d_grad_input_f32(context, &shape, grads, weights, out, workspace, bytes);
          expect(status == METAPLAST_OK && equal_bits(out.values(), dx) && out.gaps_intact(), "grad_input, %s: status %d", where.c_str(),
                 status);
        }
        {
          GuardedArray<float> out(std::vector<float>(dw.size(), kStale), at_end);
          const metaplast_status_t status = metaplast_binary_conv2d_grad_weight_f32(context, &shape, grads, bits, out, workspace, bytes);
          expect(status == METAPLAST_OK && equal_bits(out.values(), dw) && out.gaps_intact(), "grad_weight, %s: status %d", where.c_str(),
                 status);
        }
        expect(bits.holds(x.words) && weights.holds(w.words) && grads.holds(dy) && workspace.gaps_intact(), "operands, %s", where.c_str());
      }
    }
  }

  std::string name() const {
    std::string text;
    const int32_t* values = &shape.batch;
    for (int i = 0; i < 14; ++i) text += std::to_string(values[i]) + (i < 13 ? " " : "");
    return text;
  }

  static constexpr int32_t kStale = 77777;
  metaplast_conv2d_t shape;
  int64_t ho, wo, group_channels, group_outs, pixels;
  BitRows x, w;
  std::vector<float> dy;
  std::vector<int32_t> y;
  std::vector<float> dx, dw;
};

void check_arguments() {
  const Context context(METAPLAST_TIER_AVX512, 1);
  const metaplast_conv2d_t good = {1, 2, 3, 3, 2, 3, 3, 1, 1, 1, 1, 1, 1, 1};
  const int64_t bytes = metaplast_binary_conv2d_workspace_bytes(&good);
  std::vector<uint64_t> workspace(static_cast<size_t>(bytes / 8));
  uint64_t x[8] = {}, w[16] = {};
  int32_t y[18];
  float f[36] = {};
  expect(metaplast_binary_conv2d_i32(context, &good, x, w, y, workspace.data(), bytes) == METAPLAST_OK, "a sound call");
  expect(metaplast_binary_conv2d_i32(context, &good, x, w, y, workspace.data(), 8) == METAPLAST_E_ARGUMENT, "workspace too small");
  expect(metaplast_binary_conv2d_i32(context, &good, x, nullptr, y, workspace.data(), bytes) == METAPLAST_E_ARGUMENT, "no weights");
  expect(metaplast_binary_conv2d_grad_input_f32(context, &good, f, nullptr, f, workspace.data(), bytes) == METAPLAST_E_ARGUMENT,
         "grad_input without weights");
  expect(metaplast_binary_conv2d_grad_weight_f32(context, &good, f, x, f, workspace.data(), 8) == METAPLAST_E_ARGUMENT,
         "grad_weight, workspace too small");
  for (int field = 0; field < 14; ++field) {
    metaplast_conv2d_t bad = good;
    (&bad.batch)[field] = -1;
    expect(metaplast_binary_conv2d_i32(context, &bad, x, w, y, workspace.data(), bytes) == METAPLAST_E_ARGUMENT &&
               metaplast_binary_conv2d_workspace_bytes(&bad) == 0,
           "field %d negative", field);
  }
  metaplast_conv2d_t uneven = good;
  uneven.groups = 3;
  expect(metaplast_binary_conv2d_i32(context, &uneven, x, w, y, workspace.data(), bytes) == METAPLAST_E_ARGUMENT, "groups do not divide");
  metaplast_conv2d_t empty = good;
  empty.batch = 0;
  expect(metaplast_binary_conv2d_i32(context, &empty, nullptr, nullptr, nullptr, nullptr, 0) == METAPLAST_OK, "no images");
  // No image lies under the weights: their gradient is 0, not left alone.
  for (float& value : f) value = 5.0f;
  expect(metaplast_binary_conv2d_grad_weight_f32(context, &empty, nullptr, nullptr, f, workspace.data(), bytes) == METAPLAST_OK &&
             f[0] == 0.0f && f[35] == 0.0f,
         "gradient of no images");
}

}  // namespace

int main() {
  //                batch C H W O kh kw sh sw ph pw dh dw groups
  const metaplast_conv2d_t small[] = {
      {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1},    {2, 2, 4, 4, 2, 3, 3, 1, 1, 1, 1, 1, 1, 1},
      {1, 1, 3, 3, 2, 2, 2, 1, 1, 0, 0, 1, 1, 1},    {3, 5, 7, 6, 9, 3, 2, 2, 1, 1, 0, 1, 2, 1},
      {2, 6, 5, 9, 4, 3, 3, 1, 2, 2, 3, 2, 1, 2},    {2, 8, 6, 6, 8, 3, 3, 1, 1, 1, 1, 1, 1, 8},
      {1, 64, 8, 8, 16, 3, 3, 1, 1, 1, 1, 1, 1, 1},  {1, 130, 3, 5, 7, 1, 1, 1, 1, 0, 0, 1, 1, 1},
      {5, 3, 2, 2, 4, 4, 4, 1, 1, 1, 1, 1, 1, 1},    {1, 12, 13, 13, 20, 4, 4, 1, 1, 1, 1, 1, 1, 1},
      {1, 4, 9, 9, 300, 2, 2, 3, 3, 0, 0, 3, 3, 1},  {2, 3, 2, 3, 4, 5, 5, 1, 1, 4, 4, 1, 1, 1},
      {1, 96, 4, 4, 70, 3, 3, 1, 1, 2, 2, 1, 1, 2},
  };
  for (const metaplast_conv2d_t& shape : small) {
    const Case expected(shape);
    expected.check(1, false);
    expected.check(1, true);
  }
  if (!sparse()) {
    Case({9, 20, 28, 30, 17, 3, 3, 1, 1, 1, 1, 1, 1, 1}).check(4, true);
    Case({1, 3, 50, 40, 5, 5, 3, 1, 1, 2, 1, 1, 1, 1}).check(4, false);
  }
  check_arguments();
  return finish("binary_conv2d_test");
}
