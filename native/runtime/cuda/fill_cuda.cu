#include "runtime/cuda/elementwise.h"

namespace metaplast {
namespace simt {

struct FillWords {
  static constexpr int kArrays = 1, kRead = 0, kWrite = 1;
  uint32_t value;
  METAPLAST_DEVICE void apply(float* x) const { x[0] = as_float(value); }
};

}  // namespace simt
}  // namespace metaplast

extern "C" metaplast_status_t metaplast_cuda_fill_u32(metaplast_cuda_context_t* context, uint32_t* destination, int64_t words,
                                                      uint32_t value, void* stream) {
  return metaplast::cuda_runtime::run_elementwise(context, "fill", stream, words, metaplast::simt::FillWords{value},
                                                  {reinterpret_cast<const float*>(destination)});
}
