#define METAPLAST_ASSERT_TIER_SCALAR
#define METAPLAST_ASSERT_FUSED
#include "runtime/assert_isa.h"

#include "kernels/spd_inverse/spd_inverse_group.h"
#include "kernels/spd_inverse/spd_inverse_kernel.h"
