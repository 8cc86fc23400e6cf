#define METAPLAST_ASSERT_TIER_SCALAR
#include "runtime/assert_isa.h"

#include "kernels/binary_updates/binary_updates_kernel.h"
