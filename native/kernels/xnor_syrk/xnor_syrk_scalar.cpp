#define METAPLAST_ASSERT_TIER_SCALAR
#include "runtime/assert_isa.h"

#include "kernels/xnor_syrk/xnor_syrk_kernel.h"
