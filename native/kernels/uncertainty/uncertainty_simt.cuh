// Predictive entropy and its split. Contract: metaplast/bayes.h.
#ifndef METAPLAST_KERNELS_UNCERTAINTY_SIMT_CUH_
#define METAPLAST_KERNELS_UNCERTAINTY_SIMT_CUH_

#include "runtime/cuda/softmax_simt.h"

namespace metaplast {
namespace simt {

// A block an item. First a warp a sample: the scale of its row, kept in shared memory, and its entropy; then the first warp goes through
// the classes.
struct Uncertainty {
  static constexpr int kThreads = 512;
  // Scales of the samples that are kept; those of any further ones are formed again for every tile of classes.
  static constexpr int kKept = 256;

  static constexpr size_t shared_bytes(int threads) { return sizeof(float) * static_cast<size_t>(threads + threads / 32 + 2 * kKept); }

  struct Args {
    int32_t samples, batch, classes;
    int32_t from_logits, bits, clamp;
    float inverse_samples;
    const float* input;
    float *predictive, *aleatoric, *epistemic;
  };

  static METAPLAST_DEVICE float probability(const Args& a, const float* row, int64_t c, const RowScale& s) {
    return a.from_logits != 0 ? div(exp32(sub(row[c], s.maximum)), s.sum) : row[c];
  }

  // p*ln32(p + 1e-12); the minus is applied to the finished sum, which is the same bits.
  static METAPLAST_DEVICE float entropy_term(float p) { return mul(p, ln32(add(p, 1e-12f))); }

  static METAPLAST_DEVICE void run(const Args& a) {
    const int warp = static_cast<int>(threadIdx.x / 32), warps = static_cast<int>(blockDim.x / 32);
    const int lane = static_cast<int>(threadIdx.x & 31);
    float* tile = shared_memory<float>() + warp * 32;
    float* entropy = shared_memory<float>() + blockDim.x;  // one of each warp
    float* kept = entropy + warps;                         // maximum and sum of a sample
    const int64_t b = blockIdx.x;
    const int64_t classes = a.classes;
    const float* item = a.input + b * classes;
    const int64_t stride = static_cast<int64_t>(a.batch) * classes;
    float noise = kFirstTerm;
    for (int first = 0; first < a.samples; first += warps) {
      const int k = first + warp;
      if (k < a.samples) {
        const float* row = item + k * stride;
        RowScale s{0.0f, 1.0f};
        if (a.from_logits != 0) s = scale_of_row(row, classes, tile);
        const float h = add_ascending(kFirstTerm, classes, tile, [=](int64_t c) { return entropy_term(probability(a, row, c, s)); });
        if (lane == 0) {
          entropy[warp] = -h;
          if (k < kKept) {
            kept[2 * k] = s.maximum;
            kept[2 * k + 1] = s.sum;
          }
        }
      }
      __syncthreads();
      if (threadIdx.x < 32) {
        for (int w = 0; w < warps && first + w < a.samples; ++w) noise = add(noise, entropy[w]);
      }
      __syncthreads();
    }
    if (threadIdx.x >= 32) return;  // no barrier of the block follows
    float total = kFirstTerm;
    for (int64_t begin = 0; begin < classes; begin += 32) {
      const int64_t c = begin + lane;
      float mean = kFirstTerm;
      for (int k = 0; k < a.samples; ++k) {
        const float* row = item + k * stride;
        RowScale s{0.0f, 1.0f};
        if (k < kKept) {
          s = RowScale{kept[2 * k], kept[2 * k + 1]};
        } else if (a.from_logits != 0) {
          s = scale_of_row(row, classes, tile);
        }
        if (c < classes) mean = add(mean, probability(a, row, c, s));
      }
      const float pbar = mul(mean, a.inverse_samples);
      const int64_t count = classes - begin < 32 ? classes - begin : 32;
      total = add_ascending(total, count, tile, [=](int64_t) { return entropy_term(pbar); });
    }
    if (lane == 0) {
      const float to_bits = set_bits(0x3FB8AA3Bu);
      total = -total;
      noise = mul(noise, a.inverse_samples);
      if (a.bits != 0) {
        total = mul(total, to_bits);
        noise = mul(noise, to_bits);
      }
      const float knowledge = sub(total, noise);
      a.predictive[b] = total;
      a.aleatoric[b] = noise;
      a.epistemic[b] = a.clamp != 0 && knowledge < 0.0f ? 0.0f : knowledge;
    }
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_UNCERTAINTY_SIMT_CUH_
