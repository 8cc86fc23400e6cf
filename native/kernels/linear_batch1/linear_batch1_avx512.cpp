#define METAPLAST_ASSERT_TIER_AVX512
#include "runtime/assert_isa.h"

#include "kernels/linear_batch1/linear_batch1_kernel.h"
