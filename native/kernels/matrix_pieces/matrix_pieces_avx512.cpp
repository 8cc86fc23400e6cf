#define METAPLAST_ASSERT_TIER_AVX512
#include "runtime/assert_isa.h"

#include "kernels/matrix_pieces/matrix_pieces_kernel.h"
