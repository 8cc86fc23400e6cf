#include "shim/bit_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::mixed_values;
using metaplast::testing::uniform_values;

namespace {

metaplast_adam_row_t adam_row(int t) {
  return {0.005f + 0.001f * static_cast<float>(t % 3), 0.9f, 0.1f, 0.999f, 0.001f, 1e-8f, t % 2 == 0 ? 1e-7f : 0.0f, t % 4 == 3 ? 0.0f : 1.35f};
}

// One tensor of a step.
struct State {
  State(const MatrixShape& s, uint64_t seed, bool mixed, int64_t offset)
      : w(values(seed, s, mixed), offset),
        g(values(seed + 1, s, mixed), offset + 1),
        m(values(seed + 2, s, mixed), offset),
        v(uniform_values(seed + 3, s.rows * s.cols, 0.0f, 2.0f), offset),
        bits(stale_bits(s.rows, s.cols)) {}
  static std::vector<float> values(uint64_t seed, const MatrixShape& s, bool mixed) {
    return mixed ? mixed_values(seed, s.rows * s.cols) : uniform_values(seed, s.rows * s.cols, -2.0f, 2.0f);
  }
  void expect_same_on_both(const std::string& where) {
    w.expect_same_on_both("w", where);
    g.expect_same_on_both("g", where);
    m.expect_same_on_both("m", where);
    v.expect_same_on_both("v", where);
    bits.expect_same_on_both("bits", where);
  }

  Both<float> w, g, m, v;
  Both<uint64_t> bits;
};

void check_step(const std::vector<MatrixShape>& shapes, bool mixed, bool with_bits, bool row_each, int order, int64_t offset) {
  const std::string at = format("meta_adam_step of %zu tensors, the last one %lldx%lld, bits %d, rows %d, order %d", shapes.size(),
                                static_cast<long long>(shapes.back().rows), static_cast<long long>(shapes.back().cols), with_bits, row_each,
                                order);
  std::vector<std::unique_ptr<State>> states;
  std::vector<int64_t> rows, cols;
  std::vector<metaplast_adam_row_t> params;
  std::vector<float*> w[2], g[2], m[2], v[2];
  std::vector<uint64_t*> bits[2];
  for (size_t t = 0; t < shapes.size(); ++t) {
    states.emplace_back(new State(shapes[t], 80 + t, mixed, offset));
    State& s = *states.back();
    rows.push_back(shapes[t].rows);
    cols.push_back(shapes[t].cols);
    params.push_back(adam_row(static_cast<int>(t) + order));
    const auto push = [](std::vector<float*>* table, Both<float>* x) {
      table[0].push_back(x->cpu());
      table[1].push_back(x->gpu());
    };
    push(w, &s.w);
    push(g, &s.g);
    push(m, &s.m);
    push(v, &s.v);
    const bool null = t % 3 == 1;  // tensors without signs among others
    bits[0].push_back(null ? nullptr : s.bits.cpu());
    bits[1].push_back(null ? nullptr : s.bits.gpu());
  }
  const int32_t tensors = static_cast<int32_t>(shapes.size());
  check(metaplast_meta_adam_step_f32(cpu(), tensors, rows.data(), cols.data(), w[0].data(), g[0].data(), m[0].data(), v[0].data(),
                                     with_bits ? bits[0].data() : nullptr, params.data(), row_each) == METAPLAST_OK,
        "%s: CPU", at.c_str());
  check(metaplast_meta_adam_step_f32_cuda(cuda(), tensors, rows.data(), cols.data(), w[1].data(), g[1].data(), m[1].data(), v[1].data(),
                                          with_bits ? bits[1].data() : nullptr, params.data(), row_each, nullptr) == METAPLAST_OK,
        "%s: CUDA", at.c_str());
  for (const std::unique_ptr<State>& s : states) s->expect_same_on_both(at);
}

}  // namespace

METAPLAST_SIMT_TEST(meta_adam_step_f32) {
  int which = 0;
  for (const MatrixShape& s : matrix_shapes()) {
    check_step({s}, which % 2 == 0, true, false, which % kOrders, which % 4);
    for_orders([&](int order, int64_t offset) {
      if (s.rows * s.cols < 9000) check_step({s}, order % 2 == 0, order % 3 != 0, order % 2 == 1, order, offset);
    });
    ++which;
  }
  for (size_t tensors : {2, 5, 64, 65, 130}) {
    std::vector<MatrixShape> shapes;
    for (size_t t = 0; t < tensors; ++t) shapes.push_back({static_cast<int64_t>(t % 5), static_cast<int64_t>(t * 37 % 600)});
    for_orders([&](int order, int64_t offset) { check_step(shapes, false, order % 3 != 0, order % 2 == 1, order, offset); });
  }
  const metaplast_adam_row_t row = adam_row(0);
  check(metaplast_meta_adam_step_f32_cuda(cuda(), 0, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, &row, 2, nullptr) ==
            METAPLAST_E_ARGUMENT,
        "a row stride of 2");
}

METAPLAST_SIMT_TEST(meta_adam_step_from_product_f32) {
  struct Shape {
    int64_t batch, out, in;
  };
  const Shape shapes[] = {{0, 3, 5}, {1, 1, 1}, {3, 2, 31}, {33, 65, 64}, {5, 70, 65}, {100, 10, 513}, {7, 3, 130}, {64, 64, 784}, {2, 0, 3}};
  for (const Shape& s : shapes) {
    for_orders([&](int order, int64_t offset) {
      const std::string at = format("meta_adam_step_from_product, batch %lld, out %lld, in %lld, order %d", static_cast<long long>(s.batch),
                                    static_cast<long long>(s.out), static_cast<long long>(s.in), order);
      const bool real = order % 2 == 0, with_bits = order % 3 != 0;
      const int64_t lddy = s.out + order % 2, ldx = s.in + order % 3;
      const metaplast_adam_row_t row = adam_row(order);
      State state({s.out, s.in}, 90, order % 5 == 4, offset);
      Both<float> dy(uniform_values(95, s.batch * lddy, -1.0f, 1.0f), offset), x(uniform_values(96, s.batch * ldx, 0.0f, 1.0f), offset);
      Both<uint64_t> signs(random_bits(97, s.batch, s.in), offset);
      check(metaplast_meta_adam_step_from_product_f32(cpu(), s.batch, s.out, s.in, dy.cpu(), lddy, real ? x.cpu() : nullptr, ldx,
                                                      real ? nullptr : signs.cpu(), state.w.cpu(), state.m.cpu(), state.v.cpu(),
                                                      with_bits ? state.bits.cpu() : nullptr, &row) == METAPLAST_OK,
            "%s: CPU", at.c_str());
      check(metaplast_meta_adam_step_from_product_f32_cuda(cuda(), s.batch, s.out, s.in, dy.gpu(), lddy, real ? x.gpu() : nullptr, ldx,
                                                           real ? nullptr : signs.gpu(), state.w.gpu(), state.m.gpu(), state.v.gpu(),
                                                           with_bits ? state.bits.gpu() : nullptr, &row, nullptr) == METAPLAST_OK,
            "%s: CUDA", at.c_str());
      state.expect_same_on_both(at);
    });
  }
}
