// Baselines of the experiments, element by element. Contracts: metaplast/bayes.h.
#ifndef METAPLAST_KERNELS_BASELINES_SIMT_CUH_
#define METAPLAST_KERNELS_BASELINES_SIMT_CUH_

#include "runtime/cuda/simt.h"

namespace metaplast {
namespace simt {

struct SgdStep {  // theta, g
  static constexpr int kArrays = 2, kRead = 3, kWrite = 1;
  float lr;
  METAPLAST_DEVICE void apply(float* x) const { x[0] = sub(x[0], mul(lr, x[1])); }
};

struct FisherAccumulate {  // fisher, g
  static constexpr int kArrays = 2, kRead = 3, kWrite = 1;
  METAPLAST_DEVICE void apply(float* x) const { x[0] = add(x[0], mul(x[1], x[1])); }
};

struct FisherMerge {  // total, fisher
  static constexpr int kArrays = 2, kRead = 3, kWrite = 3;
  float inverse_items, decay;
  METAPLAST_DEVICE void apply(float* x) const {
    x[0] = add(mul(decay, x[0]), mul(x[1], inverse_items));
    x[1] = 0.0f;
  }
};

// EWC and SI differ only in what the importance is.
struct PenaltyGrad {  // g, theta, anchor, importance
  static constexpr int kArrays = 4, kRead = 15, kWrite = 1;
  float strength;
  METAPLAST_DEVICE void apply(float* x) const { x[0] = add(x[0], mul(strength, mul(x[3], sub(x[1], x[2])))); }
};

struct SiPath {  // path, g, theta_new, theta_old
  static constexpr int kArrays = 4, kRead = 15, kWrite = 1;
  METAPLAST_DEVICE void apply(float* x) const { x[0] = sub(x[0], mul(x[1], sub(x[2], x[3]))); }
};

struct SiConsolidate {  // path, anchor, omega, theta
  static constexpr int kArrays = 4, kRead = 15, kWrite = 7;
  float xi;
  METAPLAST_DEVICE void apply(float* x) const {
    const float d = sub(x[3], x[1]);
    const float r = div(x[0], add(mul(d, d), xi));
    x[2] = add(x[2], select(lt(r, 0.0f), 0.0f, r));
    x[0] = 0.0f;
    x[1] = x[3];
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_BASELINES_SIMT_CUH_
