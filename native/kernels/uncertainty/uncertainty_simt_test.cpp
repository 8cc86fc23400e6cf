#include "shim/simt_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names

namespace {

struct Shape {
  int32_t samples, batch, classes;
};

constexpr Shape kShapes[] = {{1, 1, 1},  {1, 1, 2},    {10, 1, 10}, {3, 7, 10},  {17, 2, 33}, {40, 3, 5},
                             {2, 9, 31}, {1, 2, 1000}, {5, 0, 3},   {300, 1, 3}, {33, 1, 64}};

}  // namespace

METAPLAST_SIMT_TEST(uncertainty_f32) {
  for (const Shape& s : kShapes) {
    const int64_t n = static_cast<int64_t>(s.samples) * s.batch * s.classes;
    for (int variant = 0; variant < 8; ++variant) {
      const bool from_logits = (variant & 1) != 0, bits = (variant & 2) != 0, clamp = (variant & 4) != 0;
      const std::vector<float> values =
          from_logits ? metaplast::testing::uniform_values(9, n, -30.0f, 30.0f) : metaplast::testing::uniform_values(9, n, 0.0f, 1.0f);
      for_orders([&](int order, int64_t offset) {
        const std::string where =
            format("uncertainty, K %d, B %d, C %d, variant %d, order %d", s.samples, s.batch, s.classes, variant, order);
        std::vector<float> p(static_cast<size_t>(s.batch)), a = p, e = p;
        Device<float> d_x(values, offset), d_p(p, offset), d_a(a, offset), d_e(e, offset);
        const float inverse = 1.0f / static_cast<float>(s.samples);
        check(metaplast_uncertainty_f32(cpu(), s.samples, s.batch, s.classes, values.data(), from_logits, bits, clamp, inverse, p.data(),
                                        a.data(), e.data()) == METAPLAST_OK,
              "%s: CPU", where.c_str());
        check(metaplast_uncertainty_f32_cuda(cuda(), s.samples, s.batch, s.classes, d_x.data(), from_logits, bits, clamp, inverse,
                                             d_p.data(), d_a.data(), d_e.data(), nullptr) == METAPLAST_OK,
              "%s: CUDA", where.c_str());
        expect_same(p, &d_p, "predictive", where);
        expect_same(a, &d_a, "aleatoric", where);
        expect_same(e, &d_e, "epistemic", where);
      });
    }
  }
}
