// Bayesian family: the C ABI and the one place where its contracts are written.
//
// Conventions. mu = mean, sigma = standard deviation stored as itself, K = Monte-Carlo samples, T = tensors. All state is fp32,
// contiguous; W is [out][in], x is [K][in]. Every kernel here is class A: only + - * / and sqrt in fp32, each rounded to nearest
// even, in the order written below; no FMA, no flush to zero, no reassociation. The bits are the same for every tier, thread count,
// chunking, alignment, and on CUDA. NaN sign and payload are free.
//
// clip(x,c): x > c ? c : x < -c ? -c : x.   range(x,lo,hi): x < lo ? lo : x > hi ? hi : x.   Both pass NaN on.
// R16 (sum of many elements): chunks of 4096; in a chunk lane j = 0..15 adds elements j, j+16, ... in ascending order, starting from
// its first element (a lane without elements is +0); then for h = 8,4,2,1 lane[j] += lane[j+h], j < h; more than one chunk: R16 of the
// chunk sums; the empty sum is +0.
//
// Random addresses. key = seed (low word first); counter = (i/4 low, i/4 high, stream, step); element i owns word i%4.
// stream = tensor*256 + sample. The epsilon of element e of a tensor for sample k at a step is gaussian(seed, tensor*256+k, step, e).
//
// Tables. A multi-tensor call takes T and host arrays with one entry a tensor: element counts, tensor numbers, and per operand the
// address of the tensor's data. An operand with K samples holds them back to back, [K][count]. On CUDA the arrays are host memory too,
// the addresses in them device memory.
//
// Aliasing: outputs may not overlap inputs or each other except where "in place" is said. Alignment: element-natural is enough.
// All functions return METAPLAST_OK or METAPLAST_E_ARGUMENT; the Java API has validated everything by then.
//
// CUDA twins: the same name with suffix _cuda, the CUDA context first and `void* stream` (a CUstream) as the last argument.
#ifndef METAPLAST_BAYES_H_
#define METAPLAST_BAYES_H_

#include "metaplast/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

// Host constants of one update rule, formed in double by the caller and rounded once. 64 bytes.
typedef struct metaplast_rule_row {
  float prior_mean;      // mp
  float prior_pull;      // cP = f32(1/(N*spf*spf)), spf = f32(prior sigma); 0 = no forgetting
  float prior_variance;  // sp2 = f32(spf*spf)
  float rate_mean;       // MESU lrMu | RATIO cMu | BGD eta
  float rate_sigma;      // MESU f32(0.5*lrSigma) | RATIO cSigma
  float clamp;           // MESU clampGrad c, 0 = off
  float ratio_max;       // RATIO
  float second_order;    // RATIO, 0 = off
  float sigma_min;       // MESU guard FLOOR(sMin), RATIO sLo; 0 = off
  float sigma_max;       // RATIO sHi
  float mean_min;        // RATIO optional range on mu': active when mean_min < mean_max
  float mean_max;
  float reserved[4];
} metaplast_rule_row_t;

enum { METAPLAST_RULE_MESU = 0, METAPLAST_RULE_MESU_RATIO = 1, METAPLAST_RULE_BGD = 2 };
enum { METAPLAST_F32 = 0, METAPLAST_BF16 = 1 };
enum { METAPLAST_FN_LN = 0, METAPLAST_FN_SINCOS2PI = 1, METAPLAST_FN_EXP = 2, METAPLAST_FN_TANH = 3 };

// Counters that update kernels add to (integer atomics): [0] sigma' not > 0 (NaN included), [1] gate was open (set to 1 or 0 by gated
// calls), [2] NaN gradients seen by a gated call, [3] reserved.
enum { METAPLAST_REPORT_SIGMA_NOT_POSITIVE = 0, METAPLAST_REPORT_GATE_OPEN = 1, METAPLAST_REPORT_NAN_GRADIENTS = 2, METAPLAST_REPORT_WORDS = 4 };

// ---- random numbers (bayes 2) ----------------------------------------------------------------------------------------------------

// out[i] = word of element first+i. first + n <= 2^64 (first is unsigned). Cost: 4 bytes written.
METAPLAST_API metaplast_status_t metaplast_philox_u32(const metaplast_context_t* context, uint64_t seed, uint32_t stream, uint32_t step,
                                                      uint64_t first, int64_t n, uint32_t* out);
