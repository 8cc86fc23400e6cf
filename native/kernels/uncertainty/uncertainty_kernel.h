// Predictive entropy and its split into aleatoric and epistemic part. Contract: metaplast/bayes.h.
//
// The entropies are sums of -p*ln32(p + 1e-12); the minus is applied to the finished sum of a row, which is the same bits.
#include "runtime/kernel_table.h"
#include "runtime/softmax_row.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

struct RowScale {
  float maximum;
  float sum;
};

RowScale scale_of_row(int32_t classes, const float* row) {
  RowScale scale{row_maximum(classes, row), 0.0f};
  float tile[kClassTile];
  for (int32_t begin = 0; begin < classes; begin += kClassTile) {
    const int32_t n = tile_length(classes, begin);
    exponentials(n, row + begin, scale.maximum, tile);
    scale.sum = add_ascending(begin == 0, scale.sum, n, tile);
  }
  return scale;
}

// p[c] of one tile.
void probabilities(int32_t n, const float* row, bool from_logits, const RowScale& scale, float* p) {
  const F m = set(scale.maximum);
  const F s = set(scale.sum);
  if (from_logits) {
    for_vectors(n, [=](int64_t c, int64_t lanes) { store_lanes(p + c, div(exp32(sub(load_lanes(row + c, lanes), m)), s), lanes); });
  } else {
    for_vectors(n, [=](int64_t c, int64_t lanes) { store_lanes(p + c, load_lanes(row + c, lanes), lanes); });
  }
}

// Continues a sum of p*ln32(p + 1e-12) over one tile.
float add_entropy_terms(bool first, float sum, int32_t n, const float* p) {
  float terms[kClassTile];
  const F tiny = set(1e-12f);
  for_vectors(n, [=, &terms](int64_t c, int64_t lanes) {
    const F x = load_lanes(p + c, lanes);
    store_lanes(terms + c, mul(x, ln32(add(x, tiny))), lanes);
  });
  return add_ascending(first, sum, n, terms);
}

}  // namespace

void uncertainty_items(int64_t begin, int64_t end, int32_t samples, int32_t batch, int32_t classes, const float* input,
                       int32_t from_logits, int32_t bits, int32_t clamp, float inverse_samples, float* predictive, float* aleatoric,
                       float* epistemic) noexcept {
  // Scales of the first samples, kept for the tiles after the first; any further sample's are formed again.
  constexpr int32_t kKept = 64;
  constexpr float kBitsPerNat = 0x1.715476p+0f;  // 3FB8AA3B
  const bool logits = from_logits != 0;
  const int64_t sample_stride = static_cast<int64_t>(batch) * classes;
  float p[kClassTile];
  float mean[kClassTile];
  RowScale kept[kKept];

  const auto add_to_mean = [&](int32_t k, int32_t n) {
    for_vectors(n, [=, &p, &mean](int64_t c, int64_t lanes) {
      const F x = load_lanes(p + c, lanes);
      store_lanes(mean + c, k == 0 ? x : add(load_lanes(mean + c, lanes), x), lanes);
    });
  };
  const auto scale_mean = [&](int32_t n) {
    const F inverse = set(inverse_samples);
    for_vectors(n, [=, &mean](int64_t c, int64_t lanes) { store_lanes(mean + c, mul(load_lanes(mean + c, lanes), inverse), lanes); });
  };

  for (int64_t b = begin; b < end; ++b) {
    const float* const item = input + b * classes;
    // Entropies of the samples; on the way the mean of the first tile of classes, the only one in most uses.
    float sample_entropies = 0.0f;
    for (int32_t k = 0; k < samples; ++k) {
      const float* const row = item + k * sample_stride;
      const RowScale scale = logits ? scale_of_row(classes, row) : RowScale{};
      if (k < kKept) {
        kept[k] = scale;
      }
      float entropy = 0.0f;
      for (int32_t c = 0; c < classes; c += kClassTile) {
        const int32_t n = tile_length(classes, c);
        probabilities(n, row + c, logits, scale, p);
        entropy = add_entropy_terms(c == 0, entropy, n, p);
        if (c == 0) {
          add_to_mean(k, n);
        }
      }
      sample_entropies = k == 0 ? -entropy : sample_entropies + -entropy;
    }
    float entropy = 0.0f;
    for (int32_t c = 0; c < classes; c += kClassTile) {
      const int32_t n = tile_length(classes, c);
      for (int32_t k = 0; c > 0 && k < samples; ++k) {
        const float* const row = item + k * sample_stride;
        const RowScale scale = !logits ? RowScale{} : k < kKept ? kept[k] : scale_of_row(classes, row);
        probabilities(n, row + c, logits, scale, p);
        add_to_mean(k, n);
      }
      scale_mean(n);
      entropy = add_entropy_terms(c == 0, entropy, n, mean);
    }
    float total = -entropy;
    float noise = sample_entropies * inverse_samples;
    if (bits != 0) {
      total = total * kBitsPerNat;
      noise = noise * kBitsPerNat;
    }
    const float knowledge = total - noise;
    predictive[b] = total;
    aleatoric[b] = noise;
    epistemic[b] = clamp != 0 && knowledge < 0.0f ? 0.0f : knowledge;
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
