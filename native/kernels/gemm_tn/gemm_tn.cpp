// Entry point: the weight-gradient product of real inputs.
#include "kernels/gemm_tn/gemm_tn.h"

#include "metaplast/binary.h"
#include "runtime/entry.h"

namespace {

constexpr int64_t kGrain = 1 << 19;     // products from which a range of its own pays
constexpr int64_t kRowGroup = 48;       // rows and columns that the kernel copies at a time
constexpr int64_t kColumnGroup = 64;

int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

}  // namespace

extern "C" metaplast_status_t metaplast_gemm_tn_f32(const metaplast_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                    const float* dy, int64_t lddy, const float* x, int64_t ldx, float* dw, int64_t lddw) {
  if (context == nullptr || batch < 0 || out < 0 || in < 0 || lddy < out || ldx < in || lddw < in) return METAPLAST_E_ARGUMENT;
  if (out == 0 || in == 0) return METAPLAST_OK;
  if (dw == nullptr || (batch > 0 && !metaplast::present(dy, x))) return METAPLAST_E_ARGUMENT;
  if (batch == 0) {
    for (int64_t o = 0; o < out; ++o) {
      for (int64_t i = 0; i < in; ++i) dw[o * lddw + i] = 0.0f;
    }
    return METAPLAST_OK;
  }
  const metaplast::FpEnvironment environment;
  const metaplast::GemmTn gemm = {batch, dy, lddy, x, ldx, dw, lddw};
  const int64_t row_groups = (out + kRowGroup - 1) / kRowGroup, column_groups = (in + kColumnGroup - 1) / kColumnGroup;
  if (row_groups >= context->pool->threads()) {
    metaplast::parallel_items(context, row_groups, batch * in * kRowGroup, kGrain, [&](int64_t begin, int64_t end) {
      context->kernels.gemm_tn(&gemm, begin * kRowGroup, least(end * kRowGroup, out), 0, in);
    });
  } else {
    metaplast::parallel_items(context, column_groups, batch * out * kColumnGroup, kGrain, [&](int64_t begin, int64_t end) {
      context->kernels.gemm_tn(&gemm, 0, out, begin * kColumnGroup, least(end * kColumnGroup, in));
    });
  }
  return METAPLAST_OK;
}
