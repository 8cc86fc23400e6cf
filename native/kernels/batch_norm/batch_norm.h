// Arguments of the batch-norm slots; their meaning is written in metaplast/binary.h.
#ifndef METAPLAST_KERNELS_BATCH_NORM_H_
#define METAPLAST_KERNELS_BATCH_NORM_H_

#include <cstdint>

namespace metaplast {

struct BatchNormForward {
  int32_t type;
  int64_t batch, channels, spatial;
  const void* y;
  const float* gamma;
  const float* beta;
  double eps;
  const float* given_mean;  // inference: given statistics; null: statistics of the batch, into mean and inv
  const float* given_var;
  float* mean;
  float* inv;
  float momentum;
  float* running_mean;
  float* running_var;
  float* out;
  uint64_t* sign;
  uint64_t* mask;
};

struct BatchNormBackward {
  int32_t type;
  int64_t batch, channels, spatial;
  const void* y;
  const float* gamma;
  const float* mean;
  const float* inv;
  const float* dout;
  const uint64_t* mask;
  float* dx;
  float* dgamma;
  float* dbeta;
};

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_BATCH_NORM_H_
