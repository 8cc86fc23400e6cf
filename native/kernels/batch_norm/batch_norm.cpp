// Entry points: batch norm forward, with given statistics, and backward.
#include "kernels/batch_norm/batch_norm.h"

#include "metaplast/binary.h"
#include "runtime/entry.h"

namespace {

constexpr int64_t kGrain = 16384;  // values from which a range of channels pays for a thread of its own

bool valid_shape(int32_t type, int64_t batch, int64_t channels, int64_t spatial) {
  return (type == METAPLAST_F32 || type == METAPLAST_I32) && batch >= 0 && channels >= 0 && spatial >= 0;
}

// Fewest channels whose positions fill whole words of a bit row.
int64_t channels_of_words(int64_t spatial) {
  int64_t channels = 64;
  while (channels > 1 && spatial % 2 == 0) {
    channels /= 2;
    spatial /= 2;
  }
  return channels;
}

// body(c_begin, c_end) over groups of channels.
template <class Body>
void over_channels(const metaplast_context_t* context, int64_t batch, int64_t channels, int64_t spatial, const Body& body) {
  const int64_t group = channels_of_words(spatial);
  metaplast::parallel_items(context, (channels + group - 1) / group, batch * spatial * group, kGrain, [=, &body](int64_t begin, int64_t end) {
    body(begin * group, end * group < channels ? end * group : channels);
  });
}

}  // namespace

extern "C" metaplast_status_t metaplast_batch_norm_forward(const metaplast_context_t* context, int32_t type, int64_t batch,
                                                           int64_t channels, int64_t spatial, const void* y, const float* gamma,
                                                           const float* beta, double eps, float* mean, float* inv, float momentum,
                                                           float* running_mean, float* running_var, float* out, uint64_t* sign,
                                                           uint64_t* mask) {
  if (context == nullptr || !valid_shape(type, batch, channels, spatial) || (gamma == nullptr) != (beta == nullptr) ||
      (running_mean == nullptr) != (running_var == nullptr)) {
    return METAPLAST_E_ARGUMENT;
  }
  if (batch == 0 || channels == 0 || spatial == 0) return METAPLAST_OK;
  if (!metaplast::present(static_cast<const char*>(y), mean, inv) || (running_mean != nullptr && batch * spatial < 2)) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  const metaplast::BatchNormForward call = {type, batch, channels, spatial,  y,            gamma,       beta, eps,  nullptr,
                                            nullptr, mean, inv,     momentum, running_mean, running_var, out,  sign, mask};
  over_channels(context, batch, channels, spatial,
                [&](int64_t begin, int64_t end) { context->kernels.batch_norm_forward(&call, begin, end); });
  return METAPLAST_OK;
}

extern "C" metaplast_status_t metaplast_batch_norm_inference(const metaplast_context_t* context, int32_t type, int64_t batch,
                                                             int64_t channels, int64_t spatial, const void* y, const float* gamma,
                                                             const float* beta, double eps, const float* mean, const float* var,
                                                             float* out, uint64_t* sign) {
  if (context == nullptr || !valid_shape(type, batch, channels, spatial) || (gamma == nullptr) != (beta == nullptr)) {
    return METAPLAST_E_ARGUMENT;
  }
  if (batch == 0 || channels == 0 || spatial == 0) return METAPLAST_OK;
  if (!metaplast::present(static_cast<const char*>(y), mean, var)) return METAPLAST_E_ARGUMENT;
  const metaplast::FpEnvironment environment;
  const metaplast::BatchNormForward call = {type, batch, channels, spatial, y,       gamma,   beta, eps,  mean,
                                            var,  nullptr, nullptr, 0.0f,    nullptr, nullptr, out,  sign, nullptr};
  over_channels(context, batch, channels, spatial,
                [&](int64_t begin, int64_t end) { context->kernels.batch_norm_forward(&call, begin, end); });
  return METAPLAST_OK;
}

extern "C" metaplast_status_t metaplast_batch_norm_backward(const metaplast_context_t* context, int32_t type, int64_t batch,
                                                            int64_t channels, int64_t spatial, const void* y, const float* gamma,
                                                            const float* mean, const float* inv, const float* dout,
                                                            const uint64_t* mask, float* dx, float* dgamma, float* dbeta) {
  if (context == nullptr || !valid_shape(type, batch, channels, spatial)) return METAPLAST_E_ARGUMENT;
  if (batch == 0 || channels == 0 || spatial == 0) return METAPLAST_OK;
  if (!metaplast::present(static_cast<const char*>(y), mean, inv, dout, dx)) return METAPLAST_E_ARGUMENT;
  const metaplast::FpEnvironment environment;
  const metaplast::BatchNormBackward call = {type, batch, channels, spatial, y, gamma, mean, inv, dout, mask, dx, dgamma, dbeta};
  over_channels(context, batch, channels, spatial,
                [&](int64_t begin, int64_t end) { context->kernels.batch_norm_backward(&call, begin, end); });
  return METAPLAST_OK;
}
