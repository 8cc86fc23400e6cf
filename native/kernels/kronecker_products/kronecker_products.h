// Products G W A of a list of layers. A band of columns of a result needs the same band of A and nothing else of other bands: T = W A[:, band],
// P = G T. So bands are independent from end to end, and threads meet only when all are done.
#ifndef METAPLAST_KERNELS_KRONECKER_PRODUCTS_KRONECKER_PRODUCTS_H_
#define METAPLAST_KERNELS_KRONECKER_PRODUCTS_KRONECKER_PRODUCTS_H_

#include <cstdint>

#include "metaplast/kfac.h"

namespace metaplast {

// Terms of a sum that are added up in registers (metaplast_real_gemm_f32).
constexpr int64_t kKroneckerDepth = 256;
// Bands begin at multiples of this, a multiple of every tier's panel.
constexpr int64_t kKroneckerBandUnit = 32;
// Widest band: one block of A of that width fits the L2 cache beside the rows below.
constexpr int64_t kKroneckerBand = 384;
// Rows of the left operand that are copied at a time, without their pitch.
constexpr int64_t kKroneckerRows = 112;
constexpr int64_t kKroneckerPitch = kKroneckerDepth + 16;

// Scratch of one band, in floats; every part is a multiple of 64 bytes.
struct KroneckerScratch {
  float* left;   // [kKroneckerRows][kKroneckerPitch]
  float* right;  // [panels][depth][panel width]
  float* t;      // [panels][m][panel width]
  float* p;      // as t
};

constexpr int64_t kKroneckerLeftSize = kKroneckerRows * kKroneckerPitch;
constexpr int64_t kKroneckerRightSize = kKroneckerDepth * kKroneckerBand;

// One item on columns begin..end-1; begin is a multiple of kKroneckerBandUnit.
struct KroneckerBand {
  const metaplast_kronecker_item_t* item;
  const float* w;  // of the item, or a copy of it
  int64_t ldw;
  const float* anchor;   // null: 0
  double* column_sums;   // null: P is stored to out. Otherwise column_sums[c] = sum over rows of D P, and out += weight P unless it is null
  KroneckerScratch scratch;
  int64_t begin, end;
};

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_KRONECKER_PRODUCTS_KRONECKER_PRODUCTS_H_
