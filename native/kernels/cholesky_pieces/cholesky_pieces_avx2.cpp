#define METAPLAST_ASSERT_TIER_AVX2
#define METAPLAST_ASSERT_FUSED
#include "runtime/assert_isa.h"

#include "kernels/cholesky_pieces/cholesky_pieces_kernel.h"
