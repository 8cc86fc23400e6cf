// R16 for other entry points.
#ifndef METAPLAST_KERNELS_REDUCE_SUM_REDUCE_SUM_H_
#define METAPLAST_KERNELS_REDUCE_SUM_REDUCE_SUM_H_

#include "runtime/context.h"

namespace metaplast {

// R16 of x, over the pool where n is large; +0 for n = 0. Does not allocate.
float reduce_sum(const metaplast_context_t* context, int64_t n, const float* x) noexcept;

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_REDUCE_SUM_REDUCE_SUM_H_
