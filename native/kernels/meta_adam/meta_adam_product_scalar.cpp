#define METAPLAST_ASSERT_TIER_SCALAR
#include "runtime/assert_isa.h"

#include "kernels/meta_adam/meta_adam_product_kernel.h"
