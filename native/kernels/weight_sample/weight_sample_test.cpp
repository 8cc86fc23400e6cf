#include "testing/reference.h"
#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

constexpr uint64_t kSeed = 0xfeedface12345678u;
constexpr uint32_t kStep = 60000, kTensor = 7;
constexpr int32_t kFirst = 2, kSamples = 3;

}  // namespace

int main() {
  const std::vector<float> mu = mixed_values(1, kMostElements);
  const std::vector<float> sigma = mixed_values(2, kMostElements);
  std::vector<float> w;
  for (uint32_t k = 0; k < kSamples; ++k) {
    for (size_t i = 0; i < mu.size(); ++i) {
      const float t = sigma[i] * ref_gaussian(kSeed, kTensor * 256 + kFirst + k, kStep, i);
      w.push_back(mu[i] + t);
    }
  }
  check_elementwise("weight_sample", {input("mu", mu), input("sigma", sigma), output("w", w, kSamples)},
                    [](const metaplast_context_t* c, int64_t n, void* const* p) {
                      const float* const mus[] = {static_cast<float*>(p[0])};
                      const float* const sigmas[] = {static_cast<float*>(p[1])};
                      float* const ws[] = {static_cast<float*>(p[2])};
                      return metaplast_weight_sample_f32(c, 1, &n, &kTensor, mus, sigmas, kSeed, kStep, kFirst, kSamples, ws);
                    });

  // Several tensors in one call, an empty one among them, give what each gives alone.
  const int64_t counts[] = {100, 0, 15000, 500, 4096};
  const uint32_t numbers[] = {0, 1, 2, 9, 3};
  for (int32_t tier : tiers()) {
    for (int32_t threads = 1; threads <= 4; ++threads) {
      const Context context(tier, threads);
      std::vector<std::vector<float>> ws;
      const float* mus[5];
      const float* sigmas[5];
      float* outs[5];
      for (int t = 0; t < 5; ++t) {
        ws.emplace_back(static_cast<size_t>(counts[t]) * 2);
        mus[t] = mu.data() + 10 * t;
        sigmas[t] = sigma.data() + 20 * t;
        outs[t] = ws.back().data();
      }
      expect(metaplast_weight_sample_f32(context, 5, counts, numbers, mus, sigmas, kSeed, kStep, 0, 2, outs) == METAPLAST_OK,
             "five tensors");
      for (int t = 0; t < 5; ++t) {
        std::vector<float> alone(ws[static_cast<size_t>(t)].size());
        float* const out = alone.data();
        metaplast_weight_sample_f32(context, 1, counts + t, numbers + t, mus + t, sigmas + t, kSeed, kStep, 0, 2, &out);
        bool equal = true;
        for (size_t i = 0; i < alone.size(); ++i) {
          equal = equal && same(alone[i], ws[static_cast<size_t>(t)][i]);
        }
        expect(equal, "%s, %d threads: tensor %d alone differs", tier_name(tier), threads, t);
      }
    }
  }
  return finish("weight_sample_test");
}
