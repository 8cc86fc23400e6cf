// Kronecker-factored family: the C ABI and the one place where its contracts are written.
//
// Conventions. Matrices are row-major with a leading dimension in elements. Of a symmetric input the lower triangle is read, and nothing
// else; of a symmetric output both triangles are written, equal to the bit. u = 2^-24 (fp32), 2^-53 (fp64).
//
// Class B: for one tier of one build the bits of a result depend on its own operands only, not on threads, on the rest of the batch, on the position
// in it or on alignment. Class C between tiers and backends: the error bounds hold, the bits differ. Fused multiply-add is allowed and
// written explicitly. Nothing allocates; scratch is a workspace of the caller.
#ifndef METAPLAST_KFAC_H_
#define METAPLAST_KFAC_H_

#include "metaplast/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

// Status of one matrix. Only METAPLAST_SPD_OK is usable; with any other the outputs of the matrix are not touched.
enum {
  METAPLAST_SPD_OK = 0,            // k > 0: the leading minor of order k failed the pivot rule
  METAPLAST_SPD_ARGUMENT = -1,     // null pointer, negative n, ld < n, damping negative, NaN or infinite
  METAPLAST_SPD_NOT_FINITE = -2,   // NaN or infinity in the lower triangle or, after damping, on the diagonal
  METAPLAST_SPD_RESIDUAL = -3      // probe residual above the tolerance, or not a number
};

// Flags beside a status.
enum {
  METAPLAST_SPD_ILL_CONDITIONED = 1,  // cond1 > 1e5: about 1 % error
  METAPLAST_SPD_UNRELIABLE = 2        // cond1 > 1.7e6 = 1/(10u)
};

// One matrix of a batch. 48 bytes.
typedef struct metaplast_spd_item {
  const float* m;   // [n][ldm]
  int64_t ldm;
  float* out;       // [n][ldo]; out = m with ldo = ldm is allowed, other overlap is not, neither inside an item nor between items
  int64_t ldo;
  int64_t n;        // 0: status 0, nothing is touched
  double damping;   // d >= 0
} metaplast_spd_item_t;

// What is said about one matrix. 40 bytes. What a status leaves undefined is 0.
typedef struct metaplast_spd_result {
  int32_t status;
  int32_t flags;
  double residual;  // r of the probe: where the factorization finished
  double cond1;     // norm1(M + d I) * norm1(Minv): where the factorization finished
  double pivot;     // status k > 0: the failing pivot
  int64_t index;    // status -2: row*n + column of the first such element of the lower triangle, in the order of rows
} metaplast_spd_result_t;

// out = (M + d I)^-1 for a batch of matrices of any sizes; one matrix is a batch of one and gives the same bits.
//
// Damping is added on load, a_jj = f32(m_jj + d), in double and rounded once. Then a finite scan; a Cholesky factorization whose pivot j
// fails when !(p > 8*u*a_jj); the inverse; and a probe: v1, v2 are signs, +1 where bit 0 of word i of Philox(seed 0, stream 0x4B464143,
// step 0 and 1) is set; y = (M + d I)v before factoring; r = max norm2(Minv y - v)/sqrt(n), sums in double. !(r <= residual_tolerance)
// is status -3 (Java asks for 0.03 where nothing else is said; negative or NaN: METAPLAST_E_ARGUMENT).
// Bound: norm1(I - M X)/(norm1(M) norm1(X) u) <= 10 for every n. n^3 + 8 n^2 operations.
//
// results[count]. workspace: metaplast_spd_inverse_workspace_bytes(context, count, items) bytes, at least 64-byte aligned. A wrong item has
// its status and disturbs no other; the return value speaks of the call: METAPLAST_OK or METAPLAST_E_ARGUMENT.
METAPLAST_API metaplast_status_t metaplast_spd_inverse_f32(const metaplast_context_t* context, int64_t count,
                                                           const metaplast_spd_item_t* items, double residual_tolerance,
                                                           metaplast_spd_result_t* results, void* workspace, int64_t workspace_bytes);
// The same with double arithmetic inside, a_jj = m_jj + d and u = 2^-53; the probe sees the result before it is rounded to float.
METAPLAST_API metaplast_status_t metaplast_spd_inverse_f64acc(const metaplast_context_t* context, int64_t count,
                                                              const metaplast_spd_item_t* items, double residual_tolerance,
                                                              metaplast_spd_result_t* results, void* workspace, int64_t workspace_bytes);
