// Bits of a row of a bit matrix (metaplast/binary.h) as a mask of lanes.
#ifndef METAPLAST_RUNTIME_MATH_ROW_BITS_H_
#define METAPLAST_RUNTIME_MATH_ROW_BITS_H_

#include "runtime/math/lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {

// Columns column..column+lanes-1 of a row, lanes <= W; reads no word that holds none of them.
METAPLAST_HD M row_mask(const uint64_t* row, int64_t column, int64_t lanes) {
  const uint64_t* word = row + column / 64;
  const int64_t shift = column % 64;
  uint64_t bits = word[0] >> shift;
  if (shift + lanes > 64) bits |= word[1] << (64 - shift);
  return mask_of_bits(static_cast<uint32_t>(bits));
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MATH_ROW_BITS_H_
