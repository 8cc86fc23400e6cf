// Entry points: batch norm merged into the weights of the layer before it, and the gradients of the parts.
#include <cmath>

#include "metaplast/kfac.h"
#include "runtime/entry.h"

namespace {

using metaplast::present;

// Weights from which a second thread pays.
constexpr int64_t kGrain = 16384;

// First channel whose var + eps is not positive and finite, or -1.
int64_t first_bad(int64_t channels, const float* var, float eps) {
  for (int64_t i = 0; i < channels; ++i) {
    const float v = var[i] + eps;
    if (!(v > 0) || !std::isfinite(v)) return i;
  }
  return -1;
}

// <x, y> of four rows side by side, each in index order; products of floats are exact in double.
void inner_rows(int64_t n, const float* x, int64_t ldx, const float* y, int64_t ldy, double sums[4]) {
  double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (int64_t i = 0; i < n; ++i) {
    s0 += static_cast<double>(x[i]) * static_cast<double>(y[i]);
    s1 += static_cast<double>(x[ldx + i]) * static_cast<double>(y[ldy + i]);
    s2 += static_cast<double>(x[2 * ldx + i]) * static_cast<double>(y[2 * ldy + i]);
    s3 += static_cast<double>(x[3 * ldx + i]) * static_cast<double>(y[3 * ldy + i]);
  }
  sums[0] = s0;
  sums[1] = s1;
  sums[2] = s2;
  sums[3] = s3;
}

}  // namespace

extern "C" {

metaplast_status_t metaplast_merge_batch_norm_f32(const metaplast_context_t* context, int64_t out, int64_t in, const float* w, int64_t ldw,
                                                  const float* b, const float* gamma, const float* beta, const float* mu, const float* var,
                                                  float eps, float* what, int64_t ldwhat, float* bhat, int64_t* bad) {
  if (context == nullptr || bad == nullptr || out < 0 || in < 0 || ldw < in || ldwhat < in ||
      (out > 0 && !present(gamma, beta, mu, var, bhat)) || (out > 0 && in > 0 && !present(w, what))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  *bad = first_bad(out, var, eps);
  if (*bad >= 0) return METAPLAST_OK;
  metaplast::parallel_items(context, out, in + 1, kGrain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float scale = gamma[i] / std::sqrt(var[i] + eps);
      context->kernels.matrix_combine(in, scale, w + i * ldw, 0.0f, nullptr, what + i * ldwhat);
      const float shifted = (b == nullptr ? 0.0f : b[i]) - mu[i];
      const float t = scale * shifted;
      bhat[i] = beta[i] + t;
    }
  });
  return METAPLAST_OK;
}

metaplast_status_t metaplast_merge_batch_norm_backward_f32(const metaplast_context_t* context, int64_t out, int64_t in, const float* w,
                                                           int64_t ldw, const float* b, const float* gamma, const float* mu,
                                                           const float* var, float eps, const float* gw, int64_t ldgw, const float* gb,
                                                           float* dw, int64_t lddw, float* db, float* dgamma, float* dbeta, float* dmu,
                                                           float* dvar, int64_t* bad) {
  if (context == nullptr || bad == nullptr || out < 0 || in < 0 || ldw < in || ldgw < in || lddw < in || (dmu == nullptr) != (dvar == nullptr) ||
      (out > 0 && !present(gamma, mu, var, gb, dgamma, dbeta)) || (out > 0 && in > 0 && !present(w, gw, dw))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  *bad = first_bad(out, var, eps);
  if (*bad >= 0) return METAPLAST_OK;
  const auto channel = [=](int64_t i, double inner) {
    const float sigma = std::sqrt(var[i] + eps), scale = gamma[i] / sigma;
    const double wide = static_cast<double>(sigma), bias = b == nullptr ? 0.0 : static_cast<double>(b[i]);
    const double t = inner + static_cast<double>(gb[i]) * (bias - static_cast<double>(mu[i]));
    context->kernels.matrix_combine(in, scale, gw + i * ldgw, 0.0f, nullptr, dw + i * lddw);
    const float gradient = gb[i];
    if (db != nullptr) db[i] = scale * gradient;
    if (dmu != nullptr) {
      dmu[i] = -scale * gradient;
      dvar[i] = static_cast<float>(-static_cast<double>(gamma[i]) * t / (2 * wide * wide * wide));
    }
    dgamma[i] = static_cast<float>(t / wide);
    dbeta[i] = gradient;
  };
  metaplast::parallel_items(context, (out + 3) / 4, 4 * (in + 1), kGrain, [=](int64_t begin, int64_t end) {
    for (int64_t i = 4 * begin; i < 4 * end && i < out; i += 4) {
      double inner[4];
      if (i + 4 <= out) {
        inner_rows(in, gw + i * ldgw, ldgw, w + i * ldw, ldw, inner);
      } else {
        for (int64_t r = 0; i + r < out; ++r) {
          double one[4];
          inner_rows(in, gw + (i + r) * ldgw, 0, w + (i + r) * ldw, 0, one);
          inner[r] = one[0];
        }
      }
      for (int64_t r = 0; r < 4 && i + r < out; ++r) channel(i + r, inner[r]);
    }
  });
  return METAPLAST_OK;
}

}  // extern "C"
