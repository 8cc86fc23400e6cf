// Aligned memory, the floating-point environment of entry points, versions.
#include <cfloat>
#include <cstdint>
#include <cstring>
#include <vector>

#include "testing/testing.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

void check_memory() {
  const int64_t before = metaplast_allocated_bytes();
  for (int64_t bytes : {int64_t{0}, int64_t{1}, int64_t{63}, int64_t{64}, int64_t{65}, int64_t{4096}, kMiB + 3, 4 * kMiB - 1, 4 * kMiB,
                        4 * kMiB + 1, 9 * kMiB + 7}) {
    unsigned char* p = static_cast<unsigned char*>(metaplast_alloc(bytes));
    const uintptr_t alignment = bytes >= 4 * kMiB ? 2 * kMiB : 64;
    expect(p != nullptr, "%lld bytes", static_cast<long long>(bytes));
    expect(reinterpret_cast<uintptr_t>(p) % alignment == 0, "%lld bytes: alignment", static_cast<long long>(bytes));
    expect(metaplast_allocated_bytes() == before + bytes, "%lld bytes: counter", static_cast<long long>(bytes));
    bool zero = true;
    for (int64_t i = 0; i < bytes; ++i) {
      zero = zero && p[i] == 0;
    }
    expect(zero, "%lld bytes: zeroed", static_cast<long long>(bytes));
    if (bytes > 0) {
      std::memset(p, 0xFF, static_cast<size_t>(bytes));  // the next allocation must be zero again
    }
    metaplast_free(p, bytes);
    expect(metaplast_allocated_bytes() == before, "%lld bytes: counter after free", static_cast<long long>(bytes));
  }
  expect(metaplast_alloc(-1) == nullptr, "a negative size");
  expect(metaplast_alloc(INT64_MAX) == nullptr, "a size that overflows");
  expect(metaplast_alloc(int64_t{1} << 60) == nullptr, "more than there is");
  expect(metaplast_allocated_bytes() == before, "failures are not counted");
  metaplast_free(nullptr, 100);
  expect(metaplast_allocated_bytes() == before, "null is not counted");

  const std::vector<float> source = mixed_values(1, 1000);
  std::vector<float> copy(1000);
  metaplast_copy(copy.data(), source.data(), 4000);
  expect(std::memcmp(copy.data(), source.data(), 4000) == 0, "metaplast_copy");
  metaplast_copy(nullptr, nullptr, 0);
}

// Kernels compute subnormals whatever the caller's thread is set to, and leave its settings as they were.
void check_environment() {
#if defined(__x86_64__)
  expect(metaplast_subnormals_computed() == 1, "subnormals are computed here");
  const unsigned normal = _mm_getcsr();
  for (unsigned fault : {0x8000u /* FTZ */, 0x0040u /* DAZ */, 0x6000u /* round to zero */, 0xE040u}) {
    for (int32_t threads : {1, 2}) {
      for (int32_t tier : tiers()) {
        const Context context(tier, threads);
        std::vector<float> theta(100000, FLT_MIN);
        const std::vector<float> g(100000, FLT_MIN);
        _mm_setcsr(normal | fault);
        const bool flushed = metaplast_subnormals_computed() == 0;
        const metaplast_status_t status = metaplast_sgd_step_f32(context, static_cast<int64_t>(theta.size()), theta.data(),
                                                                 g.data(), 0.75f);
        const unsigned after = _mm_getcsr();
        _mm_setcsr(normal);
        expect(flushed == ((fault & 0x8040u) != 0), "the probe under MXCSR fault %x", fault);
        expect(status == METAPLAST_OK && (after & ~0x3Fu) == ((normal | fault) & ~0x3Fu), "MXCSR %x afterwards", after);
        bool computed = true;
        for (float t : theta) {
          computed = computed && t == 0.25f * FLT_MIN;
        }
        expect(computed, "%s: subnormal results under MXCSR fault %x", tier_name(tier), fault);
      }
    }
  }
#endif
}

}  // namespace

int main() {
  check_memory();
  check_environment();
  expect(metaplast_abi_version() == METAPLAST_ABI_VERSION, "ABI version");
  expect(metaplast_numerics_version() == METAPLAST_NUMERICS_VERSION, "numerics version");
  expect(std::strlen(metaplast_build_info()) > 0, "build info");
  expect(metaplast_context_create(METAPLAST_TIER_AVX512, 0) == nullptr, "a context of no threads");
  for (int32_t cap = METAPLAST_TIER_SCALAR; cap <= METAPLAST_TIER_AVX512; ++cap) {
    const Context context(cap, 2);
    expect(metaplast_context_tier(context) == (cap < metaplast_cpu_tier() ? cap : metaplast_cpu_tier()), "the cap %d", cap);
    expect(metaplast_context_threads(context) == 2, "threads of a context");
    expect(metaplast_slot_tier(context, -1) == -1, "a slot before the first");
  }
  return finish("memory_test");
}
