// Entry points of binary.h that have no kernel yet; each leaves this file when its kernel arrives.
#include "metaplast/binary.h"

extern "C" metaplast_status_t metaplast_binary_conv2d_i32(const metaplast_context_t*, const metaplast_conv2d_t*, const uint64_t*, const uint64_t*, int32_t*, void*, int64_t) {
  return METAPLAST_E_UNSUPPORTED;
}

extern "C" metaplast_status_t metaplast_binary_conv2d_grad_input_f32(const metaplast_context_t*, const metaplast_conv2d_t*, const float*, const uint64_t*, float*, void*, int64_t) {
  return METAPLAST_E_UNSUPPORTED;
}

extern "C" metaplast_status_t metaplast_binary_conv2d_grad_weight_f32(const metaplast_context_t*, const metaplast_conv2d_t*, const float*, const uint64_t*, float*, void*, int64_t) {
  return METAPLAST_E_UNSUPPORTED;
}

extern "C" int64_t metaplast_binary_conv2d_workspace_bytes(const metaplast_conv2d_t*) { return 0; }
