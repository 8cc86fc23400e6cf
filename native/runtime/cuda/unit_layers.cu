// The batch-1 layer, random numbers, elementary functions.
// Kernels are compiled in a few units: nvcc reads the headers of every unit once for each architecture.
#include "kernels/linear_batch1/linear_batch1_cuda.cu"
#include "kernels/random/random_cuda.cu"
#include "kernels/elementary/elementary_cuda.cu"
