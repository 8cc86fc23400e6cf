#include "shim/tensor_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names

METAPLAST_SIMT_TEST(grad_accumulate_f32) {
  const std::vector<float> gradients = metaplast::testing::mixed_values(1, 65536),
                           epsilon = metaplast::testing::uniform_values(2, 65536, -3, 3);
  const std::vector<uint16_t> gradients_bf16 = bf16_of(gradients);
  const std::vector<float> zeros(8192);
  for (const std::vector<int64_t>& counts : networks()) {
    const int32_t tensors = static_cast<int32_t>(counts.size());
    const std::vector<uint32_t> numbers = tensor_numbers(counts.size());
    for (int32_t samples : {1, 2, 5}) {
      for (int variant = 0; variant < 4; ++variant) {
        const bool bf16 = (variant & 1) != 0, stored = (variant & 2) != 0;
        for_orders([&](int order, int64_t offset) {
          const std::string where = format("grad_accumulate, %d tensors, K %d, variant %d, order %d", tensors, samples, variant, order);
          Tensors<float> dw(counts, samples, offset, gradients), eps(counts, samples, offset, epsilon);
          Tensors<uint16_t> dw16(counts, samples, offset, gradients_bf16);
          Tensors<float> gm(counts, 1, offset, zeros), gs(counts, 1, offset + 1, zeros);
          const int32_t type = bf16 ? METAPLAST_BF16 : METAPLAST_F32;
          check(metaplast_grad_accumulate_f32(cpu(), tensors, counts.data(), numbers.data(), samples,
                                              bf16 ? dw16.host_untyped() : dw.host_untyped(), type, stored ? eps.host() : nullptr, 99, 7,
                                              0.1f, gm.host(), gs.host()) == METAPLAST_OK,
                "%s: CPU", where.c_str());
          check(metaplast_grad_accumulate_f32_cuda(
                    cuda(), tensors, counts.data(), numbers.data(), samples, bf16 ? dw16.device_untyped() : dw.device_untyped(), type,
                    stored ? eps.device() : nullptr, 99, 7, 0.1f, gm.device(), gs.device(), nullptr) == METAPLAST_OK,
                "%s: CUDA", where.c_str());
          gm.expect_same_as_host("g_mu", where);
          gs.expect_same_as_host("g_sigma", where);
        });
      }
    }
  }
  check(metaplast_grad_accumulate_f32_cuda(cuda(), 0, nullptr, nullptr, 0, nullptr, METAPLAST_F32, nullptr, 0, 0, 1.0f, nullptr, nullptr,
                                           nullptr) == METAPLAST_E_ARGUMENT,
        "no samples");
}
