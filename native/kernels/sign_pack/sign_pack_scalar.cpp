#define METAPLAST_ASSERT_TIER_SCALAR
#include "runtime/assert_isa.h"

#include "kernels/sign_pack/sign_pack_kernel.h"
