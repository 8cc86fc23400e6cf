#include <cmath>

#include "testing/reference.h"
#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

struct Result {
  std::vector<float> predictive, aleatoric, epistemic;
};

float entropy(const std::vector<float>& p) {
  float sum = 0;
  for (size_t c = 0; c < p.size(); ++c) {
    const float shifted = p[c] + 1e-12f;
    const float term = p[c] * ref_ln32(shifted);
    sum = c == 0 ? term : sum + term;
  }
  return -sum;
}

Result reference(size_t samples, size_t batch, size_t classes, const std::vector<float>& input, bool from_logits, bool bits, bool clamp) {
  const float inverse = 1.0f / static_cast<float>(samples);
  Result result;
  for (size_t b = 0; b < batch; ++b) {
    std::vector<float> mean(classes);
    float noise = 0;
    for (size_t k = 0; k < samples; ++k) {
      std::vector<float> p(input.begin() + static_cast<int64_t>((k * batch + b) * classes),
                           input.begin() + static_cast<int64_t>((k * batch + b + 1) * classes));
      if (from_logits) {
        float m = p[0];
        for (float l : p) {
          m = l > m ? l : m;
        }
        float sum = 0;
        for (size_t c = 0; c < classes; ++c) {
          p[c] = ref_exp32(p[c] - m);
          sum = c == 0 ? p[0] : sum + p[c];
        }
        for (float& e : p) {
          e = e / sum;
        }
      }
      for (size_t c = 0; c < classes; ++c) {
        mean[c] = k == 0 ? p[c] : mean[c] + p[c];
      }
      noise = k == 0 ? entropy(p) : noise + entropy(p);
    }
    for (float& m : mean) {
      m = m * inverse;
    }
    float total = entropy(mean);
    noise = noise * inverse;
    if (bits) {
      total = total * 0x1.715476p+0f;
      noise = noise * 0x1.715476p+0f;
    }
    const float knowledge = total - noise;
    result.predictive.push_back(total);
    result.aleatoric.push_back(noise);
    result.epistemic.push_back(clamp && knowledge < 0.0f ? 0.0f : knowledge);
  }
  return result;
}

void check(int32_t samples, int32_t batch, int32_t classes, const std::vector<float>& values, bool from_logits, bool bits, bool clamp) {
  const int64_t n = static_cast<int64_t>(samples) * batch * classes;
  const std::vector<float> source(values.begin(), values.begin() + n);
  const Result wanted = reference(static_cast<size_t>(samples), static_cast<size_t>(batch), static_cast<size_t>(classes), source,
                                  from_logits, bits, clamp);
  GuardedMemory memory(n * 4 + 1), out_memory(batch * 12 + 1);
  for (int32_t tier : tiers()) {
    for (int32_t threads : {1, 3}) {
      const Context context(tier, threads);
      float* x = reinterpret_cast<float*>(memory.at_end(n * 4, 0));
      std::copy(source.begin(), source.end(), x);
      float* out = reinterpret_cast<float*>(out_memory.at_end(batch * 12, 0));
      const metaplast_status_t status =
          metaplast_uncertainty_f32(context, samples, batch, classes, x, from_logits, bits, clamp, 1.0f / static_cast<float>(samples), out,
                                    out + batch, out + 2 * batch);
      expect(status == METAPLAST_OK, "status %d", status);
      for (int32_t b = 0; b < batch; ++b) {
        const size_t i = static_cast<size_t>(b);
        expect(same(out[b], wanted.predictive[i]) && same(out[batch + b], wanted.aleatoric[i]) &&
                   same(out[2 * batch + b], wanted.epistemic[i]),
               "%s, K %d, B %d, C %d, item %d: %a %a %a, expected %a %a %a", tier_name(tier), samples, batch, classes, b,
               static_cast<double>(out[b]), static_cast<double>(out[batch + b]), static_cast<double>(out[2 * batch + b]),
               static_cast<double>(wanted.predictive[i]), static_cast<double>(wanted.aleatoric[i]),
               static_cast<double>(wanted.epistemic[i]));
      }
    }
  }
}

}  // namespace

int main() {
  const std::vector<float> logits = uniform_values(1, 1 << 18, -12, 12);
  const std::vector<float> probabilities = uniform_values(2, 1 << 18, 0, 1);
  int variant = 0;
  for (int32_t classes = 1; classes <= 70; ++classes, ++variant) {
    check(3, 3, classes, logits, true, variant % 2 == 0, variant % 3 == 0);
    check(3, 3, classes, probabilities, false, variant % 2 == 1, variant % 3 == 1);
  }
  for (int32_t classes : {10, 255, 256, 257, 600}) {
    for (int32_t samples : {1, 2, 10, 63, 64, 65, 70}) {
      check(samples, 2, classes, logits, true, true, false);
      check(samples, 2, classes, probabilities, false, false, true);
    }
  }
  check(10, 900, 10, logits, true, true, false);
  check(10, 0, 10, logits, true, true, false);
  return finish("uncertainty_test");
}
