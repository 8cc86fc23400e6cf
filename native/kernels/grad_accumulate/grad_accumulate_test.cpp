#include <cstring>

#include "testing/reference.h"
#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

constexpr uint64_t kSeed = 99;
constexpr uint32_t kStep = 3, kTensor = 11;
constexpr int32_t kSamples = 3;
constexpr float kScale = 1.0f / 3.0f;

// `mixed` overflow and NaN included; bf16 rounds by cutting, on both sides alike.
std::vector<float> cut_to_bf16(std::vector<float> values) {
  for (float& value : values) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    bits &= 0xFFFF0000u;
    if ((bits & 0x7FFF0000u) == 0x7F800000u && value != value) {
      bits |= 0x00400000u;  // stays a NaN
    }
    std::memcpy(&value, &bits, 4);
  }
  return values;
}

void check(bool bf16, bool stored) {
  const size_t n = kMostElements;
  std::vector<float> dw = mixed_values(1, kMostElements * kSamples);
  if (bf16) {
    dw = cut_to_bf16(dw);
  }
  std::vector<float> eps = mixed_values(2, kMostElements * kSamples);
  if (!stored) {
    for (uint32_t k = 0; k < kSamples; ++k) {
      for (size_t i = 0; i < n; ++i) {
        eps[k * n + i] = ref_gaussian(kSeed, kTensor * 256 + k, kStep, i);
      }
    }
  }
  std::vector<float> g_mu(n), g_sigma(n);
  for (size_t i = 0; i < n; ++i) {
    float a = dw[i];
    float b = dw[i] * eps[i];
    for (size_t k = 1; k < kSamples; ++k) {
      a = a + dw[k * n + i];
      const float product = dw[k * n + i] * eps[k * n + i];
      b = b + product;
    }
    g_mu[i] = a * kScale;
    g_sigma[i] = b * kScale;
  }
  std::vector<Operand> operands = {bf16 ? input_bf16("dw", dw, kSamples) : input("dw", dw, kSamples), output("g_mu", g_mu),
                                   output("g_sigma", g_sigma)};
  if (stored) {
    operands.push_back(input("eps", eps, kSamples));
  }
  check_elementwise("grad_accumulate", operands, [=](const metaplast_context_t* c, int64_t count, void* const* p) {
    const float* const stored_eps[] = {stored ? static_cast<float*>(p[3]) : nullptr};
    float* const mus[] = {static_cast<float*>(p[1])};
    float* const sigmas[] = {static_cast<float*>(p[2])};
    const void* const dws[] = {p[0]};
    return metaplast_grad_accumulate_f32(c, 1, &count, &kTensor, kSamples, dws, bf16 ? METAPLAST_BF16 : METAPLAST_F32,
                                         stored ? stored_eps : nullptr, kSeed, kStep, kScale, mus, sigmas);
  });
}

}  // namespace

int main() {
  check(false, false);
  check(false, true);
  check(true, false);
  check(true, true);
  return finish("grad_accumulate_test");
}
