// Products of real matrices: what entry points and kernels share.
//
// A block of columns of op(b) is packed over all of k; then row blocks of op(a), packed block by block, are multiplied with it. Sums of a block of
// rows and columns stay in scratch memory until all of k has been added; alpha and beta come last.
#ifndef METAPLAST_KERNELS_REAL_GEMM_H_
#define METAPLAST_KERNELS_REAL_GEMM_H_

#include <cstdint>

#include "metaplast/runtime.h"

namespace metaplast {

constexpr int64_t kRealPanel = 48;      // columns of a packed panel (real_tiles.h)
constexpr int64_t kRealBlock = 256;     // terms of a sum that are added up first
constexpr int64_t kRealRows = 96;       // rows of a row block, a multiple of a panel
constexpr int64_t kRealColumns = 480;   // most columns of a column block, a multiple of a panel
// Floats that the range kernel needs beside the packed columns: a row block of a, and its sums.
constexpr int64_t kRealScratch = kRealRows * (kRealBlock + kRealColumns);

struct RealGemm {
  bool transpose_a, transpose_b;
  int64_t m, n, inner;
  float alpha;
  const float* a;
  int64_t lda;
  const float* b;
  int64_t ldb;
  float beta;
  float* c;
  int64_t ldc;
};

// A block of columns of op(b), whole panels over all of k: [panel][inner][kRealPanel].
struct RealColumns {
  int64_t begin, end;  // columns of c; begin is a multiple of a panel
  float* packed;
};

// Floats for this product on that many threads.
int64_t real_gemm_workspace(int64_t m, int64_t n, int64_t inner, int64_t threads) noexcept;
// The product, arguments unchecked, in the caller's FpEnvironment; on the calling thread with threads = 1, over the pool with its number of threads.
void real_gemm_run(const metaplast_context_t* context, const RealGemm& gemm, int64_t threads, float* workspace) noexcept;

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_REAL_GEMM_H_
