// The CUDA library: probe, contexts, device memory, streams, and the CUDA twins of the kernels. It links the CUDA runtime statically
// and therefore loads on every machine; metaplast_cuda_probe says whether there is a GPU, and if not why.
//
// Every function that can fail returns a status. A sticky error (one that voids the CUDA context of the process) makes this and every
// later call on the context return METAPLAST_E_CUDA_LOST at once. Work is asynchronous: an error of a kernel may surface at a later
// call; metaplast_cuda_last_error_kernel then names the kernel that was launched last on the context.
//
// Kernel twins: contracts, shapes and order of operations are those of bayes.h and binary.h, with the same bits, and of kfac.h with variants that keep
// its bounds. Addresses are device memory,
// host tables (counts, tensor numbers, addresses, rule rows) are host memory and are read before the call returns. No twin
// allocates or waits, so calls may be captured into a CUDA graph. `stream` is a CUstream; null is the legacy default stream.
#ifndef METAPLAST_CUDA_H_
#define METAPLAST_CUDA_H_

#include "metaplast/bayes.h"
#include "metaplast/binary.h"
#include "metaplast/kfac.h"

#ifdef __cplusplus
extern "C" {
#endif

// ---- versions and probe ----------------------------------------------------------------------------------------------------------

METAPLAST_API int32_t metaplast_cuda_abi_version(void);
METAPLAST_API int32_t metaplast_cuda_numerics_version(void);
// Compiler, CUDA runtime and architectures that the library was built with; static storage.
METAPLAST_API const char* metaplast_cuda_build_info(void);

typedef struct metaplast_cuda_probe_result {
  int32_t devices;          // usable devices
  int32_t cuda_code;        // cudaError_t of cudaGetDeviceCount
  int32_t driver_version;   // CUDA version that the driver supports, 1000*major + 10*minor; 0 without a driver
  int32_t runtime_version;  // CUDA version that is linked in
} metaplast_cuda_probe_result_t;

// METAPLAST_OK with at least one device, else METAPLAST_E_CUDA_NO_DRIVER, _OLD_DRIVER, _NO_DEVICE or _OTHER. Never throws, never
// ends the process, and creates no CUDA context.
METAPLAST_API metaplast_status_t metaplast_cuda_probe(metaplast_cuda_probe_result_t* result);
// How a cudaError_t of the probe is read; driver_version as in the result.
METAPLAST_API metaplast_status_t metaplast_cuda_probe_status(int32_t cuda_code, int32_t driver_version);
// How a cudaError_t of any other call is read: METAPLAST_OK, _OUT_OF_MEMORY, _LOST or _OTHER of the CUDA codes.
METAPLAST_API metaplast_status_t metaplast_cuda_call_status(int32_t cuda_code);
// A status of this library in plain words; static storage.
METAPLAST_API const char* metaplast_cuda_status_text(metaplast_status_t status);
// Name and text of a cudaError_t; static storage.
METAPLAST_API const char* metaplast_cuda_error_name(int32_t cuda_code);
METAPLAST_API const char* metaplast_cuda_error_text(int32_t cuda_code);

typedef struct metaplast_cuda_device_info {
  int64_t total_bytes;
  int64_t l2_bytes;
  int32_t major, minor;  // compute capability
  int32_t multiprocessors;
  int32_t reserved;
  char name[256];
} metaplast_cuda_device_info_t;

METAPLAST_API metaplast_status_t metaplast_cuda_describe_device(int32_t device, metaplast_cuda_device_info_t* info);

// ---- contexts, memory, streams ---------------------------------------------------------------------------------------------------

typedef struct metaplast_cuda_context metaplast_cuda_context_t;

// SYNCHRONOUS waits after every kernel, so that an error is attributed to the kernel that caused it, for debugging. SIMT leaves all
// variants but the portable ones off.
enum { METAPLAST_CUDA_SYNCHRONOUS = 1, METAPLAST_CUDA_SIMT = 2 };

// flags: a sum of the above, or 0. The caller's current device is left as it was, here and in every other call.
METAPLAST_API metaplast_status_t metaplast_cuda_context_create(int32_t device, int32_t flags, metaplast_cuda_context_t** context);

// Variants of metaplast_xnor_gemm_*_cuda, all with the same bits: on the CUDA cores, on tensor cores by mma.sync, by wgmma and TMA
// (compute capability 9.0). Without METAPLAST_CUDA_SIMT a context takes the best one that gives the bits of the first on 64 shapes when it
// is created; a device whose variants fail keeps the first.
enum { METAPLAST_CUDA_XNOR_SIMT = 0, METAPLAST_CUDA_XNOR_MMA = 1, METAPLAST_CUDA_XNOR_WGMMA = 2 };
METAPLAST_API int32_t metaplast_cuda_xnor_variant(const metaplast_cuda_context_t* context);
// The best variant that failed, METAPLAST_CUDA_XNOR_SIMT where none did.
METAPLAST_API int32_t metaplast_cuda_xnor_failed_variant(const metaplast_cuda_context_t* context);
// Variants of the products of kfac.h (real_gemm, kronecker_products, kronecker_penalty, factor statistics): on the CUDA cores in the order of the contract, or
// on tensor cores (compute capability 8.0 and newer) as three products of TF32, where the sum has 64 terms or more and the result 32 rows and columns: class C to the
// first, the same error bounds. Without METAPLAST_CUDA_SIMT a context takes the second when it stays inside them in a test.
enum { METAPLAST_CUDA_PRODUCT_SIMT = 0, METAPLAST_CUDA_PRODUCT_TF32X3 = 1 };
METAPLAST_API int32_t metaplast_cuda_product_variant(const metaplast_cuda_context_t* context);
// The variant that failed, METAPLAST_CUDA_PRODUCT_SIMT where none did.
METAPLAST_API int32_t metaplast_cuda_product_failed_variant(const metaplast_cuda_context_t* context);
// Variants of the damped inverse, with the same bits: a launch for every stage, or one launch for up to 256 matrices of any sizes (128 of them with more than 96 rows, 64
// in double), whose blocks take their work from a queue. Without METAPLAST_CUDA_SIMT a context takes the second when it gives the bits of the first.
enum { METAPLAST_CUDA_INVERSE_LAUNCHES = 0, METAPLAST_CUDA_INVERSE_QUEUE = 1 };
METAPLAST_API int32_t metaplast_cuda_inverse_variant(const metaplast_cuda_context_t* context);
// The variant that failed, METAPLAST_CUDA_INVERSE_LAUNCHES where none did.
METAPLAST_API int32_t metaplast_cuda_inverse_failed_variant(const metaplast_cuda_context_t* context);
METAPLAST_API void metaplast_cuda_context_destroy(metaplast_cuda_context_t* context);
// cudaError_t of the last failed call on the context (0: none), and the kernel launched last when it surfaced ("" if none).
METAPLAST_API int32_t metaplast_cuda_last_error_code(const metaplast_cuda_context_t* context);
METAPLAST_API const char* metaplast_cuda_last_error_kernel(const metaplast_cuda_context_t* context);

// Zeroed device memory, aligned to at least 256 bytes. The memory is ready for every stream when the call returns.
METAPLAST_API metaplast_status_t metaplast_cuda_alloc(metaplast_cuda_context_t* context, int64_t bytes, void** memory);
// Waits for work that uses the memory. bytes must be what was asked for.
METAPLAST_API metaplast_status_t metaplast_cuda_free(metaplast_cuda_context_t* context, void* memory, int64_t bytes);
METAPLAST_API int64_t metaplast_cuda_allocated_bytes(const metaplast_cuda_context_t* context);
METAPLAST_API metaplast_status_t metaplast_cuda_memory_info(metaplast_cuda_context_t* context, int64_t* free_bytes, int64_t* total_bytes);
// Host to device, device to host, device to device; the addresses tell which. Asynchronous where CUDA can.
METAPLAST_API metaplast_status_t metaplast_cuda_copy(metaplast_cuda_context_t* context, void* destination, const void* source,
                                                     int64_t bytes, void* stream);
METAPLAST_API metaplast_status_t metaplast_cuda_fill_u32(metaplast_cuda_context_t* context, uint32_t* destination, int64_t words,
                                                         uint32_t value, void* stream);
METAPLAST_API metaplast_status_t metaplast_cuda_stream_create(metaplast_cuda_context_t* context, void** stream);
METAPLAST_API metaplast_status_t metaplast_cuda_stream_destroy(metaplast_cuda_context_t* context, void* stream);
METAPLAST_API metaplast_status_t metaplast_cuda_stream_synchronize(metaplast_cuda_context_t* context, void* stream);
// Waits for all work of the device.
METAPLAST_API metaplast_status_t metaplast_cuda_synchronize(metaplast_cuda_context_t* context);

// ---- kernels (bayes.h) -----------------------------------------------------------------------------------------------------------

METAPLAST_API metaplast_status_t metaplast_philox_u32_cuda(metaplast_cuda_context_t* context, uint64_t seed, uint32_t stream_number,
                                                           uint32_t step, uint64_t first, int64_t n, uint32_t* out, void* stream);
METAPLAST_API metaplast_status_t metaplast_uniform_f32_cuda(metaplast_cuda_context_t* context, uint64_t seed, uint32_t stream_number,
                                                            uint32_t step, uint64_t first, int64_t n, float* out, void* stream);
METAPLAST_API metaplast_status_t metaplast_gaussian_f32_cuda(metaplast_cuda_context_t* context, uint64_t seed, uint32_t stream_number,
                                                             uint32_t step, uint64_t first, int64_t n, float* out, void* stream);
METAPLAST_API metaplast_status_t metaplast_elementary_f32_cuda(metaplast_cuda_context_t* context, int32_t function, int64_t n,
                                                               const float* x, float* y, float* y2, void* stream);
METAPLAST_API metaplast_status_t metaplast_weight_sample_f32_cuda(metaplast_cuda_context_t* context, int32_t tensors, const int64_t* count,
                                                                  const uint32_t* tensor, const float* const* mu, const float* const* sigma,
                                                                  uint64_t seed, uint32_t step, int32_t first_sample, int32_t samples,
                                                                  float* const* w, void* stream);
METAPLAST_API metaplast_status_t metaplast_grad_accumulate_f32_cuda(metaplast_cuda_context_t* context, int32_t tensors,
                                                                    const int64_t* count, const uint32_t* tensor, int32_t samples,
                                                                    const void* const* dw, int32_t dw_type, const float* const* eps,
                                                                    uint64_t seed, uint32_t step, float scale, float* const* g_mu,
                                                                    float* const* g_sigma, void* stream);
// report is device memory.
METAPLAST_API metaplast_status_t metaplast_gaussian_update_f32_cuda(metaplast_cuda_context_t* context, int32_t rule, int32_t tensors,
                                                                    const int64_t* count, float* const* mu, float* const* sigma,
                                                                    float* const* lo, const void* const* g_mu, const void* const* g_sigma,
                                                                    int32_t grad_type, const metaplast_rule_row_t* rows, int32_t row_stride,
                                                                    int32_t gated, int64_t* report, void* stream);
METAPLAST_API metaplast_status_t metaplast_gaussian_update_from_samples_f32_cuda(
    metaplast_cuda_context_t* context, int32_t rule, int32_t tensors, const int64_t* count, const uint32_t* tensor, float* const* mu,
    float* const* sigma, float* const* lo, int32_t samples, const void* const* dw, int32_t dw_type, const float* const* eps, uint64_t seed,
    uint32_t step, float scale, const metaplast_rule_row_t* rows, int32_t row_stride, uint32_t next_step, int32_t next_samples,
    float* const* w_next, int64_t* report, void* stream);
METAPLAST_API metaplast_status_t metaplast_linear_forward_batch1_f32_cuda(metaplast_cuda_context_t* context, int32_t out, int32_t in,
                                                                          uint32_t tensor, const float* mu, const float* sigma,
                                                                          const float* x, int64_t x_stride, int32_t samples, uint64_t seed,
                                                                          uint32_t step, int32_t relu, float* eps, float* y, void* stream);
METAPLAST_API metaplast_status_t metaplast_linear_step_batch1_f32_cuda(metaplast_cuda_context_t* context, int32_t rule, int32_t out,
                                                                       int32_t in, uint32_t tensor, float* mu, float* sigma, float* lo,
                                                                       const float* x, int64_t x_stride, const float* delta,
                                                                       const float* active, int32_t samples, const float* eps,
                                                                       uint64_t seed, uint32_t step, const metaplast_rule_row_t* row,
                                                                       float* dx, int64_t* report, void* stream);
// Labels are device memory and are not checked: a label outside [0,C) gives that item the loss NaN.
METAPLAST_API metaplast_status_t metaplast_nll_mean_log_softmax_f32_cuda(metaplast_cuda_context_t* context, int32_t samples, int32_t batch,
                                                                         int32_t classes, const float* logits, const int32_t* labels,
                                                                         float inverse_samples, float grad_scale, float* item_loss,
                                                                         float* loss, float* dlogits, void* stream);
METAPLAST_API metaplast_status_t metaplast_uncertainty_f32_cuda(metaplast_cuda_context_t* context, int32_t samples, int32_t batch,
                                                                int32_t classes, const float* input, int32_t from_logits, int32_t bits,
                                                                int32_t clamp, float inverse_samples, float* predictive, float* aleatoric,
                                                                float* epistemic, void* stream);
METAPLAST_API metaplast_status_t metaplast_diag_hessian_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* sigma,
                                                                 float prior_precision, float inverse_window, float* h, void* stream);
