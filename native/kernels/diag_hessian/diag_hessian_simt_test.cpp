#include "shim/simt_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names

METAPLAST_SIMT_TEST(diag_hessian_f32) {
  check_flat(
      "diag_hessian", {metaplast::testing::mixed_values(1, 4200), std::vector<float>(4200)},
      [](int64_t n, const std::vector<float*>& p) { return metaplast_diag_hessian_f32(cpu(), n, p[0], 1.5f, 3e-6f, p[1]); },
      [](int64_t n, const std::vector<float*>& p) { return metaplast_diag_hessian_f32_cuda(cuda(), n, p[0], 1.5f, 3e-6f, p[1], nullptr); });
}
