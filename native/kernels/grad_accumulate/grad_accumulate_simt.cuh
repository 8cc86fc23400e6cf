// Monte-Carlo gradients of all tensors. Contract: metaplast/bayes.h.
#ifndef METAPLAST_KERNELS_GRAD_ACCUMULATE_SIMT_CUH_
#define METAPLAST_KERNELS_GRAD_ACCUMULATE_SIMT_CUH_

#include "runtime/cuda/simt.h"

namespace metaplast {
namespace simt {

// Where the gradients of the samples of one tensor come from; dw and eps are [samples][count].
struct SampleGradients {
  const void* dw;
  const float* eps;  // null: regenerated
  int64_t count;
  uint64_t seed;
  uint32_t stream;  // of sample 0
  uint32_t step;
  int32_t samples;
  float scale;
  bool bf16;
};

// a = sum over k of dw[k], b = sum of dw[k]*eps[k], both scaled, for the group of four that begins at an element.
METAPLAST_DEVICE void accumulate_group(const SampleGradients& g, bool whole, int64_t element, int valid, Four* a, Four* b) {
  for (int k = 0; k < g.samples; ++k) {
    const int64_t offset = k * g.count + element;
    const Four dw = load_gradient(whole, g.bf16, g.dw, offset, valid);
    const Four z = g.eps != nullptr ? load_group(whole, g.eps + offset, valid)
                                    : gaussians_of_block(RandomStream{g.seed, g.stream + static_cast<uint32_t>(k), g.step},
                                                         static_cast<uint64_t>(element) >> 2);
    METAPLAST_UNROLL
    for (int j = 0; j < 4; ++j) {
      const float product = mul(dw.v[j], z.v[j]);
      a->v[j] = k == 0 ? dw.v[j] : add(a->v[j], dw.v[j]);
      b->v[j] = k == 0 ? product : add(b->v[j], product);
    }
  }
  METAPLAST_UNROLL
  for (int j = 0; j < 4; ++j) {
    a->v[j] = mul(a->v[j], g.scale);
    b->v[j] = mul(b->v[j], g.scale);
  }
}

struct GradAccumulate {
  static constexpr int kThreads = 256;
  static constexpr int kElementsPerThread = 4;

  struct Common {
    uint64_t seed;
    uint32_t step;
    int32_t samples;
    float scale;
    int32_t bf16;
  };
  struct Entry {
    int64_t count;
    const void* dw;
    const float* eps;
    float *g_mu, *g_sigma;
    uint32_t tensor;
    int32_t aligned;
  };

  static METAPLAST_DEVICE void tile(const Common& c, const Entry& e, int64_t tile) {
    const Tile<1> t(tile, e.count, e.aligned != 0);
    const SampleGradients g{e.dw, e.eps, e.count, c.seed, e.tensor * 256, c.step, c.samples, c.scale, c.bf16 != 0};
    Four a = {}, b = {};
    accumulate_group(g, t.whole, t.element[0], t.valid[0], &a, &b);
    store_group(t.whole, e.g_mu + t.element[0], a, t.valid[0]);
    store_group(t.whole, e.g_sigma + t.element[0], b, t.valid[0]);
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_GRAD_ACCUMULATE_SIMT_CUH_
