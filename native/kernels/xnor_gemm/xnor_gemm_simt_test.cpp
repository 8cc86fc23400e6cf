#include "runtime/cuda/context.h"
#include "shim/bit_testing.h"
#include "shim/mma.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::uniform_values;
namespace shim = metaplast::shim;

namespace {

struct Shape {
  int64_t m, n, k;
};

constexpr Shape kShapes[] = {{1, 1, 0},    {0, 3, 5},    {3, 0, 5},     {1, 1, 1},     {2, 3, 31},    {1, 65, 64},  {17, 9, 65},   {64, 64, 512},
                             {65, 63, 511}, {3, 130, 513}, {130, 70, 100}, {10, 520, 784}, {100, 10, 1030}, {5, 512, 1536}, {129, 1, 2047}};

std::string where(const char* kernel, const Shape& s, int order) {
  return format("%s %lldx%lldx%lld, order %d", kernel, static_cast<long long>(s.m), static_cast<long long>(s.n), static_cast<long long>(s.k),
                order);
}

}  // namespace

METAPLAST_SIMT_TEST(xnor_gemm_i32) {
  for (const Shape& s : kShapes) {
    const int64_t ld = s.n + s.m % 3;
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("xnor_gemm_i32", s, order);
      Both<uint64_t> a(random_bits(41, s.m, s.k), offset), b(random_bits(42, s.n, s.k), offset);
      Both<int32_t> y(std::vector<int32_t>(static_cast<size_t>(s.m * ld), 77), offset);
      check(metaplast_xnor_gemm_i32(cpu(), s.m, s.n, s.k, a.cpu(), b.cpu(), y.cpu(), ld) == METAPLAST_OK, "%s: CPU", at.c_str());
      check(metaplast_xnor_gemm_i32_cuda(cuda(), s.m, s.n, s.k, a.gpu(), b.gpu(), y.gpu(), ld, nullptr) == METAPLAST_OK, "%s: CUDA",
            at.c_str());
      y.expect_same_on_both("y", at);
    });
  }
}

METAPLAST_SIMT_TEST(xnor_gemm_f32) {
  for (const Shape& s : kShapes) {
    const int64_t ld = s.n + s.m % 3;
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("xnor_gemm_f32", s, order);
      Both<uint64_t> a(random_bits(43, s.m, s.k), offset), b(random_bits(44, s.n, s.k), offset);
      Both<float> scale(uniform_values(45, s.n, -2.0f, 2.0f), offset), bias(uniform_values(46, s.n, -9.0f, 9.0f), offset);
      Both<float> y(std::vector<float>(static_cast<size_t>(s.m * ld), 77.0f), offset);
      const bool scales = order % 2 == 0, biases = order % 3 == 0;
      check(metaplast_xnor_gemm_f32(cpu(), s.m, s.n, s.k, a.cpu(), b.cpu(), scales ? scale.cpu() : nullptr, biases ? bias.cpu() : nullptr,
                                    y.cpu(), ld) == METAPLAST_OK,
            "%s: CPU", at.c_str());
      check(metaplast_xnor_gemm_f32_cuda(cuda(), s.m, s.n, s.k, a.gpu(), b.gpu(), scales ? scale.gpu() : nullptr,
                                         biases ? bias.gpu() : nullptr, y.gpu(), ld, nullptr) == METAPLAST_OK,
            "%s: CUDA", at.c_str());
      y.expect_same_on_both("y", at);
    });
  }
}

METAPLAST_SIMT_TEST(xnor_gemm_bits) {
  for (const Shape& s : kShapes) {
    // Limits around the middle, and those that are always or never met.
    std::vector<int32_t> limits, inverts;
    for (int64_t j = 0; j < s.n; ++j) {
      const int32_t k = static_cast<int32_t>(s.k);
      limits.push_back(j % 7 == 0 ? -1 : j % 7 == 1 ? k : k / 2 + static_cast<int32_t>(j % 9) - 4);
      inverts.push_back(static_cast<int32_t>(j % 2));
    }
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("xnor_gemm_bits", s, order);
      Both<uint64_t> a(random_bits(47, s.m, s.k), offset), b(random_bits(48, s.n, s.k), offset), y(stale_bits(s.m, s.n), offset);
      Both<int32_t> limit(limits, offset), invert(inverts, offset);
      check(metaplast_xnor_gemm_bits(cpu(), s.m, s.n, s.k, a.cpu(), b.cpu(), limit.cpu(), invert.cpu(), y.cpu()) == METAPLAST_OK, "%s: CPU",
            at.c_str());
      check(metaplast_xnor_gemm_bits_cuda(cuda(), s.m, s.n, s.k, a.gpu(), b.gpu(), limit.gpu(), invert.gpu(), y.gpu(), nullptr) ==
                METAPLAST_OK,
            "%s: CUDA", at.c_str());
      y.expect_same_on_both("y", at);
    });
  }
}

