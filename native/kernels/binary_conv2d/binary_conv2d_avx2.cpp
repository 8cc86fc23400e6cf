#define METAPLAST_ASSERT_TIER_AVX2
#include "runtime/assert_isa.h"

#include "kernels/binary_conv2d/binary_conv2d_kernel.h"
