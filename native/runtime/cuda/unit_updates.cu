// Everything that updates weights. Kernels are compiled in a few units: of every unit nvcc reads the headers once for each architecture.
#include "kernels/grad_accumulate/grad_accumulate_cuda.cu"
#include "kernels/weight_sample/weight_sample_cuda.cu"
#include "kernels/gaussian_update/gaussian_update_cuda.cu"
