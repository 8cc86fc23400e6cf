#include "kernels/matrix_pieces/matrix_pieces_simt.cuh"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::is_aligned;
using metaplast::cuda_runtime::Launcher;
using metaplast::cuda_runtime::matrix_blocks;
using metaplast::cuda_runtime::run_list;

bool valid_list(int64_t count, const metaplast_matrix_t* matrices) {
  if (count < 0 || (count > 0 && matrices == nullptr)) return false;
  for (int64_t i = 0; i < count; ++i) {
    const metaplast_matrix_t& m = matrices[i];
    if (m.rows < 0 || m.cols < 0 || m.ld < m.cols || (m.rows > 0 && m.cols > 0 && m.data == nullptr)) return false;
  }
  return true;
}

int64_t segments(const metaplast_matrix_t& m) { return (m.cols + simt::kInnerColumns - 1) / simt::kInnerColumns; }
int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

}  // namespace

extern "C" {

metaplast_status_t metaplast_matrix_traces_f32_cuda(metaplast_cuda_context_t* context, int64_t count, const metaplast_matrix_t* matrices,
                                                    double* traces, void* stream) {
  if (context == nullptr || !valid_list(count, matrices) || (count > 0 && traces == nullptr)) return METAPLAST_E_ARGUMENT;
  Launcher launcher(context, "matrix_traces", stream);
  run_list<simt::MatrixTraces>(
      &launcher, count, 1, simt::MatrixTraces::kThreads, 0, {}, [](int64_t) { return 1; },
      [=](int64_t i) {
        const metaplast_matrix_t& m = matrices[i];
        return simt::MatrixTraces::Entry{m.data, least(m.rows, m.cols), m.ld + 1, traces + i};
      });
  return launcher.status();
}

int64_t metaplast_inner_products_workspace_bytes_cuda(int64_t count, const metaplast_matrix_t* x) {
  int64_t sums = 1;
  for (int64_t i = 0; x != nullptr && i < count; ++i) sums += x[i].rows * segments(x[i]);
  return sums * 8;
}

metaplast_status_t metaplast_inner_products_f32_cuda(metaplast_cuda_context_t* context, int64_t count, const metaplast_matrix_t* x,
                                                     const metaplast_matrix_t* y, double* sum, void* workspace, int64_t workspace_bytes,
                                                     void* stream) {
  if (context == nullptr || sum == nullptr || !valid_list(count, x) || !valid_list(count, y)) return METAPLAST_E_ARGUMENT;
  for (int64_t i = 0; i < count; ++i) {
    if (x[i].rows != y[i].rows || x[i].cols != y[i].cols) return METAPLAST_E_ARGUMENT;
  }
  if (workspace == nullptr || !is_aligned(workspace, 8) || workspace_bytes < metaplast_inner_products_workspace_bytes_cuda(count, x)) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "inner_products", stream);
  double* const sums = static_cast<double*>(workspace);
  int64_t at = 0, next = 0;
  run_list<simt::InnerRows>(
      &launcher, count, 1, simt::InnerRows::kThreads, 0, {}, [=](int64_t i) { return (x[i].rows * segments(x[i]) + 7) / 8; },
      [&](int64_t i) {
        for (; next < i; ++next) at += x[next].rows * segments(x[next]);
        return simt::InnerRows::Entry{x[i].rows, x[i].cols, segments(x[i]), x[i].data, y[i].data, x[i].ld, y[i].ld, sums + at};
      });
  for (; next < count; ++next) at += x[next].rows * segments(x[next]);
  launcher.run<simt::InnerSum>(1, 1, simt::InnerSum::kThreads, simt::InnerSum::kSharedBytes, {at, sums, sum});
  return launcher.status();
}

metaplast_status_t metaplast_matrix_combine_f32_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols, float a, const float* x,
                                                     int64_t ldx, float b, const float* y, int64_t ldy, float* out, int64_t ldo,
                                                     void* stream) {
  if (context == nullptr || rows < 0 || cols < 0 || ldx < cols || (y != nullptr && ldy < cols) || ldo < cols ||
      (rows > 0 && cols > 0 && (x == nullptr || out == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "matrix_combine", stream);
  const bool flat = ldx == cols && (y == nullptr || ldy == cols) && ldo == cols;
  const simt::MatrixBlocks shape = flat ? matrix_blocks(rows * cols > 0 ? 1 : 0, rows * cols) : matrix_blocks(rows, cols);
  launcher.run<simt::MatrixCombine>(shape.blocks(), 1, simt::MatrixCombine::kThreads, 0, {shape, a, b, x, y, out, ldx, ldy, ldo});
  return launcher.status();
}

metaplast_status_t metaplast_matrix_elements_f32_cuda(metaplast_cuda_context_t* context, int32_t operation, int64_t rows, int64_t cols,
                                                      const float* row, const float* column, const float* s, int64_t lds, float shift,
                                                      float* t, int64_t ldt, int64_t* not_positive, void* stream) {
  const bool by_row = operation == METAPLAST_ELEMENT_SCALE_ROWS || operation == METAPLAST_ELEMENT_DIVIDE_OUTER;
  const bool by_column = operation == METAPLAST_ELEMENT_SCALE_COLUMNS || operation == METAPLAST_ELEMENT_DIVIDE_OUTER;
  const bool by_element = operation == METAPLAST_ELEMENT_DIVIDE;
  if (context == nullptr || not_positive == nullptr || operation < METAPLAST_ELEMENT_SQUARE || operation > METAPLAST_ELEMENT_DIVIDE ||
      rows < 0 || cols < 0 || ldt < cols || (by_element && lds < cols) ||
      (rows > 0 && cols > 0 &&
       (t == nullptr || (by_row && row == nullptr) || (by_column && column == nullptr) || (by_element && s == nullptr)))) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "matrix_elements", stream);
  launcher.clear(not_positive, sizeof(int64_t));
  const simt::ElementArgs args = {matrix_blocks(rows, cols), operation, row, column, s, lds, shift, t, ldt, not_positive};
  if (rows > 0 && cols > 0) {
    if (operation == METAPLAST_ELEMENT_DIVIDE_OUTER || by_element) {
      launcher.run<simt::CountNotPositive>(args.shape.blocks(), 1, simt::CountNotPositive::kThreads, 0, args);
    }
    launcher.run<simt::MatrixElements>(args.shape.blocks(), 1, simt::MatrixElements::kThreads, 0, args);
  }
  return launcher.status();
}

}  // extern "C"
