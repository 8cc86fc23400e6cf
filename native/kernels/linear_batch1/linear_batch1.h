// Arguments of the backward and update pass of a batch-1 linear layer; meanings as in metaplast/bayes.h.
#ifndef METAPLAST_KERNELS_LINEAR_BATCH1_H_
#define METAPLAST_KERNELS_LINEAR_BATCH1_H_

#include "metaplast/bayes.h"

namespace metaplast {

struct LinearStep {
  int32_t rule;
  int64_t rows, in;
  uint32_t tensor;
  float *mu, *sigma, *low;
  const float* x;
  int64_t x_stride;
  const float *delta, *active;
  int32_t samples;
  const float* eps;
  uint64_t seed;
  uint32_t step;
  const metaplast_rule_row_t* row;
  float* dx;
};

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_LINEAR_BATCH1_H_
