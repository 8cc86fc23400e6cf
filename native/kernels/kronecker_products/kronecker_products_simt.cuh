// Products G W A of a list of layers and the quadratic penalty. Contract: metaplast/kfac.h.
#ifndef METAPLAST_KERNELS_KRONECKER_PRODUCTS_SIMT_CUH_
#define METAPLAST_KERNELS_KRONECKER_PRODUCTS_SIMT_CUH_

#include "kernels/matrix_pieces/matrix_pieces_simt.cuh"
#include "kernels/real_gemm/real_gemm_simt.cuh"

namespace metaplast {
namespace simt {

// rows[r] = <row r of W - anchor, row r of P>, a warp a row.
struct PenaltyRows {
  static constexpr int kThreads = 256;
  struct Common {};
  struct Entry {
    int64_t m, k;
    const float* w;
    int64_t ldw;
    const float* anchor;
    int64_t ldanchor;
    const float* p;  // [m][k]
    double* rows;
  };
  static METAPLAST_DEVICE void block(const Common&, const Entry& e, int64_t block) {
    const int64_t row = block * (kThreads / 32) + threadIdx.x / 32;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    double sum = 0;
    if (row < e.m) {
      for (int64_t c = lane; c < e.k; c += 32) {
        const float w = e.w[row * e.ldw + c];
        const float d = e.anchor == nullptr ? w : sub(w, e.anchor[row * e.ldanchor + c]);
        sum += static_cast<double>(d) * static_cast<double>(e.p[row * e.k + c]);
      }
    }
    sum = warp_sum(sum);
    if (row < e.m && lane == 0) e.rows[row] = sum;
  }
};

// The forms <D, P> of the items of a launch, a block each; rows of a lane ascending, then the lanes.
struct PenaltyForms {
  static constexpr int kThreads = 32;
  struct Common {};
  struct Entry {
    int64_t m;
    const double* rows;
    double* form;
  };
  static METAPLAST_DEVICE void block(const Common&, const Entry& e, int64_t) {
    double sum = 0;
    for (int64_t r = threadIdx.x; r < e.m; r += 32) sum += e.rows[r];
    sum = warp_sum(sum);
    if (threadIdx.x == 0) e.form[0] = sum;
  }
};

// value and absolute over the items of a launch, in index order.
struct PenaltySum {
  static constexpr int kThreads = 32;
  struct Args {
    int64_t count;
    int32_t first;  // this launch begins the sums
    const double* forms;
    double* value;
    double* absolute;
    double weight[kTableTensors];
  };
  static METAPLAST_DEVICE void run(const Args& a) {
    if (threadIdx.x != 0) return;
    double value = a.first != 0 ? 0.0 : *a.value, absolute = a.first != 0 ? 0.0 : *a.absolute;
    for (int64_t i = 0; i < a.count; ++i) {
      const double half = a.weight[i] / 2;
      value += half * a.forms[i];
      absolute += ::fabs(half) * ::fabs(a.forms[i]);
    }
    *a.value = value;
    *a.absolute = absolute;
  }
};

// gradient += f32(weight) P.
struct PenaltyGradient {
  static constexpr int kThreads = 256;
  struct Common {};
  struct Entry {
    MatrixBlocks shape;
    const float* p;
    float* out;
    int64_t ldo;
    float weight;
  };
  static METAPLAST_DEVICE void block(const Common&, const Entry& e, int64_t block) {
    for_elements(e.shape, block, [&](int64_t r, int64_t c) {
      float* const g = e.out + r * e.ldo + c;
      *g = fused(e.weight, e.p[r * e.shape.cols + c], *g);
    });
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_KRONECKER_PRODUCTS_SIMT_CUH_
