#include <limits>

#include "shim/tensor_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::mixed_values;
using metaplast::testing::positive_values;
using metaplast::testing::uniform_values;

namespace {

struct Shape {
  int32_t out, in, samples;
};

// Rows that begin inside a Philox block, rows of several pieces and chunks, more rows than a block takes, degenerate ones.
constexpr Shape kShapes[] = {{1, 1, 1},    {3, 1, 2},    {2, 3, 3},   {5, 4, 1},  {3, 5, 4},  {10, 50, 10}, {7, 33, 9},
                             {40, 31, 8},  {65, 8, 3},   {2, 15, 1},  {2, 16, 1}, {2, 17, 2}, {1, 1024, 1}, {2, 1030, 1},
                             {3, 1365, 2}, {1, 4096, 1}, {4, 784, 3}, {0, 5, 2},  {5, 0, 2},  {1, 4100, 1}, {1, 9000, 2}};

std::vector<float> first(const std::vector<float>& values, int64_t n) { return std::vector<float>(values.begin(), values.begin() + n); }

}  // namespace

METAPLAST_SIMT_TEST(linear_forward_batch1_f32) {
  const std::vector<float> mus = uniform_values(1, 20000, -1, 1), sigmas = positive_values(2, 20000), xs = mixed_values(3, 20000);
  for (const Shape& s : kShapes) {
    const int64_t weights = static_cast<int64_t>(s.out) * s.in, outputs = static_cast<int64_t>(s.out) * s.samples;
    for (int variant = 0; variant < 8; ++variant) {
      const bool relu = (variant & 1) != 0, stored = (variant & 2) != 0, shared = (variant & 4) != 0;
      for_orders([&](int order, int64_t offset) {
        const std::string where = format("linear_forward, %d x %d, K %d, variant %d, order %d", s.out, s.in, s.samples, variant, order);
        const std::vector<float> mu = first(mus, weights), sigma = first(sigmas, weights),
                                 x = first(xs, shared ? s.in : int64_t{s.in} * s.samples);
        std::vector<float> eps(static_cast<size_t>(weights * s.samples)), y(static_cast<size_t>(outputs));
        Device<float> d_mu(mu, offset), d_sigma(sigma, offset), d_x(x, offset * 2 % 4), d_eps(eps, offset), d_y(y, offset);
        const int64_t stride = shared ? 0 : s.in;
        check(metaplast_linear_forward_batch1_f32(cpu(), s.out, s.in, 5, mu.data(), sigma.data(), x.data(), stride, s.samples, 99, 7, relu,
                                                  stored ? eps.data() : nullptr, y.data()) == METAPLAST_OK,
              "%s: CPU", where.c_str());
        check(metaplast_linear_forward_batch1_f32_cuda(cuda(), s.out, s.in, 5, d_mu.data(), d_sigma.data(), d_x.data(), stride, s.samples,
                                                       99, 7, relu, stored ? d_eps.data() : nullptr, d_y.data(), nullptr) == METAPLAST_OK,
              "%s: CUDA", where.c_str());
        expect_same(y, &d_y, "y", where);
        expect_same(eps, &d_eps, "eps", where);
      });
    }
  }
}

METAPLAST_SIMT_TEST(linear_step_batch1_f32) {
  const std::vector<float> mus = uniform_values(1, 20000, -1, 1), sigmas = positive_values(2, 20000),
                           lows = uniform_values(3, 20000, -1e-8f, 1e-8f);
  const std::vector<float> xs = mixed_values(4, 20000), deltas = uniform_values(5, 2000, -1, 1), actives = mixed_values(6, 2000);
  const std::vector<float> epsilons = uniform_values(7, 40000, -3, 3);
  for (const Shape& s : kShapes) {
    const int64_t weights = static_cast<int64_t>(s.out) * s.in, outputs = static_cast<int64_t>(s.out) * s.samples;
    int which = 0;
    for (int32_t rule : {METAPLAST_RULE_MESU, METAPLAST_RULE_MESU_RATIO, METAPLAST_RULE_BGD}) {
      for (int variant = 0; variant < 64; ++variant, ++which) {
        const bool limits = (variant & 1) != 0, compensated = (variant & 2) != 0, stored = (variant & 4) != 0, shared = (variant & 8) != 0,
                   masked = (variant & 16) != 0, with_dx = (variant & 32) != 0;
        if (compensated && rule != METAPLAST_RULE_MESU) continue;
        const auto once = [&](int order, int64_t offset) {
          const std::string where =
              format("linear_step, %d x %d, K %d, rule %d, variant %d, order %d", s.out, s.in, s.samples, rule, variant, order);
          std::vector<float> mu = first(mus, weights), sigma = first(sigmas, weights), low = first(lows, weights);
          std::vector<float> x = first(xs, shared ? s.in : int64_t{s.in} * s.samples), delta = first(deltas, outputs),
                             active = first(actives, outputs);
          if (!masked) {
            // Infinities and NaN of x must not come through where delta is 0; elsewhere they must.
            for (size_t i = 0; i < delta.size(); i += 3) delta[i] = i % 2 == 0 ? 0.0f : -0.0f;
          }
          const std::vector<float> eps = first(epsilons, weights * s.samples);
          std::vector<float> dx(static_cast<size_t>(s.in) * static_cast<size_t>(s.samples), 3.0f);
          std::vector<int64_t> report(METAPLAST_REPORT_WORDS, 5);
          Device<float> d_mu(mu, offset), d_sigma(sigma, offset), d_low(low, offset), d_x(x, offset), d_delta(delta, 1),
              d_active(active, 2), d_eps(eps, offset), d_dx(dx, offset);
          Device<int64_t> d_report(report);
          const metaplast_rule_row_t row = rule_row(rule, limits);
          const int64_t stride = shared ? 0 : s.in;
          check(metaplast_linear_step_batch1_f32(cpu(), rule, s.out, s.in, 5, mu.data(), sigma.data(), compensated ? low.data() : nullptr,
                                                 x.data(), stride, delta.data(), masked ? active.data() : nullptr, s.samples,
                                                 stored ? eps.data() : nullptr, 99, 7, &row, with_dx ? dx.data() : nullptr,
                                                 report.data()) == METAPLAST_OK,
                "%s: CPU", where.c_str());
          check(metaplast_linear_step_batch1_f32_cuda(cuda(), rule, s.out, s.in, 5, d_mu.data(), d_sigma.data(),
                                                      compensated ? d_low.data() : nullptr, d_x.data(), stride, d_delta.data(),
                                                      masked ? d_active.data() : nullptr, s.samples, stored ? d_eps.data() : nullptr, 99, 7,
                                                      &row, with_dx ? d_dx.data() : nullptr, d_report.data(), nullptr) == METAPLAST_OK,
                "%s: CUDA", where.c_str());
          expect_same(mu, &d_mu, "mu", where);
          expect_same(sigma, &d_sigma, "sigma", where);
          expect_same(low, &d_low, "low", where);
          expect_same(dx, &d_dx, "dx", where);
          expect_same(report, &d_report, "report", where);
        };
        once(which % kOrders, which % 4);
        if (rule == METAPLAST_RULE_MESU && with_dx && (s.in == 50 || s.in == 31)) for_orders(once);
      }
    }
  }
}
