#define METAPLAST_ASSERT_TIER_AVX2
#include "runtime/assert_isa.h"

#include "kernels/diag_hessian/diag_hessian_kernel.h"
