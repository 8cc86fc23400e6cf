#include "shim/simt_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names

METAPLAST_SIMT_TEST(elementary_f32) {
  std::vector<float> uniforms(4200);
  metaplast_uniform_f32(cpu(), 7, 8, 9, 0, 4200, uniforms.data());
  const std::vector<float> out(4200);
  const std::vector<float> positive = metaplast::testing::uniform_values(3, 4200, 1e-30f, 1e30f);
  const std::vector<float> negative = metaplast::testing::uniform_values(4, 4200, -100.0f, 0.0f);
  const std::vector<float> around_zero = metaplast::testing::uniform_values(5, 4200, -3.0f, 3.0f);
  struct Function {
    int32_t number;
    const std::vector<float>& x;
  };
  for (const Function& f :
       {Function{METAPLAST_FN_LN, positive}, Function{METAPLAST_FN_EXP, negative}, Function{METAPLAST_FN_TANH, around_zero}}) {
    check_flat(
        format("elementary %d", f.number).c_str(), {f.x, out},
        [&](int64_t n, const std::vector<float*>& p) { return metaplast_elementary_f32(cpu(), f.number, n, p[0], p[1], nullptr); },
        [&](int64_t n, const std::vector<float*>& p) {
          return metaplast_elementary_f32_cuda(cuda(), f.number, n, p[0], p[1], nullptr, nullptr);
        });
    check_flat(
        format("elementary %d in place", f.number).c_str(), {f.x},
        [&](int64_t n, const std::vector<float*>& p) { return metaplast_elementary_f32(cpu(), f.number, n, p[0], p[0], nullptr); },
        [&](int64_t n, const std::vector<float*>& p) {
          return metaplast_elementary_f32_cuda(cuda(), f.number, n, p[0], p[0], nullptr, nullptr);
        });
  }
  check_flat(
      "sincos", {uniforms, out, out},
      [](int64_t n, const std::vector<float*>& p) { return metaplast_elementary_f32(cpu(), METAPLAST_FN_SINCOS2PI, n, p[0], p[1], p[2]); },
      [](int64_t n, const std::vector<float*>& p) {
        return metaplast_elementary_f32_cuda(cuda(), METAPLAST_FN_SINCOS2PI, n, p[0], p[1], p[2], nullptr);
      });
  check(metaplast_elementary_f32_cuda(cuda(), 4, 0, nullptr, nullptr, nullptr, nullptr) == METAPLAST_E_ARGUMENT, "unknown function");
}
