#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

int main() {
  const std::vector<float> sigma = mixed_values(1, kMostElements);
  const float prior = 1.25f, inverse = 1.0f / 1000.0f;
  std::vector<float> h(sigma.size());
  for (size_t i = 0; i < h.size(); ++i) {
    const float v = sigma[i] * sigma[i];
    const float r = 1.0f / v;
    const float difference = r - prior;
    h[i] = difference * inverse;
  }
  check_elementwise("diag_hessian", {input("sigma", sigma), output("h", h)},
                    [=](const metaplast_context_t* c, int64_t n, void* const* p) {
                      return metaplast_diag_hessian_f32(c, n, static_cast<float*>(p[0]), prior, inverse, static_cast<float*>(p[1]));
                    });
  return finish("diag_hessian_test");
}