// out[i] = (1 | word>>>8) * 2^-24: odd multiples of 2^-24 in (0,1).
METAPLAST_API metaplast_status_t metaplast_uniform_f32(const metaplast_context_t* context, uint64_t seed, uint32_t stream, uint32_t step,
                                                       uint64_t first, int64_t n, float* out);
// Box-Muller on the words (u0,u1) and (u2,u3) of a block: z0 = r(u0) cos(2 pi u1), z1 = r(u0) sin(2 pi u1), z2, z3 from u2, u3;
// r(u) = sqrt(-2*ln32(u)). |z| <= 5.77.
METAPLAST_API metaplast_status_t metaplast_gaussian_f32(const metaplast_context_t* context, uint64_t seed, uint32_t stream, uint32_t step,
                                                        uint64_t first, int64_t n, float* out);
// The elementary functions themselves, for tests and for their users. LN: y = ln32(x), x normal > 0. SINCOS2PI: x holds uniforms
// k*2^-24 (odd k), y = sin(2 pi x), y2 = cos(2 pi x). EXP: x <= 0. TANH. y2 is null except for SINCOS2PI. In place allowed (y = x).
METAPLAST_API metaplast_status_t metaplast_elementary_f32(const metaplast_context_t* context, int32_t function, int64_t n, const float* x,
                                                          float* y, float* y2);

// ---- sampling and gradients (bayes 3) --------------------------------------------------------------------------------------------

// w[k] = mu + sigma*z(seed, tensor*256 + first_sample + k, step), k < samples: t = sigma*z; w = mu + t. 8 bytes read, 4 written.
METAPLAST_API metaplast_status_t metaplast_weight_sample_f32(const metaplast_context_t* context, int32_t tensors, const int64_t* count,
                                                             const uint32_t* tensor, const float* const* mu, const float* const* sigma,
                                                             uint64_t seed, uint32_t step, int32_t first_sample, int32_t samples,
                                                             float* const* w);
// a = sum over k ascending of dw[k] (first term assigned), b = sum of dw[k]*eps[k]; g_mu = a*scale, g_sigma = b*scale.
// eps null: regenerated from (seed, tensor*256+k, step). dw_type METAPLAST_F32 or METAPLAST_BF16.
METAPLAST_API metaplast_status_t metaplast_grad_accumulate_f32(const metaplast_context_t* context, int32_t tensors, const int64_t* count,
                                                               const uint32_t* tensor, int32_t samples, const void* const* dw,
                                                               int32_t dw_type, const float* const* eps, uint64_t seed, uint32_t step,
                                                               float scale, float* const* g_mu, float* const* g_sigma);

// ---- updates (bayes 4) -----------------------------------------------------------------------------------------------------------
//
// MESU (4.1):  a = (mp-mu)*cP; a = s*a; xm = s*gMu; xs = s*gS; if c > 0: xm = clip(xm,c), xs = clip(xs,c)
//              a = a-xm; a = s*a; a = lrMu*a; mu' = mu+a
//              q = sp2 - s*s; q = q*cP; q = q-xs; q = s*q; q = hS*q; s' = s+q;  if sMin > 0: s' = s' < sMin ? sMin : s'
//              with lo (compensated sigma): y = q+lo; s' = s+y; lo' = y-(s'-s); the floor acts after lo' is formed
// RATIO (4.2): a, q as MESU up to "s*a", "s*q" without clip; dm = cMu*a; ds = cSigma*q;
//              if so > 0: den = 1 + so*|xs|, dm = dm/den, ds = ds/den; lim = ratioMax*s; dm = clip(dm,lim); ds = clip(ds,lim);
//              mu' = mu+dm; s' = s+ds; if sLo > 0: s' = range(s',sLo,sHi); if mean_min < mean_max: mu' = range(mu',mean_min,mean_max)
// BGD (4.5):   t = s*e; t = s*t; t = eta*t; mu' = mu-t; x = s*ee; x = 0.5*x; a = |x|; h = a < 2^60 ? sqrt(1 + a*a) : a; r = a+h;
//              s' = x >= 0 ? s/r : s*r.   e, ee take the place of g_mu, g_sigma.
//
// mu, sigma (and lo) are updated in place. lo: null, or per tensor the low part of a compensated sigma (MESU only).
// grad_type: METAPLAST_F32, or METAPLAST_BF16 for both gradients. rows: one row (row_stride 0) or one a tensor (row_stride 1).
// gated (4.3): nothing is written unless some |g| > 0 over all tensors of the call (NaN does not open the gate).
// report: null, or METAPLAST_REPORT_WORDS counters; required when gated. 24 bytes a parameter (20 with bf16, +8 compensated).
METAPLAST_API metaplast_status_t metaplast_gaussian_update_f32(const metaplast_context_t* context, int32_t rule, int32_t tensors,
                                                               const int64_t* count, float* const* mu, float* const* sigma,
                                                               float* const* lo, const void* const* g_mu, const void* const* g_sigma,
                                                               int32_t grad_type, const metaplast_rule_row_t* rows, int32_t row_stride,
                                                               int32_t gated, int64_t* report);
