#include "shim/simt_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names

METAPLAST_SIMT_TEST(reduce_sum_f32) {
  const std::vector<float> ordinary = metaplast::testing::uniform_values(1, 300000, -1.0f, 1.0f),
                           mixed = metaplast::testing::mixed_values(2, 300000);
  const auto once = [&](const std::vector<float>& values, int64_t n, int order, int64_t offset) {
    const std::string where =
        format("reduce_sum, n %lld, order %d, offset %lld", static_cast<long long>(n), order, static_cast<long long>(offset));
    const std::vector<float> x(values.begin(), values.begin() + n);
    std::vector<float> sum(1);
    Device<float> d_x(x, offset), d_sum(sum, offset);
    const int64_t bytes = metaplast_reduce_sum_workspace_cuda(n);
    check(bytes <= 8 * ((n + 4095) / 4096) + 64, "%s: workspace", where.c_str());
    Device<char> workspace(std::vector<char>(static_cast<size_t>(bytes)));
    check(metaplast_reduce_sum_f32(cpu(), n, x.data(), sum.data()) == METAPLAST_OK, "%s: CPU", where.c_str());
    check(metaplast_reduce_sum_f32_cuda(cuda(), n, d_x.data(), d_sum.data(), workspace.data(), bytes, nullptr) == METAPLAST_OK, "%s: CUDA",
          where.c_str());
    expect_same(sum, &d_sum, "sum", where);
  };
  for (int64_t n = 0; n <= 1030; ++n) once(n % 5 == 0 ? mixed : ordinary, n, static_cast<int>(n % kOrders), n % 4);
  for_orders([&](int order, int64_t offset) {
    for (int64_t n : {4095, 4096, 4097, 8192, 8193, 20000, 65536, 70000, 131073, 300000}) once(ordinary, n, order, offset);
  });
  // Two levels of chunk sums above the chunks.
  const int64_t many = 4096LL * 4096 + 5 * 4096 + 17;
  const std::vector<float> large = metaplast::testing::uniform_values(3, many, -1.0f, 1.0f);
  once(large, many, 0, 0);
  std::vector<float> minus_zero(3, -0.0f);
  once(minus_zero, 1, 0, 0);
  float out;
  check(metaplast_reduce_sum_f32_cuda(cuda(), 5000, &out, &out, nullptr, 0, nullptr) == METAPLAST_E_ARGUMENT,
        "a workspace that is too small");
}
