// philox_words, uniform, gaussian: ranges of one random stream.
#include "runtime/kernel_table.h"

#include "runtime/math/gaussian.h"

namespace metaplast {
namespace METAPLAST_TIER {

void philox_words(uint64_t seed, uint32_t stream, uint32_t step, uint64_t first, int64_t n, uint32_t* out) noexcept {
  for_random_vectors(
      RandomStream{seed, stream, step}, first, n,
      ToWord{},
      [=](int64_t i, F z, int64_t lanes) { store_lanes(out + i, as_int(z), lanes); });
}

void uniform(uint64_t seed, uint32_t stream, uint32_t step, uint64_t first, int64_t n, float* out) noexcept {
  for_random_vectors(
      RandomStream{seed, stream, step}, first, n,
      ToUniform{},
      [=](int64_t i, F z, int64_t lanes) { store_lanes(out + i, z, lanes); });
}

void gaussian(uint64_t seed, uint32_t stream, uint32_t step, uint64_t first, int64_t n, float* out) noexcept {
  for_gaussians(RandomStream{seed, stream, step}, first, n, [=](int64_t i, F z, int64_t lanes) { store_lanes(out + i, z, lanes); });
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
