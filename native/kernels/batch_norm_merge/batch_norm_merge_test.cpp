// Batch norm merged into weights: bits against a plain restatement, gradients against differences of the merged layer.
#include <cmath>
#include <cstring>
#include <limits>

#include "metaplast/kfac.h"
#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

constexpr float kUntouched = 12345.0f;

long long ll(int64_t n) { return static_cast<long long>(n); }

float rounded(float x) {
  const volatile float y = x;
  return y;
}

struct Layer {
  Layer(uint64_t seed, int64_t channels, int64_t inputs)
      : out(channels), in(inputs), w(uniform_values(seed, out * (in + 1), -1, 1)), b(uniform_values(seed + 1, out, -1, 1)),
        gamma(uniform_values(seed + 2, out, -2, 2)), beta(uniform_values(seed + 3, out, -1, 1)), mu(uniform_values(seed + 4, out, -1, 1)),
        var(uniform_values(seed + 5, out, 0.1f, 3)), gw(uniform_values(seed + 6, out * (in + 2), -1, 1)), gb(uniform_values(seed + 7, out, -1, 1)) {}
  int64_t out, in;
  std::vector<float> w, b, gamma, beta, mu, var, gw, gb;  // w has pitch in + 1, gw in + 2
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * 4) == 0);
}

struct Gradients {
  explicit Gradients(const Layer& l)
      : dw(static_cast<size_t>(l.out * (l.in + 3)), kUntouched), db(static_cast<size_t>(l.out), kUntouched), dgamma(db), dbeta(db), dmu(db), dvar(db) {}
  std::vector<float> dw, db, dgamma, dbeta, dmu, dvar;  // dw has pitch in + 3
};

metaplast_status_t backward(const metaplast_context_t* context, const Layer& l, float eps, bool statistics, Gradients* g, int64_t* bad) {
  return metaplast_merge_batch_norm_backward_f32(context, l.out, l.in, l.w.data(), l.in + 1, l.b.data(), l.gamma.data(), l.mu.data(), l.var.data(),
                                                 eps, l.gw.data(), l.in + 2, l.gb.data(), g->dw.data(), l.in + 3, g->db.data(), g->dgamma.data(),
                                                 g->dbeta.data(), statistics ? g->dmu.data() : nullptr, statistics ? g->dvar.data() : nullptr, bad);
}