// workspace: at least metaplast_reduce_sum_workspace_cuda(n) bytes of device memory, aligned to 4 bytes.
METAPLAST_API int64_t metaplast_reduce_sum_workspace_cuda(int64_t n);
METAPLAST_API metaplast_status_t metaplast_reduce_sum_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* x, float* out,
                                                               void* workspace, int64_t workspace_bytes, void* stream);
// counts, fractions: device memory.
METAPLAST_API metaplast_status_t metaplast_roc_pairs_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* in_dist, int64_t m,
                                                              const float* ood, int64_t* counts, void* stream);
METAPLAST_API metaplast_status_t metaplast_roc_thresholds_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* in_dist,
                                                                   int64_t m, const float* ood, int32_t thresholds, const float* fractions,
                                                                   int64_t* counts, void* stream);
METAPLAST_API metaplast_status_t metaplast_sgd_step_f32_cuda(metaplast_cuda_context_t* context, int64_t n, float* theta, const float* g,
                                                             float lr, void* stream);
METAPLAST_API metaplast_status_t metaplast_fisher_accumulate_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* g,
                                                                      float* fisher, void* stream);
METAPLAST_API metaplast_status_t metaplast_fisher_merge_f32_cuda(metaplast_cuda_context_t* context, int64_t n, float inverse_items,
                                                                 float decay, float* fisher, float* total, void* stream);
