// Everything that updates weights.
// Kernels are compiled in a few units: nvcc reads the headers of every unit once for each architecture.
#include "kernels/grad_accumulate/grad_accumulate_cuda.cu"
#include "kernels/weight_sample/weight_sample_cuda.cu"
#include "kernels/gaussian_update/gaussian_update_cuda.cu"