// Enough for this context and the sizes n of these items (nothing else of them is looked at); negative n counts as 0.
METAPLAST_API int64_t metaplast_spd_inverse_workspace_bytes(const metaplast_context_t* context, int64_t count,
                                                            const metaplast_spd_item_t* items);
METAPLAST_API int64_t metaplast_spd_inverse_workspace_bytes_f64acc(const metaplast_context_t* context, int64_t count,
                                                                   const metaplast_spd_item_t* items);

// ---- products of real matrices ---------------------------------------------------------------------------------------------------
//
// Plain product for what the family composes: eigenvector bases, Kronecker sums, samples. Every element is a sum over k ascending in
// blocks of 256, fused multiply-add inside a block from 0, blocks added in order.

// c = alpha op(a) op(b) + beta c; op(a) [m][inner], op(b) [inner][n]; a is stored [m][inner], or [inner][m] where transpose_a, b alike.
// beta = 0: c is not read. alpha and beta multiply last: f32(alpha*sum), then fma(beta, c, that). m, n or inner 0: inner 0 is a sum of 0.
// workspace: metaplast_real_gemm_workspace_bytes, at least 64-byte aligned. Overlap of c with a or b is not allowed.
METAPLAST_API metaplast_status_t metaplast_real_gemm_f32(const metaplast_context_t* context, int32_t transpose_a, int32_t transpose_b,
                                                         int64_t m, int64_t n, int64_t inner, float alpha, const float* a, int64_t lda,
                                                         const float* b, int64_t ldb, float beta, float* c, int64_t ldc, void* workspace,
                                                         int64_t workspace_bytes);
METAPLAST_API int64_t metaplast_real_gemm_workspace_bytes(const metaplast_context_t* context, int64_t m, int64_t n, int64_t inner);

// ---- factor statistics (kfac 3) --------------------------------------------------------------------------------------------------
//
// X [rows][cols], fp32 or bf16 (METAPLAST_F32, METAPLAST_BF16; converted on load); with bias d = cols + 1 and column cols is ones, never
// stored. F [d][d]; its lower triangle is read, both triangles are written. Sums over rows: blocks of 256 in index order, block sums added
// in order, so integer X in -8..8 with rows <= 262144 gives exact sums. Then f32(alpha*sum), and with beta != 0 fma(beta, F, that); beta = 0:
// F is not read.
// Returns METAPLAST_E_ARGUMENT for beta outside [0, 1] or not finite alpha, and METAPLAST_E_NOT_FINITE if X holds NaN or infinity: *index is
// then row*cols + column of the first, and F is untouched.

enum {
  METAPLAST_FACTOR_SECOND_MOMENT = 0,  // S = X'X, bias allowed
  METAPLAST_FACTOR_CENTRED = 1,        // S = (1/N) sum (x-m)(x-m)', m = f32(double column mean): two passes; rows >= 2 else E_ARGUMENT
  METAPLAST_FACTOR_MEAN = 2,           // S = m m'; rows >= 1
  METAPLAST_FACTOR_BETWEEN = 3         // S = M - C/(N-1) of the two above: indefinite; rows >= 2
};

// F = beta F + alpha S. workspace: metaplast_kronecker_factor_workspace_bytes.
METAPLAST_API metaplast_status_t metaplast_kronecker_factor_update(const metaplast_context_t* context, int32_t kind, int64_t rows, int64_t cols,
                                                                   const void* x, int32_t x_type, int64_t ldx, int32_t bias, float alpha,
                                                                   float beta, float* f, int64_t ldf, int64_t* index, void* workspace,
                                                                   int64_t workspace_bytes);
METAPLAST_API int64_t metaplast_kronecker_factor_workspace_bytes(const metaplast_context_t* context, int64_t rows, int64_t cols,
                                                                 int32_t bias);

