#define METAPLAST_ASSERT_TIER_AVX2
#include "runtime/assert_isa.h"

#include "kernels/meta_adam/meta_adam_product_kernel.h"
