#define METAPLAST_ASSERT_TIER_AVX512
#include "runtime/assert_isa.h"

#include "kernels/uncertainty/uncertainty_kernel.h"
