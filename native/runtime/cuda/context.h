// A CUDA context of this library: a device, and what is known of its health.
#ifndef METAPLAST_RUNTIME_CUDA_CONTEXT_H_
#define METAPLAST_RUNTIME_CUDA_CONTEXT_H_

#include <atomic>
#include <cstdint>

#include "metaplast/cuda.h"
#include "runtime/cuda/device_api.h"

struct metaplast_cuda_context {
  int32_t device = 0;
  int32_t flags = 0;
  int32_t multiprocessors = 1;
  std::atomic<int32_t> lost{0};       // the sticky error, 0 while the device works
  std::atomic<int32_t> last_code{0};  // the last error of any kind
  std::atomic<const char*> last_kernel{""};
  std::atomic<const char*> failed_kernel{""};
  std::atomic<int64_t> allocated{0};
  std::atomic<int32_t> xnor_variant{METAPLAST_CUDA_XNOR_SIMT};  // in force for bit products
  std::atomic<int32_t> xnor_failed{METAPLAST_CUDA_XNOR_SIMT};   // the best one that did not pass its test, if any
  std::atomic<int32_t> product_variant{METAPLAST_CUDA_PRODUCT_SIMT};  // the same for products of real matrices
  std::atomic<int32_t> product_failed{METAPLAST_CUDA_PRODUCT_SIMT};
  std::atomic<int32_t> inverse_variant{METAPLAST_CUDA_INVERSE_LAUNCHES};  // and for batches of inverses
  std::atomic<int32_t> inverse_failed{METAPLAST_CUDA_INVERSE_LAUNCHES};
};

namespace metaplast {
namespace cuda_runtime {

// Reads the result of a CUDA call: remembers errors in the context and clears what CUDA remembers of them.
metaplast_status_t check(metaplast_cuda_context* context, cudaError_t code) noexcept;

// Makes the context's device current for a scope and gives the caller's back.
class Call {
 public:
  explicit Call(metaplast_cuda_context* context) noexcept;
  ~Call() noexcept;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // METAPLAST_OK, or why nothing may be called.
  metaplast_status_t status() const noexcept { return status_; }

 private:
  int previous_ = -1;
  metaplast_status_t status_ = METAPLAST_OK;
};

}  // namespace cuda_runtime
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_CUDA_CONTEXT_H_