void check_bits() {
  const float eps = 1e-5f;
  struct Shape {
    int64_t out, in;
  };
  for (const Shape& shape : {Shape{1, 1}, {3, 7}, {4, 0}, {5, 33}, {100, 784}, {401, 400}}) {
    const Layer l(static_cast<uint64_t>(shape.out), shape.out, shape.in);
    for (bool with_bias : {true, false}) {
      std::vector<float> what(static_cast<size_t>(l.out * (l.in + 3)), kUntouched), bhat(static_cast<size_t>(l.out));
      Gradients g(l);
      for (int64_t i = 0; i < l.out; ++i) {
        const float sigma = std::sqrt(rounded(l.var[i] + eps)), scale = rounded(l.gamma[i] / sigma), bias = with_bias ? l.b[i] : 0.0f;
        double t = 0;
        for (int64_t j = 0; j < l.in; ++j) {
          what[i * (l.in + 3) + j] = scale * l.w[i * (l.in + 1) + j];
          g.dw[i * (l.in + 3) + j] = scale * l.gw[i * (l.in + 2) + j];
          t += static_cast<double>(l.gw[i * (l.in + 2) + j]) * static_cast<double>(l.w[i * (l.in + 1) + j]);
        }
        bhat[i] = l.beta[i] + rounded(scale * rounded(bias - l.mu[i]));
        t += static_cast<double>(l.gb[i]) * (static_cast<double>(bias) - static_cast<double>(l.mu[i]));
        const double s = sigma;
        g.db[i] = scale * l.gb[i];
        g.dbeta[i] = l.gb[i];
        g.dgamma[i] = static_cast<float>(t / s);
        g.dmu[i] = -scale * l.gb[i];
        g.dvar[i] = static_cast<float>(-static_cast<double>(l.gamma[i]) * t / (2 * s * s * s));
      }
      for (int32_t tier : tiers()) {
        for (int32_t threads = 1; threads <= 4; ++threads) {
          const Context context(tier, threads);
          std::vector<float> w(what.size(), kUntouched), b(bhat.size(), kUntouched);
          int64_t bad = -2;
          expect(metaplast_merge_batch_norm_f32(context, l.out, l.in, l.w.data(), l.in + 1, with_bias ? l.b.data() : nullptr, l.gamma.data(),
                                                l.beta.data(), l.mu.data(), l.var.data(), eps, w.data(), l.in + 3, b.data(), &bad) == METAPLAST_OK &&
                     bad == -1 && same_bits(w, what) && same_bits(b, bhat),
                 "%s, %d threads, %lld x %lld: forward", tier_name(tier), threads, ll(l.out), ll(l.in));
          std::vector<float> in_place = l.w;
          expect(metaplast_merge_batch_norm_f32(context, l.out, l.in, in_place.data(), l.in + 1, nullptr, l.gamma.data(), l.beta.data(),
                                                l.mu.data(), l.var.data(), eps, in_place.data(), l.in + 1, b.data(), &bad) == METAPLAST_OK,
                 "call");
          bool equal = true;
          for (int64_t i = 0; i < l.out; ++i) {
            for (int64_t j = 0; j < l.in; ++j) equal &= same(in_place[i * (l.in + 1) + j], what[i * (l.in + 3) + j]);
            equal &= same(in_place[i * (l.in + 1) + l.in], l.w[i * (l.in + 1) + l.in]);
          }
          expect(equal, "%s: in place", tier_name(tier));

          Layer layer = l;
          if (!with_bias) std::fill(layer.b.begin(), layer.b.end(), 0.0f);
          Gradients found(l), fixed(l);
          bad = -2;
          expect(backward(context, layer, eps, true, &found, &bad) == METAPLAST_OK && bad == -1 && same_bits(found.dw, g.dw) &&
                     same_bits(found.db, g.db) && same_bits(found.dgamma, g.dgamma) && same_bits(found.dbeta, g.dbeta) &&
                     same_bits(found.dmu, g.dmu) && same_bits(found.dvar, g.dvar),
                 "%s, %d threads, %lld x %lld: backward", tier_name(tier), threads, ll(l.out), ll(l.in));
          expect(backward(context, layer, eps, false, &fixed, &bad) == METAPLAST_OK && same_bits(fixed.dgamma, g.dgamma) && same_bits(fixed.dw, g.dw),
                 "%s: statistics held fixed", tier_name(tier));
          std::vector<float> gw = l.gw;
          Gradients other(l);
          expect(metaplast_merge_batch_norm_backward_f32(context, l.out, l.in, l.w.data(), l.in + 1, with_bias ? l.b.data() : nullptr,
                                                         l.gamma.data(), l.mu.data(), l.var.data(), eps, gw.data(), l.in + 2, l.gb.data(), gw.data(),
                                                         l.in + 2, nullptr, other.dgamma.data(), other.dbeta.data(), nullptr, nullptr,
                                                         &bad) == METAPLAST_OK &&
                     same_bits(other.dgamma, g.dgamma) && same_bits(other.dbeta, g.dbeta),
                 "%s: dw = gw, no bias", tier_name(tier));
          equal = true;
          for (int64_t i = 0; i < l.out; ++i) {
            for (int64_t j = 0; j < l.in; ++j) equal &= same(gw[i * (l.in + 2) + j], g.dw[i * (l.in + 3) + j]);
          }
          expect(equal, "%s: dw = gw", tier_name(tier));
        }
      }
    }
  }
}

// Q = <gW, What> + <gb, bhat> is linear in the merged layer: its differences by the parts are the gradients.
void check_differences() {
  const Layer l(9, 3, 5);
  const double eps = 1e-3;
  const auto value = [&](const Layer& x, int which, double h) {
    // The change h goes to channel 1.
    double q = 0;
    for (int64_t i = 0; i < x.out; ++i) {
      const double change = i == 1 ? h : 0;
      const double var = x.var[i] + (which == 4 ? change : 0) + static_cast<double>(static_cast<float>(eps));
      const double gamma = x.gamma[i] + (which == 1 ? change : 0), beta = x.beta[i] + (which == 2 ? change : 0);
      const double mu = x.mu[i] + (which == 3 ? change : 0), b = x.b[i] + (which == 5 ? change : 0), scale = gamma / std::sqrt(var);
      for (int64_t j = 0; j < x.in; ++j) {
        q += x.gw[i * (x.in + 2) + j] * scale * (static_cast<double>(x.w[i * (x.in + 1) + j]) + (which == 0 && j == 2 ? change : 0));
      }
      q += x.gb[i] * (beta + scale * (b - mu));
    }
    return q;
  };
  const double step = 1e-5;
  for (int32_t tier : tiers()) {
    const Context context(tier, 1);
    Gradients g(l);
    int64_t bad = -2;
    expect(backward(context, l, static_cast<float>(eps), true, &g, &bad) == METAPLAST_OK, "call");
    const float gradients[6] = {g.dw[l.in + 3 + 2], g.dgamma[1], g.dbeta[1], g.dmu[1], g.dvar[1], g.db[1]};
    for (int which = 0; which < 6; ++which) {
      const double slope = (value(l, which, step) - value(l, which, -step)) / (2 * step);
      expect(std::fabs(gradients[which] - slope) <= 1e-6 * (1 + std::fabs(slope)), "%s, part %d: %g, difference %g", tier_name(tier), which,
             static_cast<double>(gradients[which]), slope);
    }
  }
}

