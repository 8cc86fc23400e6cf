#include "shim/bit_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::mixed_values;
using metaplast::testing::positive_values;
using metaplast::testing::uniform_values;

namespace {

struct Shape {
  int64_t batch, channels, spatial;
};

// One chunk of R16 and several; fewer and more channels than a block takes; images.
constexpr Shape kShapes[] = {{1, 1, 1},   {2, 1, 1},  {3, 5, 1},   {17, 33, 1}, {100, 70, 1}, {16, 513, 1}, {4097, 2, 1}, {9000, 3, 1},
                             {2, 3, 25},  {1, 40, 4}, {5, 2, 100}, {3, 7, 17},  {2, 1, 4100}, {20, 2, 900}, {2, 520, 3}};
constexpr double kEps = 1e-5;

std::string where(const char* kernel, const Shape& s, int32_t type, int order) {
  return format("%s, batch %lld, channels %lld, spatial %lld, type %d, order %d", kernel, static_cast<long long>(s.batch),
                static_cast<long long>(s.channels), static_cast<long long>(s.spatial), type, order);
}

// Values of either type.
struct Values {
  Values(const Shape& s, int32_t value_type, int order, int64_t offset)
      : type(value_type),
        real(order % 3 == 2 ? mixed_values(71, s.batch * s.channels * s.spatial)
                            : uniform_values(71, s.batch * s.channels * s.spatial, -20.0f, 30.0f),
             offset),
        integer(integers(real.host), offset) {}

  static std::vector<int32_t> integers(const std::vector<float>& values) {
    std::vector<int32_t> result;
    for (size_t i = 0; i < values.size(); ++i) result.push_back(static_cast<int32_t>(i * 2654435761u % 4001) - 1900);
    return result;
  }
  const void* cpu() { return type == METAPLAST_I32 ? static_cast<const void*>(integer.cpu()) : real.cpu(); }
  const void* gpu() { return type == METAPLAST_I32 ? static_cast<const void*>(integer.gpu()) : real.gpu(); }

  int32_t type;
  Both<float> real;
  Both<int32_t> integer;
};

std::vector<float> stale(int64_t n) { return std::vector<float>(static_cast<size_t>(n), 7.0f); }

void for_cases(const std::function<void(const Shape&, int32_t type, int order, int64_t offset)>& body) {
  for (const Shape& s : kShapes) {
    for (int32_t type : {int32_t{METAPLAST_F32}, int32_t{METAPLAST_I32}}) {
      for_orders([&](int order, int64_t offset) {
        // Every order for small shapes, three of them for the others.
        if (s.batch * s.channels * s.spatial < 4000 || order < 3) body(s, type, order, offset);
      });
    }
  }
}

}  // namespace

METAPLAST_SIMT_TEST(batch_norm_forward) {
  for_cases([](const Shape& s, int32_t type, int order, int64_t offset) {
    const std::string at = where("batch_norm_forward", s, type, order);
    const int64_t cols = s.channels * s.spatial;
    Values y(s, type, order, offset);
    Both<float> gamma(uniform_values(72, s.channels, -2.0f, 2.0f)), beta(uniform_values(73, s.channels, -1.0f, 1.0f));
    Both<float> mean(stale(s.channels)), inv(stale(s.channels)), running_mean(stale(s.channels)), running_var(stale(s.channels));
    Both<float> out(stale(s.batch * cols), offset);
    Both<uint64_t> sign(stale_bits(s.batch, cols)), mask(stale_bits(s.batch, cols));
    const bool affine = order % 2 == 0, runs = order % 4 < 2 && s.batch * s.spatial > 1, writes = order % 3 != 1, bits = order % 5 != 4;
    const auto optional = [](bool wanted, auto* p) { return wanted ? p : nullptr; };
    check(metaplast_batch_norm_forward(cpu(), type, s.batch, s.channels, s.spatial, y.cpu(), optional(affine, gamma.cpu()),
                                       optional(affine, beta.cpu()), kEps, mean.cpu(), inv.cpu(), 0.1f, optional(runs, running_mean.cpu()),
                                       optional(runs, running_var.cpu()), optional(writes, out.cpu()), optional(bits, sign.cpu()),
                                       optional(bits, mask.cpu())) == METAPLAST_OK,
          "%s: CPU", at.c_str());
    check(metaplast_batch_norm_forward_cuda(cuda(), type, s.batch, s.channels, s.spatial, y.gpu(), optional(affine, gamma.gpu()),
                                            optional(affine, beta.gpu()), kEps, mean.gpu(), inv.gpu(), 0.1f,
                                            optional(runs, running_mean.gpu()), optional(runs, running_var.gpu()),
                                            optional(writes, out.gpu()), optional(bits, sign.gpu()), optional(bits, mask.gpu()),
                                            nullptr) == METAPLAST_OK,
          "%s: CUDA", at.c_str());
    mean.expect_same_on_both("mean", at);
    inv.expect_same_on_both("inv", at);
    running_mean.expect_same_on_both("running mean", at);
    running_var.expect_same_on_both("running variance", at);
    out.expect_same_on_both("out", at);
    sign.expect_same_on_both("sign", at);
    mask.expect_same_on_both("mask", at);
  });
}

