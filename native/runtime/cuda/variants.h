// Variants of kernels: which of them a context uses is settled when it is created, by a test against the portable one.
#ifndef METAPLAST_RUNTIME_CUDA_VARIANTS_H_
#define METAPLAST_RUNTIME_CUDA_VARIANTS_H_

#include "runtime/cuda/context.h"

namespace metaplast {
namespace cuda_runtime {

// Tries the variants that the device can run, best first, on 64 shapes; the first one with the bits of the portable variant is taken. Not
// being able to test (no memory) leaves the portable one in force. Returns an error only when the device is lost.
metaplast_status_t choose_xnor_variant(metaplast_cuda_context* context, int32_t major, int32_t minor) noexcept;

// The same for products of real matrices: taken where they stay inside the error bounds on sixteen products and four sums X'X.
metaplast_status_t choose_product_variant(metaplast_cuda_context* context, int32_t major) noexcept;

// The same for batches of inverses: the queue is taken where it gives the bits of the launches on four sizes in both precisions.
metaplast_status_t choose_inverse_variant(metaplast_cuda_context* context) noexcept;

}  // namespace cuda_runtime
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_CUDA_VARIANTS_H_
