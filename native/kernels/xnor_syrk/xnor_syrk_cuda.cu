#include "kernels/xnor_syrk/xnor_syrk_simt.cuh"

#include "kernels/sign_pack/sign_pack_simt.cuh"
#include "metaplast/binary.h"
#include "runtime/cuda/row_groups.h"

extern "C" metaplast_status_t metaplast_xnor_syrk_i32_cuda(metaplast_cuda_context_t* context, int64_t batch, int64_t in, const uint64_t* x,
                                                           int32_t accumulate, int32_t* s, int64_t lds, void* workspace,
                                                           int64_t workspace_bytes, void* stream) {
  using namespace metaplast::cuda_runtime;
  using metaplast::simt::BitsTranspose;
  using metaplast::simt::XnorSyrk;
  using metaplast::simt::kTileSide;
  if (batch > 0x7fffffff || !valid_matrix(x, batch, in, in) || !valid_matrix(s, in, in, lds) ||
      workspace_bytes < metaplast_xnor_syrk_workspace_bytes(batch, in) || (batch > 0 && in > 0 && workspace == nullptr)) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "xnor_syrk", stream);
  uint64_t* columns = static_cast<uint64_t*>(workspace);
  launcher.run<BitsTranspose>(ceil_div(in, BitsTranspose::kColumns) * metaplast::simt::bit_row_groups(batch), 1, BitsTranspose::kThreads,
                              BitsTranspose::kSharedBytes, BitsTranspose::Args{batch, in, x, columns});
  const int64_t tiles = ceil_div(in, kTileSide);
  launcher.run<XnorSyrk>(tiles * (tiles + 1) / 2, 1, XnorSyrk::kThreads, XnorSyrk::kSharedBytes,
                         XnorSyrk::Args{in, static_cast<uint32_t>(batch), accumulate, columns, s, lds});
  return launcher.status();
}

extern "C" metaplast_status_t metaplast_factor_moving_average_f32_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols,
                                                                       const int32_t* s, int64_t lds, float inverse_batch, float decay,
                                                                       float fresh, float* a, int64_t lda, void* stream) {
  using namespace metaplast::cuda_runtime;
  if (!valid_matrix(s, rows, cols, lds) || !valid_matrix(a, rows, cols, lda)) return METAPLAST_E_ARGUMENT;
  return run_row_groups(context, "factor_moving_average", stream, rows, cols,
                        metaplast::simt::FactorMovingAverage{s, lds, inverse_batch, decay, fresh, a, lda});
}