// grad_accumulate followed by gaussian_update (not gated) in one pass, same bits; with next_samples > 0 also
// w_next[k] = mu' + sigma'*z(seed, tensor*256+k, next_step) of the updated parameters. 16 + 4K bytes (+4 a next sample).
METAPLAST_API metaplast_status_t metaplast_gaussian_update_from_samples_f32(
    const metaplast_context_t* context, int32_t rule, int32_t tensors, const int64_t* count, const uint32_t* tensor, float* const* mu,
    float* const* sigma, float* const* lo, int32_t samples, const void* const* dw, int32_t dw_type, const float* const* eps, uint64_t seed,
    uint32_t step, float scale, const metaplast_rule_row_t* rows, int32_t row_stride, uint32_t next_step, int32_t next_samples,
    float* const* w_next, int64_t* report);

// ---- batch-1 Bayesian linear layer (bayes 3.3) -----------------------------------------------------------------------------------

// y[k][o] = R16_i(w_k[o][i]*x[k][i]), w_k = mu + sigma*eps_k, neither w nor (without eps) epsilon in memory. x_stride: in, or 0 for
// one x shared by all samples. relu 1: y = y > 0 ? y : 0 (NaN gives 0). eps null, or [K][out*in]: epsilon is written there for the step.
METAPLAST_API metaplast_status_t metaplast_linear_forward_batch1_f32(const metaplast_context_t* context, int32_t out, int32_t in,
                                                                     uint32_t tensor, const float* mu, const float* sigma, const float* x,
                                                                     int64_t x_stride, int32_t samples, uint64_t seed, uint32_t step,
                                                                     int32_t relu, float* eps, float* y);
// One pass over mu and sigma: d_k[o] = delta[k][o], taken as +0 where active is given and not active[k][o] > 0.
// dx[k][i] = sum over o ascending of d_k[o]*w_k[o][i], weights before the update (dx null: not wanted), from +0.
// per weight, from +0, k ascending: d = d_k[o]*x[k][i]; gMu += d; gS += d*eps_k; then the update of `row` (lo null or compensated).
// A pair (k,o) with d_k[o] = 0 (either sign) adds nothing to dx, gMu, gS, whatever x holds; the prior pull still acts.
// eps null: regenerated; else what the forward call wrote.
METAPLAST_API metaplast_status_t metaplast_linear_step_batch1_f32(const metaplast_context_t* context, int32_t rule, int32_t out, int32_t in,
                                                                  uint32_t tensor, float* mu, float* sigma, float* lo, const float* x,
                                                                  int64_t x_stride, const float* delta, const float* active,
                                                                  int32_t samples, const float* eps, uint64_t seed, uint32_t step,
                                                                  const metaplast_rule_row_t* row, float* dx, int64_t* report);

// ---- read-outs (bayes 5) ---------------------------------------------------------------------------------------------------------

// Per (k,b): m = maximum by ascending ">", d_c = l_c - m, e_c = exp32(d_c), S = sum c ascending, lp_k = d_y - ln32(S), NaN if S is;
// item_loss[b] = -(sum k ascending lp_k)*f32(1/K); loss[0] = R16 of item_loss; dlogits = (e_c/S - [c==y])*grad_scale, grad_scale =
// f32(scale/K). logits, dlogits [K][B][C]; dlogits may be logits (in place) or null. Labels outside [0,C): METAPLAST_E_ARGUMENT on the
// CPU, nothing written (CUDA: that item's loss is NaN).
METAPLAST_API metaplast_status_t metaplast_nll_mean_log_softmax_f32(const metaplast_context_t* context, int32_t samples, int32_t batch,
                                                                    int32_t classes, const float* logits, const int32_t* labels,
                                                                    float inverse_samples, float grad_scale, float* item_loss, float* loss,
                                                                    float* dlogits);
