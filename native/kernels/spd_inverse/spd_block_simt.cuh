// Pieces of Cholesky factorization and inversion that one block, or one warp, does in shared memory, in panels of eight columns. Only the lower triangle is
// looked at and written. Class B: the order of operations depends on n only.
#ifndef METAPLAST_KERNELS_SPD_BLOCK_SIMT_CUH_
#define METAPLAST_KERNELS_SPD_BLOCK_SIMT_CUH_

#include "metaplast/kfac.h"
#include "runtime/cuda/tile_product.h"

namespace metaplast {
namespace simt {

constexpr int kPanel = 8;
constexpr int kQuad = 4;  // a thread updates 4 x 4 elements at a time

// A pivot of the Cholesky factorization must be larger than this times the diagonal element.
METAPLAST_DEVICE float pivot_factor(float) { return 0x1p-21f; }   // 8u
METAPLAST_DEVICE double pivot_factor(double) { return 0x1p-50; }

// The element as the factorization sees it.
METAPLAST_DEVICE float damped(float m, double d, float) { return static_cast<float>(static_cast<double>(m) + d); }
METAPLAST_DEVICE double damped(float m, double d, double) { return static_cast<double>(m) + d; }

// x - x is 0 for what is finite.
METAPLAST_DEVICE bool finite_value(float x) { return x - x == 0.0f; }
METAPLAST_DEVICE bool finite_value(double x) { return x - x == 0.0; }

// +1 or -1 of element i in probe v.
METAPLAST_DEVICE int probe_sign(int v, int64_t i) {
  uint32_t word[4];
  philox_block({0, 0x4B464143u, static_cast<uint32_t>(v)}, static_cast<uint64_t>(i >> 2), word);
  const uint32_t low = (i & 1) != 0 ? word[1] : word[0], high = (i & 1) != 0 ? word[3] : word[2];
  return (((i & 2) != 0 ? high : low) & 1) != 0 ? 1 : -1;
}

// Who works on a matrix: a block, or a warp of it.
struct WholeBlock {
  static METAPLAST_DEVICE int index() { return static_cast<int>(threadIdx.x); }
  static METAPLAST_DEVICE int size() { return static_cast<int>(blockDim.x); }
  static METAPLAST_DEVICE void sync() { __syncthreads(); }
  static METAPLAST_DEVICE bool any(int predicate) { return __syncthreads_or(predicate) != 0; }
};
struct OneWarp {
  static METAPLAST_DEVICE int index() { return static_cast<int>(threadIdx.x) % 32; }
  static METAPLAST_DEVICE int size() { return 32; }
  static METAPLAST_DEVICE void sync() { __syncwarp(); }
  static METAPLAST_DEVICE bool any(int predicate) {
    __syncwarp();
    return __ballot_sync(kFullMask, predicate) != 0;
  }
};

// n x n matrix in shared memory. pitch is odd, so that rows that follow each other lie in different banks.
template <class T>
struct SharedMatrix {
  T* p;
  int pitch, n;
  METAPLAST_DEVICE T& at(int i, int j) const { return p[i * pitch + j]; }
};

METAPLAST_DEVICE int smaller(int a, int b) { return a < b ? a : b; }

// a becomes L; the strict upper triangle keeps what it has. diagonal[n]: of the damped matrix. 0, or the order of the minor that failed and its pivot; a is then
// undefined. All threads of the team return the same.
template <class Team = WholeBlock, class T>
METAPLAST_DEVICE int block_cholesky(const SharedMatrix<T>& a, const T* diagonal, double* failing) {
  const int t = Team::index(), threads = Team::size();
  for (int p = 0; p < a.n; p += kPanel) {
    const int end = smaller(p + kPanel, a.n);
    for (int c = p; c < end; ++c) {
      Team::sync();
      const T pivot = a.at(c, c);
      if (!(pivot > pivot_factor(T(0)) * diagonal[c])) {
        *failing = static_cast<double>(pivot);
        return c + 1;
      }
      const T r = root(pivot);
      Team::sync();
      for (int i = c + t; i < a.n; i += threads) a.at(i, c) = i == c ? r : a.at(i, c) / r;
      Team::sync();
      const int right = end - c - 1;  // columns of the panel that are left
      for (int e = t; e < (a.n - c - 1) * right; e += threads) {
        const int i = c + 1 + e / right, j = c + 1 + e % right;
        if (j <= i) a.at(i, j) = fused(-a.at(i, c), a.at(j, c), a.at(i, j));
      }
    }
    Team::sync();
    const int quads = (a.n - end + kQuad - 1) / kQuad;
    for (int e = t; e < quads * quads; e += threads) {
      const int i0 = end + e / quads * kQuad, j0 = end + e % quads * kQuad;
      if (j0 > i0) continue;
      T sum[kQuad][kQuad] = {};
      for (int k = p; k < end; ++k) {
        T l[kQuad], r[kQuad];
        METAPLAST_UNROLL
        for (int u = 0; u < kQuad; ++u) {
          l[u] = a.at(smaller(i0 + u, a.n - 1), k);
          r[u] = a.at(smaller(j0 + u, a.n - 1), k);
        }
        METAPLAST_UNROLL
        for (int u = 0; u < kQuad; ++u) {
          METAPLAST_UNROLL
          for (int v = 0; v < kQuad; ++v) sum[u][v] = fused(l[u], r[v], sum[u][v]);
        }
      }
      METAPLAST_UNROLL
      for (int u = 0; u < kQuad; ++u) {
        METAPLAST_UNROLL
        for (int v = 0; v < kQuad; ++v) {
          if (i0 + u < a.n && j0 + v <= i0 + u) a.at(i0 + u, j0 + v) -= sum[u][v];
        }
      }
    }
  }
  Team::sync();
  return 0;
}

// Adds panel^T-like products to a block of rows and columns: for rows i in [row0, row1), columns j in [0, column1) with j <= i,
// a_ij = (i in [fresh0, fresh1) ? 0 : a_ij) + sum over k of buffer[k][i] buffer[k][j].
template <class Team = WholeBlock, class T>
METAPLAST_DEVICE void block_update(const SharedMatrix<T>& a, const T* buffer, int row0, int row1, int column1, int fresh0, int fresh1, int depth) {
  const int rows = (row1 - row0 + kQuad - 1) / kQuad, columns = (column1 + kQuad - 1) / kQuad;
  for (int e = Team::index(); e < rows * columns; e += Team::size()) {
    const int i0 = row0 + e / columns * kQuad, j0 = e % columns * kQuad;
    if (j0 > i0 + kQuad - 1) continue;
    T sum[kQuad][kQuad] = {};
    for (int k = 0; k < depth; ++k) {
      T l[kQuad], r[kQuad];
      METAPLAST_UNROLL
      for (int u = 0; u < kQuad; ++u) {
        l[u] = buffer[k * a.pitch + smaller(i0 + u, row1 - 1)];
        r[u] = buffer[k * a.pitch + smaller(j0 + u, column1 - 1)];
      }
      METAPLAST_UNROLL
      for (int u = 0; u < kQuad; ++u) {
        METAPLAST_UNROLL
        for (int v = 0; v < kQuad; ++v) sum[u][v] = fused(l[u], r[v], sum[u][v]);
      }
    }
    METAPLAST_UNROLL
    for (int u = 0; u < kQuad; ++u) {
      METAPLAST_UNROLL
      for (int v = 0; v < kQuad; ++v) {
        const int i = i0 + u, j = j0 + v;
        if (i >= row1 || j >= column1 || j > i) continue;
        a.at(i, j) = i >= fresh0 && i < fresh1 ? sum[u][v] : a.at(i, j) + sum[u][v];
      }
    }
  }
}

// a, the lower triangle L, becomes W = L^-1. From the last panel to the first: the rows of W below a panel solve W L = I from the right, so that
// W L - I is small (kfac 6.4). buffer: kPanel*pitch elements.
template <class Team = WholeBlock, class T>
METAPLAST_DEVICE void block_triangular_inverse(const SharedMatrix<T>& a, T* buffer) {
  const int t = Team::index(), threads = Team::size();
  for (int p = (a.n - 1) / kPanel * kPanel; p >= 0; p -= kPanel) {
    const int end = smaller(p + kPanel, a.n), width = end - p;
    Team::sync();
    for (int i = p + t; i < a.n; i += threads) {
      T x[kPanel];
      METAPLAST_UNROLL
      for (int c = kPanel - 1; c >= 0; --c) {
        x[c] = T(0);
        if (c >= width) continue;
        T v = i >= end ? -a.at(i, p + c) : i == p + c ? T(1) : T(0);
        METAPLAST_UNROLL
        for (int k = kPanel - 1; k > c; --k) {
          if (k < width) v = fused(-x[k], a.at(p + k, p + c), v);
        }
        x[c] = v / a.at(p + c, p + c);
      }
      METAPLAST_UNROLL
      for (int c = 0; c < kPanel; ++c) {
        if (c < width) buffer[c * a.pitch + i] = x[c];
      }
    }
    for (int e = t; e < width * p; e += threads) buffer[e / p * a.pitch + e % p] = a.at(p + e / p, e % p);
    Team::sync();
    if (p > 0) block_update<Team>(a, buffer, p, a.n, p, p, end, width);
    for (int e = t; e < width * (a.n - p); e += threads) {
      const int i = p + e / width, c = e % width;
      if (p + c <= i) a.at(i, p + c) = buffer[c * a.pitch + i];
    }
  }
  Team::sync();
}

// a, the lower triangle W, becomes the lower triangle of W'W.
template <class Team = WholeBlock, class T>
METAPLAST_DEVICE void block_square(const SharedMatrix<T>& a, T* buffer) {
  const int t = Team::index(), threads = Team::size();
  for (int p = 0; p < a.n; p += kPanel) {
    const int end = smaller(p + kPanel, a.n), width = end - p;
    Team::sync();
    for (int e = t; e < width * end; e += threads) {
      const int k = e / end, c = e % end;
      buffer[k * a.pitch + c] = c <= p + k ? a.at(p + k, c) : T(0);
    }
    Team::sync();
    block_update<Team>(a, buffer, 0, end, end, p, end, width);
  }
  Team::sync();
}

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_SPD_BLOCK_SIMT_CUH_
