#include "kernels/sign_gemm/sign_gemm_tiles.h"

namespace metaplast {
namespace METAPLAST_TIER {

// Rows m_begin..m_end-1, columns n_begin..n_end-1 of y; n_begin is a multiple of 512.
void sign_gemm(const SignGemm* gemm, int64_t m_begin, int64_t m_end, int64_t n_begin, int64_t n_end) noexcept {
  run_sign_gemm(*gemm, m_begin, m_end, n_begin, n_end,
                [=](int64_t n) { return StoreSink{gemm->y + m_begin * gemm->ldy + n, gemm->ldy}; });
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
