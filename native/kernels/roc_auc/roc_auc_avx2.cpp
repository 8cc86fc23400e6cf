#define METAPLAST_ASSERT_TIER_AVX2
#include "runtime/assert_isa.h"

#include "kernels/roc_auc/roc_auc_kernel.h"
