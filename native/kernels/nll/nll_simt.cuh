// Mean over samples of log-softmax, its negative log-likelihood and gradient. Contract: metaplast/bayes.h.
#ifndef METAPLAST_KERNELS_NLL_SIMT_CUH_
#define METAPLAST_KERNELS_NLL_SIMT_CUH_

#include "runtime/cuda/softmax_simt.h"

namespace metaplast {
namespace simt {

// A block an item, a warp a sample.
struct NllMeanLogSoftmax {
  static constexpr int kThreads = 512;

  static constexpr size_t shared_bytes(int threads) { return sizeof(float) * static_cast<size_t>(threads + threads / 32); }

  struct Args {
    int32_t samples, batch, classes;
    float inverse_samples, grad_scale;
    const float* logits;
    const int32_t* labels;
    float *item_loss, *dlogits;
    float* loss;  // null unless this launch also forms the total, which it can for one item
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const int warp = static_cast<int>(threadIdx.x / 32), warps = static_cast<int>(blockDim.x / 32);
    const int lane = static_cast<int>(threadIdx.x & 31);
    float* tile = shared_memory<float>() + warp * 32;
    float* log_likelihood = shared_memory<float>() + blockDim.x;  // one of each warp
    const int64_t b = blockIdx.x;
    const int64_t classes = a.classes;
    const int32_t label = a.labels[b];
    float sum = kFirstTerm;
    for (int first = 0; first < a.samples; first += warps) {
      const int k = first + warp;
      if (k < a.samples) {
        const int64_t offset = (static_cast<int64_t>(k) * a.batch + b) * classes;
        const float* row = a.logits + offset;
        const RowScale s = scale_of_row(row, classes, tile);
        const bool known = label >= 0 && label < a.classes;
        const float of_label = known ? sub(row[label], s.maximum) : set_bits(0x7fc00000u);
        if (lane == 0) log_likelihood[warp] = sub(of_label, ln_of_sum(s.sum));
        __syncwarp();  // dlogits may be the logits: every lane has read the label's before one is overwritten
        if (a.dlogits != nullptr) {
          for (int64_t c = lane; c < classes; c += 32) {
            const float p = div(exp32(sub(row[c], s.maximum)), s.sum);
            a.dlogits[offset + c] = mul(c == label ? sub(p, 1.0f) : p, a.grad_scale);
          }
        }
      }
      __syncthreads();
      if (threadIdx.x == 0) {
        for (int w = 0; w < warps && first + w < a.samples; ++w) sum = add(sum, log_likelihood[w]);
      }
      __syncthreads();
    }
    if (threadIdx.x == 0) {
      const float loss = mul(-sum, a.inverse_samples);
      a.item_loss[b] = loss;
      if (a.loss != nullptr) a.loss[0] = add(loss, 0.0f);  // R16 of one element
    }
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_NLL_SIMT_CUH_
