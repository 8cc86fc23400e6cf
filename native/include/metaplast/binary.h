// Binarized family: the C ABI and the one place where its contracts are written.
//
// Conventions. sign(x) = +1 iff x >= 0 by floating comparison (-0 gives +1, NaN gives -1); its bit is 1 for +1. A bit matrix
// [rows][cols] is row-major; a row has metaplast_bit_row_words(cols) = 8*ceil(cols/512) 64-bit words, column i is bit i%64 (least
// significant first) of word i/64; pad bits are 0 in every operand, and are written as 0. W is [out][in], x is [batch][in]. Other
// matrices are row-major with a leading dimension in elements, ld >= columns. K = length of a dot product.
//
// Class A throughout, also on CUDA unless said: integers exact; fp32 only + - * / and sqrt, each rounded to nearest even, in the
// order written; no FMA, no flush to zero. The bits are the same for every tier, thread count, chunking and alignment. R16, clip,
// exp32, tanh32, ln32, uniform: bayes.h. NaN sign and payload are free.
//
// Aliasing: outputs may not overlap inputs or each other except where "in place" is said. Alignment: element-natural is enough.
// Any dimension 0 is allowed: nothing is written, or sums are empty (K = 0 gives 0 and the epilogue still runs). All functions return
// METAPLAST_OK or METAPLAST_E_ARGUMENT; the Java API has validated everything by then. Nothing allocates.
//
// CUDA twins: the same name with suffix _cuda, the CUDA context first and `void* stream` (a CUstream) as the last argument; host
// tables (counts, addresses, rows of constants) stay host memory.
#ifndef METAPLAST_BINARY_H_
#define METAPLAST_BINARY_H_

#include "metaplast/bayes.h"

