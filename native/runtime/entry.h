// Small tools of entry points.
#ifndef METAPLAST_RUNTIME_ENTRY_H_
#define METAPLAST_RUNTIME_ENTRY_H_

#include "runtime/context.h"

namespace metaplast {

// No null pointer among the arguments.
template <class... Pointers>
bool present(const Pointers*... pointers) noexcept {
  return (... && (pointers != nullptr));
}

// The frame of element-wise entry points: body(kernels, begin, end) over ranges of 0..n-1. `complete` says that no required pointer is
// null; with n = 0 pointers do not matter.
template <class Body>
metaplast_status_t run_elementwise(const metaplast_context_t* context, int64_t n, bool complete, const Body& body) noexcept {
  // Elements from which a second thread pays: several microseconds of work in cache.
  constexpr int64_t kGrain = 32768;
  if (context == nullptr || n < 0 || (n > 0 && !complete)) {
    return METAPLAST_E_ARGUMENT;
  }
  const FpEnvironment environment;
  parallel_range(context, n, kGrain, [&](int64_t begin, int64_t end) { body(context->kernels, begin, end); });
  return METAPLAST_OK;
}

}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_ENTRY_H_
