// The binarized family.
// Kernels are compiled in a few units: nvcc reads the headers of every unit once for each architecture.
#include "kernels/sign_pack/sign_pack_cuda.cu"
#include "kernels/xnor_gemm/xnor_gemm_cuda.cu"
#include "kernels/xnor_syrk/xnor_syrk_cuda.cu"
#include "kernels/sign_gemm/sign_gemm_cuda.cu"
#include "kernels/binary_conv2d/binary_conv2d_cuda.cu"
