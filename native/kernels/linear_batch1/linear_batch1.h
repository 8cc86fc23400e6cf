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

// Rows of at most `weights` weights together (at least one row), where possible a multiple of 64 weights: a range of a random stream that starts or
// ends inside a group of 64 wastes part of the group.
constexpr int64_t linear_block_rows(int64_t in, int64_t weights) {
  if (in >= weights || in == 0) return 1;
  const int64_t most = weights / in;
  const int64_t even = in % 64 == 0 ? 1 : in % 32 == 0 ? 2 : in % 16 == 0 ? 4 : in % 8 == 0 ? 8 : in % 4 == 0 ? 16 : in % 2 == 0 ? 32 : 64;
  return most >= even ? most / even * even : most;
}

// What one thread takes at a time.
constexpr int64_t kLinearChunkWeights = 8192;

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_LINEAR_BATCH1_H_
