// The three update rules with all their options, from gradients and from samples; gate and report.
#include <cstring>

#include "testing/reference.h"
#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

constexpr uint64_t kSeed = 12345;
constexpr uint32_t kStep = 8, kNextStep = 9, kTensor = 4;

metaplast_rule_row_t mesu_row() {
  metaplast_rule_row_t row{};
  row.prior_mean = 0.125f;
  row.prior_pull = 1.0f / 300.0f;
  row.prior_variance = 0.81f;
  row.rate_mean = 0.9f;
  row.rate_sigma = 0.45f;
  return row;
}

struct Case {
  const char* name;
  int32_t rule;
  metaplast_rule_row_t row;
  bool compensated;
  bool bf16;
};

std::vector<Case> cases() {
  const metaplast_rule_row_t plain = mesu_row();
  metaplast_rule_row_t clamped = plain;
  clamped.clamp = 0.1f;
  clamped.sigma_min = 0.05f;
  metaplast_rule_row_t frozen = plain;
  frozen.prior_pull = 0.0f;
  metaplast_rule_row_t ratio = plain;
  ratio.ratio_max = 0.02f;
  metaplast_rule_row_t limited = ratio;
  limited.second_order = 0.7f;
  limited.sigma_min = 0.05f;
  limited.sigma_max = 0.3f;
  limited.mean_min = -0.5f;
  limited.mean_max = 0.5f;
  metaplast_rule_row_t bgd{};
  bgd.rate_mean = 1.5f;
  return {{"mesu", METAPLAST_RULE_MESU, plain, false, false},
          {"mesu, bf16", METAPLAST_RULE_MESU, plain, false, true},
          {"mesu, clamp and floor", METAPLAST_RULE_MESU, clamped, false, false},
          {"mesu, no forgetting", METAPLAST_RULE_MESU, frozen, false, false},
          {"mesu, compensated", METAPLAST_RULE_MESU, plain, true, false},
          {"mesu, compensated, clamp and floor", METAPLAST_RULE_MESU, clamped, true, true},
          {"ratio", METAPLAST_RULE_MESU_RATIO, ratio, false, false},
          {"ratio, all limits", METAPLAST_RULE_MESU_RATIO, limited, false, true},
          {"bgd", METAPLAST_RULE_BGD, bgd, false, false},
          {"bgd, bf16", METAPLAST_RULE_BGD, bgd, false, true}};
}

std::vector<float> without_low_halves(std::vector<float> values) {
  for (float& value : values) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    bits &= 0xFFFF0000u;
    std::memcpy(&value, &bits, 4);
  }
  return values;
}

// Half of the values ordinary, half the difficult mixture.
std::vector<float> half_mixed(const std::vector<float>& ordinary, uint64_t seed) {
  std::vector<float> values = mixed_values(seed, static_cast<int64_t>(ordinary.size()));
  for (size_t i = 0; i < values.size(); i += 2) {
    values[i] = ordinary[i];
  }
  return values;
}

int64_t count_not_positive(const std::vector<float>& sigma, int64_t n) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) {
    count += sigma[static_cast<size_t>(i)] > 0.0f ? 0 : 1;
  }
  return count;
}

