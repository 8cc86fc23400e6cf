// The Kronecker family: products, statistics, small pieces. Class B: fused multiply-add is spelled out.
// Kernels are compiled in a few units: nvcc reads the headers of every unit once for each architecture.
#include "kernels/real_gemm/real_gemm_cuda.cu"
#include "kernels/kronecker_products/kronecker_products_cuda.cu"
#include "kernels/matrix_pieces/matrix_pieces_cuda.cu"
#include "kernels/batch_norm_merge/batch_norm_merge_cuda.cu"
#include "kernels/kronecker_factor/kronecker_factor_cuda.cu"
#include "runtime/cuda/product_variant_cuda.cu"
