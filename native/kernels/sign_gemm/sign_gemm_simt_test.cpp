#include "shim/bit_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::mixed_values;
using metaplast::testing::uniform_values;

namespace {

struct Shape {
  int64_t batch, out, in;
};

constexpr Shape kShapes[] = {{0, 2, 3},  {2, 0, 3},   {2, 3, 0},   {1, 1, 1},     {1, 5, 4},    {3, 4, 7},     {64, 64, 64},
                             {65, 5, 63}, {5, 70, 65}, {33, 10, 130}, {10, 3, 513}, {2, 66, 1030}, {100, 31, 784}, {17, 129, 33}};

// Ordinary values, and values with zeros of both signs, subnormals, infinities and NaN: the order of the additions shows in both.
std::vector<float> values(uint64_t seed, int64_t n, int order) {
  return order % 2 == 0 ? uniform_values(seed, n, -3.0f, 3.0f) : mixed_values(seed, n);
}

std::string where(const char* kernel, const Shape& s, int order) {
  return format("%s, batch %lld, out %lld, in %lld, order %d", kernel, static_cast<long long>(s.batch), static_cast<long long>(s.out),
                static_cast<long long>(s.in), order);
}

}  // namespace

METAPLAST_SIMT_TEST(sign_gemm_nt_f32) {
  for (const Shape& s : kShapes) {
    const int64_t ldx = s.in + s.batch % 3, ldy = s.out + s.batch % 2;
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("sign_gemm_nt", s, order);
      Both<float> x(values(61, s.batch * ldx, order), offset), y(std::vector<float>(static_cast<size_t>(s.batch * ldy), 7.0f), offset);
      Both<uint64_t> w(random_bits(62, s.out, s.in), offset);
      check(metaplast_sign_gemm_nt_f32(cpu(), s.batch, s.out, s.in, x.cpu(), ldx, w.cpu(), y.cpu(), ldy) == METAPLAST_OK, "%s: CPU",
            at.c_str());
      check(metaplast_sign_gemm_nt_f32_cuda(cuda(), s.batch, s.out, s.in, x.gpu(), ldx, w.gpu(), y.gpu(), ldy, nullptr) == METAPLAST_OK,
            "%s: CUDA", at.c_str());
      y.expect_same_on_both("y", at);
    });
  }
}

METAPLAST_SIMT_TEST(sign_gemm_nn_f32) {
  for (const Shape& s : kShapes) {
    const int64_t lddy = s.out + s.batch % 3, lddx = s.in + s.batch % 2;
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("sign_gemm_nn", s, order);
      Both<float> dy(values(63, s.batch * lddy, order), offset), dx(std::vector<float>(static_cast<size_t>(s.batch * lddx), 7.0f), offset);
      Both<uint64_t> w(random_bits(64, s.out, s.in), offset);
      check(metaplast_sign_gemm_nn_f32(cpu(), s.batch, s.out, s.in, dy.cpu(), lddy, w.cpu(), dx.cpu(), lddx) == METAPLAST_OK, "%s: CPU",
            at.c_str());
      check(metaplast_sign_gemm_nn_f32_cuda(cuda(), s.batch, s.out, s.in, dy.gpu(), lddy, w.gpu(), dx.gpu(), lddx, nullptr) == METAPLAST_OK,
            "%s: CUDA", at.c_str());
      dx.expect_same_on_both("dx", at);
    });
  }
}

METAPLAST_SIMT_TEST(sign_gemm_tn_f32) {
  for (const Shape& s : kShapes) {
    const int64_t lddy = s.out + s.batch % 3, lddw = s.in + s.batch % 2;
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("sign_gemm_tn", s, order);
      Both<float> dy(values(65, s.batch * lddy, order), offset), dw(std::vector<float>(static_cast<size_t>(s.out * lddw), 7.0f), offset);
      Both<uint64_t> x(random_bits(66, s.batch, s.in), offset);
      check(metaplast_sign_gemm_tn_f32(cpu(), s.batch, s.out, s.in, dy.cpu(), lddy, x.cpu(), dw.cpu(), lddw) == METAPLAST_OK, "%s: CPU",
            at.c_str());
      check(metaplast_sign_gemm_tn_f32_cuda(cuda(), s.batch, s.out, s.in, dy.gpu(), lddy, x.gpu(), dw.gpu(), lddw, nullptr) == METAPLAST_OK,
            "%s: CUDA", at.c_str());
      dw.expect_same_on_both("dw", at);
    });
  }
}

METAPLAST_SIMT_TEST(gemm_tn_f32) {
  for (const Shape& s : kShapes) {
    const int64_t lddy = s.out + s.batch % 3, ldx = s.in + s.batch % 4, lddw = s.in + s.batch % 2;
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("gemm_tn", s, order);
      Both<float> dy(values(67, s.batch * lddy, order), offset), x(values(68, s.batch * ldx, order), offset);
      Both<float> dw(std::vector<float>(static_cast<size_t>(s.out * lddw), 7.0f), offset);
      check(metaplast_gemm_tn_f32(cpu(), s.batch, s.out, s.in, dy.cpu(), lddy, x.cpu(), ldx, dw.cpu(), lddw) == METAPLAST_OK, "%s: CPU",
            at.c_str());
      check(metaplast_gemm_tn_f32_cuda(cuda(), s.batch, s.out, s.in, dy.gpu(), lddy, x.gpu(), ldx, dw.gpu(), lddw, nullptr) == METAPLAST_OK,
            "%s: CUDA", at.c_str());
      dw.expect_same_on_both("dw", at);
    });
  }
}
