// EWC on binary weights, relaxed samples, BiMU, BayesBiNN: element-wise, in the orders of metaplast/binary.h.
#include "kernels/meta_adam/meta_adam_math.h"
#include "runtime/kernel_table.h"
#include "runtime/math/gaussian.h"
#include "runtime/math/row_bits.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

// body(i, bit, lanes) for elements begin..end-1 of a contiguous matrix with bits.
template <class Body>
METAPLAST_HD void for_weights(int64_t begin, int64_t end, int64_t cols, const uint64_t* bits, Body body) {
  const int64_t row_words = metaplast_bit_row_words(cols);
  while (begin < end) {
    const int64_t column = begin % cols;
    const int64_t n = cols - column < end - begin ? cols - column : end - begin;
    const uint64_t* row = bits + begin / cols * row_words;
    for_vectors(n, [&](int64_t j, int64_t lanes) { body(begin + j, row_mask(row, column + j, lanes), lanes); });
    begin += n;
  }
}

METAPLAST_HD F signed_by(M bit, F x) { return select(bit, x, negate_if(x, iset(0x80000000u))); }

}  // namespace

void binary_ewc_consolidate(int64_t begin, int64_t end, int64_t cols, const uint64_t* bits, const float* fisher, float* total,
                            float* target) noexcept {
  for_weights(begin, end, cols, bits, [=](int64_t i, M bit, int64_t lanes) {
    const F f = load_lanes(fisher + i, lanes);
    store_lanes(total + i, add(load_lanes(total + i, lanes), f), lanes);
    store_lanes(target + i, add(load_lanes(target + i, lanes), signed_by(bit, f)), lanes);
  });
}

void binary_ewc_grad(int64_t begin, int64_t end, int64_t cols, const uint64_t* bits, const float* total, const float* target, float lambda,
                     float* g) noexcept {
  const F strength = set(lambda);
  for_weights(begin, end, cols, bits, [=](int64_t i, M bit, int64_t lanes) {
    const F t = sub(signed_by(bit, load_lanes(total + i, lanes)), load_lanes(target + i, lanes));
    store_lanes(g + i, add(load_lanes(g + i, lanes), mul(strength, t)), lanes);
  });
}

void relaxed_sign_sample(uint64_t seed, uint32_t stream, uint32_t step, uint64_t first, int64_t n, const float* l, float inverse_temperature,
                         float* w) noexcept {
  const F sharpness = set(inverse_temperature);
  for_random_vectors(RandomStream{seed, stream, step}, first, n, ToUniform{}, [=](int64_t i, F u, int64_t lanes) {
    const F logit = mul(set(0.5f), sub(ln32(u), ln32(sub(set(1.0f), u))));
    store_lanes(w + i, tanh32(mul(add(load_lanes(l + i, lanes), logit), sharpness)), lanes);
  });
}

// Adds the denominators that are not positive to *not_positive_count.
void bimu_step(int64_t n, float* l, const float* g, float rate, float inverse_rate_max, float like, float kl, float inverse_window,
               int64_t* not_positive_count) noexcept {
  int64_t bad = 0;
  for_vectors(n, [&](int64_t i, int64_t lanes) {
    const F x = load_lanes(l + i, lanes);
    const F two = set(2.0f);
    const F ic = mul(set(kl), metaplastic_factor(absolute(x)));
    const F p = mul(set(like), load_lanes(g + i, lanes));
    const F s = add(ic, mul(two, mul(p, tanh32(x))));
    const F den = add(s, add(mul(two, absolute(p)), set(inverse_rate_max)));
    bad += count(mask_and(first_lanes(lanes), mask_not(gt(den, set(0.0f)))));
    const F q = mul(mul(x, ic), set(inverse_window));
    store_lanes(l + i, sub(x, div(add(mul(set(rate), p), q), den)), lanes);
  });
  *not_positive_count += bad;
}

// Elements of l and mom from one place on; w and g of sample k lie k*pitch elements further.
void bayes_binn_step(int64_t n, int32_t samples, int64_t pitch, float* l, float* mom, const float* w, const float* g,
                     float inverse_temperature, float likelihood, float prior, float prior_weight, float momentum, float fresh,
                     float rate) noexcept {
  const F one = set(1.0f), tiny = set(1e-10f);
  for_vectors(n, [=](int64_t i, int64_t lanes) {
    const F x = load_lanes(l + i, lanes);
    const F th = tanh32(x);
    const F a = add(sub(one, mul(th, th)), tiny);
    F s = set(-0.0f);  // adding to -0 gives the first term to the bit
    for (int32_t k = 0; k < samples; ++k) {
      const F sample = load_lanes(w + k * pitch + i, lanes);
      const F c = mul(add(sub(one, mul(sample, sample)), tiny), set(inverse_temperature));
      s = add(s, mul(div(c, a), load_lanes(g + k * pitch + i, lanes)));
    }
    s = mul(set(likelihood), s);
    s = add(s, mul(set(prior_weight), sub(x, set(prior))));
    const F moved = add(mul(set(momentum), load_lanes(mom + i, lanes)), mul(set(fresh), s));
    store_lanes(mom + i, moved, lanes);
    store_lanes(l + i, sub(x, mul(set(rate), moved)), lanes);
  });
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
