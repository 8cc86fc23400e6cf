#define METAPLAST_ASSERT_TIER_AVX512
#include "runtime/assert_isa.h"

#include "kernels/grad_accumulate/grad_accumulate_kernel.h"