METAPLAST_API metaplast_status_t metaplast_ewc_penalty_grad_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* theta,
                                                                     const float* anchor, const float* fisher, float lambda, float* g,
                                                                     void* stream);
METAPLAST_API metaplast_status_t metaplast_si_path_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* g,
                                                            const float* theta_new, const float* theta_old, float* path, void* stream);
METAPLAST_API metaplast_status_t metaplast_si_consolidate_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* theta,
                                                                   float xi, float* path, float* anchor, float* omega, void* stream);
METAPLAST_API metaplast_status_t metaplast_si_penalty_grad_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* theta,
                                                                    const float* anchor, const float* omega, float two_c, float* g,
                                                                    void* stream);

// ---- kernels (binary.h) ----------------------------------------------------------------------------------------------------------

METAPLAST_API metaplast_status_t metaplast_sign_pack_f32_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols, const float* x,
                                                              int64_t ldx, uint64_t* bits, uint64_t* mask, void* stream);
METAPLAST_API metaplast_status_t metaplast_sign_pack_transposed_f32_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols,
                                                                         const float* x, int64_t ldx, uint64_t* bits, void* stream);
METAPLAST_API metaplast_status_t metaplast_sign_unpack_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols,
                                                            const uint64_t* bits, int32_t type, void* x, int64_t ldx, void* stream);
