// Entry point: product of real matrices. Contract: metaplast/kfac.h; scheme: real_gemm.h.
#include "kernels/real_gemm/real_gemm.h"

#include <atomic>

#include "metaplast/kfac.h"
#include "runtime/entry.h"

namespace metaplast {
namespace {

constexpr int64_t kGrain = 1 << 19;           // products from which a thread of its own pays
constexpr int64_t kPackedFloats = 2 << 20;    // of a column block, where that is more than one panel
constexpr int64_t kTasksPerThread = 2;

int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t parts(int64_t n, int64_t part) { return (n + part - 1) / part; }

// Columns of a column block: an even share of n, with little enough over all of k.
int64_t column_block(int64_t n, int64_t inner) {
  const int64_t panels = parts(n, kRealPanel);
  int64_t most = inner == 0 ? kRealColumns / kRealPanel : kPackedFloats / inner / kRealPanel;
  most = most < 1 ? 1 : least(most, kRealColumns / kRealPanel);
  return parts(panels, parts(panels, most)) * kRealPanel;
}

}  // namespace

int64_t real_gemm_workspace(int64_t m, int64_t n, int64_t inner, int64_t threads) noexcept {
  if (m <= 0 || n <= 0 || inner < 0) return 0;
  return column_block(n, inner) * inner + threads * kRealScratch;
}

void real_gemm_run(const metaplast_context_t* context, const RealGemm& gemm, int64_t threads, float* workspace) noexcept {
  if (gemm.m == 0 || gemm.n == 0) return;
  const int64_t block = column_block(gemm.n, gemm.inner), row_blocks = parts(gemm.m, kRealRows);
  float* const scratch = workspace + block * gemm.inner;
  for (int64_t begin = 0; begin < gemm.n; begin += block) {
    const RealColumns columns = {begin, least(gemm.n, begin + block), workspace};
    const int64_t panels = parts(columns.end - begin, kRealPanel);
    const int64_t used = least(threads, 1 + gemm.m * (columns.end - begin) * gemm.inner / kGrain);
    if (used <= 1) {
      context->kernels.real_gemm_pack(&gemm, &columns, 0, panels);
      for (int64_t i = 0; i < gemm.m; i += kRealRows) {
        context->kernels.real_gemm(&gemm, &columns, i, least(gemm.m, i + kRealRows), 0, panels, scratch);
      }
      continue;
    }
    parallel_chunks(context, panels, [&](int64_t panel) { context->kernels.real_gemm_pack(&gemm, &columns, panel, panel + 1); });
    // Few row blocks are cut along the columns.
    const int64_t cuts = least(panels, parts(used * kTasksPerThread, row_blocks)), tasks = row_blocks * cuts;
    std::atomic<int64_t> next{0};
    parallel_chunks(context, used, [&](int64_t chunk) {
      for (int64_t task = next++; task < tasks; task = next++) {
        const int64_t i = task / cuts * kRealRows, cut = task % cuts;
        context->kernels.real_gemm(&gemm, &columns, i, least(gemm.m, i + kRealRows), panels * cut / cuts, panels * (cut + 1) / cuts,
                                   scratch + chunk * kRealScratch);
      }
    });
  }
}

}  // namespace metaplast

extern "C" int64_t metaplast_real_gemm_workspace_bytes(const metaplast_context_t* context, int64_t m, int64_t n, int64_t inner) {
  return context == nullptr ? 0 : 4 * metaplast::real_gemm_workspace(m, n, inner, context->pool->threads());
}

extern "C" metaplast_status_t metaplast_real_gemm_f32(const metaplast_context_t* context, int32_t transpose_a, int32_t transpose_b, int64_t m,
                                                      int64_t n, int64_t inner, float alpha, const float* a, int64_t lda, const float* b,
                                                      int64_t ldb, float beta, float* c, int64_t ldc, void* workspace,
                                                      int64_t workspace_bytes) {
  if (context == nullptr || m < 0 || n < 0 || inner < 0 || lda < (transpose_a != 0 ? m : inner) ||
      ldb < (transpose_b != 0 ? inner : n) || ldc < n) {
    return METAPLAST_E_ARGUMENT;
  }
  if (m == 0 || n == 0) return METAPLAST_OK;
  if (!metaplast::present(c, workspace) || (inner > 0 && !metaplast::present(a, b)) || reinterpret_cast<uintptr_t>(workspace) % 64 != 0 ||
      workspace_bytes < metaplast_real_gemm_workspace_bytes(context, m, n, inner)) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  const metaplast::RealGemm gemm = {transpose_a != 0, transpose_b != 0, m, n, inner, alpha, a, lda, b, ldb, beta, c, ldc};
  metaplast::real_gemm_run(context, gemm, context->pool->threads(), static_cast<float*>(workspace));
  return METAPLAST_OK;
}