// Convolution: X is made of the patches of an image batch [batch][channels][height][width], row = (n, oy, ox), column = (c, ky, kx) inside a
// group, padding zero. T = out_height*out_width. 14 int32, of which out_channels is not used: the layout of metaplast_conv2d_t (binary.h).
enum {
  METAPLAST_SHARING_EXPAND = 0,       // batch*T rows
  METAPLAST_SHARING_REDUCE_MEAN = 1,  // batch rows: patches averaged over T (inputs), 0 with T = 0; the bias coordinate is 1
  METAPLAST_SHARING_REDUCE_SUM = 2    // batch rows: summed over T (output gradients, kernel 1); the bias coordinate is T
};
struct metaplast_conv2d;
// F = beta F + alpha sum over groups of X_g'X_g; d = channels/groups*kernel_height*kernel_width (+1 with bias). Never more than a panel of
// patches exists. All of x is looked at; *index of the first not finite element is its place in x.
METAPLAST_API metaplast_status_t metaplast_im2col_factor_update_f32(const metaplast_context_t* context, const struct metaplast_conv2d* shape,
                                                                    int32_t sharing, const float* x, int32_t bias, float alpha, float beta,
                                                                    float* f, int64_t ldf, int64_t* index, void* workspace,
                                                                    int64_t workspace_bytes);
METAPLAST_API int64_t metaplast_im2col_factor_workspace_bytes(const metaplast_context_t* context, const struct metaplast_conv2d* shape,
                                                              int32_t sharing, int32_t bias);

// ---- Cholesky pieces (kfac 6) ----------------------------------------------------------------------------------------------------

// L L' = M + d I, lower triangle of M read, strict upper triangle of l zero; pivot rule and status of spd_inverse (0, -1, -2, k > 0; *pivot
// the failing one), l untouched unless 0. l = m with equal leading dimensions is allowed. workspace: n*n*4 + 64*n + 4096 bytes.
METAPLAST_API metaplast_status_t metaplast_damped_cholesky_f32(const metaplast_context_t* context, int64_t n, const float* m, int64_t ldm,
                                                               double damping, float* l, int64_t ldl, int32_t* status, double* pivot,
                                                               int64_t* index, void* workspace, int64_t workspace_bytes);
// out = L^-1, strict upper triangle zero; lower triangle of l read. out = l is allowed. *status: 0, or k > 0: l_kk is 0 or not finite (out untouched).
METAPLAST_API metaplast_status_t metaplast_triangular_inverse_f32(const metaplast_context_t* context, int64_t n, const float* l, int64_t ldl,
                                                                  float* out, int64_t ldo, int32_t* status);
// Solves L X = B, or L' X = B where transposed, in place: b [n][columns]. *status as above.
METAPLAST_API metaplast_status_t metaplast_triangular_solve_f32(const metaplast_context_t* context, int64_t n, int64_t columns,
                                                                int32_t transposed, const float* l, int64_t ldl, float* b, int64_t ldb,
                                                                int32_t* status);

// ---- preconditioning and penalty (kfac 7) ----------------------------------------------------------------------------------------

// One layer: out = G W A, G [m][m] and A [k][k] symmetric with both triangles, W [m][k]. 104 bytes. out = w with ldo = ldw is allowed.
typedef struct metaplast_kronecker_item {
  int64_t m, k;
  const float* g;
  int64_t ldg;
  const float* w;
  int64_t ldw;
  const float* a;
  int64_t lda;
  float* out;
  int64_t ldo;
  // Of the penalty; products do not look at them.
  const float* anchor;
  int64_t ldanchor;
  double weight;
} metaplast_kronecker_item_t;

// out = G (W A) for a list of layers, sums as metaplast_real_gemm_f32: error (m+k+4) u (|G| |W| |A|). NaN propagates.
METAPLAST_API metaplast_status_t metaplast_kronecker_products_f32(const metaplast_context_t* context, int64_t count,
                                                                  const metaplast_kronecker_item_t* items, void* workspace,
                                                                  int64_t workspace_bytes);
METAPLAST_API int64_t metaplast_kronecker_products_workspace_bytes(const metaplast_context_t* context, int64_t count,
                                                                   const metaplast_kronecker_item_t* items);

// One term of the penalty: D = W - anchor (fp32), P = G (D A), value += weight/2 <D, P>, absolute += |weight/2| |<D, P>|, gradient += f32(weight) P
// (fma). anchor [m][k]; null: 0. out is the layer's gradient [m][k], or null; items of one layer share it and are added in index order, which then
// have one shape (else METAPLAST_E_ARGUMENT). <D, P> in double: sums of columns, rows in index order, added in order. *value and *absolute are set.
METAPLAST_API metaplast_status_t metaplast_kronecker_penalty_f32(const metaplast_context_t* context, int64_t count,
                                                                 const metaplast_kronecker_item_t* items, double* value, double* absolute,
                                                                 void* workspace, int64_t workspace_bytes);
