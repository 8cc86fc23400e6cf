#include <cmath>

#include "testing/reference.h"
#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

struct Result {
  std::vector<float> item_loss;
  std::vector<float> gradient;
  float loss;
};

Result reference(size_t samples, size_t batch, size_t classes, const std::vector<float>& logits, const std::vector<int32_t>& labels,
                 float inverse_samples, float grad_scale) {
  Result result{std::vector<float>(batch), std::vector<float>(logits.size()), 0};
  for (size_t b = 0; b < batch; ++b) {
    const size_t y = static_cast<size_t>(labels[b]);
    float total = 0;
    for (size_t k = 0; k < samples; ++k) {
      const float* l = &logits[(k * batch + b) * classes];
      float* gradient = &result.gradient[(k * batch + b) * classes];
      float m = l[0];
      for (size_t c = 1; c < classes; ++c) {
        m = l[c] > m ? l[c] : m;
      }
      float sum = 0;
      for (size_t c = 0; c < classes; ++c) {
        gradient[c] = ref_exp32(l[c] - m);
        sum = c == 0 ? gradient[0] : sum + gradient[c];
      }
      const float label_logit = l[y] - m;
      for (size_t c = 0; c < classes; ++c) {
        const float p = gradient[c] / sum;
        gradient[c] = (p - (c == y ? 1.0f : 0.0f)) * grad_scale;
      }
      const float lp = std::isnan(sum) ? sum : label_logit - ref_ln32(sum);
      total = k == 0 ? lp : total + lp;
    }
    result.item_loss[b] = -total * inverse_samples;
  }
  result.loss = ref_sum(result.item_loss);
  return result;
}

void check(int32_t samples, int32_t batch, int32_t classes, const std::vector<float>& values) {
  const int64_t n = static_cast<int64_t>(samples) * batch * classes;
  const std::vector<float> logits(values.begin(), values.begin() + n);
  std::vector<int32_t> labels(static_cast<size_t>(batch));
  for (int32_t b = 0; b < batch; ++b) {
    labels[static_cast<size_t>(b)] = (b * 7 + 3) % classes;
  }
  const float inverse = 1.0f / static_cast<float>(samples);
  const float scale = inverse * 0.25f;
  const Result wanted = reference(static_cast<size_t>(samples), static_cast<size_t>(batch), static_cast<size_t>(classes), logits, labels,
                                  inverse, scale);
  GuardedMemory logits_memory(n * 4 + 1), gradient_memory(n * 4 + 1), labels_memory(batch * 4 + 1), loss_memory(batch * 4 + 1);
  for (int32_t tier : tiers()) {
    for (int32_t threads : {1, 3}) {
      const Context context(tier, threads);
      for (int variant = 0; variant < 3; ++variant) {  // separate gradient, in place, none
        float* x = reinterpret_cast<float*>(logits_memory.at_end(n * 4, 0));
        std::copy(logits.begin(), logits.end(), x);
        int32_t* y = reinterpret_cast<int32_t*>(labels_memory.at_end(batch * 4, 0));
        std::copy(labels.begin(), labels.end(), y);
        float* item = reinterpret_cast<float*>(loss_memory.at_end(batch * 4, 0));
        float* gradient = variant == 0 ? reinterpret_cast<float*>(gradient_memory.at_end(n * 4, 0)) : variant == 1 ? x : nullptr;
        float loss = 7;
        const metaplast_status_t status = metaplast_nll_mean_log_softmax_f32(context, samples, batch, classes, x, y, inverse, scale, item,
                                                                             &loss, gradient);
        expect(status == METAPLAST_OK, "status %d", status);
        bool items = true, gradients = true, inputs = true;
        for (size_t b = 0; b < labels.size(); ++b) {
          items = items && same(item[b], wanted.item_loss[b]);
        }
        for (size_t i = 0; i < logits.size(); ++i) {
          gradients = gradients && (gradient == nullptr || same(gradient[i], wanted.gradient[i]));
          inputs = inputs && (variant == 1 || same(x[i], logits[i]));
        }
        expect(items && same(loss, wanted.loss), "%s, K %d, B %d, C %d, variant %d: loss", tier_name(tier), samples,
               batch, classes, variant);
        expect(gradients, "%s, K %d, B %d, C %d, variant %d: gradient", tier_name(tier), samples, batch, classes, variant);
        expect(inputs, "%s: logits were written", tier_name(tier));
      }
    }
  }
}

}  // namespace

int main() {
  const std::vector<float> ordinary = uniform_values(1, 1 << 20, -12, 12);
  const std::vector<float> mixed = mixed_values(2, 1 << 20);
  for (const std::vector<float>* values : {&ordinary, &mixed}) {
    for (int32_t classes = 1; classes <= 70; ++classes) {
      check(3, 2, classes, *values);
    }
    for (int32_t samples : {1, 2, 10, 15, 16, 17, 33}) {
      check(samples, 5, 10, *values);
    }
    for (int32_t classes : {255, 256, 257, 513, 1000}) {
      check(2, 3, classes, *values);
    }
    check(10, 1000, 10, *values);
    check(4, 0, 10, *values);
  }

  const Context context(METAPLAST_TIER_AVX512, 1);
  const float logits[3] = {1, 2, 3};
  float item = 7, loss = 7, gradient[3] = {7, 7, 7};
  for (int32_t label : {-1, 3}) {
    expect(metaplast_nll_mean_log_softmax_f32(context, 1, 1, 3, logits, &label, 1, 1, &item, &loss, gradient) == METAPLAST_E_ARGUMENT,
           "label %d of 3 classes", label);
  }
  expect(item == 7 && loss == 7 && gradient[0] == 7, "a refused call writes nothing");
  // Golden vector nllMeanLogSoftmax.1.
  const int32_t label = 2;
  metaplast_nll_mean_log_softmax_f32(context, 1, 1, 3, logits, &label, 1, 1, &item, &loss, gradient);
  expect(same(loss, 0x1.a16374p-2f) && same(gradient[0], 0x1.70c3e6p-4f), "golden vector: %a %a", static_cast<double>(loss),
         static_cast<double>(gradient[0]));
  return finish("nll_test");
}
