#include "kernels/real_gemm/real_gemm_simt.cuh"

extern "C" int64_t metaplast_real_gemm_workspace_bytes_cuda(int64_t, int64_t, int64_t) { return 0; }

extern "C" metaplast_status_t metaplast_real_gemm_f32_cuda(metaplast_cuda_context_t* context, int32_t transpose_a, int32_t transpose_b,
                                                           int64_t m, int64_t n, int64_t inner, float alpha, const float* a, int64_t lda,
                                                           const float* b, int64_t ldb, float beta, float* c, int64_t ldc, void*, int64_t,
                                                           void* stream) {
  if (context == nullptr || m < 0 || n < 0 || inner < 0 || lda < (transpose_a != 0 ? m : inner) || ldb < (transpose_b != 0 ? inner : n) ||
      ldc < n || (m > 0 && n > 0 && (c == nullptr || (inner > 0 && (a == nullptr || b == nullptr))))) {
    return METAPLAST_E_ARGUMENT;
  }
  metaplast::cuda_runtime::Launcher launcher(context, "real_gemm", stream);
  metaplast::cuda_runtime::run_products(&launcher, launcher.product_variant(), 1, [=](int64_t) {
    return metaplast::simt::RealProduct{m, n, inner, a, nullptr, lda, 0, b, ldb, c, ldc, alpha, beta, transpose_a, transpose_b};
  });
  return launcher.status();
}