METAPLAST_API metaplast_status_t metaplast_bits_transpose_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols,
                                                               const uint64_t* bits, uint64_t* out, void* stream);
METAPLAST_API metaplast_status_t metaplast_ste_backward_f32_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols,
                                                                 const uint64_t* mask, const float* dout, int64_t ldout, float* da,
                                                                 int64_t lda, void* stream);
METAPLAST_API metaplast_status_t metaplast_xnor_gemm_i32_cuda(metaplast_cuda_context_t* context, int64_t m, int64_t n, int64_t k,
                                                              const uint64_t* a, const uint64_t* b, int32_t* y, int64_t ldy, void* stream);
METAPLAST_API metaplast_status_t metaplast_xnor_gemm_f32_cuda(metaplast_cuda_context_t* context, int64_t m, int64_t n, int64_t k,
                                                              const uint64_t* a, const uint64_t* b, const float* scale, const float* bias,
                                                              float* y, int64_t ldy, void* stream);
METAPLAST_API metaplast_status_t metaplast_xnor_gemm_bits_cuda(metaplast_cuda_context_t* context, int64_t m, int64_t n, int64_t k,
                                                               const uint64_t* a, const uint64_t* b, const int32_t* limit,
                                                               const int32_t* invert, uint64_t* y, void* stream);
