// Entry points: products of bit matrices.
#include "kernels/xnor_gemm/xnor_gemm.h"

#include "kernels/xnor_gemm/xnor_gemm_split.h"
#include "runtime/entry.h"

namespace {

using metaplast::present;
using metaplast::XnorGemm;
using metaplast::XnorOutput;

constexpr int64_t kMostK = INT32_MAX;
constexpr int64_t kMostKOfFloat = int64_t{1} << 24;  // every integer up to here is a float

bool valid(const metaplast_context_t* context, int64_t m, int64_t n, int64_t k, int64_t most_k, const uint64_t* a, const uint64_t* b,
           const void* y) {
  return context != nullptr && m >= 0 && n >= 0 && k >= 0 && k <= most_k &&
         (m == 0 || n == 0 || (y != nullptr && (k == 0 || present(a, b))));
}

}  // namespace

extern "C" {

metaplast_status_t metaplast_xnor_gemm_i32(const metaplast_context_t* context, int64_t m, int64_t n, int64_t k, const uint64_t* a,
                                           const uint64_t* b, int32_t* y, int64_t ldy) {
  if (!valid(context, m, n, k, kMostK, a, b, y) || ldy < n) return METAPLAST_E_ARGUMENT;
  metaplast::run_xnor_gemm(context, {m, n, k, a, b, XnorOutput::kInt32, y, ldy, nullptr, nullptr, nullptr, nullptr});
  return METAPLAST_OK;
}

metaplast_status_t metaplast_xnor_gemm_f32(const metaplast_context_t* context, int64_t m, int64_t n, int64_t k, const uint64_t* a,
                                           const uint64_t* b, const float* scale, const float* bias, float* y, int64_t ldy) {
  if (!valid(context, m, n, k, kMostKOfFloat, a, b, y) || ldy < n) return METAPLAST_E_ARGUMENT;
  const metaplast::FpEnvironment environment;
  metaplast::run_xnor_gemm(context, {m, n, k, a, b, XnorOutput::kFloat, y, ldy, scale, bias, nullptr, nullptr});
  return METAPLAST_OK;
}

metaplast_status_t metaplast_xnor_gemm_bits(const metaplast_context_t* context, int64_t m, int64_t n, int64_t k, const uint64_t* a,
                                            const uint64_t* b, const int32_t* limit, const int32_t* invert, uint64_t* y) {
  if (!valid(context, m, n, k, kMostK, a, b, y) || (m > 0 && n > 0 && !present(limit, invert))) return METAPLAST_E_ARGUMENT;
  metaplast::run_xnor_gemm(
      context, {m, n, k, a, b, XnorOutput::kBits, y, metaplast_bit_row_words(n), nullptr, nullptr, limit, invert});
  return METAPLAST_OK;
}

metaplast_status_t metaplast_sign_pack_xnor_gemm_bits(const metaplast_context_t* context, int64_t m, int64_t n, int64_t k, const float* x,
                                                      int64_t ldx, uint64_t* a, const uint64_t* b, const int32_t* limit,
                                                      const int32_t* invert, uint64_t* y) {
  if (!valid(context, m, n, k, kMostK, a, b, y) || ldx < k || (m > 0 && k > 0 && !present(x, a)) ||
      (m > 0 && n > 0 && !present(limit, invert))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  metaplast::run_xnor_gemm(
      context, {m, n, k, a, b, XnorOutput::kBits, y, metaplast_bit_row_words(n), nullptr, nullptr, limit, invert, x, ldx, a});
  return METAPLAST_OK;
}

}  // extern "C"
