#include "kernels/batch_norm/batch_norm_simt.cuh"

#include "metaplast/binary.h"
#include "runtime/cuda/row_groups.h"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::ceil_div;
using metaplast::cuda_runtime::Launcher;
using simt::ChannelShare;

bool valid_shape(int32_t type, const simt::BatchShape& s, const float* gamma, const float* beta) {
  return (type == METAPLAST_F32 || type == METAPLAST_I32) && s.batch >= 0 && s.channels >= 0 && s.spatial >= 0 &&
         (gamma == nullptr) == (beta == nullptr);
}

bool empty(const simt::BatchShape& s) { return s.batch == 0 || s.channels == 0 || s.spatial == 0; }

ChannelShare share_of(const simt::BatchShape& s) {
  ChannelShare share{s, s.batch * s.spatial, ceil_div(s.batch * s.spatial, simt::kR16Chunk), 1};
  while (share.groups_per_channel < ChannelShare::kGroups && share.groups_per_channel < share.chunks) share.groups_per_channel *= 2;
  return share;
}

int64_t blocks_of(const ChannelShare& share) { return ceil_div(share.shape.channels, ChannelShare::kGroups / share.groups_per_channel); }

template <class T, bool kFromVariance>
void normalize(Launcher* launcher, const simt::BatchShape& s, typename simt::Normalize<T, kFromVariance>::Args a) {
  using Kernel = simt::Normalize<T, kFromVariance>;
  a.batch = s.batch;
  a.cols = s.channels * s.spatial;
  a.spatial = s.spatial;
  // A few blocks for every multiprocessor; a block has a row for each of its warps.
  const int64_t groups = simt::bit_row_groups(a.cols);
  int64_t shares = 8 * launcher->multiprocessors() / groups;
  const int64_t most = ceil_div(s.batch, Kernel::kThreads / 32);
  shares = shares < 1 ? 1 : shares > most ? most : shares;
  a.rows_per_block = ceil_div(s.batch, shares);
  launcher->template run<Kernel>(groups, ceil_div(s.batch, a.rows_per_block), Kernel::kThreads, Kernel::kSharedBytes, a);
}

}  // namespace

extern "C" metaplast_status_t metaplast_batch_norm_forward_cuda(metaplast_cuda_context_t* context, int32_t type, int64_t batch,
                                                                int64_t channels, int64_t spatial, const void* y, const float* gamma,
                                                                const float* beta, double eps, float* mean, float* inv, float momentum,
                                                                float* running_mean, float* running_var, float* out, uint64_t* sign,
                                                                uint64_t* mask, void* stream) {
  const simt::BatchShape s{batch, channels, spatial};
  if (!valid_shape(type, s, gamma, beta) || (running_mean == nullptr) != (running_var == nullptr)) return METAPLAST_E_ARGUMENT;
  Launcher launcher(context, "batch_norm_forward", stream);
  if (launcher.status() != METAPLAST_OK || empty(s)) return launcher.status();
  if (y == nullptr || mean == nullptr || inv == nullptr) return METAPLAST_E_ARGUMENT;
  const ChannelShare share = share_of(s);
  const simt::StatisticsOut statistics{mean, inv, running_mean, running_var, momentum, static_cast<float>(1.0 - momentum)};
  const double n = static_cast<double>(share.values);
  const double unbias = share.values > 1 ? n / (n - 1.0) : 1.0;
  if (type == METAPLAST_I32) {
    using Kernel = simt::StatisticsI32;
    const int32_t* values = static_cast<const int32_t*>(y);
    launcher.run<Kernel>(blocks_of(share), 1, Kernel::kThreads, Kernel::kSharedBytes, Kernel::Args{share, values, eps, unbias, statistics});
    normalize<int32_t, false>(&launcher, s, {0, 0, 0, 0, values, mean, inv, gamma, beta, eps, out, sign, mask});
  } else {
    using Kernel = simt::StatisticsF32;
    const float* values = static_cast<const float*>(y);
    launcher.run<Kernel>(blocks_of(share), 1, Kernel::kThreads, Kernel::kSharedBytes,
                         Kernel::Args{share, values, static_cast<float>(1.0 / n), static_cast<float>(eps), static_cast<float>(unbias), statistics});
    normalize<float, false>(&launcher, s, {0, 0, 0, 0, values, mean, inv, gamma, beta, eps, out, sign, mask});
  }
  return launcher.status();
}

extern "C" metaplast_status_t metaplast_batch_norm_inference_cuda(metaplast_cuda_context_t* context, int32_t type, int64_t batch,
                                                                  int64_t channels, int64_t spatial, const void* y, const float* gamma,
                                                                  const float* beta, double eps, const float* mean, const float* var,
                                                                  float* out, uint64_t* sign, void* stream) {
  const simt::BatchShape s{batch, channels, spatial};
  if (!valid_shape(type, s, gamma, beta)) return METAPLAST_E_ARGUMENT;
  Launcher launcher(context, "batch_norm_inference", stream);
  if (launcher.status() != METAPLAST_OK || empty(s)) return launcher.status();
  if (y == nullptr || mean == nullptr || var == nullptr) return METAPLAST_E_ARGUMENT;
  if (type == METAPLAST_I32) {
    normalize<int32_t, true>(&launcher, s, {0, 0, 0, 0, static_cast<const int32_t*>(y), mean, var, gamma, beta, eps, out, sign, nullptr});
  } else {
    normalize<float, true>(&launcher, s, {0, 0, 0, 0, static_cast<const float*>(y), mean, var, gamma, beta, eps, out, sign, nullptr});
  }
  return launcher.status();
}

namespace {

template <class T>
void backward(Launcher* launcher, const ChannelShare& share, const void* y, const float* gamma, const float* mean, const float* inv,
              const float* dout, const uint64_t* mask, float* dx, float* dgamma, float* dbeta) {
  using Kernel = simt::BatchNormBackward<T>;
  const float inverse_values = static_cast<float>(1.0 / static_cast<double>(share.values));
  launcher->run<Kernel>(
      blocks_of(share), 1, Kernel::kThreads, Kernel::kSharedBytes,
      typename Kernel::Args{share, static_cast<const T*>(y), gamma, mean, inv, dout, mask, inverse_values, dx, dgamma, dbeta});
}

}  // namespace

extern "C" metaplast_status_t metaplast_batch_norm_backward_cuda(metaplast_cuda_context_t* context, int32_t type, int64_t batch,
                                                                 int64_t channels, int64_t spatial, const void* y, const float* gamma,
                                                                 const float* mean, const float* inv, const float* dout,
                                                                 const uint64_t* mask, float* dx, float* dgamma, float* dbeta,
                                                                 void* stream) {
  const simt::BatchShape s{batch, channels, spatial};
  if (!valid_shape(type, s, nullptr, nullptr)) return METAPLAST_E_ARGUMENT;
  Launcher launcher(context, "batch_norm_backward", stream);
  if (launcher.status() != METAPLAST_OK || empty(s)) return launcher.status();
  if (y == nullptr || mean == nullptr || inv == nullptr || dout == nullptr || dx == nullptr) return METAPLAST_E_ARGUMENT;
  if (type == METAPLAST_I32) {
    backward<int32_t>(&launcher, share_of(s), y, gamma, mean, inv, dout, mask, dx, dgamma, dbeta);
  } else {
    backward<float>(&launcher, share_of(s), y, gamma, mean, inv, dout, mask, dx, dgamma, dbeta);
  }
  return launcher.status();
}
