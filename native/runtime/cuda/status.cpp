#include <cstring>

#include "metaplast/cuda.h"
#include "runtime/cuda/device_api.h"

// cudaError_t values are part of CUDA's ABI; they are spelled as numbers so that one table serves every toolkit.

extern "C" metaplast_status_t metaplast_cuda_probe_status(int32_t cuda_code, int32_t driver_version) {
  switch (cuda_code) {
    case 0:
      return METAPLAST_OK;
    case 35:  // cudaErrorInsufficientDriver: also what the static runtime says when there is no libcuda at all
      return driver_version == 0 ? METAPLAST_E_CUDA_NO_DRIVER : METAPLAST_E_CUDA_OLD_DRIVER;
    case 34:  // cudaErrorStubLibrary: the toolkit's stub was found instead of a driver
      return METAPLAST_E_CUDA_NO_DRIVER;
    case 36:   // cudaErrorCallRequiresNewerDriver
    case 222:  // cudaErrorUnsupportedPtxVersion
    case 803:  // cudaErrorSystemDriverMismatch
    case 804:  // cudaErrorCompatNotSupportedOnDevice
      return METAPLAST_E_CUDA_OLD_DRIVER;
    case 3:    // cudaErrorInitializationError
    case 46:   // cudaErrorDevicesUnavailable
    case 100:  // cudaErrorNoDevice
    case 101:  // cudaErrorInvalidDevice
    case 209:  // cudaErrorNoKernelImageForDevice
    case 214:  // cudaErrorECCUncorrectable
    case 802:  // cudaErrorSystemNotReady
      return METAPLAST_E_CUDA_NO_DEVICE;
    default:
      return METAPLAST_E_CUDA_OTHER;
  }
}

extern "C" metaplast_status_t metaplast_cuda_call_status(int32_t cuda_code) {
  switch (cuda_code) {
    case 0:
      return METAPLAST_OK;
    case 2:  // cudaErrorMemoryAllocation
      return METAPLAST_E_CUDA_OUT_OF_MEMORY;
    case 4:    // cudaErrorCudartUnloading
    case 46:   // cudaErrorDevicesUnavailable
    case 214:  // cudaErrorECCUncorrectable
    case 220:  // cudaErrorNvlinkUncorrectable
    case 226:  // cudaErrorContained
    case 700:  // cudaErrorIllegalAddress
    case 702:  // cudaErrorLaunchTimeout
    case 709:  // cudaErrorContextIsDestroyed
    case 710:  // cudaErrorAssert
    case 714:  // cudaErrorHardwareStackError
    case 715:  // cudaErrorIllegalInstruction
    case 716:  // cudaErrorMisalignedAddress
    case 717:  // cudaErrorInvalidAddressSpace
    case 718:  // cudaErrorInvalidPc
    case 719:  // cudaErrorLaunchFailure
    case 721:  // cudaErrorTensorMemoryLeak
    case 807:  // cudaErrorMpsServerNotReady
    case 808:  // cudaErrorMpsMaxClientsReached
    case 809:  // cudaErrorMpsMaxConnectionsReached
    case 810:  // cudaErrorMpsClientTerminated
      return METAPLAST_E_CUDA_LOST;
    default:
      return METAPLAST_E_CUDA_OTHER;
  }
}

extern "C" const char* metaplast_cuda_status_text(metaplast_status_t status) {
  switch (status) {
    case METAPLAST_OK:
      return "ok";
    case METAPLAST_E_ARGUMENT:
      return "an argument is outside its range";
    case METAPLAST_E_OUT_OF_MEMORY:
      return "host memory is exhausted";
    case METAPLAST_E_UNSUPPORTED:
      return "not supported";
    case METAPLAST_E_CUDA_NO_DRIVER:
      return "NVIDIA driver not found";
    case METAPLAST_E_CUDA_OLD_DRIVER:
      return "driver too old for CUDA 13";
    case METAPLAST_E_CUDA_NO_DEVICE:
      return "no usable NVIDIA device";
    case METAPLAST_E_CUDA_OUT_OF_MEMORY:
      return "device memory is exhausted";
    case METAPLAST_E_CUDA_LOST:
      return "the CUDA device failed and this process can no longer use it";
    default:
      return "CUDA error";
  }
}

extern "C" const char* metaplast_cuda_error_name(int32_t cuda_code) { return cudaGetErrorName(static_cast<cudaError_t>(cuda_code)); }

extern "C" const char* metaplast_cuda_error_text(int32_t cuda_code) { return cudaGetErrorString(static_cast<cudaError_t>(cuda_code)); }

extern "C" metaplast_status_t metaplast_cuda_probe(metaplast_cuda_probe_result_t* result) {
  *result = metaplast_cuda_probe_result_t();
  int driver = 0, runtime = 0, devices = 0;  // untouched by CUDA when a call fails
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  const cudaError_t code = cudaGetDeviceCount(&devices);
  cudaGetLastError();  // the probe leaves no error behind
  result->driver_version = driver;
  result->runtime_version = runtime;
  result->cuda_code = static_cast<int32_t>(code);
  if (code != cudaSuccess) return metaplast_cuda_probe_status(result->cuda_code, driver);
  result->devices = devices;
  return devices > 0 ? METAPLAST_OK : METAPLAST_E_CUDA_NO_DEVICE;
}

extern "C" metaplast_status_t metaplast_cuda_describe_device(int32_t device, metaplast_cuda_device_info_t* info) {
  *info = metaplast_cuda_device_info_t();
  cudaDeviceProp properties;
  const cudaError_t code = cudaGetDeviceProperties(&properties, device);
  if (code != cudaSuccess) {
    cudaGetLastError();
    return metaplast_cuda_probe_status(static_cast<int32_t>(code), 1);
  }
  info->total_bytes = static_cast<int64_t>(properties.totalGlobalMem);
  info->l2_bytes = properties.l2CacheSize;
  info->major = properties.major;
  info->minor = properties.minor;
  info->multiprocessors = properties.multiProcessorCount;
  std::memcpy(info->name, properties.name, sizeof(info->name));
  info->name[sizeof(info->name) - 1] = 0;
  return METAPLAST_OK;
}

extern "C" int32_t metaplast_cuda_abi_version(void) { return METAPLAST_ABI_VERSION; }
extern "C" int32_t metaplast_cuda_numerics_version(void) { return METAPLAST_NUMERICS_VERSION; }

#define METAPLAST_TEXT_(x) #x
#define METAPLAST_TEXT(x) METAPLAST_TEXT_(x)
extern "C" const char* metaplast_cuda_build_info(void) {
#if defined(METAPLAST_SHIM)
  return "host shim";
#else
  return "CUDA runtime " METAPLAST_TEXT(CUDART_VERSION) ", nvcc " METAPLAST_NVCC_VERSION ", architectures " METAPLAST_CUDA_ARCHITECTURES;
#endif
}
