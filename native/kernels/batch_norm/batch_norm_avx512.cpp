#define METAPLAST_ASSERT_TIER_AVX512
#include "runtime/assert_isa.h"

#include "kernels/batch_norm/batch_norm_kernel.h"
