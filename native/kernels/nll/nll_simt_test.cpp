#include <cmath>
#include <limits>

#include "shim/simt_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names

namespace {

struct Shape {
  int32_t samples, batch, classes;
};

constexpr Shape kShapes[] = {{1, 1, 1},  {1, 1, 2},  {10, 1, 10},  {3, 7, 10}, {17, 2, 33},
                             {40, 3, 5}, {2, 9, 31}, {1, 2, 1000}, {5, 0, 3},  {33, 1, 64}};

}  // namespace

METAPLAST_SIMT_TEST(nll_mean_log_softmax_f32) {
  for (const Shape& s : kShapes) {
    const int64_t n = static_cast<int64_t>(s.samples) * s.batch * s.classes;
    const std::vector<float> logits = metaplast::testing::uniform_values(static_cast<uint64_t>(n), n, -60.0f, 40.0f);
    std::vector<int32_t> labels(static_cast<size_t>(s.batch));
    for (size_t b = 0; b < labels.size(); ++b) labels[b] = static_cast<int32_t>(b * 7 % static_cast<size_t>(s.classes));
    for (int variant = 0; variant < 3; ++variant) {  // 0: no gradient, 1: gradient, 2: in place
      for_orders([&](int order, int64_t offset) {
        const std::string where = format("nll, K %d, B %d, C %d, variant %d, order %d", s.samples, s.batch, s.classes, variant, order);
        std::vector<float> x = logits, dx(logits.size()), item(static_cast<size_t>(s.batch)), loss(1, 3.0f);
        Device<float> d_x(x, offset), d_dx(dx, offset), d_item(item, offset), d_loss(loss, offset);
        Device<int32_t> d_labels(labels, offset);
        const float inverse = 1.0f / static_cast<float>(s.samples);
        check(metaplast_nll_mean_log_softmax_f32(cpu(), s.samples, s.batch, s.classes, x.data(), labels.data(), inverse, inverse,
                                                 item.data(), loss.data(),
                                                 variant == 0   ? nullptr
                                                 : variant == 1 ? dx.data()
                                                                : x.data()) == METAPLAST_OK,
              "%s: CPU", where.c_str());
        check(metaplast_nll_mean_log_softmax_f32_cuda(cuda(), s.samples, s.batch, s.classes, d_x.data(), d_labels.data(), inverse, inverse,
                                                      d_item.data(), d_loss.data(),
                                                      variant == 0   ? nullptr
                                                      : variant == 1 ? d_dx.data()
                                                                     : d_x.data(),
                                                      nullptr) == METAPLAST_OK,
              "%s: CUDA", where.c_str());
        expect_same(item, &d_item, "item_loss", where);
        expect_same(loss, &d_loss, "loss", where);
        expect_same(x, &d_x, "logits", where);
        expect_same(dx, &d_dx, "dlogits", where);
      });
    }
  }
  // More items than a chunk of R16 has elements.
  {
    const int32_t batch = 4100;
    const std::vector<float> x = metaplast::testing::uniform_values(3, 2 * batch, -3.0f, 3.0f);
    const std::vector<int32_t> labels(batch, 1);
    std::vector<float> item(batch), loss(1);
    Device<float> d_x(x), d_item(item), d_loss(loss);
    Device<int32_t> d_labels(labels);
    check(metaplast_nll_mean_log_softmax_f32(cpu(), 1, batch, 2, x.data(), labels.data(), 1, 1, item.data(), loss.data(), nullptr) ==
              METAPLAST_OK,
          "CPU");
    check(metaplast_nll_mean_log_softmax_f32_cuda(cuda(), 1, batch, 2, d_x.data(), d_labels.data(), 1, 1, d_item.data(), d_loss.data(),
                                                  nullptr, nullptr) == METAPLAST_OK,
          "CUDA");
    expect_same(item, &d_item, "item_loss", "large batch");
    expect_same(loss, &d_loss, "loss", "large batch");
  }
  // A label outside the classes, and a NaN among the logits, give NaN.
  Device<float> x(std::vector<float>{1, 2, std::numeric_limits<float>::quiet_NaN(), 4, 1, 2, 3, 4}), item(std::vector<float>(2)),
      loss(std::vector<float>(1));
  Device<int32_t> labels(std::vector<int32_t>{1, 4});
  check(metaplast_nll_mean_log_softmax_f32_cuda(cuda(), 1, 2, 4, x.data(), labels.data(), 1, 1, item.data(), loss.data(), nullptr,
                                                nullptr) == METAPLAST_OK,
        "status");
  check(std::isnan(item.values()[0]) && std::isnan(item.values()[1]) && std::isnan(loss.values()[0]), "NaN");
}
