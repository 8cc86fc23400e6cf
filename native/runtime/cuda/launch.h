// Launching kernels: on a device, or on the host shim when built for tests.
#ifndef METAPLAST_RUNTIME_CUDA_LAUNCH_H_
#define METAPLAST_RUNTIME_CUDA_LAUNCH_H_

#include "runtime/cuda/context.h"
#include "runtime/cuda/simt.h"

namespace metaplast {
namespace cuda_runtime {

// The most that a kernel's parameters may take.
constexpr size_t kParameterBytes = 32764;

#if defined(METAPLAST_SHIM)
template <class Kernel>
void run_on_shim(const void* args) {
  Kernel::run(*static_cast<const typename Kernel::Args*>(args));
}
#else
// Blocks that a multiprocessor should hold, kMinBlocks of a kernel that says so; else (0) the compiler weighs blocks against registers.
template <class Kernel, class = void>
constexpr int kMinBlocks = 0;
template <class Kernel>
constexpr int kMinBlocks<Kernel, std::void_t<decltype(Kernel::kMinBlocks)>> = Kernel::kMinBlocks;

template <class Kernel>
__global__ void __launch_bounds__(Kernel::kThreads, kMinBlocks<Kernel>) metaplast_kernel(const __grid_constant__ typename Kernel::Args args) {
  Kernel::run(args);
}

// Lets a kernel have more dynamic shared memory than 48 KB, on the current device.
template <class Kernel>
cudaError_t allow_shared_memory(size_t bytes) noexcept {
  const cudaError_t code =
      cudaFuncSetAttribute(metaplast_kernel<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
  if (code != cudaSuccess) cudaGetLastError();
  return code;
}
#endif

// One entry point's launches on a stream.
class Launcher {
 public:
  Launcher(metaplast_cuda_context* context, const char* name, void* stream) noexcept
      : call_(context), context_(context), name_(name), stream_(static_cast<cudaStream_t>(stream)), status_(call_.status()) {}

  // METAPLAST_OK as long as everything so far was accepted.
  metaplast_status_t status() const noexcept { return status_; }
  int64_t multiprocessors() const noexcept { return context_->multiprocessors; }
  int32_t product_variant() const noexcept { return context_->product_variant.load(); }

  template <class Kernel>
  void run(int64_t blocks_x, int64_t blocks_y, int threads, size_t shared_bytes, const typename Kernel::Args& args) noexcept {
    static_assert(sizeof(typename Kernel::Args) <= kParameterBytes, "kernel parameters do not fit");
    if (status_ != METAPLAST_OK || blocks_x <= 0 || blocks_y <= 0) return;
    context_->last_kernel = name_;
#if defined(METAPLAST_SHIM)
    const dim3 grid{static_cast<unsigned>(blocks_x), static_cast<unsigned>(blocks_y), 1};
    const dim3 block{static_cast<unsigned>(threads), 1, 1};
    cudaError_t code = threads <= Kernel::kThreads ? shim::launch(grid, block, shared_bytes, &run_on_shim<Kernel>, &args)
                                                   : static_cast<cudaError_t>(cudaErrorInvalidValue);
#else
    const dim3 grid(static_cast<unsigned>(blocks_x), static_cast<unsigned>(blocks_y), 1);
    // clang-format off: it takes <<< >>> for operators
    metaplast_kernel<Kernel><<<grid, static_cast<unsigned>(threads), shared_bytes, stream_>>>(args);
    // clang-format on
    cudaError_t code = cudaGetLastError();
#endif
    if (code == cudaSuccess && (context_->flags & METAPLAST_CUDA_SYNCHRONOUS) != 0) code = cudaStreamSynchronize(stream_);
    status_ = check(context_, code);
  }

  void clear(void* memory, size_t bytes) noexcept { fill(memory, 0, bytes); }
  void fill(void* memory, int byte, size_t bytes) noexcept {
    if (status_ == METAPLAST_OK && bytes > 0) status_ = check(context_, cudaMemsetAsync(memory, byte, bytes, stream_));
  }

 private:
  Call call_;
  metaplast_cuda_context* context_;
  const char* name_;
  cudaStream_t stream_;
  metaplast_status_t status_;
};

// Threads of a block of an element-wise kernel whose threads hold `per_thread` elements: 256, fewer while that leaves multiprocessors idle.
inline int threads_for(int64_t elements, int64_t per_thread, int64_t multiprocessors) noexcept {
  int threads = 256;
  while (threads > 64 && elements / (threads * per_thread) < 2 * multiprocessors) threads /= 2;
  return threads;
}

inline bool is_aligned(const void* p, size_t bytes) noexcept { return reinterpret_cast<uintptr_t>(p) % bytes == 0; }

}  // namespace cuda_runtime
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_CUDA_LAUNCH_H_
