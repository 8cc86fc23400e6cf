// Entry point: one metaplastic Adam step of all tensors.
#include "metaplast/binary.h"
#include "runtime/multi_tensor.h"

namespace {

// The update runs at memory speed: a second thread pays from some microseconds on.
constexpr int64_t kStepGrain = 16384;

// First element from e on at which a word of the bit matrix begins, so that no two ranges write one word.
int64_t word_boundary(int64_t e, int64_t cols) {
  const int64_t column = e % cols;
  if (column % 64 == 0) return e;
  const int64_t up = (column + 63) / 64 * 64;
  return e - column + (up < cols ? up : cols);
}

bool valid_tensors(int32_t tensors, const int64_t* rows, const int64_t* cols, float* const* w, const float* const* g, float* const* m,
                   float* const* v) {
  for (int32_t t = 0; t < tensors; ++t) {
    if (rows[t] < 0 || cols[t] < 0) return false;
    if (rows[t] > 0 && cols[t] > 0 && (w[t] == nullptr || g[t] == nullptr || m[t] == nullptr || v[t] == nullptr)) return false;
  }
  return true;
}

}  // namespace

extern "C" metaplast_status_t metaplast_meta_adam_step_f32(const metaplast_context_t* context, int32_t tensors, const int64_t* rows,
                                                           const int64_t* cols, float* const* w, const float* const* g, float* const* m,
                                                           float* const* v, uint64_t* const* bits, const metaplast_adam_row_t* params,
                                                           int32_t row_stride) {
  if (context == nullptr || tensors < 0 || params == nullptr || (row_stride != 0 && row_stride != 1) ||
      (tensors > 0 && (rows == nullptr || cols == nullptr || w == nullptr || g == nullptr || m == nullptr || v == nullptr)) ||
      !valid_tensors(tensors, rows, cols, w, g, m, v)) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  metaplast::parallel_tensors(
      context, tensors, [=](int32_t t) { return rows[t] * cols[t]; }, kStepGrain, [=](int32_t t, int64_t begin, int64_t end) {
        uint64_t* const words = bits == nullptr ? nullptr : bits[t];
        if (words != nullptr) {
          begin = word_boundary(begin, cols[t]);
          end = word_boundary(end, cols[t]);
        }
        context->kernels.meta_adam_step(begin, end, cols[t], w[t], g[t], m[t], v[t], words, params + t * row_stride);
      });
  return METAPLAST_OK;
}
