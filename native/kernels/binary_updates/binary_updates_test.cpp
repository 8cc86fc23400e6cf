// Element-wise updates of the binarized family against restatements.
#include <cmath>

#include "testing/matrices.h"
#include "testing/reference.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

using Values = std::vector<float>;

constexpr uint64_t kSeed = 0x123456789abcdef0u;
constexpr uint32_t kStream = 77, kStep = 4000000000u;

float* f(void* p) { return static_cast<float*>(p); }

Values half_mixed(uint64_t seed, int64_t n, float low, float high) {
  Values values = uniform_values(seed, n, low, high);
  const Values mixed = mixed_values(seed + 1000, n);
  for (size_t i = 1; i < values.size(); i += 2) values[i] = mixed[i];
  return values;
}

// Matrices whose rows end anywhere in a word, over ranges of threads that begin anywhere in a row.
void check_ewc(int64_t rows, int64_t cols, int32_t most_threads) {
  const int64_t n = rows * cols;
  const BitRows bits = random_bits(static_cast<uint64_t>(n + cols), rows, cols);
  const Values fisher = half_mixed(1, n, 0, 2), total = half_mixed(2, n, 0, 5), target = half_mixed(3, n, -5, 5), g = half_mixed(4, n, -1, 1);
  const float lambda = 3.7f;
  Values new_total = total, new_target = target, new_g = g;
  for (int64_t i = 0; i < n; ++i) {
    const size_t e = static_cast<size_t>(i);
    const bool bit = bits.get(i / cols, i % cols);
    new_total[e] = total[e] + fisher[e];
    new_target[e] = target[e] + (bit ? fisher[e] : -fisher[e]);
    float t = (bit ? total[e] : -total[e]) - target[e];
    t = lambda * t;
    new_g[e] = g[e] + t;
  }
  for (int32_t tier : tiers()) {
    for (int32_t threads = 1; threads <= most_threads; ++threads) {
      const Context context(tier, threads);
      const bool at_end = cols % 2 == 0;
      GuardedArray<float> a(fisher, at_end), b(total, at_end), c(target, at_end), d(g, at_end);
      GuardedArray<uint64_t> words(bits.words, at_end);
      const long long r = rows, k = cols;
      expect(metaplast_binary_ewc_grad_f32(context, rows, cols, words, b, c, lambda, d) == METAPLAST_OK, "gradient status");
      expect(equal_bits(d.values(), new_g) && b.holds(total) && c.holds(target), "%s, %d threads, %lld x %lld: EWC gradient",
             tier_name(tier), threads, r, k);
      expect(metaplast_binary_ewc_consolidate_f32(context, rows, cols, words, a, b, c) == METAPLAST_OK, "consolidation status");
      expect(equal_bits(b.values(), new_total) && equal_bits(c.values(), new_target), "%s, %d threads, %lld x %lld: EWC consolidation",
             tier_name(tier), threads, r, k);
      expect(words.holds(bits.words) && a.holds(fisher) && b.gaps_intact() && c.gaps_intact() && d.gaps_intact(),
             "%s, %lld x %lld: EWC wrote outside of its outputs", tier_name(tier), r, k);
    }
  }
}

void check_relaxed_sample() {
  const float inverse_temperature = 1.7f;
  const Values l = half_mixed(5, kMostElements, -3, 3);
  Values w(l.size());
  for (size_t i = 0; i < l.size(); ++i) {
    const float u = ref_uniform(ref_philox(kSeed, kStream, kStep, i));
    float t = ref_ln32(u) - ref_ln32(1.0f - u);
    t = 0.5f * t;
    t = l[i] + t;
    t = t * inverse_temperature;
    w[i] = ref_tanh32(t);
  }
  check_elementwise("relaxed_sign_sample", {input("l", l), output("w", w)}, [=](const metaplast_context_t* c, int64_t n, void* const* p) {
    return metaplast_relaxed_sign_sample_f32(c, kSeed, kStream, kStep, n, f(p[0]), inverse_temperature, f(p[1]));
  });
}

struct Bimu {
  float rate, inverse_rate_max, like, kl, inverse_window;
};

// Whether the denominator was positive.
bool ref_bimu(const Bimu& b, float g, float* l) {
  const float th = ref_tanh32(*l);
  const float e = ref_exp32(-2.0f * std::fabs(*l));
  const float a = 1.0f + e;
  const float factor = (4.0f * e) / (a * a);
  const float ic = b.kl * factor;
  const float p = b.like * g;
  float s = p * th;
  s = 2.0f * s;
  s = ic + s;
  float r = 2.0f * std::fabs(p);
  r = r + b.inverse_rate_max;
  const float den = s + r;
  float q = *l * ic;
  q = q * b.inverse_window;
  r = b.rate * p;
  r = r + q;
  r = r / den;
  *l = *l - r;
  return den > 0;
}