// p = softmax per sample (from_logits 1) or the input itself; pbar_c = (sum_k p)*f32(1/K); predictive = -sum_c pbar*ln32(pbar+1e-12);
// aleatoric = mean over k of the same on p; bits 1: both times 3FB8AA3B; epistemic = predictive - aleatoric, clamp 1: < 0 gives 0.
// Each output has [B]. Sums ascending from the first term.
METAPLAST_API metaplast_status_t metaplast_uncertainty_f32(const metaplast_context_t* context, int32_t samples, int32_t batch,
                                                           int32_t classes, const float* input, int32_t from_logits, int32_t bits,
                                                           int32_t clamp, float inverse_samples, float* predictive, float* aleatoric,
                                                           float* epistemic);
// H = (r - prior_precision)*inverse_window, r = 1/v, v = sigma*sigma. prior_precision = f32(1/(spf*spf)), inverse_window = f32(1/N).
METAPLAST_API metaplast_status_t metaplast_diag_hessian_f32(const metaplast_context_t* context, int64_t n, const float* sigma,
                                                            float prior_precision, float inverse_window, float* h);
// out[0] = R16 of x. workspace: CUDA only, at least 8*ceil(n/4096) + 64 bytes.
METAPLAST_API metaplast_status_t metaplast_reduce_sum_f32(const metaplast_context_t* context, int64_t n, const float* x, float* out);
// counts[0] = number of pairs in_dist < ood, counts[1] = pairs in_dist == ood.
METAPLAST_API metaplast_status_t metaplast_roc_pairs_f32(const metaplast_context_t* context, int64_t n, const float* in_dist, int64_t m,
                                                         const float* ood, int64_t* counts);
// t_j = max(ood)*f32(j/(thresholds-1)); counts[j] = in_dist below t_j, counts[thresholds+j] = ood below t_j, strict "<".
// fractions[j] = f32(j/(thresholds-1)) is formed by the caller; ood_max by ascending ">".
METAPLAST_API metaplast_status_t metaplast_roc_thresholds_f32(const metaplast_context_t* context, int64_t n, const float* in_dist, int64_t m,
                                                              const float* ood, int32_t thresholds, const float* fractions,
                                                              int64_t* counts);

// ---- baselines (bayes 6), element-wise over n ------------------------------------------------------------------------------------

// t = lr*g; theta = theta - t.
METAPLAST_API metaplast_status_t metaplast_sgd_step_f32(const metaplast_context_t* context, int64_t n, float* theta, const float* g, float lr);
// fisher = fisher + g*g.
METAPLAST_API metaplast_status_t metaplast_fisher_accumulate_f32(const metaplast_context_t* context, int64_t n, const float* g, float* fisher);
// m = fisher*inverse_items; total = decay*total + m; fisher = 0.
METAPLAST_API metaplast_status_t metaplast_fisher_merge_f32(const metaplast_context_t* context, int64_t n, float inverse_items, float decay,
                                                            float* fisher, float* total);
// d = theta-anchor; t = fisher*d; t = lambda*t; g = g + t.
METAPLAST_API metaplast_status_t metaplast_ewc_penalty_grad_f32(const metaplast_context_t* context, int64_t n, const float* theta,
                                                                const float* anchor, const float* fisher, float lambda, float* g);
// path = path - g*(theta_new - theta_old): d = theta_new - theta_old; t = g*d; path = path - t.
METAPLAST_API metaplast_status_t metaplast_si_path_f32(const metaplast_context_t* context, int64_t n, const float* g, const float* theta_new,
                                                       const float* theta_old, float* path);
// d = theta-anchor; q = d*d + xi; r = path/q; r = r < 0 ? 0 : r; omega = omega + r; path = 0; anchor = theta.
METAPLAST_API metaplast_status_t metaplast_si_consolidate_f32(const metaplast_context_t* context, int64_t n, const float* theta, float xi,
                                                              float* path, float* anchor, float* omega);
// d = theta-anchor; t = omega*d; t = two_c*t; g = g + t.
METAPLAST_API metaplast_status_t metaplast_si_penalty_grad_f32(const metaplast_context_t* context, int64_t n, const float* theta,
                                                               const float* anchor, const float* omega, float two_c, float* g);

#ifdef __cplusplus
}
#endif
#endif  // METAPLAST_BAYES_H_
