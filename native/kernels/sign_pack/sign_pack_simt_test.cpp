#include "shim/bit_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::mixed_values;

namespace {

std::string where(const char* kernel, const MatrixShape& s, int order) {
  return format("%s %lldx%lld, order %d", kernel, static_cast<long long>(s.rows), static_cast<long long>(s.cols), order);
}

}  // namespace

METAPLAST_SIMT_TEST(sign_pack_f32) {
  for (const MatrixShape& s : matrix_shapes()) {
    const int64_t ld = s.cols + s.rows % 4;
    const std::vector<float> values = mixed_values(31, s.rows * ld);
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("sign_pack", s, order);
      for (bool with_mask : {false, true}) {
        Both<float> x(values, offset);
        Both<uint64_t> bits(stale_bits(s.rows, s.cols), offset), mask(stale_bits(s.rows, s.cols));
        check(metaplast_sign_pack_f32(cpu(), s.rows, s.cols, x.cpu(), ld, bits.cpu(), with_mask ? mask.cpu() : nullptr) == METAPLAST_OK,
              "%s: CPU", at.c_str());
        check(metaplast_sign_pack_f32_cuda(cuda(), s.rows, s.cols, x.gpu(), ld, bits.gpu(), with_mask ? mask.gpu() : nullptr, nullptr) ==
                  METAPLAST_OK,
              "%s: CUDA", at.c_str());
        bits.expect_same_on_both("bits", at);
        mask.expect_same_on_both("mask", at);
      }
    });
  }
}

METAPLAST_SIMT_TEST(sign_pack_transposed_f32) {
  for (const MatrixShape& s : matrix_shapes()) {
    const int64_t ld = s.cols + s.rows % 3;
    const std::vector<float> values = mixed_values(32, s.rows * ld);
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("sign_pack_transposed", s, order);
      Both<float> x(values, offset);
      Both<uint64_t> bits(stale_bits(s.cols, s.rows), offset);
      check(metaplast_sign_pack_transposed_f32(cpu(), s.rows, s.cols, x.cpu(), ld, bits.cpu()) == METAPLAST_OK, "%s: CPU", at.c_str());
      check(metaplast_sign_pack_transposed_f32_cuda(cuda(), s.rows, s.cols, x.gpu(), ld, bits.gpu(), nullptr) == METAPLAST_OK, "%s: CUDA",
            at.c_str());
      bits.expect_same_on_both("bits", at);
    });
  }
}

METAPLAST_SIMT_TEST(sign_unpack) {
  for (const MatrixShape& s : matrix_shapes()) {
    const int64_t ld = s.cols + s.rows % 3;
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("sign_unpack", s, order);
      Both<uint64_t> bits(random_bits(33, s.rows, s.cols), offset);
      Both<float> x(std::vector<float>(static_cast<size_t>(s.rows * ld), 7.0f), offset);
      Both<uint16_t> h(std::vector<uint16_t>(static_cast<size_t>(s.rows * ld), 7), offset);
      check(metaplast_sign_unpack(cpu(), s.rows, s.cols, bits.cpu(), METAPLAST_F32, x.cpu(), ld) == METAPLAST_OK &&
                metaplast_sign_unpack(cpu(), s.rows, s.cols, bits.cpu(), METAPLAST_BF16, h.cpu(), ld) == METAPLAST_OK,
            "%s: CPU", at.c_str());
      check(metaplast_sign_unpack_cuda(cuda(), s.rows, s.cols, bits.gpu(), METAPLAST_F32, x.gpu(), ld, nullptr) == METAPLAST_OK &&
                metaplast_sign_unpack_cuda(cuda(), s.rows, s.cols, bits.gpu(), METAPLAST_BF16, h.gpu(), ld, nullptr) == METAPLAST_OK,
            "%s: CUDA", at.c_str());
      x.expect_same_on_both("fp32", at);
      h.expect_same_on_both("bf16", at);
    });
  }
  check(metaplast_sign_unpack_cuda(cuda(), 0, 0, nullptr, METAPLAST_I32, nullptr, 0, nullptr) == METAPLAST_E_ARGUMENT, "a type it has not");
}

METAPLAST_SIMT_TEST(bits_transpose) {
  for (const MatrixShape& s : matrix_shapes()) {
    const std::vector<uint64_t> values = random_bits(34, s.rows, s.cols);
    for_orders([&](int order, int64_t offset) {
      if (order > 2 && s.rows * s.cols > 4000) return;  // 128 votes a warp
      const std::string at = where("bits_transpose", s, order);
      Both<uint64_t> bits(values, offset), out(stale_bits(s.cols, s.rows), offset);
      check(metaplast_bits_transpose(cpu(), s.rows, s.cols, bits.cpu(), out.cpu()) == METAPLAST_OK, "%s: CPU", at.c_str());
      check(metaplast_bits_transpose_cuda(cuda(), s.rows, s.cols, bits.gpu(), out.gpu(), nullptr) == METAPLAST_OK, "%s: CUDA", at.c_str());
      out.expect_same_on_both("bits", at);
    });
  }
}

METAPLAST_SIMT_TEST(ste_backward_f32) {
  for (const MatrixShape& s : matrix_shapes()) {
    const int64_t ld = s.cols + s.rows % 3;
    const std::vector<float> values = mixed_values(35, s.rows * ld), stale(values.size(), 7.0f);
    const std::vector<uint64_t> bits = random_bits(36, s.rows, s.cols);
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("ste_backward", s, order);
      Both<uint64_t> mask(bits, offset);
      Both<float> dout(values, offset), da(stale, offset);
      check(metaplast_ste_backward_f32(cpu(), s.rows, s.cols, mask.cpu(), dout.cpu(), ld, da.cpu(), ld) == METAPLAST_OK, "%s: CPU",
            at.c_str());
      check(metaplast_ste_backward_f32_cuda(cuda(), s.rows, s.cols, mask.gpu(), dout.gpu(), ld, da.gpu(), ld, nullptr) == METAPLAST_OK,
            "%s: CUDA", at.c_str());
      da.expect_same_on_both("da", at);
      // In place.
      check(metaplast_ste_backward_f32_cuda(cuda(), s.rows, s.cols, mask.gpu(), dout.gpu(), ld, dout.gpu(), ld, nullptr) == METAPLAST_OK,
            "%s: in place", at.c_str());
      check(metaplast_ste_backward_f32(cpu(), s.rows, s.cols, mask.cpu(), dout.cpu(), ld, dout.cpu(), ld) == METAPLAST_OK, "%s: CPU",
            at.c_str());
      dout.expect_same_on_both("da in place", at);
    });
  }
}
