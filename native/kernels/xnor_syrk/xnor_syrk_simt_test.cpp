#include "shim/bit_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names

METAPLAST_SIMT_TEST(xnor_syrk_i32) {
  const MatrixShape shapes[] = {{0, 3}, {1, 1}, {5, 64}, {64, 65}, {100, 130}, {513, 10}, {31, 200}, {3, 0}};
  for (const MatrixShape& s : shapes) {  // batch x in
    const int64_t ld = s.cols + s.rows % 3;
    const int64_t bytes = metaplast_xnor_syrk_workspace_bytes(s.rows, s.cols);
    for_orders([&](int order, int64_t offset) {
      const std::string at =
          format("xnor_syrk, batch %lld, in %lld, order %d", static_cast<long long>(s.rows), static_cast<long long>(s.cols), order);
      Both<uint64_t> x(random_bits(51, s.rows, s.cols), offset), workspace(stale_bits(s.cols, s.rows));
      std::vector<int32_t> before(static_cast<size_t>(s.cols * ld));
      for (int64_t i = 0; i < s.cols; ++i) {
        for (int64_t j = 0; j < s.cols; ++j) before[static_cast<size_t>(i * ld + j)] = static_cast<int32_t>((i + j) * 37 % 1000);
      }
      Both<int32_t> sum(before, offset);
      const int32_t accumulate = order % 2;
      check(metaplast_xnor_syrk_i32(cpu(), s.rows, s.cols, x.cpu(), accumulate, sum.cpu(), ld, workspace.cpu(), bytes) == METAPLAST_OK,
            "%s: CPU", at.c_str());
      check(metaplast_xnor_syrk_i32_cuda(cuda(), s.rows, s.cols, x.gpu(), accumulate, sum.gpu(), ld, workspace.gpu(), bytes, nullptr) ==
                METAPLAST_OK,
            "%s: CUDA", at.c_str());
      sum.expect_same_on_both("s", at);
    });
  }
  check(metaplast_xnor_syrk_i32_cuda(cuda(), 4, 4, nullptr, 0, nullptr, 4, nullptr, 0, nullptr) == METAPLAST_E_ARGUMENT, "no workspace");
}

METAPLAST_SIMT_TEST(factor_moving_average_f32) {
  for (const MatrixShape& s : matrix_shapes()) {
    const int64_t lds = s.cols + s.rows % 3, lda = s.cols + s.rows % 2;
    std::vector<int32_t> sums(static_cast<size_t>(s.rows * lds));
    for (size_t i = 0; i < sums.size(); ++i) sums[i] = static_cast<int32_t>(i * 2654435761u) >> (i % 24);
    for_orders([&](int order, int64_t offset) {
      const std::string at = format("factor_moving_average %lldx%lld, order %d", static_cast<long long>(s.rows),
                                    static_cast<long long>(s.cols), order);
      Both<int32_t> sum(sums, offset);
      Both<float> a(metaplast::testing::mixed_values(52, s.rows * lda), offset);
      check(metaplast_factor_moving_average_f32(cpu(), s.rows, s.cols, sum.cpu(), lds, 1.0f / 300.0f, 0.95f, 0.05f, a.cpu(), lda) ==
                METAPLAST_OK,
            "%s: CPU", at.c_str());
      check(metaplast_factor_moving_average_f32_cuda(cuda(), s.rows, s.cols, sum.gpu(), lds, 1.0f / 300.0f, 0.95f, 0.05f, a.gpu(), lda,
                                                     nullptr) == METAPLAST_OK,
            "%s: CUDA", at.c_str());
      a.expect_same_on_both("a", at);
    });
  }
}
