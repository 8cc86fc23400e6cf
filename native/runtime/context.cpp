#include "runtime/context.h"

#include <new>

#include "runtime/cpu_features.h"

extern "C" {

metaplast_context_t* metaplast_context_create(int32_t max_tier, int32_t threads) {
  return metaplast_context_create_without(max_tier, threads, 0);
}

metaplast_context_t* metaplast_context_create_without(int32_t max_tier, int32_t threads, int32_t without) {
  metaplast_context* context = new (std::nothrow) metaplast_context;
  if (context == nullptr) {
    return nullptr;
  }
  context->pool = metaplast::ThreadPool::create(threads);
  if (context->pool == nullptr) {
    delete context;
    return nullptr;
  }
  const uint32_t hidden = (without & METAPLAST_WITHOUT_VPOPCNTDQ) != 0 ? uint32_t{metaplast::kAvx512Vpopcntdq} : 0;
  const uint32_t features = metaplast::cpu_features() & ~hidden;
  const int32_t possible = metaplast::tier_of_features(features);
  const int32_t cap = max_tier < METAPLAST_TIER_SCALAR ? METAPLAST_TIER_SCALAR : max_tier;
  context->tier = possible < cap ? possible : cap;
  metaplast::fill_kernel_table(features, context->tier, &context->kernels);
  return context;
}

void metaplast_context_destroy(metaplast_context_t* context) {
  if (context != nullptr) {
    delete context->pool;
    delete context;
  }
}

int32_t metaplast_context_tier(const metaplast_context_t* context) { return context->tier; }

int32_t metaplast_context_threads(const metaplast_context_t* context) { return context->pool->threads(); }

int32_t metaplast_slot_tier(const metaplast_context_t* context, int32_t slot) {
  return slot >= 0 && slot < metaplast::kSlotCount ? context->kernels.tier_of_slot[slot] : -1;
}

}  // extern "C"