void check_bimu() {
  // The second set makes denominators that are 0: an update limit that is lost beside a huge gradient.
  for (const Bimu& b : {Bimu{4.9f, 1.0f / 0.0023f, 161.3f, 3.76f, 1.0f / 700.0f}, Bimu{1.0f, 0.0f, 1.0f, 0.0f, 0.001f}}) {
    const Values l = half_mixed(6, kMostElements, -3, 3), g = half_mixed(7, kMostElements, -0.01f, 0.01f);
    Values next = l;
    std::vector<int64_t> bad(l.size() + 1);
    for (size_t i = 0; i < l.size(); ++i) bad[i + 1] = bad[i] + (ref_bimu(b, g[i], &next[i]) ? 0 : 1);
    check_elementwise("bimu_step", {in_place("l", l, next), input("g", g)}, [&](const metaplast_context_t* c, int64_t n, void* const* p) {
      int64_t report[METAPLAST_REPORT_WORDS] = {};
      const metaplast_status_t status =
          metaplast_bimu_step_f32(c, n, f(p[0]), f(p[1]), b.rate, b.inverse_rate_max, b.like, b.kl, b.inverse_window, 0, report);
      expect(report[METAPLAST_REPORT_SIGMA_NOT_POSITIVE] == bad[static_cast<size_t>(n)], "bimu_step, n = %lld: counted %lld",
             static_cast<long long>(n), static_cast<long long>(report[METAPLAST_REPORT_SIGMA_NOT_POSITIVE]));
      return status;
    });
  }
}

void check_bimu_gate() {
  constexpr size_t kWeights = 70001;
  for (const float value : {0.0f, -0.0f, 1e-45f, __builtin_nanf("")}) {
    const bool opens = value > 0;
    for (int32_t tier : tiers()) {
      for (int32_t threads = 1; threads <= 4; ++threads) {
        const Context context(tier, threads);
        Values l(kWeights, 0.5f), g(kWeights);
        g[kWeights - 2] = value;
        int64_t report[METAPLAST_REPORT_WORDS] = {};
        expect(metaplast_bimu_step_f32(context, kWeights, l.data(), g.data(), 1, 400, 1, 3, 0.001f, 1, report) == METAPLAST_OK, "gated call");
        expect(report[METAPLAST_REPORT_GATE_OPEN] == (opens ? 1 : 0) && report[METAPLAST_REPORT_NAN_GRADIENTS] == (value != value ? 1 : 0),
               "%s: report of the gate for %g", tier_name(tier), static_cast<double>(value));
        expect((l.front() != 0.5f) == opens && (l.back() != 0.5f) == opens, "%s: writes of a gated call", tier_name(tier));
      }
    }
  }
  const Context context(METAPLAST_TIER_SCALAR, 1);
  float l = 0.5f;
  expect(metaplast_bimu_step_f32(context, 1, &l, &l, 1, 1, 1, 1, 1, 1, nullptr) == METAPLAST_E_ARGUMENT, "a gate without a report");
}

void check_bayes_binn() {
  constexpr int32_t kSamples = 3;
  const float inverse_temperature = 100.0f, likelihood = 20.5f, prior = 0.25f, prior_weight = 0.7f, momentum = 0.9f, fresh = 0.1f, rate = 0.003f;
  const size_t n = kMostElements;
  const Values l = half_mixed(8, kMostElements, -3, 3), mom = half_mixed(9, kMostElements, -1, 1);
  const Values w = uniform_values(10, kMostElements * kSamples, -1, 1), g = half_mixed(11, kMostElements * kSamples, -1, 1);
  Values next = l, next_mom = mom;
  for (size_t i = 0; i < n; ++i) {
    const float th = ref_tanh32(l[i]);
    float a = 1.0f - th * th;
    a = a + 1e-10f;
    float s = 0;
    for (size_t k = 0; k < kSamples; ++k) {
      float c = 1.0f - w[k * n + i] * w[k * n + i];
      c = c + 1e-10f;
      c = c * inverse_temperature;
      c = c / a;
      c = c * g[k * n + i];
      s = k == 0 ? c : s + c;
    }
    s = likelihood * s;
    float t = l[i] - prior;
    t = prior_weight * t;
    s = s + t;
    t = momentum * mom[i];
    const float r = fresh * s;
    next_mom[i] = t + r;
    t = rate * next_mom[i];
    next[i] = l[i] - t;
  }
  check_elementwise("bayes_binn_step",
                    {in_place("l", l, next), in_place("mom", mom, next_mom), input("w", w, kSamples), input("g", g, kSamples)},
                    [=](const metaplast_context_t* c, int64_t count, void* const* p) {
                      return metaplast_bayes_binn_step_f32(c, count, kSamples, f(p[0]), f(p[1]), f(p[2]), f(p[3]), inverse_temperature,
                                                           likelihood, prior, prior_weight, momentum, fresh, rate);
                    });
}

}  // namespace

int main() {
  for (int64_t cols = 0; cols <= 140; ++cols) check_ewc(1 + cols % 4, cols, 1);
  for (int64_t cols : {511, 512, 513, 1030}) check_ewc(3, cols, 1);
  check_ewc(150, 785, 4);
  check_ewc(2, 60001, 4);
  check_relaxed_sample();
  check_bimu();
  check_bimu_gate();
  check_bayes_binn();
  return finish("binary_updates_test");
}
