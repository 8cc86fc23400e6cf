// Words, uniforms and Gaussians of one random stream. Contracts: metaplast/bayes.h.
#ifndef METAPLAST_KERNELS_RANDOM_SIMT_CUH_
#define METAPLAST_KERNELS_RANDOM_SIMT_CUH_

#include "runtime/cuda/simt.h"

namespace metaplast {
namespace simt {

struct PhiloxWords {
  static METAPLAST_DEVICE Four values(const uint32_t word[4]) {
    return {{as_float(word[0]), as_float(word[1]), as_float(word[2]), as_float(word[3])}};
  }
};
struct Uniforms {
  static METAPLAST_DEVICE Four values(const uint32_t word[4]) {
    return {{uniform_of_word(word[0]), uniform_of_word(word[1]), uniform_of_word(word[2]), uniform_of_word(word[3])}};
  }
};
struct Gaussians {
  static METAPLAST_DEVICE Four values(const uint32_t word[4]) { return gaussians_of_words(word); }
};

// One Philox block a thread.
template <class Values>
struct Random {
  static constexpr int kThreads = 256;

  struct Args {
    RandomStream stream;
    uint64_t first;
    int64_t n;
    float* out;
    int32_t aligned;  // whole blocks can be written in one access
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const int64_t block = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    const int skip = static_cast<int>(a.first & 3);
    const int64_t i = block * 4 - skip;
    if (i >= a.n) return;
    uint32_t word[4];
    philox_block(a.stream, (a.first >> 2) + static_cast<uint64_t>(block), word);
    const Four x = Values::values(word);
    if (a.aligned != 0 && i >= 0 && i + 4 <= a.n) {
      store4(a.out + i, x);
      return;
    }
    METAPLAST_UNROLL
    for (int j = 0; j < 4; ++j) {
      if (i + j >= 0 && i + j < a.n) a.out[i + j] = x.v[j];
    }
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_RANDOM_SIMT_CUH_
