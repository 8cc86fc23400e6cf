// What entry points and kernels of the update share.
#ifndef METAPLAST_KERNELS_GAUSSIAN_UPDATE_H_
#define METAPLAST_KERNELS_GAUSSIAN_UPDATE_H_

#include <cstdint>

namespace metaplast {

// Parameters that the update from samples takes at a time. Long enough that starting the random-number generator (about 200 cycles, twice a piece)
// does not show, short enough that a piece with its epsilon (24 bytes a parameter) stays in a core's L2 cache.
constexpr int64_t kSampledPiece = 8192;

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_GAUSSIAN_UPDATE_H_
