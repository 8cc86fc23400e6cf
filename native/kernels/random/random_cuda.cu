#include "kernels/random/random_simt.cuh"

#include "runtime/cuda/launch.h"

namespace {

namespace simt = metaplast::simt;

template <class Values>
metaplast_status_t fill(metaplast_cuda_context* context, const char* name, void* stream, const simt::RandomStream& random, uint64_t first,
                        int64_t n, float* out) noexcept {
  using Kernel = simt::Random<Values>;
  const bool wraps = n > 0 && first + static_cast<uint64_t>(n) - 1 < first;
  if (n < 0 || wraps) return METAPLAST_E_ARGUMENT;
  metaplast::cuda_runtime::Launcher launcher(context, name, stream);
  if (launcher.status() != METAPLAST_OK || n == 0) return launcher.status();
  const int skip = static_cast<int>(first & 3);
  const int64_t blocks = (n - 1 + skip) / 4 + 1;
  const int threads = metaplast::cuda_runtime::threads_for(n, 4, launcher.multiprocessors());
  typename Kernel::Args args;
  args.stream = random;
  args.first = first;
  args.n = n;
  args.out = out;
  // Written as an integer: the block that holds element `first` begins before the buffer.
  args.aligned = (reinterpret_cast<uintptr_t>(out) - static_cast<uintptr_t>(skip) * 4) % 16 == 0;
  launcher.run<Kernel>((blocks + threads - 1) / threads, 1, threads, 0, args);
  return launcher.status();
}

}  // namespace

extern "C" {

metaplast_status_t metaplast_philox_u32_cuda(metaplast_cuda_context_t* context, uint64_t seed, uint32_t stream_number, uint32_t step,
                                             uint64_t first, int64_t n, uint32_t* out, void* stream) {
  return fill<simt::PhiloxWords>(context, "philox", stream, {seed, stream_number, step}, first, n, reinterpret_cast<float*>(out));
}

metaplast_status_t metaplast_uniform_f32_cuda(metaplast_cuda_context_t* context, uint64_t seed, uint32_t stream_number, uint32_t step,
                                              uint64_t first, int64_t n, float* out, void* stream) {
  return fill<simt::Uniforms>(context, "uniform", stream, {seed, stream_number, step}, first, n, out);
}

metaplast_status_t metaplast_gaussian_f32_cuda(metaplast_cuda_context_t* context, uint64_t seed, uint32_t stream_number, uint32_t step,
                                               uint64_t first, int64_t n, float* out, void* stream) {
  return fill<simt::Gaussians>(context, "gaussian", stream, {seed, stream_number, step}, first, n, out);
}

}  // extern "C"