METAPLAST_API metaplast_status_t metaplast_sign_pack_xnor_gemm_bits_cuda(metaplast_cuda_context_t* context, int64_t m, int64_t n, int64_t k,
                                                                         const float* x, int64_t ldx, uint64_t* a, const uint64_t* b,
                                                                         const int32_t* limit, const int32_t* invert, uint64_t* y,
                                                                         void* stream);
METAPLAST_API metaplast_status_t metaplast_xnor_syrk_i32_cuda(metaplast_cuda_context_t* context, int64_t batch, int64_t in,
                                                              const uint64_t* x, int32_t accumulate, int32_t* s, int64_t lds,
                                                              void* workspace, int64_t workspace_bytes, void* stream);
METAPLAST_API metaplast_status_t metaplast_factor_moving_average_f32_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols,
                                                                          const int32_t* s, int64_t lds, float inverse_batch, float decay,
                                                                          float fresh, float* a, int64_t lda, void* stream);
METAPLAST_API metaplast_status_t metaplast_sign_gemm_nt_f32_cuda(metaplast_cuda_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                                 const float* x, int64_t ldx, const uint64_t* w, float* y, int64_t ldy,
                                                                 void* stream);
METAPLAST_API metaplast_status_t metaplast_sign_gemm_nn_f32_cuda(metaplast_cuda_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                                 const float* dy, int64_t lddy, const uint64_t* w, float* dx, int64_t lddx,
                                                                 void* stream);
METAPLAST_API metaplast_status_t metaplast_sign_gemm_tn_f32_cuda(metaplast_cuda_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                                 const float* dy, int64_t lddy, const uint64_t* x, float* dw, int64_t lddw,
                                                                 void* stream);
METAPLAST_API metaplast_status_t metaplast_gemm_tn_f32_cuda(metaplast_cuda_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                            const float* dy, int64_t lddy, const float* x, int64_t ldx, float* dw,
                                                            int64_t lddw, void* stream);
