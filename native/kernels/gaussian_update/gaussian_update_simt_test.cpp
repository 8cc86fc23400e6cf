#include <limits>

#include "shim/tensor_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::mixed_values;
using metaplast::testing::positive_values;
using metaplast::testing::uniform_values;

namespace {

constexpr int32_t kRules[] = {METAPLAST_RULE_MESU, METAPLAST_RULE_MESU_RATIO, METAPLAST_RULE_BGD};

// What varies beside shapes and orders.
struct Variant {
  int32_t rule;
  bool limits, bf16, compensated, per_tensor, gated;
};

std::vector<Variant> variants() {
  std::vector<Variant> result;
  for (int32_t rule : kRules) {
    for (int bits = 0; bits < 32; ++bits) {
      const Variant v{rule, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0};
      if (v.compensated && rule != METAPLAST_RULE_MESU) continue;
      if (v.limits && rule == METAPLAST_RULE_BGD) continue;
      result.push_back(v);
    }
  }
  return result;
}

std::vector<metaplast_rule_row_t> rows_of(const Variant& v, size_t tensors) {
  std::vector<metaplast_rule_row_t> rows(v.per_tensor ? tensors : 1, rule_row(v.rule, v.limits));
  for (size_t t = 0; t < rows.size(); ++t) rows[t].rate_mean *= 1.0f + 0.1f * static_cast<float>(t % 5);
  return rows;
}

struct State {
  State(const std::vector<int64_t>& counts, int64_t offset)
      : mu(counts, 1, offset, mixed_values(1, 8192)),
        sigma(counts, 1, offset + 1, positive_values(2, 8192)),
        low(counts, 1, offset + 2, uniform_values(3, 8192, -1e-8f, 1e-8f)),
        host_report(METAPLAST_REPORT_WORDS, 5),
        report(host_report) {}

  void expect_same_as_host(const std::string& where) {
    mu.expect_same_as_host("mu", where);
    sigma.expect_same_as_host("sigma", where);
    low.expect_same_as_host("low", where);
    expect_same(host_report, &report, "report", where);
  }

  Tensors<float> mu, sigma, low;
  std::vector<int64_t> host_report;
  Device<int64_t> report;
};

void check_update(const std::vector<int64_t>& counts, const Variant& v, const std::vector<float>& gradients, int order, int64_t offset) {
  const int32_t tensors = static_cast<int32_t>(counts.size());
  const std::string where = format("gaussian_update, %d tensors, rule %d, limits %d, bf16 %d, low %d, per tensor %d, gated %d, order %d",
                                   tensors, v.rule, v.limits, v.bf16, v.compensated, v.per_tensor, v.gated, order);
  State s(counts, offset);
  Tensors<float> gm(counts, 1, offset, gradients), gs(counts, 1, offset + 3, std::vector<float>(gradients.rbegin(), gradients.rend()));
  Tensors<uint16_t> gm16(counts, 1, offset, bf16_of(gradients)), gs16(counts, 1, offset + 1, bf16_of(gradients));
  const std::vector<metaplast_rule_row_t> rows = rows_of(v, counts.size());
  const int32_t type = v.bf16 ? METAPLAST_BF16 : METAPLAST_F32;
  check(metaplast_gaussian_update_f32(cpu(), v.rule, tensors, counts.data(), s.mu.host(), s.sigma.host(),
                                      v.compensated ? s.low.host() : nullptr, v.bf16 ? gm16.host_untyped() : gm.host_untyped(),
                                      v.bf16 ? gs16.host_untyped() : gs.host_untyped(), type, rows.data(), v.per_tensor, v.gated,
                                      s.host_report.data()) == METAPLAST_OK,
        "%s: CPU", where.c_str());
  check(metaplast_gaussian_update_f32_cuda(cuda(), v.rule, tensors, counts.data(), s.mu.device(), s.sigma.device(),
                                           v.compensated ? s.low.device() : nullptr, v.bf16 ? gm16.device_untyped() : gm.device_untyped(),
                                           v.bf16 ? gs16.device_untyped() : gs.device_untyped(), type, rows.data(), v.per_tensor, v.gated,
                                           s.report.data(), nullptr) == METAPLAST_OK,
        "%s: CUDA", where.c_str());
  s.expect_same_as_host(where);
}

}  // namespace

