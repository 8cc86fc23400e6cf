// The batch-1 layer against a restatement, element by element, for shapes around vector and chunk sizes, both sources of epsilon, all
// rules.
#include <cmath>

#include "testing/reference.h"
#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

constexpr uint64_t kSeed = 0xabcdef0123456789u;
constexpr uint32_t kStep = 59999, kTensor = 3;

metaplast_rule_row_t row_of(int32_t rule) {
  metaplast_rule_row_t row{};
  row.prior_mean = 0.01f;
  row.prior_pull = 1e-4f;
  row.prior_variance = 1.0f;
  row.rate_mean = 0.8f;
  row.rate_sigma = 0.5f;
  row.clamp = rule == METAPLAST_RULE_MESU ? 0.2f : 0.0f;
  row.ratio_max = 0.1f;
  row.second_order = 0.3f;
  row.sigma_min = 0.011f;
  row.sigma_max = 0.9f;
  return row;
}

struct Shape {
  int32_t out, in, samples;
  bool shared_x, relu, stored_eps, wants_dx, compensated;
  int32_t rule;
};

class Guarded {
 public:
  explicit Guarded(const std::vector<float>& values) : n_(values.size()), memory_(static_cast<int64_t>(values.size()) * 4 + 1) {
    data_ = reinterpret_cast<float*>(memory_.at_end(static_cast<int64_t>(n_) * 4, 0));
    std::copy(values.begin(), values.end(), data_);
  }
  operator float*() { return data_; }
  std::vector<float> values() const { return {data_, data_ + n_}; }
  bool gaps_intact() const { return memory_.gaps_intact(); }

 private:
  size_t n_;
  GuardedMemory memory_;
  float* data_;
};

bool equal(const std::vector<float>& a, const std::vector<float>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (!same(a[i], b[i])) {
      return false;
    }
  }
  return a.size() == b.size();
}

