// The elementary functions over all inputs that uniforms can take, against the hashes of the golden file; tails and other inputs against
// the restatement.
#include <cmath>
#include <cstring>

#include "testing/reference.h"
#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

std::vector<float> apply(const metaplast_context_t* context, int32_t function, const std::vector<float>& x,
                         std::vector<float>* y2 = nullptr) {
  std::vector<float> y(x.size());
  if (y2 != nullptr) {
    y2->resize(x.size());
  }
  const metaplast_status_t status = metaplast_elementary_f32(context, function, static_cast<int64_t>(x.size()), x.data(), y.data(),
                                                             y2 == nullptr ? nullptr : y2->data());
  expect(status == METAPLAST_OK, "function %d: status %d", function, status);
  return y;
}

uint64_t hash_of(const std::vector<float>& values) {
  Fnv fnv;
  for (float x : values) {
    fnv.add(x);
  }
  return fnv.value();
}

float from_bits(uint32_t b) {
  float x;
  std::memcpy(&x, &b, 4);
  return x;
}

void check_hashes() {
  std::vector<float> uniforms, negatives, positives;
  for (uint32_t k = 1; k < (1u << 24); k += 2) {
    uniforms.push_back(static_cast<float>(k) * 0x1p-24f);
  }
  for (uint32_t b = 0x3089705fu; b <= 0x42ae0000u; b += 7) {
    negatives.push_back(-from_bits(b));
  }
  for (uint32_t b = 0x358637bdu; b <= 0x41a00000u; b += 3) {
    positives.push_back(from_bits(b));
  }
  for (int32_t tier : tiers()) {
    const Context context(tier, 1);
    std::vector<float> cosines;
    const std::vector<float> logarithms = apply(context, METAPLAST_FN_LN, uniforms);
    expect(hash_of(logarithms) == 0x88f6266db4fa0787u, "%s: ln32 of all uniforms", tier_name(tier));
    const std::vector<float> sines = apply(context, METAPLAST_FN_SINCOS2PI, uniforms, &cosines);
    expect(hash_of(sines) == 0x702f83a38e569e79u, "%s: sine of all uniforms", tier_name(tier));
    expect(hash_of(cosines) == 0x903ea339fee17581u, "%s: cosine of all uniforms", tier_name(tier));
    expect(hash_of(apply(context, METAPLAST_FN_EXP, negatives)) == 0x17d10efc8ecf8204u, "%s: exp32", tier_name(tier));
    expect(hash_of(apply(context, METAPLAST_FN_TANH, positives)) == 0x30aa36b1bb2682d2u, "%s: tanh32", tier_name(tier));
  }
}

void check_function(const char* name, int32_t function, const std::vector<float>& x, float (*reference)(float)) {
  std::vector<float> y(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    y[i] = reference(x[i]);
  }
  check_elementwise(name, {input("x", x), output("y", y)}, [=](const metaplast_context_t* c, int64_t n, void* const* p) {
    return metaplast_elementary_f32(c, function, n, static_cast<float*>(p[0]), static_cast<float*>(p[1]), nullptr);
  });
  check_elementwise(name, {in_place("x", x, y)}, [=](const metaplast_context_t* c, int64_t n, void* const* p) {
    return metaplast_elementary_f32(c, function, n, static_cast<float*>(p[0]), static_cast<float*>(p[0]), nullptr);
  });
}

}  // namespace

int main() {
  if (!sparse()) {
    check_hashes();
  }

  std::vector<float> mixed = mixed_values(1, kMostElements);
  std::vector<float> positive = mixed, not_positive = mixed, uniforms = mixed, sines = mixed, cosines = mixed;
  for (size_t i = 0; i < mixed.size(); ++i) {
    // ln32 is defined for normal numbers > 0, exp32 for x <= 0 and NaN.
    positive[i] = std::isnormal(mixed[i]) ? std::fabs(mixed[i]) : 1.5f;
    not_positive[i] = std::isnan(mixed[i]) ? mixed[i] : -std::fabs(mixed[i]);
    const uint32_t k = static_cast<uint32_t>(i * 2654435761u) >> 8 | 1u;
    uniforms[i] = static_cast<float>(k) * 0x1p-24f;
    ref_sincos2pi(k, &sines[i], &cosines[i]);
  }
  check_function("ln32", METAPLAST_FN_LN, positive, ref_ln32);
  check_function("exp32", METAPLAST_FN_EXP, not_positive, ref_exp32);
  check_function("tanh32", METAPLAST_FN_TANH, mixed, ref_tanh32);
  check_elementwise("sincos2pi", {input("x", uniforms), output("sine", sines), output("cosine", cosines)},
                    [](const metaplast_context_t* c, int64_t n, void* const* p) {
                      return metaplast_elementary_f32(c, METAPLAST_FN_SINCOS2PI, n, static_cast<float*>(p[0]), static_cast<float*>(p[1]),
                                                      static_cast<float*>(p[2]));
                    });
  return finish("elementary_test");
}
