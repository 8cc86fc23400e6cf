// Versions, the compiler, and the subnormal probe.
#include <cfloat>

#include "metaplast/runtime.h"

#if defined(__clang__)
#define METAPLAST_COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define METAPLAST_COMPILER "gcc " __VERSION__
#else
#define METAPLAST_COMPILER "unknown compiler"
#endif

extern "C" {

int32_t metaplast_abi_version(void) { return METAPLAST_ABI_VERSION; }

int32_t metaplast_numerics_version(void) { return METAPLAST_NUMERICS_VERSION; }

const char* metaplast_build_info(void) { return METAPLAST_COMPILER; }

int32_t metaplast_subnormals_computed(void) {
  // Volatile, so that the product is formed now and by this thread, not by the compiler.
  volatile float smallest = FLT_MIN;
  volatile float half = 0.5f;
  volatile float subnormal = smallest * half;  // 0 under FTZ
  volatile float twice = subnormal * 2.0f;     // 0 under DAZ
  return twice == FLT_MIN ? 1 : 0;
}

}  // extern "C"
