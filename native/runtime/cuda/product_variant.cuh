// What the test of the products of real matrices at start-up needs beside them.
#ifndef METAPLAST_RUNTIME_CUDA_PRODUCT_VARIANT_CUH_
#define METAPLAST_RUNTIME_CUDA_PRODUCT_VARIANT_CUH_

#include "runtime/cuda/simt.h"

namespace metaplast {
namespace simt {

// x[i] = +-(1 + f) 2^e and |x[i]|: f has 23 bits, e is one of eight exponents from `exponent` downwards. Every 50th is 0.
struct ProductTestFill {
  static constexpr int kThreads = 256;
  struct Args {
    int64_t n;
    uint32_t seed;
    int32_t exponent;
    float *x, *absolute;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    if (i >= a.n) return;
    uint32_t word[4];
    philox_block({a.seed, 0, 0}, static_cast<uint64_t>(i), word);
    const uint32_t magnitude = (static_cast<uint32_t>(127 + a.exponent) - word[1] % 8) << 23 | word[0] >> 9;
    const float value = i % 50 == 49 ? 0.0f : as_float(magnitude);
    a.absolute[i] = value;
    a.x[i] = (word[2] & 1) != 0 ? -value : value;
  }
};

// Counts |x - y| > factor*absolute + least, NaN too.
struct ProductTestCompare {
  static constexpr int kThreads = 256;
  struct Args {
    int64_t n;
    const float *x, *y, *absolute;
    float factor, least;
    int64_t* different;
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    if (i >= a.n) return;
    const float difference = ::fabsf(sub(a.x[i], a.y[i]));
    add_count(a.different, difference <= add(mul(a.factor, a.absolute[i]), a.least) ? 0 : 1);
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_CUDA_PRODUCT_VARIANT_CUH_
