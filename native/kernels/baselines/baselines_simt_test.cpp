#include "shim/simt_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names

namespace {

std::vector<std::vector<float>> arrays(size_t count) {
  std::vector<std::vector<float>> result;
  for (size_t j = 0; j < count; ++j) result.push_back(metaplast::testing::mixed_values(j + 1, 4200));
  return result;
}

}  // namespace

METAPLAST_SIMT_TEST(sgd_step_f32) {
  check_flat(
      "sgd_step", arrays(2), [](int64_t n, const std::vector<float*>& p) { return metaplast_sgd_step_f32(cpu(), n, p[0], p[1], 0.37f); },
      [](int64_t n, const std::vector<float*>& p) { return metaplast_sgd_step_f32_cuda(cuda(), n, p[0], p[1], 0.37f, nullptr); });
}

METAPLAST_SIMT_TEST(fisher_accumulate_f32) {
  check_flat(
      "fisher_accumulate", arrays(2),
      [](int64_t n, const std::vector<float*>& p) { return metaplast_fisher_accumulate_f32(cpu(), n, p[0], p[1]); },
      [](int64_t n, const std::vector<float*>& p) { return metaplast_fisher_accumulate_f32_cuda(cuda(), n, p[0], p[1], nullptr); });
}

METAPLAST_SIMT_TEST(fisher_merge_f32) {
  check_flat(
      "fisher_merge", arrays(2),
      [](int64_t n, const std::vector<float*>& p) { return metaplast_fisher_merge_f32(cpu(), n, 0.01f, 0.2f, p[0], p[1]); },
      [](int64_t n, const std::vector<float*>& p) { return metaplast_fisher_merge_f32_cuda(cuda(), n, 0.01f, 0.2f, p[0], p[1], nullptr); });
}

METAPLAST_SIMT_TEST(ewc_penalty_grad_f32) {
  check_flat(
      "ewc_penalty_grad", arrays(4),
      [](int64_t n, const std::vector<float*>& p) { return metaplast_ewc_penalty_grad_f32(cpu(), n, p[0], p[1], p[2], 2.3f, p[3]); },
      [](int64_t n, const std::vector<float*>& p) {
        return metaplast_ewc_penalty_grad_f32_cuda(cuda(), n, p[0], p[1], p[2], 2.3f, p[3], nullptr);
      });
}

METAPLAST_SIMT_TEST(si_path_f32) {
  check_flat(
      "si_path", arrays(4), [](int64_t n, const std::vector<float*>& p) { return metaplast_si_path_f32(cpu(), n, p[0], p[1], p[2], p[3]); },
      [](int64_t n, const std::vector<float*>& p) { return metaplast_si_path_f32_cuda(cuda(), n, p[0], p[1], p[2], p[3], nullptr); });
}

METAPLAST_SIMT_TEST(si_consolidate_f32) {
  check_flat(
      "si_consolidate", arrays(4),
      [](int64_t n, const std::vector<float*>& p) { return metaplast_si_consolidate_f32(cpu(), n, p[0], 1e-3f, p[1], p[2], p[3]); },
      [](int64_t n, const std::vector<float*>& p) {
        return metaplast_si_consolidate_f32_cuda(cuda(), n, p[0], 1e-3f, p[1], p[2], p[3], nullptr);
      });
}

METAPLAST_SIMT_TEST(si_penalty_grad_f32) {
  check_flat(
      "si_penalty_grad", arrays(4),
      [](int64_t n, const std::vector<float*>& p) { return metaplast_si_penalty_grad_f32(cpu(), n, p[0], p[1], p[2], 2e-4f, p[3]); },
      [](int64_t n, const std::vector<float*>& p) {
        return metaplast_si_penalty_grad_f32_cuda(cuda(), n, p[0], p[1], p[2], 2e-4f, p[3], nullptr);
      });
}
