#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

using Values = std::vector<float>;

Values values(uint64_t seed) { return mixed_values(seed, kMostElements); }

float* f(void* p) { return static_cast<float*>(p); }

}  // namespace

int main() {
  const size_t n = kMostElements;
  const Values theta = values(1), g = values(2), fisher = values(3), total = values(4), anchor = values(5), path = values(6),
               omega = values(7);

  Values stepped(n), squared(n), merged(n), penalised(n), followed(n), consolidated(n);
  const float lr = 0.37f, inverse = 1.0f / 3.0f, decay = 0.2f, lambda = 2.3f, xi = 0.001f;
  for (size_t i = 0; i < n; ++i) {
    const float t = lr * g[i];
    stepped[i] = theta[i] - t;

    const float square = g[i] * g[i];
    squared[i] = fisher[i] + square;

    const float m = fisher[i] * inverse;
    const float kept = decay * total[i];
    merged[i] = kept + m;

    const float d = theta[i] - anchor[i];
    float p = omega[i] * d;
    p = lambda * p;
    penalised[i] = g[i] + p;

    const float moved = g[i] * d;
    followed[i] = path[i] - moved;

    const float dd = d * d;
    const float q = dd + xi;
    const float r = path[i] / q;
    consolidated[i] = omega[i] + (r < 0.0f ? 0.0f : r);
  }
  const Values zeros(n, 0.0f);

  check_elementwise("sgd_step", {in_place("theta", theta, stepped), input("g", g)},
                    [=](const metaplast_context_t* c, int64_t count, void* const* p) {
                      return metaplast_sgd_step_f32(c, count, f(p[0]), f(p[1]), lr);
                    });
  check_elementwise("fisher_accumulate", {input("g", g), in_place("fisher", fisher, squared)},
                    [](const metaplast_context_t* c, int64_t count, void* const* p) {
                      return metaplast_fisher_accumulate_f32(c, count, f(p[0]), f(p[1]));
                    });
  check_elementwise("fisher_merge", {in_place("fisher", fisher, zeros), in_place("total", total, merged)},
                    [=](const metaplast_context_t* c, int64_t count, void* const* p) {
                      return metaplast_fisher_merge_f32(c, count, inverse, decay, f(p[0]), f(p[1]));
                    });
  check_elementwise("ewc_penalty_grad",
                    {input("theta", theta), input("anchor", anchor), input("fisher", omega), in_place("g", g, penalised)},
                    [=](const metaplast_context_t* c, int64_t count, void* const* p) {
                      return metaplast_ewc_penalty_grad_f32(c, count, f(p[0]), f(p[1]), f(p[2]), lambda, f(p[3]));
                    });
  check_elementwise("si_penalty_grad",
                    {input("theta", theta), input("anchor", anchor), input("omega", omega), in_place("g", g, penalised)},
                    [=](const metaplast_context_t* c, int64_t count, void* const* p) {
                      return metaplast_si_penalty_grad_f32(c, count, f(p[0]), f(p[1]), f(p[2]), lambda, f(p[3]));
                    });
  check_elementwise("si_path",
                    {input("g", g), input("theta_new", theta), input("theta_old", anchor), in_place("path", path, followed)},
                    [](const metaplast_context_t* c, int64_t count, void* const* p) {
                      return metaplast_si_path_f32(c, count, f(p[0]), f(p[1]), f(p[2]), f(p[3]));
                    });
  check_elementwise("si_consolidate",
                    {input("theta", theta), in_place("path", path, zeros), in_place("anchor", anchor, theta),
                     in_place("omega", omega, consolidated)},
                    [=](const metaplast_context_t* c, int64_t count, void* const* p) {
                      return metaplast_si_consolidate_f32(c, count, f(p[0]), xi, f(p[1]), f(p[2]), f(p[3]));
                    });

  const Context context(METAPLAST_TIER_AVX512, 1);
  float one = 1.0f;
  expect(metaplast_sgd_step_f32(context, -1, &one, &one, 1.0f) == METAPLAST_E_ARGUMENT, "a negative count is refused");
  expect(metaplast_sgd_step_f32(context, 1, &one, nullptr, 1.0f) == METAPLAST_E_ARGUMENT, "a null operand is refused");
  expect(metaplast_sgd_step_f32(nullptr, 1, &one, &one, 1.0f) == METAPLAST_E_ARGUMENT, "a null context is refused");
  expect(one == 1.0f, "a refused call writes nothing");
  return finish("baselines_test");
}
