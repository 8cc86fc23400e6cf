// Mean over samples of log-softmax, its negative log-likelihood and gradient. Contract: metaplast/bayes.h.
#include "runtime/kernel_table.h"
#include "runtime/softmax_row.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

struct RowResult {
  float label_logit;  // d_y
  float sum;          // S
};

// One (sample, item). `gradient` is null or takes the row's derivative; it may be `row`.
RowResult softmax_row(int32_t classes, const float* row, int32_t label, float grad_scale, float* gradient) {
  const float m = row_maximum(classes, row);
  RowResult result{row[label] - m, 0.0f};
  float tile[kClassTile];
  float label_exponential = 0.0f;
  for (int32_t begin = 0; begin < classes; begin += kClassTile) {
    const int32_t n = tile_length(classes, begin);
    float* const e = gradient != nullptr ? gradient + begin : tile;
    exponentials(n, row + begin, m, e);
    result.sum = add_ascending(begin == 0, result.sum, n, e);
    if (label >= begin && label - begin < n) {
      label_exponential = e[label - begin];
    }
  }
  if (gradient != nullptr) {
    const F s = set(result.sum);
    const F scale = set(grad_scale);
    for_vectors(classes, [=](int64_t c, int64_t lanes) {
      store_lanes(gradient + c, mul(div(load_lanes(gradient + c, lanes), s), scale), lanes);
    });
    gradient[label] = (label_exponential / result.sum - 1.0f) * grad_scale;
  }
  return result;
}

}  // namespace

void nll_items(int64_t begin, int64_t end, int32_t samples, int32_t batch, int32_t classes, const float* logits, const int32_t* labels,
               float inverse_samples, float grad_scale, float* item_loss, float* dlogits) noexcept {
  for (int64_t b = begin; b < end; ++b) {
    float loss = 0.0f;
    // Logarithms of 16 samples at a time.
    for (int32_t first = 0; first < samples; first += 16) {
      const int32_t count = samples - first < 16 ? samples - first : 16;
      float sums[16];
      float label_logits[16];
      for (int32_t k = 0; k < count; ++k) {
        const int64_t offset = ((first + k) * static_cast<int64_t>(batch) + b) * classes;
        const RowResult r =
            softmax_row(classes, logits + offset, labels[b], grad_scale, dlogits != nullptr ? dlogits + offset : nullptr);
        sums[k] = r.sum;
        label_logits[k] = r.label_logit;
      }
      for_vectors(count, [&](int64_t k, int64_t lanes) {
        // The logarithm is for numbers only: of a NaN it would make a number, and a finite loss.
        const F sum = load_lanes(sums + k, lanes);
        store_lanes(label_logits + k, select(is_nan(sum), sum, sub(load_lanes(label_logits + k, lanes), ln32(sum))), lanes);
      });
      loss = add_ascending(first == 0, loss, count, label_logits);
    }
    item_loss[b] = -loss * inverse_samples;
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