METAPLAST_SIMT_TEST(batch_norm_inference) {
  for_cases([](const Shape& s, int32_t type, int order, int64_t offset) {
    const std::string at = where("batch_norm_inference", s, type, order);
    const int64_t cols = s.channels * s.spatial;
    Values y(s, type, order, offset);
    Both<float> gamma(uniform_values(72, s.channels, -2.0f, 2.0f)), beta(uniform_values(73, s.channels, -1.0f, 1.0f));
    Both<float> mean(uniform_values(74, s.channels, -9.0f, 9.0f)), var(positive_values(75, s.channels)), out(stale(s.batch * cols), offset);
    Both<uint64_t> sign(stale_bits(s.batch, cols));
    const bool affine = order % 2 == 0;
    check(metaplast_batch_norm_inference(cpu(), type, s.batch, s.channels, s.spatial, y.cpu(), affine ? gamma.cpu() : nullptr,
                                         affine ? beta.cpu() : nullptr, kEps, mean.cpu(), var.cpu(), out.cpu(), sign.cpu()) == METAPLAST_OK,
          "%s: CPU", at.c_str());
    check(metaplast_batch_norm_inference_cuda(cuda(), type, s.batch, s.channels, s.spatial, y.gpu(), affine ? gamma.gpu() : nullptr,
                                              affine ? beta.gpu() : nullptr, kEps, mean.gpu(), var.gpu(), out.gpu(), sign.gpu(),
                                              nullptr) == METAPLAST_OK,
          "%s: CUDA", at.c_str());
    out.expect_same_on_both("out", at);
    sign.expect_same_on_both("sign", at);
  });
}

METAPLAST_SIMT_TEST(batch_norm_backward) {
  for_cases([](const Shape& s, int32_t type, int order, int64_t offset) {
    const std::string at = where("batch_norm_backward", s, type, order);
    const int64_t cols = s.channels * s.spatial;
    Values y(s, type, order, offset);
    Both<float> gamma(uniform_values(72, s.channels, -2.0f, 2.0f)), mean(uniform_values(74, s.channels, -9.0f, 9.0f));
    Both<float> inv(positive_values(75, s.channels)), dout(uniform_values(76, s.batch * cols, -3.0f, 3.0f), offset);
    Both<float> dx(stale(s.batch * cols), offset), dgamma(stale(s.channels)), dbeta(stale(s.channels));
    Both<uint64_t> mask(random_bits(77, s.batch, cols));
    const bool affine = order % 2 == 0, masked = order % 3 != 0, sums = order % 4 != 3, in_place = order % 5 == 1;
    check(metaplast_batch_norm_backward(cpu(), type, s.batch, s.channels, s.spatial, y.cpu(), affine ? gamma.cpu() : nullptr, mean.cpu(),
                                        inv.cpu(), dout.cpu(), masked ? mask.cpu() : nullptr, in_place ? dout.cpu() : dx.cpu(),
                                        sums ? dgamma.cpu() : nullptr, sums ? dbeta.cpu() : nullptr) == METAPLAST_OK,
          "%s: CPU", at.c_str());
    check(metaplast_batch_norm_backward_cuda(cuda(), type, s.batch, s.channels, s.spatial, y.gpu(), affine ? gamma.gpu() : nullptr,
                                             mean.gpu(), inv.gpu(), dout.gpu(), masked ? mask.gpu() : nullptr,
                                             in_place ? dout.gpu() : dx.gpu(), sums ? dgamma.gpu() : nullptr,
                                             sums ? dbeta.gpu() : nullptr, nullptr) == METAPLAST_OK,
          "%s: CUDA", at.c_str());
    dx.expect_same_on_both("dx", at);
    dout.expect_same_on_both("dout", at);
    dgamma.expect_same_on_both("dgamma", at);
    dbeta.expect_same_on_both("dbeta", at);
  });
}
