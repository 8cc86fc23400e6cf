#include <limits>

#include "shim/bit_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::mixed_values;
using metaplast::testing::positive_values;
using metaplast::testing::uniform_values;

METAPLAST_SIMT_TEST(binary_ewc_consolidate_f32) {
  for (const MatrixShape& s : matrix_shapes()) {
    const int64_t n = s.rows * s.cols;
    for_orders([&](int order, int64_t offset) {
      const std::string at =
          format("binary_ewc_consolidate %lldx%lld, order %d", static_cast<long long>(s.rows), static_cast<long long>(s.cols), order);
      Both<uint64_t> bits(random_bits(101, s.rows, s.cols), offset);
      Both<float> fisher(mixed_values(102, n), offset), total(positive_values(103, n), offset), target(mixed_values(104, n), offset);
      check(metaplast_binary_ewc_consolidate_f32(cpu(), s.rows, s.cols, bits.cpu(), fisher.cpu(), total.cpu(), target.cpu()) == METAPLAST_OK,
            "%s: CPU", at.c_str());
      check(metaplast_binary_ewc_consolidate_f32_cuda(cuda(), s.rows, s.cols, bits.gpu(), fisher.gpu(), total.gpu(), target.gpu(), nullptr) ==
                METAPLAST_OK,
            "%s: CUDA", at.c_str());
      total.expect_same_on_both("total", at);
      target.expect_same_on_both("target", at);
    });
  }
}

METAPLAST_SIMT_TEST(binary_ewc_grad_f32) {
  for (const MatrixShape& s : matrix_shapes()) {
    const int64_t n = s.rows * s.cols;
    for_orders([&](int order, int64_t offset) {
      const std::string at =
          format("binary_ewc_grad %lldx%lld, order %d", static_cast<long long>(s.rows), static_cast<long long>(s.cols), order);
      Both<uint64_t> bits(random_bits(105, s.rows, s.cols), offset);
      Both<float> total(positive_values(106, n), offset), target(mixed_values(107, n), offset), g(mixed_values(108, n), offset);
      check(metaplast_binary_ewc_grad_f32(cpu(), s.rows, s.cols, bits.cpu(), total.cpu(), target.cpu(), 5000.0f, g.cpu()) == METAPLAST_OK,
            "%s: CPU", at.c_str());
      check(metaplast_binary_ewc_grad_f32_cuda(cuda(), s.rows, s.cols, bits.gpu(), total.gpu(), target.gpu(), 5000.0f, g.gpu(), nullptr) ==
                METAPLAST_OK,
            "%s: CUDA", at.c_str());
      g.expect_same_on_both("g", at);
    });
  }
}

METAPLAST_SIMT_TEST(relaxed_sign_sample_f32) {
  const std::vector<std::vector<float>> arrays = {mixed_values(111, 4200), std::vector<float>(4200)};
  const auto on_cpu = [](int64_t n, const std::vector<float*>& x) {
    return metaplast_relaxed_sign_sample_f32(cpu(), 99, 3, 7, n, x[0], 2.0f, x[1]);
  };
  const auto on_cuda = [](int64_t n, const std::vector<float*>& x) {
    return metaplast_relaxed_sign_sample_f32_cuda(cuda(), 99, 3, 7, n, x[0], 2.0f, x[1], nullptr);
  };
  check_flat("relaxed_sign_sample", arrays, on_cpu, on_cuda);
}

