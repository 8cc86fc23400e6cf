// Plain restatements of the specification for tests: one element at a time, fp32, in the written order, no vectors, nothing shared with the
// kernels. (The accuracy of these formulas against double precision is the business of the Java oracle.)
#ifndef METAPLAST_TESTING_REFERENCE_H_
#define METAPLAST_TESTING_REFERENCE_H_

#include <cstdint>
#include <vector>

#include "metaplast/bayes.h"

namespace metaplast {
namespace testing {

uint32_t ref_philox(uint64_t seed, uint32_t stream, uint32_t step, uint64_t element);
float ref_uniform(uint32_t word);
float ref_ln32(float x);
float ref_exp32(float x);
float ref_tanh32(float x);
// k of u = k*2^-24, odd.
void ref_sincos2pi(uint32_t k, float* sine, float* cosine);
float ref_gaussian(uint64_t seed, uint32_t stream, uint32_t step, uint64_t element);

// R16.
float ref_sum(const std::vector<float>& x);

// One weight; low null or the low part of a compensated sigma.
void ref_update(int32_t rule, const metaplast_rule_row_t& row, float* mu, float* sigma, float* low, float g_mu, float g_sigma);

// FNV-1a over 32-bit words, the hash of the golden files.
class Fnv {
 public:
  void add(float x);
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325u;
};

}  // namespace testing
}  // namespace metaplast

#endif  // METAPLAST_TESTING_REFERENCE_H_
