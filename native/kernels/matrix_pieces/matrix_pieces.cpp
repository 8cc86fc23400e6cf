// Entry points: traces, inner products, linear combinations and element-wise operations of matrices.
#include "kernels/matrix_pieces/matrix_pieces.h"

#include <algorithm>
#include <atomic>

#include "metaplast/kfac.h"
#include "runtime/entry.h"

namespace {

using metaplast::present;

// Elements from which a second thread pays.
constexpr int64_t kGrain = 32768;
// Elements of the blocks of rows that inner products are summed in, and blocks of one region.
constexpr int64_t kBlock = 65536;
constexpr int64_t kBlocks = 256;

bool valid(int64_t count, const metaplast_matrix_t* matrices) {
  for (int64_t i = 0; i < count; ++i) {
    const metaplast_matrix_t& m = matrices[i];
    if (m.rows < 0 || m.cols < 0 || m.ld < m.cols || (m.rows > 0 && m.cols > 0 && m.data == nullptr)) return false;
  }
  return true;
}

int64_t rows_of_block(const metaplast_matrix_t& m) { return std::max<int64_t>(1, kBlock / m.cols); }

// <x, y> of a block of rows: by lanes, rows in index order; then the lanes in index order.
double inner_block(const metaplast_context_t* context, const metaplast_matrix_t& x, const metaplast_matrix_t& y, int64_t block) {
  double lanes[metaplast::kInnerLanes] = {};
  const int64_t begin = block * rows_of_block(x), end = std::min(x.rows, begin + rows_of_block(x));
  for (int64_t r = begin; r < end; ++r) context->kernels.inner_products(x.cols, x.data + r * x.ld, y.data + r * y.ld, lanes);
  double sum = 0;
  for (double lane : lanes) sum += lane;
  return sum;
}

}  // namespace

extern "C" {

metaplast_status_t metaplast_matrix_traces_f32(const metaplast_context_t* context, int64_t count, const metaplast_matrix_t* matrices,
                                               double* traces) {
  if (context == nullptr || count < 0 || (count > 0 && !present(matrices, traces)) || !valid(count, matrices)) return METAPLAST_E_ARGUMENT;
  const metaplast::FpEnvironment environment;
  for (int64_t i = 0; i < count; ++i) {
    const metaplast_matrix_t& m = matrices[i];
    double sum = 0;
    for (int64_t j = 0; j < std::min(m.rows, m.cols); ++j) sum += static_cast<double>(m.data[j * m.ld + j]);
    traces[i] = sum;
  }
  return METAPLAST_OK;
}

metaplast_status_t metaplast_inner_products_f32(const metaplast_context_t* context, int64_t count, const metaplast_matrix_t* x,
                                                const metaplast_matrix_t* y, double* sum) {
  if (context == nullptr || count < 0 || sum == nullptr || (count > 0 && !present(x, y)) || !valid(count, x) || !valid(count, y)) {
    return METAPLAST_E_ARGUMENT;
  }
  for (int64_t i = 0; i < count; ++i) {
    if (x[i].rows != y[i].rows || x[i].cols != y[i].cols) return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  double total = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (x[i].rows == 0 || x[i].cols == 0) continue;
    const int64_t blocks = (x[i].rows + rows_of_block(x[i]) - 1) / rows_of_block(x[i]);
    for (int64_t first = 0; first < blocks; first += kBlocks) {
      const int64_t here = std::min(kBlocks, blocks - first);
      double sums[kBlocks];
      const auto block = [&, i, first](int64_t b) { sums[b] = inner_block(context, x[i], y[i], first + b); };
      if (here == 1) {
        block(0);
      } else {
        metaplast::parallel_chunks(context, here, block);
      }
      for (int64_t b = 0; b < here; ++b) total += sums[b];
    }
  }
  *sum = total;
  return METAPLAST_OK;
}

metaplast_status_t metaplast_matrix_combine_f32(const metaplast_context_t* context, int64_t rows, int64_t cols, float a, const float* x,
                                                int64_t ldx, float b, const float* y, int64_t ldy, float* out, int64_t ldo) {
  if (context == nullptr || rows < 0 || cols < 0 || ldx < cols || (y != nullptr && ldy < cols) || ldo < cols ||
      (rows > 0 && cols > 0 && !present(x, out))) {
    return METAPLAST_E_ARGUMENT;
  }
  if (rows == 0 || cols == 0) return METAPLAST_OK;
  const metaplast::FpEnvironment environment;
  if (ldx == cols && (y == nullptr || ldy == cols) && ldo == cols) {
    metaplast::parallel_range(context, rows * cols, kGrain, [=](int64_t begin, int64_t end) {
      context->kernels.matrix_combine(end - begin, a, x + begin, b, y == nullptr ? nullptr : y + begin, out + begin);
    });
    return METAPLAST_OK;
  }
  metaplast::parallel_items(context, rows, cols, kGrain, [=](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      context->kernels.matrix_combine(cols, a, x + r * ldx, b, y == nullptr ? nullptr : y + r * ldy, out + r * ldo);
    }
  });
  return METAPLAST_OK;
}

metaplast_status_t metaplast_matrix_elements_f32(const metaplast_context_t* context, int32_t operation, int64_t rows, int64_t cols,
                                                 const float* row, const float* column, const float* s, int64_t lds, float shift, float* t,
                                                 int64_t ldt, int64_t* not_positive) {
  const bool by_row = operation == METAPLAST_ELEMENT_SCALE_ROWS || operation == METAPLAST_ELEMENT_DIVIDE_OUTER;
  const bool by_column = operation == METAPLAST_ELEMENT_SCALE_COLUMNS || operation == METAPLAST_ELEMENT_DIVIDE_OUTER;
  const bool by_element = operation == METAPLAST_ELEMENT_DIVIDE;
  if (context == nullptr || not_positive == nullptr || operation < METAPLAST_ELEMENT_SQUARE || operation > METAPLAST_ELEMENT_DIVIDE || rows < 0 ||
      cols < 0 || ldt < cols || (by_element && lds < cols)) {
    return METAPLAST_E_ARGUMENT;
  }
  if (rows > 0 && cols > 0 &&
      (t == nullptr || (by_row && row == nullptr) || (by_column && column == nullptr) || (by_element && s == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  *not_positive = 0;
  if (rows == 0 || cols == 0) return METAPLAST_OK;
  const metaplast::FpEnvironment environment;
  const auto over_rows = [=](const auto& body) {
    metaplast::parallel_items(context, rows, cols, kGrain, [=, &body](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) body(r, by_row ? row[r] : 0.0f, by_element ? s + r * lds : nullptr);
    });
  };
  if (operation == METAPLAST_ELEMENT_DIVIDE_OUTER || by_element) {
    std::atomic<int64_t> positive{0};
    over_rows([&](int64_t, float factor, const float* denominators) {
      int64_t here = 0;
      context->kernels.count_positive(operation, cols, factor, column, denominators, shift, &here);
      positive.fetch_add(here, std::memory_order_relaxed);
    });
    *not_positive = rows * cols - positive.load(std::memory_order_relaxed);
    if (*not_positive > 0) return METAPLAST_OK;
  }
  over_rows([&](int64_t r, float factor, const float* denominators) {
    context->kernels.matrix_elements(operation, cols, factor, column, denominators, shift, t + r * ldt);
  });
  return METAPLAST_OK;
}

}  // extern "C"
