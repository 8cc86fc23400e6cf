// The metaplastic Adam step against a restatement, element by element: with and without sign bits, every width around words and rows,
// several tensors, known answers.
#include <cmath>
#include <memory>

#include "testing/matrices.h"
#include "testing/reference.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

using Values = std::vector<float>;

metaplast_adam_row_t adam_row(float weight_decay, float meta) { return {3.1622778e-5f, 0.9f, 0.1f, 0.999f, 0.001f, 1e-8f, weight_decay, meta}; }

void ref_meta_adam(const metaplast_adam_row_t& r, float g, float* w, float* m, float* v) {
  if (r.weight_decay != 0) {
    const float t = r.weight_decay * *w;
    g = g + t;
  }
  float a = r.beta1 * *m;
  float b = r.fresh1 * g;
  *m = a + b;
  a = g * g;
  a = r.fresh2 * a;
  b = r.beta2 * *v;
  *v = b + a;
  const float d = std::sqrt(*v) + r.epsilon;
  const bool shrink = (*w > 0 && *m > 0) || (*w < 0 && *m < 0);
  const float x = r.meta * std::fabs(*w);
  const float e = ref_exp32(-2.0f * x);
  a = 1.0f + e;
  const float f = (4.0f * e) / (a * a);
  const float u = shrink ? *m * f : *m;
  float q = u / d;
  q = r.alpha * q;
  *w = *w - q;
}

struct Tensor {
  Tensor(uint64_t seed, int64_t rows_, int64_t cols_, const metaplast_adam_row_t& row) : rows(rows_), cols(cols_), bits(rows, cols) {
    const int64_t n = rows * cols;
    w = mixed_values(seed, n);
    g = mixed_values(seed + 1, n);
    m = mixed_values(seed + 2, n);
    v = mixed_values(seed + 3, n);
    const Values ordinary = uniform_values(seed + 4, n, -0.05f, 0.05f);
    for (size_t i = 0; i < w.size(); ++i) {
      v[i] = std::fabs(v[i]);
      if (i % 4 != 3) w[i] = ordinary[i];
    }
    new_w = w, new_m = m, new_v = v;
    for (int64_t i = 0; i < n; ++i) {
      const size_t e = static_cast<size_t>(i);
      ref_meta_adam(row, g[e], &new_w[e], &new_m[e], &new_v[e]);
      bits.set(i / cols, i % cols, new_w[e] >= 0);
    }
  }

  int64_t rows, cols;
  Values w, g, m, v, new_w, new_m, new_v;
  BitRows bits;
};

// One call on all tensors; those with an odd number get no bit matrix when `mixed`.
void check(const std::vector<Tensor>& tensors, const std::vector<metaplast_adam_row_t>& params, int32_t tier, int32_t threads, bool at_end,
           bool mixed) {
  const Context context(tier, threads);
  std::vector<std::unique_ptr<GuardedArray<float>>> w, g, m, v;
  std::vector<std::unique_ptr<GuardedArray<uint64_t>>> bits;
  std::vector<int64_t> rows, cols;
  std::vector<float*> pw, pm, pv;
  std::vector<const float*> pg;
  std::vector<uint64_t*> pb;
  for (const Tensor& t : tensors) {
    w.push_back(std::make_unique<GuardedArray<float>>(t.w, at_end));
    g.push_back(std::make_unique<GuardedArray<float>>(t.g, at_end));
    m.push_back(std::make_unique<GuardedArray<float>>(t.m, at_end));
    v.push_back(std::make_unique<GuardedArray<float>>(t.v, at_end));
    bits.push_back(std::make_unique<GuardedArray<uint64_t>>(std::vector<uint64_t>(t.bits.words.size(), ~uint64_t{0}), at_end));
    rows.push_back(t.rows);
    cols.push_back(t.cols);
    pw.push_back(*w.back());
    pg.push_back(*g.back());
    pm.push_back(*m.back());
    pv.push_back(*v.back());
    pb.push_back(mixed && pb.size() % 2 == 1 ? nullptr : static_cast<uint64_t*>(*bits.back()));
  }
  const metaplast_status_t status =
      metaplast_meta_adam_step_f32(context, static_cast<int32_t>(tensors.size()), rows.data(), cols.data(), pw.data(), pg.data(), pm.data(),
                                   pv.data(), pb.data(), params.data(), params.size() > 1 ? 1 : 0);
  expect(status == METAPLAST_OK, "status %d", status);
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& t = tensors[i];
    const long long r = t.rows, c = t.cols;
    expect(equal_bits(w[i]->values(), t.new_w) && equal_bits(m[i]->values(), t.new_m) && equal_bits(v[i]->values(), t.new_v),
           "%s, %d threads, %lld x %lld: state", tier_name(tier), threads, r, c);
    const std::vector<uint64_t> untouched(t.bits.words.size(), ~uint64_t{0});
    expect(bits[i]->values() == (pb[i] == nullptr ? untouched : t.bits.words), "%s, %d threads, %lld x %lld: bits", tier_name(tier), threads,
           r, c);
    expect(equal_bits(g[i]->values(), t.g), "the gradient was written");
    expect(w[i]->gaps_intact() && g[i]->gaps_intact() && m[i]->gaps_intact() && v[i]->gaps_intact() && bits[i]->gaps_intact(),
           "%s, %lld x %lld: wrote outside of an operand", tier_name(tier), r, c);
  }
}

