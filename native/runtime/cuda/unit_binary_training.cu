// The binarized family: batch norm and updates.
// Kernels are compiled in a few units: nvcc reads the headers of every unit once for each architecture.
#include "kernels/batch_norm/batch_norm_cuda.cu"
#include "kernels/meta_adam/meta_adam_cuda.cu"
#include "kernels/binary_updates/binary_updates_cuda.cu"
