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
// is status -3 (0.1 is the usual tolerance; negative or NaN: METAPLAST_E_ARGUMENT).
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

#ifdef __cplusplus
}
#endif
#endif  // METAPLAST_KFAC_H_
