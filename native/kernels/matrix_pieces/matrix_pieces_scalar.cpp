#define METAPLAST_ASSERT_TIER_SCALAR
#include "runtime/assert_isa.h"

#include "kernels/matrix_pieces/matrix_pieces_kernel.h"