METAPLAST_SIMT_TEST(sign_pack_xnor_gemm_bits) {
  for (const Shape& s : kShapes) {
    const int64_t ld = s.k + s.m % 3;
    for_orders([&](int order, int64_t offset) {
      const std::string at = where("sign_pack_xnor_gemm_bits", s, order);
      Both<float> x(uniform_values(49, s.m * ld, -1.0f, 1.0f), offset);
      Both<uint64_t> a(stale_bits(s.m, s.k), offset), b(random_bits(50, s.n, s.k), offset), y(stale_bits(s.m, s.n), offset);
      Both<int32_t> limit(std::vector<int32_t>(static_cast<size_t>(s.n), static_cast<int32_t>(s.k / 2)), offset),
          invert(std::vector<int32_t>(static_cast<size_t>(s.n), 1), offset);
      check(metaplast_sign_pack_xnor_gemm_bits(cpu(), s.m, s.n, s.k, x.cpu(), ld, a.cpu(), b.cpu(), limit.cpu(), invert.cpu(), y.cpu()) ==
                METAPLAST_OK,
            "%s: CPU", at.c_str());
      check(metaplast_sign_pack_xnor_gemm_bits_cuda(cuda(), s.m, s.n, s.k, x.gpu(), ld, a.gpu(), b.gpu(), limit.gpu(), invert.gpu(), y.gpu(),
                                                    nullptr) == METAPLAST_OK,
            "%s: CUDA", at.c_str());
      a.expect_same_on_both("a", at);
      y.expect_same_on_both("y", at);
    });
  }
}

// The tensor-core variant, with each instruction that a device may have for it: chosen by the test at start-up, and equal to the CPU.
METAPLAST_SIMT_TEST(xnor_gemm_tensor_cores) {
  constexpr Shape kLarge[] = {{32, 32, 0}, {32, 33, 1}, {128, 128, 512}, {129, 40, 700}, {33, 520, 1100}};
  for (shim::BitMma instruction : {shim::BitMma::kAnd, shim::BitMma::kBytes, shim::BitMma::kXor}) {
    shim::set_bit_mma(instruction);
    metaplast_cuda_context_t* context = nullptr;
    // The test at start-up is slow here with bytes: it runs for one instruction.
    const bool tests = instruction == shim::BitMma::kAnd;
    check(metaplast_cuda_context_create(0, tests ? 0 : METAPLAST_CUDA_SIMT, &context) == METAPLAST_OK, "context");
    check(!tests || (metaplast_cuda_xnor_variant(context) == METAPLAST_CUDA_XNOR_MMA && metaplast_cuda_xnor_failed_variant(context) == 0),
          "passes");
    context->xnor_variant = METAPLAST_CUDA_XNOR_MMA;
    int order = 0;
    for (const Shape& s : kLarge) {
      shim::set_order(++order);
      const std::string at = where("tensor cores", s, order);
      Both<uint64_t> a(random_bits(141, s.m, s.k)), b(random_bits(142, s.n, s.k)), bits(stale_bits(s.m, s.n));
      const size_t outputs = static_cast<size_t>(s.m * s.n), columns = static_cast<size_t>(s.n);
      Both<int32_t> y(std::vector<int32_t>(outputs, 77)), limit(std::vector<int32_t>(columns, static_cast<int32_t>(s.k / 2))),
          invert(std::vector<int32_t>(columns, 1));
      Both<float> f(std::vector<float>(outputs, 77.0f)), scale(uniform_values(143, s.n, -2.0f, 2.0f));
      check(metaplast_xnor_gemm_i32(cpu(), s.m, s.n, s.k, a.cpu(), b.cpu(), y.cpu(), s.n) == METAPLAST_OK &&
                metaplast_xnor_gemm_f32(cpu(), s.m, s.n, s.k, a.cpu(), b.cpu(), scale.cpu(), nullptr, f.cpu(), s.n) == METAPLAST_OK &&
                metaplast_xnor_gemm_bits(cpu(), s.m, s.n, s.k, a.cpu(), b.cpu(), limit.cpu(), invert.cpu(), bits.cpu()) == METAPLAST_OK,
            "%s: CPU", at.c_str());
      check(metaplast_xnor_gemm_i32_cuda(context, s.m, s.n, s.k, a.gpu(), b.gpu(), y.gpu(), s.n, nullptr) == METAPLAST_OK &&
                metaplast_xnor_gemm_f32_cuda(context, s.m, s.n, s.k, a.gpu(), b.gpu(), scale.gpu(), nullptr, f.gpu(), s.n, nullptr) ==
                    METAPLAST_OK &&
                metaplast_xnor_gemm_bits_cuda(context, s.m, s.n, s.k, a.gpu(), b.gpu(), limit.gpu(), invert.gpu(), bits.gpu(), nullptr) ==
                    METAPLAST_OK,
            "%s: CUDA", at.c_str());
      y.expect_same_on_both("y", at);
      f.expect_same_on_both("f", at);
      bits.expect_same_on_both("bits", at);
    }
    metaplast_cuda_context_destroy(context);
  }
  shim::set_bit_mma(shim::BitMma::kAnd);
  shim::set_order(0);
  // A device that gets one element wrong keeps the portable variant.
  metaplast_cuda_context_t* context = nullptr;
  shim::break_bit_mma(true);
  check(metaplast_cuda_context_create(0, 0, &context) == METAPLAST_OK, "context");
  check(metaplast_cuda_xnor_variant(context) == METAPLAST_CUDA_XNOR_SIMT &&
            metaplast_cuda_xnor_failed_variant(context) == METAPLAST_CUDA_XNOR_MMA,
        "a wrong result is found");
  metaplast_cuda_context_destroy(context);
  shim::break_bit_mma(false);
  shim::fail_allocation(1);
  check(metaplast_cuda_context_create(0, 0, &context) == METAPLAST_OK && metaplast_cuda_xnor_variant(context) == METAPLAST_CUDA_XNOR_SIMT,
        "no memory for the test");
  metaplast_cuda_context_destroy(context);
}