void check(const Shape& s) {
  const size_t out = static_cast<size_t>(s.out), in = static_cast<size_t>(s.in), samples = static_cast<size_t>(s.samples), n = out * in;
  const std::vector<float> mu = uniform_values(1, static_cast<int64_t>(n), -0.5f, 0.5f);
  const std::vector<float> sigma = positive_values(2, static_cast<int64_t>(n));
  const std::vector<float> low = uniform_values(3, static_cast<int64_t>(n), -1e-9f, 1e-9f);
  std::vector<float> x = uniform_values(4, static_cast<int64_t>(in * (s.shared_x ? 1 : samples)), -1, 1);
  std::vector<float> delta = uniform_values(5, static_cast<int64_t>(out * samples), -1, 1);
  for (size_t i = 0; i < delta.size(); i += 3) {
    delta[i] = i % 2 == 0 ? 0.0f : -0.0f;
  }
  const metaplast_rule_row_t row = row_of(s.rule);

  std::vector<float> eps(samples * n), y(samples * out), dx(samples * in, 0.0f), new_mu = mu, new_sigma = sigma, new_low = low;
  const auto xk = [&](size_t k, size_t i) { return x[(s.shared_x ? 0 : k * in) + i]; };
  for (size_t k = 0; k < samples; ++k) {
    for (size_t o = 0; o < out; ++o) {
      std::vector<float> products(in);
      for (size_t i = 0; i < in; ++i) {
        const size_t e = o * in + i;
        eps[k * n + e] = ref_gaussian(kSeed, kTensor * 256 + static_cast<uint32_t>(k), kStep, e);
        const float t = sigma[e] * eps[k * n + e];
        const float w = mu[e] + t;
        products[i] = w * xk(k, i);
      }
      const float sum = ref_sum(products);
      y[k * out + o] = s.relu ? (sum > 0.0f ? sum : 0.0f) : sum;
    }
  }
  const auto masked = [&](size_t k, size_t o) {
    const float d = s.relu && !(y[k * out + o] > 0.0f) ? 0.0f : delta[k * out + o];
    return d;
  };
  for (size_t o = 0; o < out; ++o) {
    for (size_t i = 0; i < in; ++i) {
      const size_t e = o * in + i;
      float g_mu = 0, g_sigma = 0;
      for (size_t k = 0; k < samples; ++k) {
        const float dk = masked(k, o);
        if (dk == 0.0f) {
          continue;
        }
        const float t = sigma[e] * eps[k * n + e];
        const float w = mu[e] + t;
        const float back = dk * w;
        dx[k * in + i] = dx[k * in + i] + back;
        const float d = dk * xk(k, i);
        g_mu = g_mu + d;
        const float de = d * eps[k * n + e];
        g_sigma = g_sigma + de;
      }
      ref_update(s.rule, row, &new_mu[e], &new_sigma[e], s.compensated ? &new_low[e] : nullptr, g_mu, g_sigma);
    }
  }

  for (int32_t tier : tiers()) {
    for (int32_t threads = 1; threads <= 4; ++threads) {
      const Context context(tier, threads);
      Guarded a_mu(mu), a_sigma(sigma), a_low(low), a_x(x), a_delta(delta), a_eps(std::vector<float>(s.stored_eps ? eps.size() : 0)),
          a_y(std::vector<float>(y.size())), a_dx(std::vector<float>(dx.size(), 5.0f));
      float* stored = s.stored_eps ? static_cast<float*>(a_eps) : nullptr;
      const int64_t stride = s.shared_x ? 0 : s.in;
      const metaplast_status_t forward = metaplast_linear_forward_batch1_f32(context, s.out, s.in, kTensor, a_mu, a_sigma, a_x, stride,
                                                                             s.samples, kSeed, kStep, s.relu, stored, a_y);
      expect(forward == METAPLAST_OK, "forward status %d", forward);
      expect(equal(a_y.values(), y), "%s, %d threads, %d x %d, K %d: y", tier_name(tier), threads, s.out, s.in, s.samples);
      expect(!s.stored_eps || equal(a_eps.values(), eps), "%s, %d threads, %d x %d, K %d: eps", tier_name(tier), threads,
             s.out, s.in, s.samples);
      int64_t report[METAPLAST_REPORT_WORDS] = {};
      const metaplast_status_t step = metaplast_linear_step_batch1_f32(
          context, s.rule, s.out, s.in, kTensor, a_mu, a_sigma, s.compensated ? static_cast<float*>(a_low) : nullptr, a_x, stride, a_delta,
          s.relu ? static_cast<float*>(a_y) : nullptr, s.samples, stored, kSeed, kStep, &row,
          s.wants_dx ? static_cast<float*>(a_dx) : nullptr, report);
      expect(step == METAPLAST_OK, "step status %d", step);
      expect(!s.wants_dx || equal(a_dx.values(), dx), "%s, %d threads, %d x %d, K %d: dx", tier_name(tier), threads, s.out,
             s.in, s.samples);
      expect(equal(a_mu.values(), new_mu) && equal(a_sigma.values(), new_sigma), "%s, %d threads, %d x %d, K %d, rule %d: update",
             tier_name(tier), threads, s.out, s.in, s.samples, s.rule);
      expect(!s.compensated || equal(a_low.values(), new_low), "%s, %d threads, %d x %d: low", tier_name(tier), threads, s.out, s.in);
      expect(equal(a_x.values(), x) && equal(a_delta.values(), delta), "inputs were written");
      for (const Guarded* memory : {&a_mu, &a_sigma, &a_low, &a_x, &a_delta, &a_eps, &a_y, &a_dx}) {
        expect(memory->gaps_intact(), "%s, %d threads, %d x %d: wrote outside of an operand", tier_name(tier), threads, s.out, s.in);
      }
    }
  }
}

}  // namespace

int main() {
  // All small inputs, options in turn.
  int variant = 0;
  for (int32_t in = 1; in <= 70; ++in, ++variant) {
    const int32_t rule = variant % 3;
    check({1 + variant % 5, in, 1 + variant % 4, variant % 2 == 0, variant % 4 < 2, variant % 8 < 4, variant % 3 != 0,
           rule == METAPLAST_RULE_MESU && variant % 2 == 0, rule});
  }
  // The layers of the experiment, and rows longer than a chunk of R16.
  for (bool stored : {false, true}) {
    check({50, 784, 10, true, true, stored, false, false, METAPLAST_RULE_MESU});
    check({10, 50, 10, false, false, stored, true, false, METAPLAST_RULE_MESU});
    // More samples than are taken at once, rows that end inside a group of 64, ranges that end inside one.
    check({33, 112, 26, true, false, stored, false, false, METAPLAST_RULE_MESU});
    check({7, 48, 17, true, true, stored, false, false, METAPLAST_RULE_MESU});
    check({5, 1040, 20, true, false, stored, true, false, METAPLAST_RULE_MESU});
    check({90, 16, 13, true, false, stored, false, false, METAPLAST_RULE_MESU});
    check({3, 4095, 2, true, false, stored, true, true, METAPLAST_RULE_MESU});
    check({3, 4097, 2, false, true, stored, true, false, METAPLAST_RULE_MESU_RATIO});
    check({2, 9001, 2, true, false, stored, false, false, METAPLAST_RULE_BGD});
  }
  check({0, 5, 2, true, false, false, true, false, METAPLAST_RULE_MESU});
  return finish("linear_batch1_test");
}
