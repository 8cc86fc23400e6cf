#define METAPLAST_ASSERT_TIER_AVX2
#include "runtime/assert_isa.h"

#include "kernels/gemm_tn/gemm_tn_kernel.h"
