// Runtime services of the CPU library: versions, CPU tiers, contexts (dispatch table + thread pool), aligned memory.
#ifndef METAPLAST_RUNTIME_H_
#define METAPLAST_RUNTIME_H_

#include "metaplast/status.h"

#ifdef __cplusplus
extern "C" {
#endif

// Raised whenever a signature, a struct layout or a constant of these headers changes; compared by the loader.
#define METAPLAST_ABI_VERSION 1
// Raised whenever a class A kernel would give other bits.
#define METAPLAST_NUMERICS_VERSION 1

enum { METAPLAST_TIER_SCALAR = 0, METAPLAST_TIER_AVX2 = 1, METAPLAST_TIER_AVX512 = 2 };

typedef struct metaplast_context metaplast_context_t;

METAPLAST_API int32_t metaplast_abi_version(void);
METAPLAST_API int32_t metaplast_numerics_version(void);

// Highest tier that CPU and operating system support (CPUID and XGETBV).
METAPLAST_API int32_t metaplast_cpu_tier(void);
// CPU brand string, and the compiler with its version; static storage.
METAPLAST_API const char* metaplast_cpu_name(void);
METAPLAST_API const char* metaplast_build_info(void);

// 1 when subnormal products are computed on the calling thread, 0 when some library set FTZ or DAZ.
METAPLAST_API int32_t metaplast_subnormals_computed(void);

// A context fixes a dispatch table (tier = min(max_tier, metaplast_cpu_tier())) and a pool of `threads` workers, the caller included
// (1 = everything runs on the calling thread). Contexts are independent; any thread may use one, several at a time (a call that finds
// the pool busy runs on its own thread). Results never depend on `threads`. Returns null when memory or threads cannot be had.
METAPLAST_API metaplast_context_t* metaplast_context_create(int32_t max_tier, int32_t threads);
// The same on this CPU without some of its features: METAPLAST_WITHOUT_VPOPCNTDQ leaves out the variants that need AVX-512 VPOPCNTDQ
// (the tier stays avx512). For tests and comparisons.
enum { METAPLAST_WITHOUT_VPOPCNTDQ = 1 };
METAPLAST_API metaplast_context_t* metaplast_context_create_without(int32_t max_tier, int32_t threads, int32_t without);
METAPLAST_API void metaplast_context_destroy(metaplast_context_t* context);
METAPLAST_API int32_t metaplast_context_tier(const metaplast_context_t* context);
METAPLAST_API int32_t metaplast_context_threads(const metaplast_context_t* context);
// Tier of the variant that a kernel slot uses in this context; -1 for an index past the last slot. Slot names come in order.
METAPLAST_API int32_t metaplast_slot_tier(const metaplast_context_t* context, int32_t slot);
METAPLAST_API const char* metaplast_slot_name(int32_t slot);

// Zeroed memory aligned to 64 bytes (2 MiB, advised to use huge pages, from 4 MiB on); null when exhausted. bytes >= 0.
METAPLAST_API void* metaplast_alloc(int64_t bytes);
// bytes must be what was asked for.
METAPLAST_API void metaplast_free(void* memory, int64_t bytes);
METAPLAST_API int64_t metaplast_allocated_bytes(void);
METAPLAST_API void metaplast_copy(void* destination, const void* source, int64_t bytes);

#ifdef __cplusplus
}
#endif
#endif  // METAPLAST_RUNTIME_H_
