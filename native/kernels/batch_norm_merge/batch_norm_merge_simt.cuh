// Batch norm merged into the weights of the layer before it, and the gradients of the parts: a warp a channel. Contract: metaplast/kfac.h.
#ifndef METAPLAST_KERNELS_BATCH_NORM_MERGE_SIMT_CUH_
#define METAPLAST_KERNELS_BATCH_NORM_MERGE_SIMT_CUH_

#include "kernels/matrix_pieces/matrix_pieces_simt.cuh"

namespace metaplast {
namespace simt {

// *bad starts as -1: the largest index without a sign.
struct MergeCheck {
  static constexpr int kThreads = 256;
  struct Args {
    int64_t channels;
    const float* var;
    float eps;
    int64_t* bad;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    if (i >= a.channels) return;
    const float v = add(a.var[i], a.eps);
    if (!(v > 0.0f) || !(v <= 3.402823466e38f)) atomicMin(reinterpret_cast<unsigned long long*>(a.bad), static_cast<unsigned long long>(i));
  }
};

struct MergeBatchNorm {
  static constexpr int kThreads = 256;
  struct Args {
    int64_t out, in;
    const float* w;
    int64_t ldw;
    const float* b;
    const float* gamma;
    const float* beta;
    const float* mu;
    const float* var;
    float eps;
    float* what;
    int64_t ldwhat;
    float* bhat;
    const int64_t* bad;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    const int64_t i = static_cast<int64_t>(blockIdx.x) * (kThreads / 32) + threadIdx.x / 32;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    if (i >= a.out || *a.bad >= 0) return;
    const float scale = div(a.gamma[i], sqrt(add(a.var[i], a.eps)));
    for (int64_t c = lane; c < a.in; c += 32) a.what[i * a.ldwhat + c] = mul(scale, a.w[i * a.ldw + c]);
    if (lane == 0) a.bhat[i] = add(a.beta[i], mul(scale, sub(a.b == nullptr ? 0.0f : a.b[i], a.mu[i])));
  }
};

struct MergeBatchNormBackward {
  static constexpr int kThreads = 256;
  struct Args {
    int64_t out, in;
    const float* w;
    int64_t ldw;
    const float* b;
    const float* gamma;
    const float* mu;
    const float* var;
    float eps;
    const float* gw;
    int64_t ldgw;
    const float* gb;
    float* dw;
    int64_t lddw;
    float* db;
    float* dgamma;
    float* dbeta;
    float* dmu;
    float* dvar;
    const int64_t* bad;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    const int64_t i = static_cast<int64_t>(blockIdx.x) * (kThreads / 32) + threadIdx.x / 32;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    if (i >= a.out || *a.bad >= 0) return;
    const float sigma = sqrt(add(a.var[i], a.eps)), scale = div(a.gamma[i], sigma);
    double inner = 0;
    for (int64_t c = 0; c < a.in; c += 32) {
      const bool there = c + lane < a.in;
      const float g = there ? a.gw[i * a.ldgw + c + lane] : 0.0f;
      const double product = there ? static_cast<double>(g) * static_cast<double>(a.w[i * a.ldw + c + lane]) : 0.0;
      const int here = a.in - c < 32 ? static_cast<int>(a.in - c) : 32;
      for (int l = 0; l < here; ++l) inner += from_lane(product, l);
      if (there) a.dw[i * a.lddw + c + lane] = mul(scale, g);
    }
    if (lane != 0) return;
    const float gradient = a.gb[i];
    const double wide = static_cast<double>(sigma), bias = a.b == nullptr ? 0.0 : static_cast<double>(a.b[i]);
    const double t = inner + static_cast<double>(gradient) * (bias - static_cast<double>(a.mu[i]));
    if (a.db != nullptr) a.db[i] = mul(scale, gradient);
    if (a.dmu != nullptr) {
      a.dmu[i] = mul(-scale, gradient);
      a.dvar[i] = static_cast<float>(-static_cast<double>(a.gamma[i]) * t / (2 * wide * wide * wide));
    }
    a.dgamma[i] = static_cast<float>(t / wide);
    a.dbeta[i] = gradient;
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_BATCH_NORM_MERGE_SIMT_CUH_
