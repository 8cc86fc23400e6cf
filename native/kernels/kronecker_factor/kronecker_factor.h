// Factor statistics: what entry points and kernels share.
//
// Rows of X come in waves. A wave is packed into panels of columns (real_gemm/real_tiles.h), one packing for both sides of X'X, and scanned for what
// is not finite on the way; then the tiles of the lower triangle, a panel by a panel each, add up its blocks of 256 rows. F is written from the sums
// after the last wave, both triangles from one tile, so nothing is written before all of X has been seen.
#ifndef METAPLAST_KERNELS_KRONECKER_FACTOR_H_
#define METAPLAST_KERNELS_KRONECKER_FACTOR_H_

#include <cstdint>

#include "kernels/real_gemm/real_gemm.h"
#include "runtime/math/lanes.h"

namespace metaplast {

constexpr int64_t kFactorTile = kRealPanel * kRealPanel;  // floats of a tile of sums
constexpr int64_t kFactorGroup = 4;                       // rows of tiles that share a panel while it is in the cache

// Patches of images as rows of X; meanings as in metaplast/kfac.h.
struct FactorPatches {
  const float* x;
  int64_t channels, height, width, group_channels, kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, out_h, out_w;
  int32_t sharing;
  METAPLAST_HD int64_t positions() const { return out_h * out_w; }
};

struct FactorWork {
  int32_t kind;
  const void* x;  // [rows][cols], where there are no patches
  int32_t x_type;
  int64_t ldx;
  const FactorPatches* patches;
  int64_t rows, cols;  // of a group
  bool bias;
  float bias_value;  // of the column behind the last
  const float* mean;  // [panels*kRealPanel], zeros past the last column; null where it is not used
  int64_t d, panels;
  float* packed;          // [panels][panel_rows][kRealPanel]
  int64_t panel_rows;
  float alpha, beta;
  float* f;
  int64_t ldf;
};

struct FactorWave {
  int64_t group;
  int64_t begin, rows;  // of the group's rows
  METAPLAST_HD int64_t blocks() const { return (rows + kRealBlock - 1) / kRealBlock; }
};

// Tiles of the lower triangle in the first rows of tiles. They are numbered by groups of kFactorGroup rows; in a group those left of its diagonal part
// column by column, then that part row by row.
METAPLAST_HD int64_t factor_tiles(int64_t panels) { return panels * (panels + 1) / 2; }

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_KRONECKER_FACTOR_H_
