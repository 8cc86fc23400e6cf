#include "runtime/cuda/context.h"

#include "runtime/cuda/variants.h"

#include <new>

namespace metaplast {
namespace cuda_runtime {

metaplast_status_t check(metaplast_cuda_context* context, cudaError_t code) noexcept {
  if (code == cudaSuccess) return METAPLAST_OK;
  cudaGetLastError();
  const int32_t number = static_cast<int32_t>(code);
  const metaplast_status_t status = metaplast_cuda_call_status(number);
  if (status == METAPLAST_E_CUDA_LOST) {
    int32_t none = 0;
    if (!context->lost.compare_exchange_strong(none, number)) return status;  // the first report names the culprit
  }
  context->failed_kernel = context->last_kernel.load();
  context->last_code = number;
  return status;
}

Call::Call(metaplast_cuda_context* context) noexcept {
  if (context == nullptr) {
    status_ = METAPLAST_E_ARGUMENT;
    return;
  }
  if (context->lost.load() != 0) {
    status_ = METAPLAST_E_CUDA_LOST;
    return;
  }
  int current = -1;
  cudaError_t code = cudaGetDevice(&current);
  if (code == cudaSuccess && current != context->device) {
    code = cudaSetDevice(context->device);
    previous_ = current;
  }
  status_ = check(context, code);
}

Call::~Call() noexcept {
  if (previous_ >= 0) cudaSetDevice(previous_);
}

}  // namespace cuda_runtime
}  // namespace metaplast

using metaplast::cuda_runtime::Call;
using metaplast::cuda_runtime::check;

extern "C" metaplast_status_t metaplast_cuda_context_create(int32_t device, int32_t flags, metaplast_cuda_context_t** context) {
  *context = nullptr;
  metaplast_cuda_device_info_t info;
  const metaplast_status_t status = metaplast_cuda_describe_device(device, &info);
  if (status != METAPLAST_OK) return status;
  metaplast_cuda_context* created = new (std::nothrow) metaplast_cuda_context();
  if (created == nullptr) return METAPLAST_E_OUT_OF_MEMORY;
  created->device = device;
  created->flags = flags;
  created->multiprocessors = info.multiprocessors;
  if ((flags & METAPLAST_CUDA_SIMT) == 0) {
    metaplast_status_t chosen = metaplast::cuda_runtime::choose_xnor_variant(created, info.major, info.minor);
    if (chosen == METAPLAST_OK) chosen = metaplast::cuda_runtime::choose_product_variant(created, info.major);
    if (chosen == METAPLAST_OK) chosen = metaplast::cuda_runtime::choose_inverse_variant(created);
    if (chosen != METAPLAST_OK) {
      delete created;
      return chosen;
    }
  }
  *context = created;
  return METAPLAST_OK;
}

extern "C" void metaplast_cuda_context_destroy(metaplast_cuda_context_t* context) { delete context; }

extern "C" int32_t metaplast_cuda_last_error_code(const metaplast_cuda_context_t* context) { return context->last_code.load(); }
extern "C" const char* metaplast_cuda_last_error_kernel(const metaplast_cuda_context_t* context) { return context->failed_kernel.load(); }

extern "C" metaplast_status_t metaplast_cuda_alloc(metaplast_cuda_context_t* context, int64_t bytes, void** memory) {
  *memory = nullptr;
  if (bytes < 0) return METAPLAST_E_ARGUMENT;
  Call call(context);
  if (call.status() != METAPLAST_OK) return call.status();
  if (bytes == 0) return METAPLAST_OK;
  void* block = nullptr;
  metaplast_status_t status = check(context, cudaMalloc(&block, static_cast<size_t>(bytes)));
  if (status != METAPLAST_OK) return status;
  // cudaMemset does not wait; the caller may use another stream next.
  status = check(context, cudaMemset(block, 0, static_cast<size_t>(bytes)));
  if (status == METAPLAST_OK) status = check(context, cudaStreamSynchronize(nullptr));
  if (status != METAPLAST_OK) {
    cudaFree(block);
    return status;
  }
  context->allocated += bytes;
  *memory = block;
  return METAPLAST_OK;
}

extern "C" metaplast_status_t metaplast_cuda_free(metaplast_cuda_context_t* context, void* memory, int64_t bytes) {
  if (context == nullptr) return METAPLAST_E_ARGUMENT;
  if (memory == nullptr) return METAPLAST_OK;
  Call call(context);
  context->allocated -= bytes;
  if (call.status() != METAPLAST_OK) return call.status();  // lost: the memory is void with the device
  return check(context, cudaFree(memory));
}

extern "C" int64_t metaplast_cuda_allocated_bytes(const metaplast_cuda_context_t* context) { return context->allocated.load(); }

extern "C" metaplast_status_t metaplast_cuda_memory_info(metaplast_cuda_context_t* context, int64_t* free_bytes, int64_t* total_bytes) {
  *free_bytes = 0;
  *total_bytes = 0;
  Call call(context);
  if (call.status() != METAPLAST_OK) return call.status();
  size_t available = 0, total = 0;
  const metaplast_status_t status = check(context, cudaMemGetInfo(&available, &total));
  *free_bytes = static_cast<int64_t>(available);
  *total_bytes = static_cast<int64_t>(total);
  return status;
}

extern "C" metaplast_status_t metaplast_cuda_copy(metaplast_cuda_context_t* context, void* destination, const void* source, int64_t bytes,
                                                  void* stream) {
  if (bytes < 0) return METAPLAST_E_ARGUMENT;
  Call call(context);
  if (call.status() != METAPLAST_OK || bytes == 0) return call.status();
  return check(context,
               cudaMemcpyAsync(destination, source, static_cast<size_t>(bytes), cudaMemcpyDefault, static_cast<cudaStream_t>(stream)));
}

extern "C" metaplast_status_t metaplast_cuda_stream_create(metaplast_cuda_context_t* context, void** stream) {
  *stream = nullptr;
  Call call(context);
  if (call.status() != METAPLAST_OK) return call.status();
  cudaStream_t created = nullptr;
  const metaplast_status_t status = check(context, cudaStreamCreateWithFlags(&created, cudaStreamDefault));
  if (status == METAPLAST_OK) *stream = created;
  return status;
}

extern "C" metaplast_status_t metaplast_cuda_stream_destroy(metaplast_cuda_context_t* context, void* stream) {
  Call call(context);
  if (call.status() != METAPLAST_OK) return call.status();
  return check(context, cudaStreamDestroy(static_cast<cudaStream_t>(stream)));
}

extern "C" metaplast_status_t metaplast_cuda_stream_synchronize(metaplast_cuda_context_t* context, void* stream) {
  Call call(context);
  if (call.status() != METAPLAST_OK) return call.status();
  return check(context, cudaStreamSynchronize(static_cast<cudaStream_t>(stream)));
}

extern "C" metaplast_status_t metaplast_cuda_synchronize(metaplast_cuda_context_t* context) {
  Call call(context);
  if (call.status() != METAPLAST_OK) return call.status();
  return check(context, cudaDeviceSynchronize());
}
