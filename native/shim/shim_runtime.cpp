#include "shim/shim_runtime.h"

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <string>
#include <unordered_map>

namespace {

constexpr std::size_t kGuard = 256;
constexpr std::size_t kTotal = std::size_t{1} << 36;
constexpr unsigned char kCanary = 0xC5;

struct Runtime {
  std::mutex lock;
  std::unordered_map<void*, std::size_t> blocks;
  std::size_t allocated = 0;
  int probe_code = cudaSuccess, devices = 1, driver_version = 13000;
  int allocations_until_failure = 0;
  int injected = cudaSuccess;
  bool sticky = false;
  std::string failure;
};
Runtime& runtime() {
  static Runtime instance;
  return instance;
}
thread_local cudaError_t t_last = cudaSuccess;

cudaError_t note(cudaError_t code) {
  if (code != cudaSuccess) t_last = code;
  return code;
}

// The injected fault, if any; a fault that is not sticky is reported once.
cudaError_t pending(bool asynchronous_point) {
  Runtime& r = runtime();
  std::lock_guard<std::mutex> hold(r.lock);
  const int code = r.injected;
  if (code == cudaSuccess || (!r.sticky && !asynchronous_point)) return cudaSuccess;
  if (!r.sticky) r.injected = cudaSuccess;
  return note(code);
}

void fault(const char* message) {
  Runtime& r = runtime();
  r.injected = cudaErrorLaunchFailure;
  r.sticky = true;
  r.failure = message;
}

}  // namespace

cudaError_t cudaGetDeviceCount(int* count) {
  Runtime& r = runtime();
  if (r.probe_code == cudaSuccess) *count = r.devices;
  return note(r.probe_code);
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = runtime().driver_version;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) { return note(device < runtime().devices ? cudaSuccess : cudaErrorInvalidDevice); }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device < 0 || device >= runtime().devices) return note(cudaErrorInvalidDevice);
  *properties = cudaDeviceProp();
  std::strcpy(properties->name, "host shim");
  properties->totalGlobalMem = kTotal;
  properties->major = 9;
  properties->multiProcessorCount = 4;
  properties->l2CacheSize = 1 << 20;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  if (cudaError_t code = pending(false)) return code;
  Runtime& r = runtime();
  std::lock_guard<std::mutex> hold(r.lock);
  if (r.allocations_until_failure > 0 && --r.allocations_until_failure == 0) return note(cudaErrorMemoryAllocation);
  if (bytes > kTotal - r.allocated) return note(cudaErrorMemoryAllocation);
  // Exact size between guards; the alignment is the one that CUDA promises.
  void* raw = nullptr;
  if (posix_memalign(&raw, kGuard, bytes + 2 * kGuard) != 0) return note(cudaErrorMemoryAllocation);
  unsigned char* base = static_cast<unsigned char*>(raw);
  std::memset(base, kCanary, kGuard);
  std::memset(base + kGuard, 0xFF, bytes);
  std::memset(base + kGuard + bytes, kCanary, kGuard);
  r.blocks[base + kGuard] = bytes;
  r.allocated += bytes;
  *memory = base + kGuard;
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  if (cudaError_t code = pending(false)) return code;
  if (memory == nullptr) return cudaSuccess;
  Runtime& r = runtime();
  std::lock_guard<std::mutex> hold(r.lock);
  const auto found = r.blocks.find(memory);
  if (found == r.blocks.end()) return note(cudaErrorInvalidValue);
  unsigned char* base = static_cast<unsigned char*>(memory) - kGuard;
  for (std::size_t i = 0; i < kGuard; ++i) {
    if (base[i] != kCanary || base[kGuard + found->second + i] != kCanary) fault("a kernel wrote outside of device memory");
  }
  r.allocated -= found->second;
  r.blocks.erase(found);
  std::free(base);
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes) {
  if (cudaError_t code = pending(false)) return code;
  Runtime& r = runtime();
  std::lock_guard<std::mutex> hold(r.lock);
  *total_bytes = kTotal;
  *free_bytes = kTotal - r.allocated;
  return cudaSuccess;
}
cudaError_t cudaMemset(void* memory, int value, std::size_t bytes) { return cudaMemsetAsync(memory, value, bytes, nullptr); }
cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t) {
  if (cudaError_t code = pending(false)) return code;
  if (bytes > 0) std::memset(memory, value, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* destination, const void* source, std::size_t bytes, cudaMemcpyKind, cudaStream_t) {
  if (cudaError_t code = pending(false)) return code;
  if (bytes > 0) std::memmove(destination, source, bytes);
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  if (cudaError_t code = pending(false)) return code;
  *stream = static_cast<cudaStream_t>(std::malloc(16));
  return note(*stream != nullptr ? cudaSuccess : cudaErrorMemoryAllocation);
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  std::free(stream);
  return pending(false);
}
cudaError_t cudaStreamSynchronize(cudaStream_t) { return pending(true); }
cudaError_t cudaDeviceSynchronize() { return pending(true); }
cudaError_t cudaGetLastError() {
  const cudaError_t code = t_last;
  t_last = cudaSuccess;
  return code;
}
const char* cudaGetErrorName(cudaError_t code) {
  switch (code) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    default:
      return "unrecognized error code";
  }
}
const char* cudaGetErrorString(cudaError_t code) { return cudaGetErrorName(code); }

namespace metaplast {
namespace shim {

void set_probe(int cuda_code, int devices, int driver_version) {
  runtime().probe_code = cuda_code;
  runtime().devices = devices;
  runtime().driver_version = driver_version;
}
void fail_allocation(int k) { runtime().allocations_until_failure = k; }
void inject(int cuda_code, bool sticky) {
  runtime().injected = cuda_code;
  runtime().sticky = sticky;
}
const char* last_failure() { return runtime().failure.c_str(); }

cudaError_t launch(dim3 grid, dim3 block, std::size_t shared_bytes, void (*body)(const void*), const void* arguments) {
  if (cudaError_t code = pending(true)) return code;
  const char* failure = run(grid, block, shared_bytes, body, arguments);
  if (failure == nullptr) return cudaSuccess;
  std::lock_guard<std::mutex> hold(runtime().lock);
  fault(failure);
  return note(cudaErrorLaunchFailure);
}

}  // namespace shim
}  // namespace metaplast
