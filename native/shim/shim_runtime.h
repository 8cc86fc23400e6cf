// Stand-in for the part of the CUDA runtime that native/runtime/cuda uses, for host-run tests: "device" memory is guarded host memory,
// every call completes at once, and faults can be injected.
#ifndef METAPLAST_SHIM_SHIM_RUNTIME_H_
#define METAPLAST_SHIM_SHIM_RUNTIME_H_

#include <cstddef>

#include "shim/shim.h"

typedef int cudaError_t;
typedef struct metaplast_shim_stream* cudaStream_t;
typedef metaplast::shim::Dim3 dim3;

enum {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorLaunchFailure = 719
};
enum cudaMemcpyKind { cudaMemcpyDefault = 4 };
enum cudaStreamFlags { cudaStreamDefault = 0 };

struct cudaDeviceProp {
  char name[256];
  std::size_t totalGlobalMem;
  int major, minor, multiProcessorCount, l2CacheSize;
};

cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaRuntimeGetVersion(int* version);
cudaError_t cudaGetDevice(int* device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaMalloc(void** memory, std::size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes);
cudaError_t cudaMemset(void* memory, int value, std::size_t bytes);
cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream);
cudaError_t cudaMemcpyAsync(void* destination, const void* source, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaDeviceSynchronize();
cudaError_t cudaGetLastError();
const char* cudaGetErrorName(cudaError_t code);
const char* cudaGetErrorString(cudaError_t code);

namespace metaplast {
namespace shim {

// What cudaGetDeviceCount and cudaDriverGetVersion say from now on.
void set_probe(int cuda_code, int devices, int driver_version);
// The k-th allocation from now (1 = the next) fails with cudaErrorMemoryAllocation; 0: none.
void fail_allocation(int k);
// The next launch or synchronisation returns this code; sticky codes are returned by every later call, until 0 is set.
void inject(int cuda_code, bool sticky);
// What the last failed launch of the shim had to say, "" if none.
const char* last_failure();

// Called by the launcher instead of cudaLaunchKernel.
cudaError_t launch(dim3 grid, dim3 block, std::size_t shared_bytes, void (*body)(const void*), const void* arguments);

}  // namespace shim
}  // namespace metaplast

#endif  // METAPLAST_SHIM_SHIM_RUNTIME_H_
