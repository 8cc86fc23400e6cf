// Damped SPD inverse: what the driver (spd_inverse.cpp) and the kernels of the tiers share.
//
// Three passes over the lower triangle, in place, each nothing but rank-B updates beside thin panels, n^3/3 operations apiece:
//   1  L, from the first block column on, panels by substitution; of the diagonal tiles the inverse Y_tt is kept instead, for pass 2
//   2  Y = L^-1, from the last block column on: Y_it = -(sum over s > t of Y_is L_st) Y_tt
//   3  X = Y'Y.
// The direction of pass 2 matters. Going down the rows (which would allow one sweep for all three passes, Bientinesi, Gunter, van de Geijn 2008)
// makes L Y - I small; X needs Y L - I small, as in Du Croz and Higham, "Stability of methods for matrix inversion", 1992. On the
// Lehmer matrix of n = 1024 the residual ratio is 14 with the one and 1 with the other.
#ifndef METAPLAST_KERNELS_SPD_INVERSE_SPD_INVERSE_H_
#define METAPLAST_KERNELS_SPD_INVERSE_SPD_INVERSE_H_

#include <cstdint>

#include "metaplast/kfac.h"

namespace metaplast {

// Matrices up to this size are inverted one a lane: their triangle, a vector an element, still lies in the first-level cache.
constexpr int64_t kSpdGroupSize = 32;
// Bytes of a vector by tier; a group has as many matrices as the vector has floats.
constexpr int64_t kSpdVectorBytes[] = {16, 32, 64};

// Phases of one matrix, in the order of a call. Ranges may be computed in any split and order, the phases are barriers; but the passes over a matrix
// of one block take all in one range, since they overwrite what they read.
enum SpdPhase : int32_t {
  kSpdLoad,          // strips begin..end-1 of the probe: lower triangle, damped; pivot thresholds; kSpdProbe
  kSpdProbe,         // strips: their share of product[v] = matrix * factor[v] for v = 0, 1 and of the sums of absolute values
  kSpdGather,        // elements begin..end-1: sum of the shares, where there is more than one strip
  kSpdFactor,        // block: L of its rows (no range)
  kSpdSolve,         // block: L of row panels begin..end-1 behind it
  kSpdUpdate,        // block: units begin..end-1 of the matrix behind the block
  kSpdPack,          // block: its rows, column panels begin..end-1, into v, where it is not the only one
  kSpdInversePanel,  // block: Y of row panels begin..end-1
  kSpdInverseUpdate, // block: units begin..end-1 of the columns before the block
  kSpdProductUpdate, // block: units begin..end-1 of the rows up to the block
  kSpdStore,         // rows begin..end-1, whole vectors: work matrix and its mirror image into out
};

// A matrix being inverted. T is float or double; P = 2 vectors is the width of a panel.
struct SpdWork {
  metaplast_spd_item_t item;
  int64_t width;        // elements of a vector
  int64_t padded;       // n rounded up to a vector; the padding is the identity
  int64_t ld;           // of matrix
  int64_t panels;       // row panels of P, the last one perhaps half
  int64_t block;        // panels of a block, B = block*P
  int64_t strips;       // of the probe
  void* matrix;         // T [padded][ld], lower triangle and whole tiles of vectors on the diagonal
  void* v;              // T [panels][B][P]: column operands of the updates of a block; double [strips][3][padded]: shares of the probe
  void* root;           // T [padded]: 8*u*a_jj until the pivot is found, then 1/L_jj
  const double* factor[2];
  double* product[2];
  double* sums;         // [padded] sums of absolute values of rows
  int64_t* failure;     // 0, or the order of the minor that failed, set by kSpdFactor
  double* pivot;
};

// What the kernels find out about one matrix; the driver makes the result of it.
struct SpdOutcome {
  int64_t failure;   // as above; -1: not finite
  double pivot;
  double residual;   // max norm2(Minv y - v)/sqrt(n)
  double norm;       // norm1(M + d I)
  double inverse_norm;
};

// The probe reads the triangle once: a strip of rows adds to the products of its rows and, by symmetry, of its columns. Strips are alike in work.
constexpr int64_t kSpdStrips = 16;
static inline int64_t spd_strip_begin(const SpdWork& work, int64_t strip) {
  if (work.strips == 1) return strip * work.padded;
  const double share = static_cast<double>(strip) / static_cast<double>(work.strips);
  return static_cast<int64_t>(static_cast<double>(work.padded / work.width) * __builtin_sqrt(share)) * work.width;
}

// Rows of the rank-B update that stay in the second-level cache.
constexpr int64_t kSpdUpdateRows = 256;
// Units of the updates: (group of row panels, column panel) pairs, many of them empty.
static inline int64_t spd_panels_of_group(int64_t width) { return kSpdUpdateRows / (2 * width); }
static inline int64_t spd_update_units(int64_t panels, int64_t width) {
  return (panels + spd_panels_of_group(width) - 1) / spd_panels_of_group(width) * panels;
}

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_SPD_INVERSE_SPD_INVERSE_H_
