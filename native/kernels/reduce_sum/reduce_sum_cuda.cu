#include "kernels/reduce_sum/reduce_sum_simt.cuh"

#include "runtime/cuda/launch.h"

namespace {

using metaplast::simt::kR16Chunk;

int64_t chunks_of(int64_t n) { return (n + kR16Chunk - 1) / kR16Chunk; }

}  // namespace

extern "C" int64_t metaplast_reduce_sum_workspace_cuda(int64_t n) { return n <= kR16Chunk ? 0 : 4 * chunks_of(n); }

extern "C" metaplast_status_t metaplast_reduce_sum_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* x, float* out,
                                                            void* workspace, int64_t workspace_bytes, void* stream) {
  using metaplast::simt::BlockSum;
  using metaplast::simt::ChunkSums;
  if (n < 0 || n > kR16Chunk * kR16Chunk * kR16Chunk || out == nullptr || (n > 0 && x == nullptr) ||
      workspace_bytes < metaplast_reduce_sum_workspace_cuda(n) || (n > kR16Chunk && workspace == nullptr)) {
    return METAPLAST_E_ARGUMENT;
  }
  metaplast::cuda_runtime::Launcher launcher(context, "reduce_sum", stream);
  if (n <= kR16Chunk) {
    launcher.run<BlockSum>(1, 1, BlockSum::kThreads, BlockSum::kSharedBytes, BlockSum::Args{x, n, out});
    return launcher.status();
  }
  float* sums = static_cast<float*>(workspace);
  const int64_t chunks = chunks_of(n);
  launcher.run<ChunkSums>((chunks + ChunkSums::kChunksPerBlock - 1) / ChunkSums::kChunksPerBlock, 1, ChunkSums::kThreads, 0,
                          ChunkSums::Args{x, n, sums});
  launcher.run<BlockSum>(1, 1, BlockSum::kThreads, BlockSum::kSharedBytes, BlockSum::Args{sums, chunks, out});
  return launcher.status();
}
