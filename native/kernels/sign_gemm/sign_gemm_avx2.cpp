#define METAPLAST_ASSERT_TIER_AVX2
#include "runtime/assert_isa.h"

#include "kernels/sign_gemm/sign_gemm_kernel.h"
