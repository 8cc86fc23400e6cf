#include "shim/tensor_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names

METAPLAST_SIMT_TEST(weight_sample_f32) {
  const std::vector<float> mu = metaplast::testing::mixed_values(1, 8192), sigma = metaplast::testing::positive_values(2, 8192);
  const std::vector<float> zeros(65536);
  for (const std::vector<int64_t>& counts : networks()) {
    const int32_t tensors = static_cast<int32_t>(counts.size());
    const std::vector<uint32_t> numbers = tensor_numbers(counts.size());
    for (int32_t samples : {0, 1, 3, 10}) {
      for_orders([&](int order, int64_t offset) {
        const std::string where = format("weight_sample, %d tensors, K %d, order %d", tensors, samples, order);
        Tensors<float> m(counts, 1, offset, mu), s(counts, 1, offset, sigma), w(counts, samples, offset, zeros);
        check(metaplast_weight_sample_f32(cpu(), tensors, counts.data(), numbers.data(), m.host(), s.host(), 99, 7, 2, samples, w.host()) ==
                  METAPLAST_OK,
              "%s: CPU", where.c_str());
        check(metaplast_weight_sample_f32_cuda(cuda(), tensors, counts.data(), numbers.data(), m.device(), s.device(), 99, 7, 2, samples,
                                               w.device(), nullptr) == METAPLAST_OK,
              "%s: CUDA", where.c_str());
        w.expect_same_as_host("w", where);
        m.expect_same_as_host("mu", where);
        s.expect_same_as_host("sigma", where);
      });
    }
  }
  check(metaplast_weight_sample_f32_cuda(cuda(), 0, nullptr, nullptr, nullptr, nullptr, 0, 0, 250, 7, nullptr, nullptr) ==
            METAPLAST_E_ARGUMENT,
        "more than 256 samples");
}
