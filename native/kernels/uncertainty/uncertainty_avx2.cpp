#define METAPLAST_ASSERT_TIER_AVX2
#include "runtime/assert_isa.h"

#include "kernels/uncertainty/uncertainty_kernel.h"
