#define METAPLAST_ASSERT_TIER_AVX2
#include "runtime/assert_isa.h"

#include "kernels/gaussian_update/gaussian_update_kernel.h"