void check_refusals() {
  const Context context(METAPLAST_TIER_SCALAR, 2);
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (float wrong : {0.0f, -1.0f, inf, nan}) {
    Layer l(20, 6, 4);
    l.var[4] = l.var[2] = wrong;
    std::vector<float> what(static_cast<size_t>(l.out * l.in), kUntouched), bhat(static_cast<size_t>(l.out), kUntouched);
    const std::vector<float> what_before = what, bhat_before = bhat;
    int64_t bad = -2;
    expect(metaplast_merge_batch_norm_f32(context, l.out, l.in, l.w.data(), l.in + 1, l.b.data(), l.gamma.data(), l.beta.data(), l.mu.data(),
                                          l.var.data(), 0, what.data(), l.in, bhat.data(), &bad) == METAPLAST_OK &&
               bad == 2 && same_bits(what, what_before) && same_bits(bhat, bhat_before),
           "variance %g: forward", static_cast<double>(wrong));
    Gradients g(l);
    const Gradients before(l);
    bad = -2;
    expect(backward(context, l, 0, true, &g, &bad) == METAPLAST_OK && bad == 2 && same_bits(g.dw, before.dw) && same_bits(g.dgamma, before.dgamma) &&
               same_bits(g.dbeta, before.dbeta) && same_bits(g.db, before.db) && same_bits(g.dmu, before.dmu) && same_bits(g.dvar, before.dvar),
           "variance %g: backward", static_cast<double>(wrong));
  }
  const Layer l(21, 2, 3);
  float out[6] = {kUntouched, kUntouched, kUntouched, kUntouched, kUntouched, kUntouched}, bias[2] = {kUntouched, kUntouched};
  int64_t bad = -2;
  const auto forward = [&](int64_t channels, int64_t ldw, int64_t ldwhat, const float* gamma, float* bhat, int64_t* index) {
    return metaplast_merge_batch_norm_f32(context, channels, 3, l.w.data(), ldw, l.b.data(), gamma, l.beta.data(), l.mu.data(), l.var.data(), 0, out,
                                          ldwhat, bhat, index);
  };
  expect(forward(-1, 4, 3, l.gamma.data(), bias, &bad) == METAPLAST_E_ARGUMENT && forward(2, 2, 3, l.gamma.data(), bias, &bad) == METAPLAST_E_ARGUMENT &&
             forward(2, 4, 2, l.gamma.data(), bias, &bad) == METAPLAST_E_ARGUMENT && forward(2, 4, 3, nullptr, bias, &bad) == METAPLAST_E_ARGUMENT &&
             forward(2, 4, 3, l.gamma.data(), nullptr, &bad) == METAPLAST_E_ARGUMENT &&
             forward(2, 4, 3, l.gamma.data(), bias, nullptr) == METAPLAST_E_ARGUMENT && out[0] == kUntouched && bias[0] == kUntouched && bad == -2,
         "bad arguments, forward");
  Gradients g(l);
  expect(metaplast_merge_batch_norm_backward_f32(context, 2, 3, l.w.data(), 4, l.b.data(), l.gamma.data(), l.mu.data(), l.var.data(), 0, l.gw.data(), 5,
                                                 l.gb.data(), g.dw.data(), 6, g.db.data(), g.dgamma.data(), g.dbeta.data(), g.dmu.data(), nullptr,
                                                 &bad) == METAPLAST_E_ARGUMENT &&
             g.dw[0] == kUntouched && g.dgamma[0] == kUntouched && bad == -2,
         "dmu without dvar");
}

}  // namespace

int main() {
  check_bits();
  check_differences();
  check_refusals();
  return finish("batch_norm_merge");
}