METAPLAST_API metaplast_status_t metaplast_batch_norm_forward_cuda(metaplast_cuda_context_t* context, int32_t type, int64_t batch,
                                                                   int64_t channels, int64_t spatial, const void* y, const float* gamma,
                                                                   const float* beta, double eps, float* mean, float* inv, float momentum,
                                                                   float* running_mean, float* running_var, float* out, uint64_t* sign,
                                                                   uint64_t* mask, void* stream);
METAPLAST_API metaplast_status_t metaplast_batch_norm_inference_cuda(metaplast_cuda_context_t* context, int32_t type, int64_t batch,
                                                                     int64_t channels, int64_t spatial, const void* y, const float* gamma,
                                                                     const float* beta, double eps, const float* mean, const float* var,
                                                                     float* out, uint64_t* sign, void* stream);
METAPLAST_API metaplast_status_t metaplast_batch_norm_backward_cuda(metaplast_cuda_context_t* context, int32_t type, int64_t batch,
                                                                    int64_t channels, int64_t spatial, const void* y, const float* gamma,
                                                                    const float* mean, const float* inv, const float* dout,
                                                                    const uint64_t* mask, float* dx, float* dgamma, float* dbeta,
                                                                    void* stream);
METAPLAST_API metaplast_status_t metaplast_meta_adam_step_f32_cuda(metaplast_cuda_context_t* context, int32_t tensors, const int64_t* rows,
                                                                   const int64_t* cols, float* const* w, const float* const* g,
                                                                   float* const* m, float* const* v, uint64_t* const* bits,
                                                                   const metaplast_adam_row_t* params, int32_t row_stride, void* stream);
METAPLAST_API metaplast_status_t metaplast_meta_adam_step_from_product_f32_cuda(metaplast_cuda_context_t* context, int64_t batch,
                                                                                int64_t out, int64_t in, const float* dy, int64_t lddy,
                                                                                const float* x, int64_t ldx, const uint64_t* xbits,
                                                                                float* w, float* m, float* v, uint64_t* bits,
                                                                                const metaplast_adam_row_t* params, void* stream);
METAPLAST_API metaplast_status_t metaplast_binary_ewc_consolidate_f32_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols,
                                                                           const uint64_t* bits, const float* fisher, float* total,
                                                                           float* target, void* stream);
METAPLAST_API metaplast_status_t metaplast_binary_ewc_grad_f32_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols,
                                                                    const uint64_t* bits, const float* total, const float* target,
                                                                    float lambda, float* g, void* stream);
METAPLAST_API metaplast_status_t metaplast_relaxed_sign_sample_f32_cuda(metaplast_cuda_context_t* context, uint64_t seed,
                                                                        uint32_t stream_number, uint32_t step, int64_t n, const float* l,
                                                                        float inverse_temperature, float* w, void* stream);
METAPLAST_API metaplast_status_t metaplast_bimu_step_f32_cuda(metaplast_cuda_context_t* context, int64_t n, float* l, const float* g,
                                                              float rate, float inverse_rate_max, float like, float kl,
                                                              float inverse_window, int32_t gated, int64_t* report, void* stream);
METAPLAST_API metaplast_status_t metaplast_bayes_binn_step_f32_cuda(metaplast_cuda_context_t* context, int64_t n, int32_t samples, float* l,
                                                                    float* mom, const float* w, const float* g, float inverse_temperature,
                                                                    float likelihood, float prior, float prior_weight, float momentum,
                                                                    float fresh, float rate, void* stream);
METAPLAST_API metaplast_status_t metaplast_binary_conv2d_i32_cuda(metaplast_cuda_context_t* context, const metaplast_conv2d_t* shape,
                                                                  const uint64_t* x, const uint64_t* w, int32_t* y, void* workspace,
                                                                  int64_t workspace_bytes, void* stream);
METAPLAST_API metaplast_status_t metaplast_binary_conv2d_grad_input_f32_cuda(metaplast_cuda_context_t* context,
                                                                             const metaplast_conv2d_t* shape, const float* dy,
                                                                             const uint64_t* w, float* dx, void* workspace,
                                                                             int64_t workspace_bytes, void* stream);