METAPLAST_SIMT_TEST(gaussian_update_f32) {
  const std::vector<float> ordinary = uniform_values(11, 8192, -2.0f, 2.0f), mixed = mixed_values(12, 8192);
  for (const std::vector<int64_t>& counts : networks()) {
    int which = 0;
    for (const Variant& v : variants()) {
      // Every variant with every network; the orders in turn, and all of them for two networks.
      const std::vector<float>& gradients = which % 3 == 0 ? mixed : ordinary;
      check_update(counts, v, gradients, which % kOrders, which % 4);
      if (counts.size() == 6 || counts == std::vector<int64_t>{1025}) {
        for_orders([&](int order, int64_t offset) { check_update(counts, v, gradients, order, offset); });
      }
      ++which;
    }
  }
  // A closed gate: zeros and NaN do not open it, one gradient in the last tensor does.
  std::vector<float> closed(8192, 0.0f);
  closed[3] = -0.0f;
  closed[7] = std::numeric_limits<float>::quiet_NaN();
  const Variant gated{METAPLAST_RULE_MESU, false, false, false, false, true};
  for_orders([&](int order, int64_t offset) {
    check_update({5, 700, 11}, gated, closed, order, offset);
    std::vector<float> open = closed;
    open[5 + 700 + 10] = -1e-40f;
    check_update({5, 700, 11}, gated, open, order, offset);
  });
  const metaplast_rule_row_t row = rule_row(METAPLAST_RULE_MESU, false);
  check(metaplast_gaussian_update_f32_cuda(cuda(), METAPLAST_RULE_MESU, 0, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                                           METAPLAST_F32, &row, 0, 1, nullptr, nullptr) == METAPLAST_E_ARGUMENT,
        "gated without a report");
  check(metaplast_gaussian_update_f32_cuda(cuda(), 3, 0, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, METAPLAST_F32, &row, 0, 0,
                                           nullptr, nullptr) == METAPLAST_E_ARGUMENT,
        "unknown rule");
}

METAPLAST_SIMT_TEST(gaussian_update_from_samples_f32) {
  const std::vector<float> gradients = uniform_values(21, 65536, -2.0f, 2.0f), epsilon = uniform_values(22, 65536, -3.0f, 3.0f);
  const std::vector<uint16_t> gradients_bf16 = bf16_of(gradients);
  const std::vector<float> zeros(65536);
  for (const std::vector<int64_t>& counts : networks()) {
    const int32_t tensors = static_cast<int32_t>(counts.size());
    const std::vector<uint32_t> numbers = tensor_numbers(counts.size());
    int which = 0;
    for (const Variant& v : variants()) {
      const bool stored = v.gated;  // there is no gate here; the flag chooses where epsilon comes from
      const int32_t samples = which % 3 == 0 ? 1 : 4, next_samples = which % 4 == 0 ? 0 : which % 4 == 1 ? 1 : 3;
      const auto once = [&](int order, int64_t offset) {
        const std::string where = format(
            "update_from_samples, %d tensors, rule %d, limits %d, bf16 %d, low %d, per tensor %d, stored %d, K %d, next %d, order %d",
            tensors, v.rule, v.limits, v.bf16, v.compensated, v.per_tensor, stored, samples, next_samples, order);
        State s(counts, offset);
        Tensors<float> dw(counts, samples, offset, gradients), eps(counts, samples, offset, epsilon),
            next(counts, next_samples, offset, zeros);
        Tensors<uint16_t> dw16(counts, samples, offset, gradients_bf16);
        const std::vector<metaplast_rule_row_t> rows = rows_of(v, counts.size());
        const int32_t type = v.bf16 ? METAPLAST_BF16 : METAPLAST_F32;
        check(
            metaplast_gaussian_update_from_samples_f32(
                cpu(), v.rule, tensors, counts.data(), numbers.data(), s.mu.host(), s.sigma.host(), v.compensated ? s.low.host() : nullptr,
                samples, v.bf16 ? dw16.host_untyped() : dw.host_untyped(), type, stored ? eps.host() : nullptr, 99, 7, 0.25f, rows.data(),
                v.per_tensor, 8, next_samples, next_samples > 0 ? next.host() : nullptr, s.host_report.data()) == METAPLAST_OK,
            "%s: CPU", where.c_str());
        check(metaplast_gaussian_update_from_samples_f32_cuda(
                  cuda(), v.rule, tensors, counts.data(), numbers.data(), s.mu.device(), s.sigma.device(),
                  v.compensated ? s.low.device() : nullptr, samples, v.bf16 ? dw16.device_untyped() : dw.device_untyped(), type,
                  stored ? eps.device() : nullptr, 99, 7, 0.25f, rows.data(), v.per_tensor, 8, next_samples,
                  next_samples > 0 ? next.device() : nullptr, s.report.data(), nullptr) == METAPLAST_OK,
              "%s: CUDA", where.c_str());
        s.expect_same_as_host(where);
        next.expect_same_as_host("next", where);
      };
      once(which % kOrders, which % 4);
      if (counts.size() == 6 || counts == std::vector<int64_t>{1025}) for_orders(once);
      ++which;
    }
  }
}
