// Rows of matrices: linear combinations, element-wise operations, inner products.
#include "kernels/matrix_pieces/matrix_pieces.h"
#include "metaplast/kfac.h"
#include "runtime/kernel_table.h"
#include "runtime/math/lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

// body(i, denominator, lanes) along a row of METAPLAST_ELEMENT_DIVIDE_OUTER or METAPLAST_ELEMENT_DIVIDE.
template <class Body>
METAPLAST_HD void for_denominators(int32_t operation, int64_t n, float row, const float* column, const float* s, float shift, Body body) {
  const F factor = set(row), offset = set(shift);
  if (operation == METAPLAST_ELEMENT_DIVIDE_OUTER) {
    for_vectors(n, [=](int64_t i, int64_t lanes) { body(i, add(mul(factor, load_lanes(column + i, lanes)), offset), lanes); });
  } else {
    for_vectors(n, [=](int64_t i, int64_t lanes) { body(i, add(load_lanes(s + i, lanes), offset), lanes); });
  }
}

}  // namespace

void matrix_combine(int64_t n, float a, const float* x, float b, const float* y, float* out) noexcept {
  const F p = set(a), q = set(b);
  if (y == nullptr) {
    for_vectors(n, [=](int64_t i, int64_t lanes) { store_lanes(out + i, mul(p, load_lanes(x + i, lanes)), lanes); });
  } else {
    for_vectors(n, [=](int64_t i, int64_t lanes) {
      store_lanes(out + i, add(mul(p, load_lanes(x + i, lanes)), mul(q, load_lanes(y + i, lanes))), lanes);
    });
  }
}

void matrix_elements(int32_t operation, int64_t n, float row, const float* column, const float* s, float shift, float* t) noexcept {
  switch (operation) {
    case METAPLAST_ELEMENT_SQUARE:
      for_vectors(n, [=](int64_t i, int64_t lanes) {
        const F x = load_lanes(t + i, lanes);
        store_lanes(t + i, mul(x, x), lanes);
      });
      break;
    case METAPLAST_ELEMENT_SCALE_ROWS: {
      const F factor = set(row);
      for_vectors(n, [=](int64_t i, int64_t lanes) { store_lanes(t + i, mul(load_lanes(t + i, lanes), factor), lanes); });
      break;
    }
    case METAPLAST_ELEMENT_SCALE_COLUMNS:
      for_vectors(n, [=](int64_t i, int64_t lanes) {
        store_lanes(t + i, mul(load_lanes(t + i, lanes), load_lanes(column + i, lanes)), lanes);
      });
      break;
    default:
      for_denominators(operation, n, row, column, s, shift,
                       [=](int64_t i, F d, int64_t lanes) { store_lanes(t + i, div(load_lanes(t + i, lanes), d), lanes); });
  }
}

// *positive: how many of the denominators are > 0.
void count_positive(int32_t operation, int64_t n, float row, const float* column, const float* s, float shift, int64_t* positive) noexcept {
  int64_t sum = 0;
  const F zero = set(0.0f);
  for_denominators(operation, n, row, column, s, shift,
                   [&sum, zero](int64_t, F d, int64_t lanes) { sum += count(mask_and(gt(d, zero), first_lanes(lanes))); });
  *positive = sum;
}

// sums[l] += the products of the elements l, l+16, l+32, ...; a product of floats is exact in double.
void inner_products(int64_t n, const float* x, const float* y, double* sums) noexcept {
  double lane[kInnerLanes];
  for (int l = 0; l < kInnerLanes; ++l) lane[l] = sums[l];
  int64_t i = 0;
  for (; i + kInnerLanes <= n; i += kInnerLanes) {
    for (int l = 0; l < kInnerLanes; ++l) lane[l] += static_cast<double>(x[i + l]) * static_cast<double>(y[i + l]);
  }
  for (int l = 0; i + l < n; ++l) lane[l] += static_cast<double>(x[i + l]) * static_cast<double>(y[i + l]);
  for (int l = 0; l < kInnerLanes; ++l) sums[l] = lane[l];
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