METAPLAST_API metaplast_status_t metaplast_binary_conv2d_grad_weight_f32_cuda(metaplast_cuda_context_t* context,
                                                                              const metaplast_conv2d_t* shape, const float* dy,
                                                                              const uint64_t* x, float* dw, void* workspace,
                                                                              int64_t workspace_bytes, void* stream);
METAPLAST_API int64_t metaplast_binary_conv2d_workspace_bytes_cuda(const metaplast_conv2d_t* shape);

// ---- kernels (kfac.h) ------------------------------------------------------------------------------------------------------------
//
// Class C against the CPU but for what kfac.h calls class A. Everything that a call says lies in device memory and is there when its stream has come
// so far: results, sums, traces, counts, indices (int64) and statuses (int32). Where kfac.h returns METAPLAST_E_NOT_FINITE, the twin returns METAPLAST_OK; *index
// is -1 where all is finite. Lists (items, matrices) are host memory; addresses in them are device memory. Sums over rows of a factor are added up in chunks of whole
// blocks, whose number depends on the shape only.

METAPLAST_API metaplast_status_t metaplast_spd_inverse_f32_cuda(metaplast_cuda_context_t* context, int64_t count,
                                                                const metaplast_spd_item_t* items, double residual_tolerance,
                                                                metaplast_spd_result_t* results, void* workspace, int64_t workspace_bytes,
                                                                void* stream);
METAPLAST_API metaplast_status_t metaplast_spd_inverse_f64acc_cuda(metaplast_cuda_context_t* context, int64_t count,
                                                                   const metaplast_spd_item_t* items, double residual_tolerance,
                                                                   metaplast_spd_result_t* results, void* workspace,
                                                                   int64_t workspace_bytes, void* stream);
METAPLAST_API int64_t metaplast_spd_inverse_workspace_bytes_cuda(int64_t count, const metaplast_spd_item_t* items);
METAPLAST_API int64_t metaplast_spd_inverse_workspace_bytes_f64acc_cuda(int64_t count, const metaplast_spd_item_t* items);
METAPLAST_API metaplast_status_t metaplast_real_gemm_f32_cuda(metaplast_cuda_context_t* context, int32_t transpose_a, int32_t transpose_b,
                                                              int64_t m, int64_t n, int64_t inner, float alpha, const float* a,
                                                              int64_t lda, const float* b, int64_t ldb, float beta, float* c, int64_t ldc,
                                                              void* workspace, int64_t workspace_bytes, void* stream);
METAPLAST_API int64_t metaplast_real_gemm_workspace_bytes_cuda(int64_t m, int64_t n, int64_t inner);
METAPLAST_API metaplast_status_t metaplast_kronecker_factor_update_cuda(metaplast_cuda_context_t* context, int32_t kind, int64_t rows,
                                                                        int64_t cols, const void* x, int32_t x_type, int64_t ldx,
                                                                        int32_t bias, float alpha, float beta, float* f, int64_t ldf,
                                                                        int64_t* index, void* workspace, int64_t workspace_bytes,
                                                                        void* stream);
METAPLAST_API int64_t metaplast_kronecker_factor_workspace_bytes_cuda(int64_t rows, int64_t cols, int32_t bias);
METAPLAST_API metaplast_status_t metaplast_im2col_factor_update_f32_cuda(metaplast_cuda_context_t* context,
                                                                         const struct metaplast_conv2d* shape, int32_t sharing,
                                                                         const float* x, int32_t bias, float alpha, float beta, float* f,
                                                                         int64_t ldf, int64_t* index, void* workspace,
                                                                         int64_t workspace_bytes, void* stream);
