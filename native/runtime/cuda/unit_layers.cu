// The batch-1 layer, random numbers, elementary functions. Kernels are compiled in a few units: of every unit nvcc reads the headers once for each architecture.
#include "kernels/linear_batch1/linear_batch1_cuda.cu"
#include "kernels/random/random_cuda.cu"
#include "kernels/elementary/elementary_cuda.cu"
