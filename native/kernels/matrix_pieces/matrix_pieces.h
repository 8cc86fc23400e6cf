#ifndef METAPLAST_KERNELS_MATRIX_PIECES_MATRIX_PIECES_H_
#define METAPLAST_KERNELS_MATRIX_PIECES_MATRIX_PIECES_H_

namespace metaplast {

// Sums of an inner product that run side by side, in every tier.
constexpr int kInnerLanes = 16;

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_MATRIX_PIECES_MATRIX_PIECES_H_
