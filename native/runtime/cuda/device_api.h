// The CUDA runtime, or its stand-in when this source is built for the host shim (METAPLAST_SHIM, tests only).
#ifndef METAPLAST_RUNTIME_CUDA_DEVICE_API_H_
#define METAPLAST_RUNTIME_CUDA_DEVICE_API_H_

#if defined(METAPLAST_SHIM)
#include "shim/shim_runtime.h"
#else
#include <cuda_runtime_api.h>
#endif

#endif  // METAPLAST_RUNTIME_CUDA_DEVICE_API_H_