void check_update(const Case& c) {
  const std::vector<float> mu = half_mixed(uniform_values(1, kMostElements, -1, 1), 2);
  const std::vector<float> sigma = half_mixed(positive_values(3, kMostElements), 4);
  const std::vector<float> low = uniform_values(5, kMostElements, -1e-9f, 1e-9f);
  std::vector<float> g_mu = half_mixed(uniform_values(6, kMostElements, -3, 3), 7);
  std::vector<float> g_sigma = half_mixed(uniform_values(8, kMostElements, -3, 3), 9);
  if (c.bf16) {
    g_mu = without_low_halves(g_mu);
    g_sigma = without_low_halves(g_sigma);
  }
  std::vector<float> new_mu = mu, new_sigma = sigma, new_low = low;
  for (size_t i = 0; i < mu.size(); ++i) {
    ref_update(c.rule, c.row, &new_mu[i], &new_sigma[i], c.compensated ? &new_low[i] : nullptr, g_mu[i], g_sigma[i]);
  }
  std::vector<Operand> operands = {in_place("mu", mu, new_mu), in_place("sigma", sigma, new_sigma),
                                   c.bf16 ? input_bf16("g_mu", g_mu) : input("g_mu", g_mu),
                                   c.bf16 ? input_bf16("g_sigma", g_sigma) : input("g_sigma", g_sigma)};
  if (c.compensated) {
    operands.push_back(in_place("low", low, new_low));
  }
  check_elementwise(c.name, operands, [&](const metaplast_context_t* context, int64_t n, void* const* p) {
    float* const mus[] = {static_cast<float*>(p[0])};
    float* const sigmas[] = {static_cast<float*>(p[1])};
    float* const lows[] = {c.compensated ? static_cast<float*>(p[4]) : nullptr};
    const void* const g_mus[] = {p[2]};
    const void* const g_sigmas[] = {p[3]};
    int64_t report[METAPLAST_REPORT_WORDS] = {};
    const metaplast_status_t status =
        metaplast_gaussian_update_f32(context, c.rule, 1, &n, mus, sigmas, c.compensated ? lows : nullptr, g_mus, g_sigmas,
                                      c.bf16 ? METAPLAST_BF16 : METAPLAST_F32, &c.row, 0, 0, report);
    expect(report[METAPLAST_REPORT_SIGMA_NOT_POSITIVE] == count_not_positive(new_sigma, n), "%s, n = %lld: counted %lld", c.name,
           static_cast<long long>(n), static_cast<long long>(report[METAPLAST_REPORT_SIGMA_NOT_POSITIVE]));
    return status;
  });
}

// Gradients of samples, update and next samples in one call.
void check_from_samples(const Case& c, bool stored, int32_t next_samples) {
  constexpr uint32_t kSamples = 2;
  const size_t n = kMostElements;
  const float scale = 0.5f;
  const std::vector<float> mu = uniform_values(1, kMostElements, -1, 1);
  const std::vector<float> sigma = positive_values(3, kMostElements);
  const std::vector<float> low = uniform_values(5, kMostElements, -1e-9f, 1e-9f);
  std::vector<float> dw = half_mixed(uniform_values(6, kMostElements * kSamples, -3, 3), 7);
  if (c.bf16) {
    dw = without_low_halves(dw);
  }
  std::vector<float> eps = uniform_values(8, kMostElements * kSamples, -2, 2);
  std::vector<float> new_mu = mu, new_sigma = sigma, new_low = low;
  std::vector<float> next(n * static_cast<size_t>(next_samples));
  for (size_t i = 0; i < n; ++i) {
    float a = 0, b = 0;
    for (uint32_t k = 0; k < kSamples; ++k) {
      const float e = stored ? eps[k * n + i] : ref_gaussian(kSeed, kTensor * 256 + k, kStep, i);
      const float product = dw[k * n + i] * e;
      a = k == 0 ? dw[i] : a + dw[k * n + i];
      b = k == 0 ? product : b + product;
    }
    ref_update(c.rule, c.row, &new_mu[i], &new_sigma[i], c.compensated ? &new_low[i] : nullptr, a * scale, b * scale);
    for (uint32_t k = 0; k < static_cast<uint32_t>(next_samples); ++k) {
      const float t = new_sigma[i] * ref_gaussian(kSeed, kTensor * 256 + k, kNextStep, i);
      next[k * n + i] = new_mu[i] + t;
    }
  }
  std::vector<Operand> operands = {in_place("mu", mu, new_mu), in_place("sigma", sigma, new_sigma),
                                   c.bf16 ? input_bf16("dw", dw, kSamples) : input("dw", dw, kSamples), in_place("low", low, new_low)};
  if (!c.compensated) {
    operands[3] = input("low", low);
  }
  operands.push_back(input("eps", eps, kSamples));
  if (next_samples > 0) {
    operands.push_back(output("w_next", next, next_samples));
  }
  check_elementwise(c.name, operands, [&](const metaplast_context_t* context, int64_t count, void* const* p) {
    float* const mus[] = {static_cast<float*>(p[0])};
    float* const sigmas[] = {static_cast<float*>(p[1])};
    float* const lows[] = {static_cast<float*>(p[3])};
    const void* const dws[] = {p[2]};
    const float* const epsilons[] = {static_cast<float*>(p[4])};
    float* const nexts[] = {next_samples > 0 ? static_cast<float*>(p[5]) : nullptr};
    return metaplast_gaussian_update_from_samples_f32(
        context, c.rule, 1, &count, &kTensor, mus, sigmas, c.compensated ? lows : nullptr, kSamples, dws,
        c.bf16 ? METAPLAST_BF16 : METAPLAST_F32, stored ? epsilons : nullptr, kSeed, kStep, scale, &c.row, 0, kNextStep, next_samples,
        next_samples > 0 ? nexts : nullptr, nullptr);
  });
}

