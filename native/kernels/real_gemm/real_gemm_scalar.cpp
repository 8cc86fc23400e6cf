#define METAPLAST_ASSERT_TIER_SCALAR
#define METAPLAST_ASSERT_FUSED
#include "runtime/assert_isa.h"

#include "kernels/real_gemm/real_gemm_kernel.h"
