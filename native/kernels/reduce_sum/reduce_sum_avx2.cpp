#define METAPLAST_ASSERT_TIER_AVX2
#include "runtime/assert_isa.h"

#include "kernels/reduce_sum/reduce_sum_kernel.h"