METAPLAST_API int64_t metaplast_kronecker_penalty_workspace_bytes(const metaplast_context_t* context, int64_t count,
                                                                  const metaplast_kronecker_item_t* items);

// ---- small pieces ----------------------------------------------------------------------------------------------------------------

// A matrix of a list. 32 bytes.
typedef struct metaplast_matrix {
  const float* data;
  int64_t rows, cols, ld;
} metaplast_matrix_t;

// traces[i] = sum over j ascending of (double)m_i[j][j], j < min(rows, cols). Class A.
METAPLAST_API metaplast_status_t metaplast_matrix_traces_f32(const metaplast_context_t* context, int64_t count, const metaplast_matrix_t* matrices,
                                                             double* traces);
// *sum = sum over the list of <x_i, y_i>, in double; shapes of x_i and y_i equal. Class B.
METAPLAST_API metaplast_status_t metaplast_inner_products_f32(const metaplast_context_t* context, int64_t count, const metaplast_matrix_t* x,
                                                              const metaplast_matrix_t* y, double* sum);
// out = f32(a*x) + f32(b*y), each operation rounded; y null: out = f32(a*x). out may be x or y. Class A.
METAPLAST_API metaplast_status_t metaplast_matrix_combine_f32(const metaplast_context_t* context, int64_t rows, int64_t cols, float a,
                                                              const float* x, int64_t ldx, float b, const float* y, int64_t ldy, float* out,
                                                              int64_t ldo);

// Element-wise on t [rows][cols], in place. Class A.
enum {
  METAPLAST_ELEMENT_SQUARE = 0,         // t = t*t
  METAPLAST_ELEMENT_SCALE_ROWS = 1,     // t = t*row[r]
  METAPLAST_ELEMENT_SCALE_COLUMNS = 2,  // t = t*column[c]
  METAPLAST_ELEMENT_DIVIDE_OUTER = 3,   // t = t / (f32(row[r]*column[c]) + shift)
  METAPLAST_ELEMENT_DIVIDE = 4          // t = t / (s[r][c] + shift)
};
// *not_positive: denominators of the last two that are <= 0 or NaN; if there is one, t is untouched. row, column, s: null where not used.
METAPLAST_API metaplast_status_t metaplast_matrix_elements_f32(const metaplast_context_t* context, int32_t operation, int64_t rows,
                                                               int64_t cols, const float* row, const float* column, const float* s, int64_t lds,
                                                               float shift, float* t, int64_t ldt, int64_t* not_positive);

// ---- batch norm merged into weights (kfac 4.5) ------------------------------------------------------------------------------------

// sigma = sqrt(var + eps), scale = gamma/sigma, each rounded; what = scale*w by rows; bhat = beta + scale*(b - mu), operations rounded one by one. b null: 0.
// *bad: first channel with var + eps <= 0 or not finite, -1 if none; otherwise nothing is written. what = w is allowed. Class A.
METAPLAST_API metaplast_status_t metaplast_merge_batch_norm_f32(const metaplast_context_t* context, int64_t out, int64_t in, const float* w,
                                                                int64_t ldw, const float* b, const float* gamma, const float* beta,
                                                                const float* mu, const float* var, float eps, float* what, int64_t ldwhat,
                                                                float* bhat, int64_t* bad);
// From gw [out][in] and gb [out]: dw = scale*gw; db = scale*gb; dbeta = gb; t = <gw_i, w_i> (double, ascending) + gb (b - mu); dgamma =
// f32(t/sigma); dmu = -scale*gb; dvar = f32(-gamma t/(2 sigma^3)), those with t in double, left to right. db, dmu, dvar: null where not wanted (dmu and dvar
// together). dw = gw is allowed.
METAPLAST_API metaplast_status_t metaplast_merge_batch_norm_backward_f32(
    const metaplast_context_t* context, int64_t out, int64_t in, const float* w, int64_t ldw, const float* b, const float* gamma, const float* mu,
    const float* var, float eps, const float* gw, int64_t ldgw, const float* gb, float* dw, int64_t lddw, float* db, float* dgamma, float* dbeta,
    float* dmu, float* dvar, int64_t* bad);

#ifdef __cplusplus
}
#endif
#endif  // METAPLAST_KFAC_H_
