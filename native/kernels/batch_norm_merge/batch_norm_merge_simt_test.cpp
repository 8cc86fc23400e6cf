#include "metaplast/kfac.h"
#include "shim/bit_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::positive_values;
using metaplast::testing::uniform_values;

namespace {

struct Layer {
  Layer(int64_t out, int64_t in, int order, int64_t offset)
      : rows(out), cols(in), ld(in + order % 3), w(uniform_values(1, out * ld + 1, -1.0f, 1.0f), offset), b(uniform_values(2, out + 1, -1.0f, 1.0f), offset),
        gamma(uniform_values(3, out + 1, -2.0f, 2.0f), offset), beta(uniform_values(4, out + 1, -1.0f, 1.0f)), mu(uniform_values(5, out + 1, -3.0f, 3.0f)),
        var(variances(order, out)) {}
  // One order in four has channels without a standard deviation.
  static std::vector<float> variances(int order, int64_t n) {
    std::vector<float> v = positive_values(6, n + 1);
    if (order % 4 == 3 && n > 2) v[static_cast<size_t>(n / 2)] = -1.0f;
    if (order % 8 == 3 && n > 2) v[static_cast<size_t>(n - 1)] = __builtin_inff();
    return v;
  }
  int64_t rows, cols, ld;
  Both<float> w, b, gamma, beta, mu, var;
};

constexpr float kEps = 1e-5f;
std::vector<float> stale(int64_t n) { return std::vector<float>(static_cast<size_t>(n + 1), 7.0f); }

void for_layers(const std::function<void(Layer&, int order, int64_t offset, const std::string& at)>& body) {
  for (const MatrixShape& s : matrix_shapes()) {
    if (s.rows * s.cols > 20000) continue;
    for_orders([&](int order, int64_t offset) {
      if (s.rows * s.cols > 1000 && order > 3) return;
      Layer layer(s.rows, s.cols, order, offset);
      body(layer, order, offset, format("%lld x %lld, order %d", static_cast<long long>(s.rows), static_cast<long long>(s.cols), order));
    });
  }
}

}  // namespace

METAPLAST_SIMT_TEST(merge_batch_norm_f32) {
  for_layers([](Layer& l, int order, int64_t offset, const std::string& at) {
    const bool in_place = order % 3 == 2, bias = order % 2 == 0;
    Both<float> what(stale(l.rows * l.ld), offset), bhat(stale(l.rows));
    int64_t bad = -7;
    Device<int64_t> seen({-7});
    check(metaplast_merge_batch_norm_f32(cpu(), l.rows, l.cols, l.w.cpu(), l.ld, bias ? l.b.cpu() : nullptr, l.gamma.cpu(), l.beta.cpu(), l.mu.cpu(),
                                         l.var.cpu(), kEps, in_place ? l.w.cpu() : what.cpu(), l.ld, bhat.cpu(), &bad) == METAPLAST_OK,
          "%s: CPU", at.c_str());
    check(metaplast_merge_batch_norm_f32_cuda(cuda(), l.rows, l.cols, l.w.gpu(), l.ld, bias ? l.b.gpu() : nullptr, l.gamma.gpu(), l.beta.gpu(),
                                              l.mu.gpu(), l.var.gpu(), kEps, in_place ? l.w.gpu() : what.gpu(), l.ld, bhat.gpu(), seen.data(),
                                              nullptr) == METAPLAST_OK,
          "%s: CUDA", at.c_str());
    l.w.expect_same_on_both("w", at);
    what.expect_same_on_both("what", at);
    bhat.expect_same_on_both("bhat", at);
    expect_same(std::vector<int64_t>{bad}, &seen, "bad", at);
  });
}

METAPLAST_SIMT_TEST(merge_batch_norm_backward_f32) {
  for_layers([](Layer& l, int order, int64_t offset, const std::string& at) {
    const bool in_place = order % 3 == 2, bias = order % 2 == 0, statistics = order % 4 != 1;
    Both<float> gw(uniform_values(8, l.rows * l.ld + 1, -1.0f, 1.0f), offset), gb(uniform_values(9, l.rows + 1, -1.0f, 1.0f));
    Both<float> dw(stale(l.rows * l.ld), offset), db(stale(l.rows)), dgamma(stale(l.rows)), dbeta(stale(l.rows)), dmu(stale(l.rows)), dvar(stale(l.rows));
    int64_t bad = -7;
    Device<int64_t> seen({-7});
    check(metaplast_merge_batch_norm_backward_f32(cpu(), l.rows, l.cols, l.w.cpu(), l.ld, bias ? l.b.cpu() : nullptr, l.gamma.cpu(), l.mu.cpu(),
                                                  l.var.cpu(), kEps, gw.cpu(), l.ld, gb.cpu(), in_place ? gw.cpu() : dw.cpu(), l.ld,
                                                  bias ? db.cpu() : nullptr, dgamma.cpu(), dbeta.cpu(), statistics ? dmu.cpu() : nullptr,
                                                  statistics ? dvar.cpu() : nullptr, &bad) == METAPLAST_OK,
          "%s: CPU", at.c_str());
    check(metaplast_merge_batch_norm_backward_f32_cuda(cuda(), l.rows, l.cols, l.w.gpu(), l.ld, bias ? l.b.gpu() : nullptr, l.gamma.gpu(), l.mu.gpu(),
                                                       l.var.gpu(), kEps, gw.gpu(), l.ld, gb.gpu(), in_place ? gw.gpu() : dw.gpu(), l.ld,
                                                       bias ? db.gpu() : nullptr, dgamma.gpu(), dbeta.gpu(), statistics ? dmu.gpu() : nullptr,
                                                       statistics ? dvar.gpu() : nullptr, seen.data(), nullptr) == METAPLAST_OK,
          "%s: CUDA", at.c_str());
    gw.expect_same_on_both("gw", at);
    dw.expect_same_on_both("dw", at);
    db.expect_same_on_both("db", at);
    dgamma.expect_same_on_both("dgamma", at);
    dbeta.expect_same_on_both("dbeta", at);
    dmu.expect_same_on_both("dmu", at);
    dvar.expect_same_on_both("dvar", at);
    expect_same(std::vector<int64_t>{bad}, &seen, "bad", at);
  });
}
