// Status codes of the Metaplast C ABI. Every entry point that can fail returns one of these; none throws, prints, allocates on
// behalf of a kernel, or ends the process.
#ifndef METAPLAST_STATUS_H_
#define METAPLAST_STATUS_H_

#include <stdint.h>

#if defined(__GNUC__)
#define METAPLAST_API __attribute__((visibility("default")))
#else
#define METAPLAST_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t metaplast_status_t;

enum {
  METAPLAST_OK = 0,
  METAPLAST_E_ARGUMENT = 1,       // an argument is outside its documented range (nothing was written)
  METAPLAST_E_OUT_OF_MEMORY = 2,  // host memory exhausted
  METAPLAST_E_UNSUPPORTED = 3,    // this machine or build lacks what was asked for
  METAPLAST_E_NOT_FINITE = 4,       // an input matrix holds NaN or infinity (nothing was written)
  METAPLAST_E_CUDA_NO_DRIVER = 16,       // no NVIDIA driver on this machine
  METAPLAST_E_CUDA_OLD_DRIVER = 17,      // driver older than the CUDA runtime that is linked in
  METAPLAST_E_CUDA_NO_DEVICE = 18,       // driver present, no usable device
  METAPLAST_E_CUDA_OUT_OF_MEMORY = 19,   // device memory exhausted; the next call works
  METAPLAST_E_CUDA_LOST = 20,            // sticky error: the CUDA context is void until the process ends
  METAPLAST_E_CUDA_OTHER = 21            // any other CUDA error; metaplast_cuda_last_error_* tell which
};

#ifdef __cplusplus
}
#endif
#endif  // METAPLAST_STATUS_H_