void check_without_bits(const metaplast_adam_row_t& row) {
  const Tensor t(11, 1, kMostElements, row);
  check_elementwise("meta_adam_step", {in_place("w", t.w, t.new_w), input("g", t.g), in_place("m", t.m, t.new_m), in_place("v", t.v, t.new_v)},
                    [&](const metaplast_context_t* context, int64_t n, void* const* p) {
                      const int64_t one = 1;
                      float* const w[] = {static_cast<float*>(p[0])};
                      const float* const g[] = {static_cast<const float*>(p[1])};
                      float* const m[] = {static_cast<float*>(p[2])};
                      float* const v[] = {static_cast<float*>(p[3])};
                      return metaplast_meta_adam_step_f32(context, 1, &one, &n, w, g, m, v, nullptr, &row, 0);
                    });
}

// The gradient product and the step in one call has the bits of the two calls one after the other.
void check_from_product(int64_t batch, int64_t out, int64_t in, bool real, bool with_bits, int32_t most_threads) {
  const metaplast_adam_row_t row = adam_row(1e-3f, 1.35f);
  const int64_t n = out * in, lddy = out + 3, ldx = in + 1;
  const Values dy = uniform_values(51, batch * lddy, -1, 1), x = uniform_values(52, batch * ldx, -1, 1);
  const BitRows x_bits = random_bits(53, batch, in);
  const Values w = uniform_values(54, n, -0.05f, 0.05f), m = uniform_values(55, n, -0.1f, 0.1f), v = positive_values(56, n);
  for (int32_t tier : tiers()) {
    for (int32_t threads = 1; threads <= most_threads; ++threads) {
      const Context context(tier, threads);
      Values g(static_cast<size_t>(n)), new_w = w, new_m = m, new_v = v;
      BitRows bits(out, in);
      const metaplast_status_t product = real ? metaplast_gemm_tn_f32(context, batch, out, in, dy.data(), lddy, x.data(), ldx, g.data(), in)
                                              : metaplast_sign_gemm_tn_f32(context, batch, out, in, dy.data(), lddy, x_bits.words.data(),
                                                                           g.data(), in);
      float *const pw = new_w.data(), *const pm = new_m.data(), *const pv = new_v.data();
      const float* const pg = g.data();
      uint64_t* const words = bits.words.data();
      expect(product == METAPLAST_OK && metaplast_meta_adam_step_f32(context, 1, &out, &in, &pw, &pg, &pm, &pv, &words, &row, 0) == METAPLAST_OK,
             "product and step");
      GuardedArray<float> fused_w(w, true), fused_m(m, true), fused_v(v, true);
      GuardedArray<uint64_t> fused_bits(stale_words(bits.words.size()), true);
      expect(metaplast_meta_adam_step_from_product_f32(context, batch, out, in, dy.data(), lddy, real ? x.data() : nullptr, ldx,
                                                       x_bits.words.data(), fused_w, fused_m, fused_v,
                                                       with_bits ? static_cast<uint64_t*>(fused_bits) : nullptr, &row) == METAPLAST_OK,
             "fused step");
      const long long s[] = {batch, out, in};
      expect(equal_bits(fused_w.values(), new_w) && equal_bits(fused_m.values(), new_m) && equal_bits(fused_v.values(), new_v),
             "%s, %d threads, %lld x %lld x %lld: fused step", tier_name(tier), threads, s[0], s[1], s[2]);
      expect(fused_bits.holds(with_bits ? bits.words : stale_words(bits.words.size())), "%s, %lld x %lld x %lld: bits of the fused step",
             tier_name(tier), s[0], s[1], s[2]);
      expect(fused_w.gaps_intact() && fused_m.gaps_intact() && fused_v.gaps_intact(), "%s, %lld x %lld x %lld: wrote outside of an operand",
             tier_name(tier), s[0], s[1], s[2]);
    }
  }
}

