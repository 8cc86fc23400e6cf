#include <cmath>

#include "metaplast/kfac.h"
#include "shim/bit_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::mixed_values;
using metaplast::testing::positive_values;
using metaplast::testing::uniform_values;

namespace {

std::vector<float> values(int order, uint64_t seed, int64_t n) {
  return order % 3 == 0 ? mixed_values(seed, n + 1) : uniform_values(seed, n + 1, -2.0f, 3.0f);
}
std::string where(const char* kernel, const MatrixShape& s, int order) {
  return format("%s %lld x %lld, order %d", kernel, static_cast<long long>(s.rows), static_cast<long long>(s.cols), order);
}

}  // namespace

METAPLAST_SIMT_TEST(matrix_combine_f32) {
  for (const MatrixShape& s : matrix_shapes()) {
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("matrix_combine", s, order);
      const int64_t ldx = s.cols + order % 2, ldy = s.cols + order % 4 / 2, ldo = order % 5 == 4 ? ldx : s.cols + order % 2;
      Both<float> x(values(order, 1, s.rows * ldx), offset), y(values(order, 2, s.rows * ldy), offset), out(values(1, 3, s.rows * ldo), offset);
      const bool in_place = order % 5 == 4, two = order % 4 != 1;
      check(metaplast_matrix_combine_f32(cpu(), s.rows, s.cols, 0.7f, x.cpu(), ldx, -1.3f, two ? y.cpu() : nullptr, ldy,
                                         in_place ? x.cpu() : out.cpu(), ldo) == METAPLAST_OK,
            "%s: CPU", at.c_str());
      check(metaplast_matrix_combine_f32_cuda(cuda(), s.rows, s.cols, 0.7f, x.gpu(), ldx, -1.3f, two ? y.gpu() : nullptr, ldy,
                                              in_place ? x.gpu() : out.gpu(), ldo, nullptr) == METAPLAST_OK,
            "%s: CUDA", at.c_str());
      x.expect_same_on_both("x", at);
      out.expect_same_on_both("out", at);
    });
  }
}

METAPLAST_SIMT_TEST(matrix_elements_f32) {
  for (const MatrixShape& s : matrix_shapes()) {
    if (s.rows * s.cols > 20000) continue;
    for (int32_t operation = METAPLAST_ELEMENT_SQUARE; operation <= METAPLAST_ELEMENT_DIVIDE; ++operation) {
      for_orders([&](int order, int64_t offset) {
        if (s.rows * s.cols > 1000 && order > 2) return;
        const std::string at = where("matrix_elements", s, order) + format(", operation %d", operation);
        const int64_t ld = s.cols + order % 3;
        // A denominator that is not positive in one case of four.
        const float shift = order % 4 == 3 ? -1.0f : 0.5f;
        Both<float> row(positive_values(5, s.rows + 1), offset), column(positive_values(6, s.cols + 1), offset);
        Both<float> d(positive_values(7, s.rows * ld + 1), offset), t(values(order, 8, s.rows * ld), offset);
        int64_t count = -1;
        Device<int64_t> seen({-1});
        check(metaplast_matrix_elements_f32(cpu(), operation, s.rows, s.cols, row.cpu(), column.cpu(), d.cpu(), ld, shift, t.cpu(), ld, &count) ==
                  METAPLAST_OK,
              "%s: CPU", at.c_str());
        check(metaplast_matrix_elements_f32_cuda(cuda(), operation, s.rows, s.cols, row.gpu(), column.gpu(), d.gpu(), ld, shift, t.gpu(), ld,
                                                 seen.data(), nullptr) == METAPLAST_OK,
              "%s: CUDA", at.c_str());
        t.expect_same_on_both("t", at);
        expect_same(std::vector<int64_t>{count}, &seen, "not_positive", at);
      });
    }
  }
}

METAPLAST_SIMT_TEST(matrix_traces_f32) {
  for_orders([&](int order, int64_t offset) {
    // More than a table of a launch holds.
    std::vector<std::unique_ptr<Both<float>>> data;
    std::vector<metaplast_matrix_t> host, device;
    for (int i = 0; i < 70; ++i) {
      const MatrixShape s = matrix_shapes()[static_cast<size_t>(i) % matrix_shapes().size()];
      if (s.rows * s.cols > 20000) continue;
      data.emplace_back(new Both<float>(values(order, static_cast<uint64_t>(i + 1), s.rows * (s.cols + 1)), offset));
      host.push_back({data.back()->cpu(), s.rows, s.cols, s.cols + 1});
      device.push_back({data.back()->gpu(), s.rows, s.cols, s.cols + 1});
    }
    const int64_t count = static_cast<int64_t>(host.size());
    Both<double> traces(std::vector<double>(host.size(), 7.0));
    check(metaplast_matrix_traces_f32(cpu(), count, host.data(), traces.cpu()) == METAPLAST_OK, "traces: CPU");
    check(metaplast_matrix_traces_f32_cuda(cuda(), count, device.data(), traces.gpu(), nullptr) == METAPLAST_OK, "traces: CUDA");
    const std::vector<double> seen = traces.device.values();
    for (size_t i = 0; i < seen.size(); ++i) {
      check(seen[i] == traces.host[i] || (std::isnan(seen[i]) && std::isnan(traces.host[i])), "trace %zu is %.17g, the CPU has %.17g", i, seen[i],
            traces.host[i]);
    }
  });
}

// The order of the sum is the backend's own: double, so bounded by the absolute terms.
METAPLAST_SIMT_TEST(inner_products_f32) {
  for_orders([&](int order, int64_t offset) {
    std::vector<std::unique_ptr<Both<float>>> data;
    std::vector<metaplast_matrix_t> x, y;
    double expected = 0, absolute = 0;
    int64_t elements = 0;
    for (const MatrixShape& s : {MatrixShape{3, 5}, {0, 5}, {2, 4097}, {1, 9000}, {65, 33}, {9, 1}}) {
      for (int side = 0; side < 2; ++side) {
        data.emplace_back(new Both<float>(uniform_values(static_cast<uint64_t>(order * 20 + side), s.rows * (s.cols + 1) + 1, -1.0f, 1.5f), offset));
        (side == 0 ? x : y).push_back({data.back()->gpu(), s.rows, s.cols, s.cols + 1});
      }
      for (int64_t r = 0; r < s.rows; ++r) {
        for (int64_t c = 0; c < s.cols; ++c) {
          const double term = static_cast<double>(x.back().data[r * (s.cols + 1) + c]) * static_cast<double>(y.back().data[r * (s.cols + 1) + c]);
          expected += term;
          absolute += std::fabs(term);
        }
      }
      elements += s.rows * s.cols;
    }
    const int64_t count = static_cast<int64_t>(x.size()), bytes = metaplast_inner_products_workspace_bytes_cuda(count, x.data());
    Device<double> sum({-1.0}), space(std::vector<double>(static_cast<size_t>(bytes / 8)));
    check(metaplast_inner_products_f32_cuda(cuda(), count, x.data(), y.data(), sum.data(), space.data(), bytes, nullptr) == METAPLAST_OK,
          "inner_products: CUDA");
    check(std::fabs(sum.values()[0] - expected) <= static_cast<double>(elements) * 2.3e-16 * absolute, "inner_products: %.17g, expected %.17g",
          sum.values()[0], expected);
    Device<double> none({-1.0}), little({0.0});
    check(metaplast_inner_products_f32_cuda(cuda(), 0, nullptr, nullptr, none.data(), little.data(), 8, nullptr) == METAPLAST_OK &&
              none.values()[0] == 0.0,
          "inner_products of nothing");
  });
}
