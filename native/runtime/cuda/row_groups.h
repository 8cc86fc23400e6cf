// Launches of element-wise kernels over rows (runtime/cuda/bit_matrix.h).
#ifndef METAPLAST_RUNTIME_CUDA_ROW_GROUPS_H_
#define METAPLAST_RUNTIME_CUDA_ROW_GROUPS_H_

#include "runtime/cuda/bit_matrix.h"
#include "runtime/cuda/launch.h"

namespace metaplast {
namespace cuda_runtime {

inline int64_t ceil_div(int64_t a, int64_t b) noexcept { return (a + b - 1) / b; }

template <class Op>
metaplast_status_t run_row_groups(metaplast_cuda_context* context, const char* name, void* stream, int64_t rows, int64_t cols,
                                  const Op& op) noexcept {
  using Kernel = simt::RowGroups<Op>;
  Launcher launcher(context, name, stream);
  if (launcher.status() != METAPLAST_OK || rows == 0 || cols == 0) return launcher.status();
  const int64_t groups = rows * simt::bit_row_groups(cols);
  int threads = Kernel::kThreads;
  while (threads > 64 && groups < 2 * launcher.multiprocessors() * (threads / 32)) threads /= 2;
  launcher.template run<Kernel>(ceil_div(groups, threads / 32), 1, threads, 0, typename Kernel::Args{rows, cols, op});
  return launcher.status();
}

// A matrix of `rows` rows, which may be empty: an address and a pitch that fit.
inline bool valid_matrix(const void* p, int64_t rows, int64_t cols, int64_t ld) noexcept {
  return rows >= 0 && cols >= 0 && (rows == 0 || cols == 0 || (p != nullptr && ld >= cols));
}

}  // namespace cuda_runtime
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_CUDA_ROW_GROUPS_H_
