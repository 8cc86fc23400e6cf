// What the test of variants at start-up needs beside the products.
#ifndef METAPLAST_KERNELS_XNOR_GEMM_SELFTEST_CUH_
#define METAPLAST_KERNELS_XNOR_GEMM_SELFTEST_CUH_

#include "runtime/cuda/bit_matrix.h"

namespace metaplast {
namespace simt {

// Operands: signs of a bit matrix, or thresholds of columns.
struct XnorTestKernel {
  static constexpr int kThreads = 256;
  enum What { kSigns, kThresholds };

  struct Args {
    int32_t what;
    int64_t n, k;  // words, or columns
    uint64_t* bits;
    int32_t *limit, *invert;
  };

  static METAPLAST_DEVICE uint64_t mix(uint64_t x) {  // splitmix64
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
  }

  static METAPLAST_DEVICE void run(const Args& a) {
    const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    if (i >= a.n) return;
    if (a.what == kThresholds) {
      a.limit[i] = static_cast<int32_t>(a.k / 2 + i % 9 - 4);
      a.invert[i] = static_cast<int32_t>(i % 2);
      return;
    }
    const int64_t rest = a.k - i % bit_row_words(a.k) * 64;  // columns of this word and the ones behind it
    const uint64_t exist = rest >= 64 ? ~uint64_t{0} : rest > 0 ? (uint64_t{1} << rest) - 1 : 0;
    a.bits[i] = mix(static_cast<uint64_t>(i + a.k) ^ static_cast<uint64_t>(a.n) << 32) & exist;
  }
};

struct XnorTestCompare {
  static constexpr int kThreads = 256;

  struct Args {
    int64_t n;  // 32-bit words
    const void *x, *y;
    int64_t* different;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    if (i >= a.n) return;
    add_count(a.different, static_cast<const uint32_t*>(a.x)[i] != static_cast<const uint32_t*>(a.y)[i] ? 1 : 0);
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_XNOR_GEMM_SELFTEST_CUH_