#ifdef __cplusplus
extern "C" {
#endif

// Element types of operands that may be integers; METAPLAST_F32 = 0, METAPLAST_BF16 = 1 as in bayes.h.
enum { METAPLAST_I32 = 2 };

// Words of a row of a bit matrix.
static inline int64_t metaplast_bit_row_words(int64_t cols) { return (cols + 511) / 512 * 8; }

// ---- packing (binary 1) ----------------------------------------------------------------------------------------------------------

// bits[r][c] = x[r][c] >= 0; mask (null: not wanted) [r][c] = not (|x| > 1), the straight-through mask of hardtanh: boundary and NaN
// pass. 4 bytes read, 1/8 (1/4) written an element.
METAPLAST_API metaplast_status_t metaplast_sign_pack_f32(const metaplast_context_t* context, int64_t rows, int64_t cols, const float* x,
                                                         int64_t ldx, uint64_t* bits, uint64_t* mask);
// bits is [cols][rows]: bits[c][r] = x[r][c] >= 0.
METAPLAST_API metaplast_status_t metaplast_sign_pack_transposed_f32(const metaplast_context_t* context, int64_t rows, int64_t cols,
                                                                    const float* x, int64_t ldx, uint64_t* bits);
// x[r][c] = bit ? +1 : -1. type METAPLAST_F32 or METAPLAST_BF16.
METAPLAST_API metaplast_status_t metaplast_sign_unpack(const metaplast_context_t* context, int64_t rows, int64_t cols, const uint64_t* bits,
                                                       int32_t type, void* x, int64_t ldx);
// out is [cols][rows].
METAPLAST_API metaplast_status_t metaplast_bits_transpose(const metaplast_context_t* context, int64_t rows, int64_t cols,
                                                          const uint64_t* bits, uint64_t* out);
// da = mask bit ? dout : +0. In place allowed (da = dout, equal ld).
METAPLAST_API metaplast_status_t metaplast_ste_backward_f32(const metaplast_context_t* context, int64_t rows, int64_t cols,
                                                            const uint64_t* mask, const float* dout, int64_t ldout, float* da, int64_t lda);

// ---- bits x bits (binary 2.1, 3.3, 2.4) ------------------------------------------------------------------------------------------

// d[i][j] = k - 2*popcount(a[i] xor b[j]), a [m][k], b [n][k]; k <= 2^31-1.
METAPLAST_API metaplast_status_t metaplast_xnor_gemm_i32(const metaplast_context_t* context, int64_t m, int64_t n, int64_t k,
                                                         const uint64_t* a, const uint64_t* b, int32_t* y, int64_t ldy);
// y = (float)d; scale [n], if not null: y = scale*y; then bias [n], if not null: y = y + bias. k <= 2^24.
METAPLAST_API metaplast_status_t metaplast_xnor_gemm_f32(const metaplast_context_t* context, int64_t m, int64_t n, int64_t k,
                                                         const uint64_t* a, const uint64_t* b, const float* scale, const float* bias,
                                                         float* y, int64_t ldy);
// y bits [m][n]: (p <= limit[j]) xor invert[j], p = popcount(a[i] xor b[j]), limit and invert (0 or 1) int32 [n].
METAPLAST_API metaplast_status_t metaplast_xnor_gemm_bits(const metaplast_context_t* context, int64_t m, int64_t n, int64_t k,
                                                          const uint64_t* a, const uint64_t* b, const int32_t* limit,
                                                          const int32_t* invert, uint64_t* y);
// metaplast_sign_pack_f32 of x [m][k] into a, without mask, and metaplast_xnor_gemm_bits of a and b in one call: rows are packed while the product
// of earlier rows runs. a and y must not overlap anything else. 4 bytes of x read an element, next to what the product moves.
METAPLAST_API metaplast_status_t metaplast_sign_pack_xnor_gemm_bits(const metaplast_context_t* context, int64_t m, int64_t n, int64_t k,
                                                                    const float* x, int64_t ldx, uint64_t* a, const uint64_t* b,
                                                                    const int32_t* limit, const int32_t* invert, uint64_t* y);
// s[i][j] (both triangles) = (accumulate ? s[i][j] : 0) + sum_b sign(x_b[i])*sign(x_b[j]), x bits [batch][in]. What is accumulated to
// must be symmetric, as calls leave it, and the total batch in it below 2^31. workspace: the transposed bits, metaplast_xnor_syrk_workspace_bytes(batch, in) bytes.
METAPLAST_API metaplast_status_t metaplast_xnor_syrk_i32(const metaplast_context_t* context, int64_t batch, int64_t in, const uint64_t* x,
                                                         int32_t accumulate, int32_t* s, int64_t lds, void* workspace,
                                                         int64_t workspace_bytes);
static inline int64_t metaplast_xnor_syrk_workspace_bytes(int64_t batch, int64_t in) { return in * metaplast_bit_row_words(batch) * 8; }
// Running Kronecker factor: t = (float)s; t = t*inverse_batch; t = fresh*t; a = decay*a; a = a + t. fresh = f32(1-decay).
METAPLAST_API metaplast_status_t metaplast_factor_moving_average_f32(const metaplast_context_t* context, int64_t rows, int64_t cols,
                                                                     const int32_t* s, int64_t lds, float inverse_batch, float decay,
                                                                     float fresh, float* a, int64_t lda);

// ---- real x +-1 (binary 2.2) -----------------------------------------------------------------------------------------------------
//
// No multiplication: terms are +-x, exact. The portable CUDA kernels keep the order too; tensor-core variants are class C with error
// at most n*2^-24*sum|x| an output.

// y[b][o] = sum over i of +-x[b][i], + where bit w[o][i] is set. Order: quads q = (+-x0 +- x1) + (+-x2 +- x3) of columns 4g..4g+3
// (absent columns are +0), quads ascending inside blocks of 512 columns from the first quad, then block sums ascending. in = 0: +0.
METAPLAST_API metaplast_status_t metaplast_sign_gemm_nt_f32(const metaplast_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                            const float* x, int64_t ldx, const uint64_t* w, float* y, int64_t ldy);
// dx[b][i] = sum over o of +-dy[b][o], + where bit w[o][i] is set. Order: quads q = ((+-d0 +- d1) +- d2) +- d3 of rows 4g..4g+3 (absent
// rows are left out), quads ascending from the first quad; up to five terms that is one by one, ascending. out = 0: +0.
METAPLAST_API metaplast_status_t metaplast_sign_gemm_nn_f32(const metaplast_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                            const float* dy, int64_t lddy, const uint64_t* w, float* dx, int64_t lddx);
// dw[o][i] = sum over b of +-dy[b][o], + where bit x[b][i] is set; quads of items, order as in the product before. batch = 0: +0.
METAPLAST_API metaplast_status_t metaplast_sign_gemm_tn_f32(const metaplast_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                            const float* dy, int64_t lddy, const uint64_t* x, float* dw, int64_t lddw);
// dw[o][i] = sum over b ascending, from the first product, of dy[b][o]*x[b][i] (product rounded, then added). batch = 0: +0.
METAPLAST_API metaplast_status_t metaplast_gemm_tn_f32(const metaplast_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                       const float* dy, int64_t lddy, const float* x, int64_t ldx, float* dw, int64_t lddw);

// ---- batch norm (binary 3) -------------------------------------------------------------------------------------------------------
//
// y is [batch][channels][spatial], contiguous, fp32 or int32 (type METAPLAST_F32 or METAPLAST_I32); B = batch*spatial values a
// channel, counted b = n*spatial + s. gamma, beta: [channels], or both null (1 and 0, then these operations are left out).
// Bit outputs are [batch][channels*spatial].
//
// Forward, batch statistics. int32: S1 = sum y, S2 = sum y^2 in int64; mean_d = S1/B; var_d = (B*S2 - S1*S1)/(B*B) in double, the
// numerator in int64 (B*S2 must stay below 2^63), B*B in int64; inv = f32(1/sqrt(var_d + eps)); mean = f32(mean_d); var = f32(var_d).
// fp32: iB = f32(1/B); mean = R16(y)*iB; var = R16((y-mean)^2)*iB; inv = 1/sqrt(var + f32(eps)) in fp32.
// xh = ((float)y - mean)*inv; out = gamma*xh; out = out + beta.
// mean, inv [channels] are written for the backward call. running_mean, running_var (both or none): r = keep*r + momentum*stat, keep =
// f32(1-momentum); stat of the variance is unbiased: var*f32(B/(B-1)) (int32: f32(var_d*(B/(B-1)))), B >= 2.
// out, sign, mask: null where not wanted. sign = out >= 0; mask = not (|out| > 1).
METAPLAST_API metaplast_status_t metaplast_batch_norm_forward(const metaplast_context_t* context, int32_t type, int64_t batch,
                                                              int64_t channels, int64_t spatial, const void* y, const float* gamma,
                                                              const float* beta, double eps, float* mean, float* inv, float momentum,
                                                              float* running_mean, float* running_var, float* out, uint64_t* sign,
                                                              uint64_t* mask);
// With given statistics: inv = f32(1/sqrt((double)var + eps)), then as above. out, sign: null where not wanted.
METAPLAST_API metaplast_status_t metaplast_batch_norm_inference(const metaplast_context_t* context, int32_t type, int64_t batch,
                                                                int64_t channels, int64_t spatial, const void* y, const float* gamma,
                                                                const float* beta, double eps, const float* mean, const float* var,
                                                                float* out, uint64_t* sign);
// Backward. d = dout, or (mask not null) mask bit ? dout : +0. xh as above; s1 = R16_b(d); s2 = R16_b(d*xh); t1 = s1*iB; t2 = s2*iB;
// a = gamma*inv (inv without gamma); dx = a*((d - t1) - xh*t2). dgamma = s2, dbeta = s1 (null where not wanted).
// dx = dout (in place) is allowed.
METAPLAST_API metaplast_status_t metaplast_batch_norm_backward(const metaplast_context_t* context, int32_t type, int64_t batch,
                                                               int64_t channels, int64_t spatial, const void* y, const float* gamma,
                                                               const float* mean, const float* inv, const float* dout,
                                                               const uint64_t* mask, float* dx, float* dgamma, float* dbeta);

// ---- updates (binary 4, 5.2, 6) --------------------------------------------------------------------------------------------------

// Host constants of one step, formed in double and rounded once. 32 bytes.
typedef struct metaplast_adam_row {
  float alpha;          // f32(lr*sqrt(1-beta2^t)/(1-beta1^t))
  float beta1;
  float fresh1;         // f32(1-beta1)
  float beta2;
  float fresh2;         // f32(1-beta2)
  float epsilon;        // added to the uncorrected sqrt(v)
  float weight_decay;   // coupled; 0 = left out
  float meta;           // 0 = plain Adam (f is exactly 1)
} metaplast_adam_row_t;

// Metaplastic Adam, in place on w, m, v, for T tensors [rows][cols], contiguous:
//   if weight_decay != 0: t = weight_decay*w; g = g + t
//   a = beta1*m; b = fresh1*g; m = a + b;   a = g*g; a = fresh2*a; b = beta2*v; v = b + a;   d = sqrt(v) + epsilon
//   shrink = (w > 0 and m > 0) or (w < 0 and m < 0)
//   x = meta*|w|; e = exp32(-2*x); a = 1 + e; f = (4*e)/(a*a);  u = shrink ? m*f : m
//   q = u/d; q = alpha*q; w = w - q;   bit = w >= 0
// bits: null, or per tensor a bit matrix [rows][cols] or null. params: one row (row_stride 0) or one a tensor (row_stride 1).
// 28.125 bytes a weight.
METAPLAST_API metaplast_status_t metaplast_meta_adam_step_f32(const metaplast_context_t* context, int32_t tensors, const int64_t* rows,
                                                              const int64_t* cols, float* const* w, const float* const* g,
                                                              float* const* m, float* const* v, uint64_t* const* bits,
                                                              const metaplast_adam_row_t* params, int32_t row_stride);
// The gradient product and the step in one, dW never stored: g = sign_gemm_tn(dy, xbits) if x is null, else gemm_tn(dy, x); then the
// step above on w, m, v [out][in], with the same bits. 24.125 bytes a weight.
METAPLAST_API metaplast_status_t metaplast_meta_adam_step_from_product_f32(const metaplast_context_t* context, int64_t batch, int64_t out,
                                                                           int64_t in, const float* dy, int64_t lddy, const float* x,
                                                                           int64_t ldx, const uint64_t* xbits, float* w, float* m, float* v,
                                                                           uint64_t* bits, const metaplast_adam_row_t* params);
// EWC on binary weights, [rows][cols] contiguous. At the end of a task: total = total + fisher; target = target + (bit ? fisher : -fisher).
METAPLAST_API metaplast_status_t metaplast_binary_ewc_consolidate_f32(const metaplast_context_t* context, int64_t rows, int64_t cols,
                                                                      const uint64_t* bits, const float* fisher, float* total,
                                                                      float* target);
// t = (bit ? total : -total) - target; t = lambda*t; g = g + t: the gradient of lambda/2 sum_t F_t (b - b_t)^2.
METAPLAST_API metaplast_status_t metaplast_binary_ewc_grad_f32(const metaplast_context_t* context, int64_t rows, int64_t cols,
                                                               const uint64_t* bits, const float* total, const float* target, float lambda,
                                                               float* g);

// Relaxed Bernoulli sample: u = uniform(seed, stream, step, i); t = ln32(u) - ln32(1-u); t = 0.5*t; t = l + t; t = t*inverse_temperature;
// w = tanh32(t).
METAPLAST_API metaplast_status_t metaplast_relaxed_sign_sample_f32(const metaplast_context_t* context, uint64_t seed, uint32_t stream,
                                                                   uint32_t step, int64_t n, const float* l, float inverse_temperature,
                                                                   float* w);
// BiMU (6.1): th = tanh32(l); e = exp32(-2*|l|); a = 1 + e; f = (4*e)/(a*a); ic = kl*f; p = like*g
//   s = p*th; s = 2*s; s = ic + s;  r = 2*|p|; r = r + inverse_rate_max;  den = s + r
//   q = l*ic; q = q*inverse_window; r = rate*p; r = r + q; r = r/den; l = l - r
// gated: nothing is written unless some |g| > 0 (NaN does not open the gate). report: as bayes.h; [0] counts den not > 0 (an open gate's
// step still runs), required when gated.
METAPLAST_API metaplast_status_t metaplast_bimu_step_f32(const metaplast_context_t* context, int64_t n, float* l, const float* g,
                                                         float rate, float inverse_rate_max, float like, float kl, float inverse_window,
                                                         int32_t gated, int64_t* report);
// BayesBiNN (6.2), K samples w, g [K][n]: th = tanh32(l); a = 1 - th*th; a = a + 1e-10f; per k ascending, from the first term:
//   c = 1 - w*w; c = c + 1e-10f; c = c*inverse_temperature; c = c/a; c = c*g; s += c
//   s = likelihood*s (likelihood = f32(Ntrain/K)); t = l - prior; t = prior_weight*t; s = s + t
//   t = momentum*mom; r = fresh*s; mom = t + r;  t = rate*mom; l = l - t      (rate = f32(lr/(1-b^t)), fresh = f32(1-momentum))
METAPLAST_API metaplast_status_t metaplast_bayes_binn_step_f32(const metaplast_context_t* context, int64_t n, int32_t samples, float* l,
                                                               float* mom, const float* w, const float* g, float inverse_temperature,
                                                               float likelihood, float prior, float prior_weight, float momentum,
                                                               float fresh, float rate);

// ---- convolution (binary 2.5) ----------------------------------------------------------------------------------------------------

// Ho = (height + 2*pad_h - dilation_h*(kernel_h-1) - 1)/stride_h + 1 (0 if negative), Wo alike. 56 bytes.
typedef struct metaplast_conv2d {
  int32_t batch, channels, height, width;
  int32_t out_channels, kernel_h, kernel_w;
  int32_t stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
  int32_t groups;  // divides channels and out_channels; Cg = channels/groups
} metaplast_conv2d_t;

// x bits [batch][channels*height*width], w bits [out_channels][Cg*kernel_h*kernel_w] (order c, r, s), y int32 [batch][out_channels][Ho][Wo]:
// sum over c, r, s inside the image of sign(x)*sign(w). Padding contributes 0. workspace: metaplast_binary_conv2d_workspace_bytes.
METAPLAST_API metaplast_status_t metaplast_binary_conv2d_i32(const metaplast_context_t* context, const metaplast_conv2d_t* shape,
                                                             const uint64_t* x, const uint64_t* w, int32_t* y, void* workspace,
                                                             int64_t workspace_bytes);
// dx[n][c][h][w]: over (r, s) ascending, from +0, of t(r,s) = sum over the group's o ascending, from the first term, of
// +-dy[n][o][ho][wo], where (ho, wo) is the output position that (r, s) links to (h, w); (r, s) without such a position are left out.
METAPLAST_API metaplast_status_t metaplast_binary_conv2d_grad_input_f32(const metaplast_context_t* context, const metaplast_conv2d_t* shape,
                                                                        const float* dy, const uint64_t* w, float* dx, void* workspace,
                                                                        int64_t workspace_bytes);
// dw[o][c][r][s]: over n, ho, wo ascending, from +0, of +-dy[n][o][ho][wo] where the position lies inside the image.
METAPLAST_API metaplast_status_t metaplast_binary_conv2d_grad_weight_f32(const metaplast_context_t* context, const metaplast_conv2d_t* shape,
                                                                         const float* dy, const uint64_t* x, float* dw, void* workspace,
                                                                         int64_t workspace_bytes);
// Enough for each of the three on this backend.
METAPLAST_API int64_t metaplast_binary_conv2d_workspace_bytes(const metaplast_conv2d_t* shape);

#ifdef __cplusplus
}
#endif
#endif  // METAPLAST_BINARY_H_
