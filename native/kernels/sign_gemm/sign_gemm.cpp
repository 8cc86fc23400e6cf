// Entry points: the products of a real matrix and a matrix of signs.
#include "kernels/sign_gemm/sign_gemm.h"

#include "metaplast/binary.h"
#include "runtime/entry.h"

namespace {

// Terms of a range that pays for a second thread, some ten microseconds' worth.
constexpr int64_t kGrain = 1 << 20;
// A range has at least so many rows or columns, so that its tables or its panel of sign words pay.
constexpr int64_t kLeastRows = 48;
constexpr int64_t kColumnGroup = 512;

void fill_zero(int64_t rows, int64_t cols, float* y, int64_t ldy) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) y[r * ldy + c] = 0.0f;
  }
}

// y [m][n]. Splits columns where there are several groups a thread, rows otherwise.
metaplast_status_t run(const metaplast_context_t* context, int64_t m, int64_t n, const metaplast::SignGemm& gemm) {
  if (context == nullptr || m < 0 || n < 0 || gemm.terms < 0 || gemm.ldy < n) return METAPLAST_E_ARGUMENT;
  if (m == 0 || n == 0) return METAPLAST_OK;
  if (gemm.y == nullptr || (gemm.terms > 0 && !metaplast::present(gemm.a, gemm.bits))) return METAPLAST_E_ARGUMENT;
  if (gemm.terms == 0) {
    fill_zero(m, n, gemm.y, gemm.ldy);
    return METAPLAST_OK;
  }
  const metaplast::FpEnvironment environment;
  const int64_t groups = (n + kColumnGroup - 1) / kColumnGroup;
  if (groups >= 2 * context->pool->threads()) {
    metaplast::parallel_items(context, groups, m * gemm.terms * kColumnGroup, kGrain, [&](int64_t begin, int64_t end) {
      context->kernels.sign_gemm(&gemm, 0, m, begin * kColumnGroup, end * kColumnGroup < n ? end * kColumnGroup : n);
    });
  } else {
    const int64_t least = kLeastRows * n * gemm.terms;
    metaplast::parallel_items(context, m, n * gemm.terms, least > kGrain ? least : kGrain,
                              [&](int64_t begin, int64_t end) { context->kernels.sign_gemm(&gemm, begin, end, 0, n); });
  }
  return METAPLAST_OK;
}

}  // namespace

extern "C" metaplast_status_t metaplast_sign_gemm_nt_f32(const metaplast_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                         const float* x, int64_t ldx, const uint64_t* w, float* y, int64_t ldy) {
  if (ldx < in) return METAPLAST_E_ARGUMENT;
  return run(context, batch, out, {in, x, ldx, 1, true, w, metaplast_bit_row_words(in), y, ldy});
}

extern "C" metaplast_status_t metaplast_sign_gemm_nn_f32(const metaplast_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                         const float* dy, int64_t lddy, const uint64_t* w, float* dx, int64_t lddx) {
  if (lddy < out) return METAPLAST_E_ARGUMENT;
  return run(context, batch, in, {out, dy, lddy, 1, false, w, metaplast_bit_row_words(in), dx, lddx});
}

extern "C" metaplast_status_t metaplast_sign_gemm_tn_f32(const metaplast_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                         const float* dy, int64_t lddy, const uint64_t* x, float* dw, int64_t lddw) {
  if (lddy < out) return METAPLAST_E_ARGUMENT;
  return run(context, out, in, {batch, dy, 1, lddy, false, x, metaplast_bit_row_words(in), dw, lddw});
}