// Three steps of five weights with the hyper-parameters of the published runs, results as in the known answers of the specification.
void check_known_answers() {
  constexpr size_t kSteps = 3, kWeights = 5;
  const float gradient[kSteps][kWeights] = {{0.1f, 0.1f, 0.2f, 0.2f, 0.3f}, {-0.05f, 0.2f, -0.4f, -0.1f, 0.3f}, {0, -0.3f, 0.1f, 0.05f, -0.6f}};
  const uint32_t expected_w[kSteps][kWeights] = {{0x3d0f6b6fu, 0xbd0f5c24u, 0x3f4c5349u, 0xbfc0a3d7u, 0xbba3d6feu},
                                     {0x3d09fa2eu, 0xbd232078u, 0x3f4ccb40u, 0xbfc0cf7au, 0xbc23d700u},
                                     {0x3d05c503u, 0xbd21c44eu, 0x3f4cf80au, 0xbfc10741u, 0xbc1da4cfu}};
  const uint32_t expected_m[kSteps][kWeights] = {{0x3c23d70bu, 0x3c23d70bu, 0x3ca3d70fu, 0x3ca3d703u, 0x3cf5c290u},
                                     {0x3b831270u, 0x3ced916au, 0xbcb43950u, 0x3c031251u, 0x3d6978d6u},
                                     {0x3b6bedfdu, 0xbb7f9720u, 0xbc209017u, 0x3c47e258u, 0xbc0e8a74u}};
  const uint32_t expected_v[kSteps][kWeights] = {{0x3727c5afu, 0x3727c5aeu, 0x3827c5b6u, 0x3827c59du, 0x38bcbe63u},
                                     {0x37518c27u, 0x3851ac5du, 0x3951ac59u, 0x38518c1eu, 0x393ca63au},
                                     {0x37515682u, 0x3912bcdeu, 0x395bf308u, 0x385bd2d0u, 0x3a0d7cadu}};
  for (int32_t tier : tiers()) {
    const Context context(tier, 1);
    Values w = {0.04f, -0.03f, 0.8f, -1.5f, 0}, m(kWeights), v(kWeights);
    uint64_t words[8];
    for (size_t s = 0; s < kSteps; ++s) {
      const double beta1 = 0.9, beta2 = 0.999, t = static_cast<double>(s + 1);
      const metaplast_adam_row_t row = {static_cast<float>(0.005 * std::sqrt(1 - std::pow(beta2, t)) / (1 - std::pow(beta1, t))),
                                        0.9f, static_cast<float>(1 - beta1), 0.999f, static_cast<float>(1 - beta2), 1e-8f, 1e-7f, 1.35f};
      const int64_t rows = 1, cols = kWeights;
      float *const pw = w.data(), *const pm = m.data(), *const pv = v.data();
      const float* const pg = gradient[s];
      uint64_t* const bits = words;
      expect(metaplast_meta_adam_step_f32(context, 1, &rows, &cols, &pw, &pg, &pm, &pv, &bits, &row, 0) == METAPLAST_OK, "known answers");
      expect(std::memcmp(w.data(), expected_w[s], sizeof expected_w[s]) == 0 && std::memcmp(m.data(), expected_m[s], sizeof expected_m[s]) == 0 &&
                 std::memcmp(v.data(), expected_v[s], sizeof expected_v[s]) == 0,
             "%s: known answers of step %d", tier_name(tier), static_cast<int>(s));
      expect(words[0] == 5 && words[1] == 0 && words[7] == 0, "%s: bits of the known answers", tier_name(tier));
    }
  }
}

}  // namespace

int main() {
  check_without_bits(adam_row(0.0f, 0.0f));
  check_without_bits(adam_row(1e-3f, 1.35f));
  const metaplast_adam_row_t row = adam_row(1e-3f, 1.35f);
  for (int32_t tier : tiers()) {
    for (int64_t cols = 0; cols <= 140; ++cols) check({Tensor(31, 1 + cols % 3, cols, row)}, {row}, tier, 1, cols % 2 == 0, false);
    for (int64_t cols : {511, 512, 513, 575, 577, 785, 1024, 1030}) check({Tensor(32, 3, cols, row)}, {row}, tier, 1, true, false);
  }
  // Ranges of threads that end inside of rows and words; a layer's own constants.
  const metaplast_adam_row_t rows[] = {adam_row(1e-3f, 1.35f), adam_row(0.0f, 0.5f), adam_row(0.0f, 0.0f), adam_row(1.0f, 13.0f)};
  const std::vector<Tensor> layers = {Tensor(41, 100, 785, rows[0]), Tensor(42, 1, 100, rows[1]), Tensor(43, 10001, 9, rows[2]),
                                      Tensor(44, 3, 50001, rows[3])};
  for (int32_t tier : tiers()) {
    for (int32_t threads = 1; threads <= 4; ++threads) {
      check(layers, {rows[0], rows[1], rows[2], rows[3]}, tier, threads, threads % 2 == 0, false);
      check(layers, {rows[0], rows[1], rows[2], rows[3]}, tier, threads, true, true);
    }
  }
  for (bool real : {false, true}) {
    for (int64_t in : {1, 63, 64, 65, 511, 512, 513, 1030}) check_from_product(7, 1 + in % 50, in, real, in % 2 == 0, 1);
    for (int64_t batch : {0, 1, 4, 5, 100, 130, 520}) check_from_product(batch, 25, 70, real, true, 1);
    check_from_product(20, 100, 785, real, true, 4);
    check_from_product(20, 10, 2049, real, true, 4);
  }
  check_known_answers();
  return finish("meta_adam_test");
}