METAPLAST_SIMT_TEST(bimu_step_f32) {
  const std::vector<float> l = mixed_values(112, 4200), g = mixed_values(113, 4200);
  std::vector<float> closed(4200, 0.0f);
  closed[3] = std::numeric_limits<float>::quiet_NaN();
  const auto once = [&](int64_t n, const std::vector<float>& gradient, bool gated, bool reports, int order, int64_t offset) {
    const std::string at = format("bimu_step, n %lld, gated %d, order %d", static_cast<long long>(n), gated, order);
    Both<float> lambda(std::vector<float>(l.begin(), l.begin() + n), offset);
    Both<float> grad(std::vector<float>(gradient.begin(), gradient.begin() + n), offset);
    Both<int64_t> report(std::vector<int64_t>(METAPLAST_REPORT_WORDS, 5));
    const float rate = 4.9f, inverse_rate_max = 1.0f / 0.0023f;
    check(metaplast_bimu_step_f32(cpu(), n, lambda.cpu(), grad.cpu(), rate, inverse_rate_max, 161.3f, 3.76f, 1.0f / 700.0f, gated,
                                  gated || reports ? report.cpu() : nullptr) == METAPLAST_OK,
          "%s: CPU", at.c_str());
    check(metaplast_bimu_step_f32_cuda(cuda(), n, lambda.gpu(), grad.gpu(), rate, inverse_rate_max, 161.3f, 3.76f, 1.0f / 700.0f, gated,
                                       gated || reports ? report.gpu() : nullptr, nullptr) == METAPLAST_OK,
          "%s: CUDA", at.c_str());
    lambda.expect_same_on_both("lambda", at);
    report.expect_same_on_both("report", at);
  };
  for (int64_t n = 0; n <= 1030; ++n) once(n, g, n % 2 == 0, n % 3 == 0, static_cast<int>(n % kOrders), n / 7 % 4);
  for (int64_t n : {5, 700, 2047, 4100}) {
    for_orders([&](int order, int64_t offset) {
      once(n, closed, true, true, order, offset);
      std::vector<float> open = closed;
      open[static_cast<size_t>(n) - 1] = -1e-40f;
      once(n, open, true, true, order, offset);
    });
  }
  check(metaplast_bimu_step_f32_cuda(cuda(), 0, nullptr, nullptr, 1, 1, 1, 1, 1, 1, nullptr, nullptr) == METAPLAST_E_ARGUMENT,
        "gated without a report");
}

METAPLAST_SIMT_TEST(bayes_binn_step_f32) {
  const std::vector<float> l = uniform_values(114, 4200, -3.0f, 3.0f), mom = mixed_values(115, 4200);
  const std::vector<float> w = uniform_values(116, 4 * 4200, -1.0f, 1.0f), g = mixed_values(117, 4 * 4200);
  const auto once = [&](int64_t n, int32_t samples, int order, int64_t offset) {
    const std::string at = format("bayes_binn_step, n %lld, K %d, order %d", static_cast<long long>(n), samples, order);
    const auto cut = [](const std::vector<float>& x, int64_t length) { return std::vector<float>(x.begin(), x.begin() + length); };
    Both<float> lambda(cut(l, n), offset), moment(cut(mom, n), offset), weights(cut(w, n * samples), offset),
        gradients(cut(g, n * samples), offset);
    check(metaplast_bayes_binn_step_f32(cpu(), n, samples, lambda.cpu(), moment.cpu(), weights.cpu(), gradients.cpu(), 100.0f, 600.0f, 0.1f,
                                        0.5f, 0.9f, 0.1f, 1e-3f) == METAPLAST_OK,
          "%s: CPU", at.c_str());
    check(metaplast_bayes_binn_step_f32_cuda(cuda(), n, samples, lambda.gpu(), moment.gpu(), weights.gpu(), gradients.gpu(), 100.0f, 600.0f,
                                             0.1f, 0.5f, 0.9f, 0.1f, 1e-3f, nullptr) == METAPLAST_OK,
          "%s: CUDA", at.c_str());
    lambda.expect_same_on_both("lambda", at);
    moment.expect_same_on_both("momentum", at);
  };
  for (int64_t n = 0; n <= 1030; ++n) once(n, static_cast<int32_t>(1 + n % 4), static_cast<int>(n % kOrders), n / 7 % 4);
  for (int64_t n : {2048, 4095}) {
    for_orders([&](int order, int64_t offset) { once(n, 3, order, offset); });
  }
}
