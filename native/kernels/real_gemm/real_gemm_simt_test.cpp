#include "metaplast/kfac.h"
#include "shim/matrix_testing.h"
#include "shim/simt_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::mixed_values;
using metaplast::testing::uniform_values;

namespace {

struct Shape {
  int64_t m, n, inner;
};
// Around the sides of a tile, and the blocks of a sum.
constexpr Shape kShapes[] = {{1, 1, 1}, {1, 1, 0}, {3, 5, 7}, {64, 64, 16}, {65, 63, 17}, {130, 70, 33}, {5, 200, 257}, {70, 3, 520}, {0, 4, 2}, {4, 0, 2}};

}  // namespace

// The order of a sum is part of the contract, so the bits are those of a restatement of it.
METAPLAST_SIMT_TEST(real_gemm_f32) {
  for (const Shape& s : kShapes) {
    for_orders([&](int order, int64_t offset) {
      const bool ta = order % 2 == 1, tb = order % 4 >= 2;
      const float alpha = order % 3 == 0 ? 1.0f : -0.75f, beta = order % 5 < 2 ? 0.0f : 0.5f;
      const int64_t lda = (ta ? s.m : s.inner) + order % 3, ldb = (tb ? s.inner : s.n) + order % 4, ldc = s.n + order % 2;
      const std::string at = format("real_gemm %lld x %lld x %lld, order %d", static_cast<long long>(s.m), static_cast<long long>(s.n),
                                    static_cast<long long>(s.inner), order);
      Both<float> a(uniform_values(1, (ta ? s.inner : s.m) * lda + 1, -2.0f, 2.0f), offset);
      Both<float> b(order == 7 ? mixed_values(2, (tb ? s.n : s.inner) * ldb + 1) : uniform_values(2, (tb ? s.n : s.inner) * ldb + 1, -1.0f, 3.0f), offset);
      std::vector<float> before = uniform_values(3, s.m * ldc + 1, -1.0f, 1.0f);
      if (beta == 0.0f) before.assign(before.size(), __builtin_nanf(""));  // not read
      Both<float> c(before, offset);
      for (int64_t i = 0; i < s.m; ++i) {
        for (int64_t j = 0; j < s.n; ++j) {
          const float sum = alpha * ordered_sum(
              s.inner, [&](int64_t k) { return a.cpu()[ta ? k * lda + i : i * lda + k]; },
              [&](int64_t k) { return b.cpu()[tb ? j * ldb + k : k * ldb + j]; });
          float* const x = c.cpu() + i * ldc + j;
          *x = beta == 0.0f ? sum : std::fma(beta, *x, sum);
        }
      }
      check(metaplast_real_gemm_f32_cuda(cuda(), ta, tb, s.m, s.n, s.inner, alpha, a.gpu(), lda, b.gpu(), ldb, beta, c.gpu(), ldc, nullptr,
                                         metaplast_real_gemm_workspace_bytes_cuda(s.m, s.n, s.inner), nullptr) == METAPLAST_OK,
            "%s: CUDA", at.c_str());
      c.expect_same_on_both("c", at);
    });
  }
  check(metaplast_real_gemm_f32_cuda(cuda(), 0, 0, 2, 2, 2, 1, nullptr, 2, nullptr, 2, 0, nullptr, 2, nullptr, 0, nullptr) == METAPLAST_E_ARGUMENT,
        "real_gemm without operands");
}
