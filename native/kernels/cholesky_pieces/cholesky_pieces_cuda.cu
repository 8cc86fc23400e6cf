#include "kernels/cholesky_pieces/cholesky_pieces_simt.cuh"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::is_aligned;
using metaplast::cuda_runtime::Launcher;
using metaplast::cuda_runtime::SpdGroup;
using metaplast::cuda_runtime::tiles_of;

int64_t aligned_bytes(int64_t bytes, int64_t to) { return (bytes + to - 1) / to * to; }

void check_diagonal(Launcher* launcher, int64_t n, const float* l, int64_t ldl, int32_t* status) {
  launcher->run<simt::TriangularCheck>(1, 1, simt::TriangularCheck::kThreads, simt::TriangularCheck::kSharedBytes, {l, ldl, n, status});
}

}  // namespace

extern "C" {

metaplast_status_t metaplast_damped_cholesky_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* m, int64_t ldm,
                                                      double damping, float* l, int64_t ldl, int32_t* status, double* pivot, int64_t* index,
                                                      void* workspace, int64_t workspace_bytes, void* stream) {
  if (context == nullptr || status == nullptr || pivot == nullptr || index == nullptr) return METAPLAST_E_ARGUMENT;
  const bool wrong = !simt::spd_valid({m, ldm, l, ldl, n, damping});
  if (!wrong && (workspace == nullptr || !is_aligned(workspace, 64) || workspace_bytes < n * n * 4 + 64 * n + 4096)) return METAPLAST_E_ARGUMENT;
  Launcher launcher(context, "damped_cholesky", stream);
  simt::SpdState* const state = wrong ? nullptr : static_cast<simt::SpdState*>(workspace);
  if (!wrong) launcher.clear(state, sizeof(simt::SpdState));
  if (!wrong && n > 0) {
    // State, then seven vectors, then the matrix without padding.
    char* const memory = static_cast<char*>(workspace) + 256;
    simt::SpdLarge<float> e = {};
    e.m = m;
    e.ldm = ldm;
    e.n = n;
    e.damping = damping;
    e.state = state;
    e.vectors = reinterpret_cast<double*>(memory);
    e.w = reinterpret_cast<float*>(memory + aligned_bytes(7 * n * 8, 256));
    e.ldw = n;
    e.out = l;
    e.ldo = ldl;
    SpdGroup<float> group(&launcher, 1, &e);
    group.load();
    group.multiply(0, 2);
    group.judge(false, 0);
    group.factor();
    group.store(true);
  }
  launcher.run<simt::CholeskyReport>(1, 1, simt::CholeskyReport::kThreads, 0, {state, status, pivot, index});
  return launcher.status();
}

metaplast_status_t metaplast_triangular_inverse_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* l, int64_t ldl, float* out,
                                                         int64_t ldo, int32_t* status, void* stream) {
  if (context == nullptr || status == nullptr || n < 0 || ldl < n || ldo < n || (n > 0 && (l == nullptr || out == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "triangular_inverse", stream);
  check_diagonal(&launcher, n, l, ldl, status);
  launcher.run<simt::TriangularCopy>(n, 1, simt::TriangularCopy::kThreads, 0, {l, ldl, n, out, ldo, status});
  simt::SpdLarge<float> e = {};
  e.n = n;
  e.w = out;
  e.ldw = ldo;
  e.status = status;
  SpdGroup<float> group(&launcher, 1, &e);
  group.invert_triangle();
  return launcher.status();
}

metaplast_status_t metaplast_triangular_solve_f32_cuda(metaplast_cuda_context_t* context, int64_t n, int64_t columns, int32_t transposed,
                                                       const float* l, int64_t ldl, float* b, int64_t ldb, int32_t* status, void* stream) {
  if (context == nullptr || status == nullptr || n < 0 || columns < 0 || ldl < n || ldb < columns || (n > 0 && l == nullptr) ||
      (n > 0 && columns > 0 && b == nullptr)) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "triangular_solve", stream);
  check_diagonal(&launcher, n, l, ldl, status);
  const int64_t tiles = tiles_of(n);
  for (int64_t step = 0; step < tiles; ++step) {
    const int64_t panel = transposed == 0 ? step : tiles - 1 - step;
    const simt::TriangularArgs args = {l, ldl, n, columns, transposed, b, ldb, status, panel};
    launcher.run<simt::TriangularRows>((columns + simt::TriangularRows::kThreads - 1) / simt::TriangularRows::kThreads, 1,
                                       simt::TriangularRows::kThreads, simt::TriangularRows::kSharedBytes, args);
    launcher.run<simt::TriangularUpdate>((tiles - 1 - step) * tiles_of(columns), 1, simt::TriangularUpdate::kThreads,
                                         simt::TriangularUpdate::kSharedBytes, args);
  }
  return launcher.status();
}

}  // extern "C"
