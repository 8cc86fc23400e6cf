// Losses, read-outs, sums, baselines.
// Kernels are compiled in a few units: nvcc reads the headers of every unit once for each architecture.
#include "kernels/nll/nll_cuda.cu"
#include "kernels/uncertainty/uncertainty_cuda.cu"
#include "kernels/reduce_sum/reduce_sum_cuda.cu"
#include "kernels/roc_auc/roc_auc_cuda.cu"
#include "kernels/diag_hessian/diag_hessian_cuda.cu"
#include "kernels/baselines/baselines_cuda.cu"
#include "runtime/cuda/fill_cuda.cu"