void check_gate() {
  const metaplast_rule_row_t rows[2] = {mesu_row(), mesu_row()};
  const int64_t counts[2] = {70001, 5};
  struct GateCase {
    int tensor;
    int64_t where;
    bool in_sigma;
    float value;
    bool opens;
  };
  for (const GateCase& g : {GateCase{0, 0, false, 0.0f, false}, GateCase{0, 69999, false, 1e-45f, true}, GateCase{1, 4, true, -1.0f, true},
                            GateCase{1, 0, false, -0.0f, false}, GateCase{0, 33333, true, __builtin_nanf(""), false},
                            GateCase{0, 1, true, __builtin_inff(), true}}) {
    for (int32_t tier : tiers()) {
      for (int32_t threads = 1; threads <= 4; ++threads) {
        const Context context(tier, threads);
        std::vector<std::vector<float>> mu(2), sigma(2), g_mu(2), g_sigma(2);
        for (size_t t = 0; t < 2; ++t) {
          mu[t].assign(static_cast<size_t>(counts[t]), 0.5f);
          sigma[t].assign(static_cast<size_t>(counts[t]), 0.25f);
          g_mu[t].assign(static_cast<size_t>(counts[t]), 0.0f);
          g_sigma[t].assign(static_cast<size_t>(counts[t]), 0.0f);
        }
        (g.in_sigma ? g_sigma : g_mu)[static_cast<size_t>(g.tensor)][static_cast<size_t>(g.where)] = g.value;
        float* const mus[] = {mu[0].data(), mu[1].data()};
        float* const sigmas[] = {sigma[0].data(), sigma[1].data()};
        const void* const g_mus[] = {g_mu[0].data(), g_mu[1].data()};
        const void* const g_sigmas[] = {g_sigma[0].data(), g_sigma[1].data()};
        int64_t report[METAPLAST_REPORT_WORDS] = {};
        expect(metaplast_gaussian_update_f32(context, METAPLAST_RULE_MESU, 2, counts, mus, sigmas, nullptr, g_mus, g_sigmas, METAPLAST_F32,
                                             rows, 1, 1, report) == METAPLAST_OK,
               "a gated call");
        expect(report[METAPLAST_REPORT_GATE_OPEN] == (g.opens ? 1 : 0), "%s: gate for %g", tier_name(tier), static_cast<double>(g.value));
        expect(report[METAPLAST_REPORT_NAN_GRADIENTS] == (g.value != g.value ? 1 : 0), "%s: NaN count", tier_name(tier));
        // The prior pulls every weight when the gate is open.
        for (size_t t = 0; t < 2; ++t) {
          expect((mu[t].front() != 0.5f) == g.opens && (mu[t].back() != 0.5f) == g.opens && (sigma[t].back() != 0.25f) == g.opens,
                 "%s: writes of a gated call", tier_name(tier));
        }
      }
    }
  }
}

}  // namespace

int main() {
  int32_t variant = 0;
  for (const Case& c : cases()) {
    check_update(c);
    check_from_samples(c, variant % 2 == 0, variant % 3);
    ++variant;
  }
  check_gate();
  return finish("gaussian_update_test");
}
