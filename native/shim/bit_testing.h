// Operands of the binarized family for simt_tests.
#ifndef METAPLAST_SHIM_BIT_TESTING_H_
#define METAPLAST_SHIM_BIT_TESTING_H_

#include "metaplast/binary.h"
#include "shim/simt_testing.h"

namespace metaplast {
namespace simt_testing {

// A bit matrix of random signs, pad bits 0.
inline std::vector<uint64_t> random_bits(uint64_t seed, int64_t rows, int64_t cols) {
  const int64_t words = metaplast_bit_row_words(cols);
  std::vector<uint64_t> bits(static_cast<size_t>(rows * words));
  uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      bits[static_cast<size_t>(r * words + c / 64)] |= (state >> 63) << (c % 64);
    }
  }
  return bits;
}

// Bits that a kernel has to overwrite, pad words included.
inline std::vector<uint64_t> stale_bits(int64_t rows, int64_t cols) {
  return std::vector<uint64_t>(static_cast<size_t>(rows * metaplast_bit_row_words(cols)), 0xA5A5A5A5A5A5A5A5u);
}

// Rows and columns around the sizes that kernels treat as wholes.
struct MatrixShape {
  int64_t rows, cols;
};
inline std::vector<MatrixShape> matrix_shapes() {
  return {{0, 5},   {5, 0},   {1, 1},    {3, 7},     {1, 31},   {2, 32},    {5, 33},   {7, 63},    {64, 64},    {65, 65},
          {9, 100}, {3, 127}, {130, 17}, {511, 3},   {512, 2},  {513, 66},  {2, 511},  {3, 512},   {4, 513},    {1, 1030},
          {63, 10}, {10, 63}, {33, 640}, {17, 1024}, {70, 130}, {1025, 5},  {128, 64}, {64, 128},  {31, 193},   {100, 784}};
}

}  // namespace simt_testing
}  // namespace metaplast

#endif  // METAPLAST_SHIM_BIT_TESTING_H_
