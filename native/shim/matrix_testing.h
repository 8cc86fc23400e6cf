// Products of matrices for simt_tests, in the order that metaplast/kfac.h prescribes.
#ifndef METAPLAST_SHIM_MATRIX_TESTING_H_
#define METAPLAST_SHIM_MATRIX_TESTING_H_

#include <cmath>
#include <cstdint>
#include <vector>

#include "runtime/cuda/context.h"
#include "shim/simt_testing.h"

namespace metaplast {
namespace simt_testing {

// Products of real matrices take the tensor cores where they suit, as long as this exists.
class ProductsOnTensorCores {
 public:
  ProductsOnTensorCores() { cuda()->product_variant = METAPLAST_CUDA_PRODUCT_TF32X3; }
  ~ProductsOnTensorCores() { cuda()->product_variant = METAPLAST_CUDA_PRODUCT_SIMT; }
  ProductsOnTensorCores(const ProductsOnTensorCores&) = delete;
  ProductsOnTensorCores& operator=(const ProductsOnTensorCores&) = delete;
};

// A sum of products in double, and of their magnitudes: what error bounds are made of.
struct ExactSum {
  double value = 0, magnitude = 0;
  void add(double a, double b) {
    value += a * b;
    magnitude += std::fabs(a * b);
  }
  // Whether x is within `units` units of fp32, and one unit of the smallest numbers for each of `terms`.
  bool allows(float x, double units, int64_t terms) const {
    return std::fabs(static_cast<double>(x) - value) <= units * 0x1p-24 * magnitude + static_cast<double>(terms) * 0x1p-149;
  }
};

// Sum over k of left(k) right(k): fused inside blocks of 256 terms from 0, blocks added in order.
template <class Left, class Right>
float ordered_sum(int64_t terms, const Left& left, const Right& right) {
  float total = 0;
  for (int64_t k0 = 0; k0 < terms; k0 += 256) {
    float sum = 0;
    for (int64_t k = k0; k < terms && k < k0 + 256; ++k) sum = std::fma(left(k), right(k), sum);
    total += sum;
  }
  return total;
}

// a [m][inner] times b [inner][n], rows without padding.
inline std::vector<float> ordered_product(int64_t m, int64_t n, int64_t inner, const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<float> c;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      c.push_back(ordered_sum(
          inner, [&](int64_t k) { return a[static_cast<size_t>(i * inner + k)]; }, [&](int64_t k) { return b[static_cast<size_t>(k * n + j)]; }));
    }
  }
  return c;
}

// The elements of a matrix, without padding.
inline std::vector<float> packed(int64_t rows, int64_t cols, int64_t ld, const float* p) {
  std::vector<float> result;
  for (int64_t i = 0; i < rows; ++i) result.insert(result.end(), p + i * ld, p + i * ld + cols);
  return result;
}

}  // namespace simt_testing
}  // namespace metaplast

#endif  // METAPLAST_SHIM_MATRIX_TESTING_H_