METAPLAST_API int64_t metaplast_im2col_factor_workspace_bytes_cuda(const struct metaplast_conv2d* shape, int32_t sharing, int32_t bias);
METAPLAST_API metaplast_status_t metaplast_damped_cholesky_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* m,
                                                                    int64_t ldm, double damping, float* l, int64_t ldl, int32_t* status,
                                                                    double* pivot, int64_t* index, void* workspace,
                                                                    int64_t workspace_bytes, void* stream);
METAPLAST_API metaplast_status_t metaplast_triangular_inverse_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* l,
                                                                       int64_t ldl, float* out, int64_t ldo, int32_t* status,
                                                                       void* stream);
METAPLAST_API metaplast_status_t metaplast_triangular_solve_f32_cuda(metaplast_cuda_context_t* context, int64_t n, int64_t columns,
                                                                     int32_t transposed, const float* l, int64_t ldl, float* b,
                                                                     int64_t ldb, int32_t* status, void* stream);
METAPLAST_API metaplast_status_t metaplast_kronecker_products_f32_cuda(metaplast_cuda_context_t* context, int64_t count,
                                                                       const metaplast_kronecker_item_t* items, void* workspace,
                                                                       int64_t workspace_bytes, void* stream);
METAPLAST_API int64_t metaplast_kronecker_products_workspace_bytes_cuda(int64_t count, const metaplast_kronecker_item_t* items);
METAPLAST_API metaplast_status_t metaplast_kronecker_penalty_f32_cuda(metaplast_cuda_context_t* context, int64_t count,
                                                                      const metaplast_kronecker_item_t* items, double* value,
                                                                      double* absolute, void* workspace, int64_t workspace_bytes,
                                                                      void* stream);
METAPLAST_API int64_t metaplast_kronecker_penalty_workspace_bytes_cuda(int64_t count, const metaplast_kronecker_item_t* items);
METAPLAST_API metaplast_status_t metaplast_matrix_traces_f32_cuda(metaplast_cuda_context_t* context, int64_t count,
                                                                  const metaplast_matrix_t* matrices, double* traces, void* stream);
METAPLAST_API metaplast_status_t metaplast_inner_products_f32_cuda(metaplast_cuda_context_t* context, int64_t count,
                                                                   const metaplast_matrix_t* x, const metaplast_matrix_t* y, double* sum,
                                                                   void* workspace, int64_t workspace_bytes, void* stream);
METAPLAST_API int64_t metaplast_inner_products_workspace_bytes_cuda(int64_t count, const metaplast_matrix_t* x);
METAPLAST_API metaplast_status_t metaplast_matrix_combine_f32_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols, float a,
                                                                   const float* x, int64_t ldx, float b, const float* y, int64_t ldy,
                                                                   float* out, int64_t ldo, void* stream);
METAPLAST_API metaplast_status_t metaplast_matrix_elements_f32_cuda(metaplast_cuda_context_t* context, int32_t operation, int64_t rows,
                                                                    int64_t cols, const float* row, const float* column, const float* s,
                                                                    int64_t lds, float shift, float* t, int64_t ldt,
                                                                    int64_t* not_positive, void* stream);
METAPLAST_API metaplast_status_t metaplast_merge_batch_norm_f32_cuda(metaplast_cuda_context_t* context, int64_t out, int64_t in,
                                                                     const float* w, int64_t ldw, const float* b, const float* gamma,
                                                                     const float* beta, const float* mu, const float* var, float eps,
                                                                     float* what, int64_t ldwhat, float* bhat, int64_t* bad,
                                                                     void* stream);
METAPLAST_API metaplast_status_t metaplast_merge_batch_norm_backward_f32_cuda(
    metaplast_cuda_context_t* context, int64_t out, int64_t in, const float* w, int64_t ldw, const float* b, const float* gamma,
    const float* mu, const float* var, float eps, const float* gw, int64_t ldgw, const float* gb, float* dw, int64_t lddw, float* db,
    float* dgamma, float* dbeta, float* dmu, float* dvar, int64_t* bad, void* stream);

#ifdef __cplusplus
}
#endif
#endif  // METAPLAST_CUDA_H_
