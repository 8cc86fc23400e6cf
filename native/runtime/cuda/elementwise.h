// Element-wise kernels over up to four flat arrays.
//
// An Op is a struct with kArrays, kRead and kWrite (bit j: array j is read, written) and
// `METAPLAST_DEVICE void apply(float* x) const`, which turns the values of one element (x[j] of array j) into what is written.
#ifndef METAPLAST_RUNTIME_CUDA_ELEMENTWISE_H_
#define METAPLAST_RUNTIME_CUDA_ELEMENTWISE_H_

#include "runtime/cuda/launch.h"

namespace metaplast {
namespace simt {

template <class Op>
struct Elementwise {
  static constexpr int kThreads = 256;
  static constexpr int kElementsPerThread = 8;

  struct Args {
    int64_t n;
    float* array[Op::kArrays];
    int32_t aligned;
    Op op;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    constexpr int kGroups = kElementsPerThread / 4;
    const Tile<kGroups> t(static_cast<int64_t>(blockIdx.x), a.n, a.aligned != 0);
    Four x[kGroups][Op::kArrays];
    METAPLAST_UNROLL
    for (int u = 0; u < kGroups; ++u) {
      METAPLAST_UNROLL
      for (int j = 0; j < Op::kArrays; ++j) {
        if (Op::kRead >> j & 1) x[u][j] = load_group(t.whole, a.array[j] + t.element[u], t.valid[u]);
      }
    }
    METAPLAST_UNROLL
    for (int u = 0; u < kGroups; ++u) {
      METAPLAST_UNROLL
      for (int e = 0; e < 4; ++e) {
        float value[Op::kArrays];
        METAPLAST_UNROLL
        for (int j = 0; j < Op::kArrays; ++j) value[j] = Op::kRead >> j & 1 ? x[u][j].v[e] : 0.0f;
        a.op.apply(value);
        METAPLAST_UNROLL
        for (int j = 0; j < Op::kArrays; ++j) x[u][j].v[e] = value[j];
      }
      METAPLAST_UNROLL
      for (int j = 0; j < Op::kArrays; ++j) {
        if (Op::kWrite >> j & 1) store_group(t.whole, a.array[j] + t.element[u], x[u][j], t.valid[u]);
      }
    }
  }
};

}  // namespace simt

namespace cuda_runtime {

// Arrays that are only read are passed through const_cast; Op::kWrite says which are written.
template <class Op>
metaplast_status_t run_elementwise(metaplast_cuda_context* context, const char* name, void* stream, int64_t n, const Op& op,
                                   const float* const (&arrays)[Op::kArrays]) noexcept {
  using Kernel = simt::Elementwise<Op>;
  if (n < 0) return METAPLAST_E_ARGUMENT;
  Launcher launcher(context, name, stream);
  if (launcher.status() != METAPLAST_OK) return launcher.status();
  typename Kernel::Args args;
  args.n = n;
  args.op = op;
  args.aligned = 1;
  for (int j = 0; j < Op::kArrays; ++j) {
    args.array[j] = const_cast<float*>(arrays[j]);
    args.aligned = args.aligned && is_aligned(arrays[j], 16);
  }
  const int threads = threads_for(n, Kernel::kElementsPerThread, launcher.multiprocessors());
  const int64_t tile = static_cast<int64_t>(threads) * Kernel::kElementsPerThread;
  launcher.run<Kernel>((n + tile - 1) / tile, 1, threads, 0, args);
  return launcher.status();
}

}  // namespace cuda_runtime
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_CUDA_ELEMENTWISE_H_
