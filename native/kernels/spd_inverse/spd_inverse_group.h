// Damped SPD inverses of small matrices of one size, one a lane: the bits of a matrix depend neither on its lane nor on the others.
#include <cmath>
#include <type_traits>

#include "kernels/spd_inverse/spd_lanes.h"
#include "runtime/kernel_table.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

constexpr int kGroupWidth = F32::W;
constexpr int64_t kGroupElements = kSpdGroupSize * (kSpdGroupSize + 1) / 2;

// A vector of floats as doubles.
struct Wide {
  F64::V low, high;
};
// Converted from memory, half a vector at a time: cheaper than taking a register apart.
METAPLAST_HD Wide widen(const F32::V* x) {
  const float* const p = reinterpret_cast<const float*>(x);
  return {F64::load(p), F64::load(p + F64::W)};
}
METAPLAST_HD Wide wide_zero() { return {F64::zero(), F64::zero()}; }
METAPLAST_HD Wide wide_add(Wide a, Wide b) { return {F64::add(a.low, b.low), F64::add(a.high, b.high)}; }
METAPLAST_HD Wide wide_fma(Wide a, Wide b, Wide c) { return {F64::fma(a.low, b.low, c.low), F64::fma(a.high, b.high, c.high)}; }
METAPLAST_HD Wide wide_fma(Wide a, F64::V b, Wide c) { return {F64::fma(a.low, b, c.low), F64::fma(a.high, b, c.high)}; }
METAPLAST_HD Wide wide_load(const double* p) { return {F64::load(p), F64::load(p + F64::W)}; }
METAPLAST_HD void wide_store(double* p, Wide x) {
  F64::store(p, x.low);
  F64::store(p + F64::W, x.high);
}

constexpr int64_t element(int64_t i, int64_t j) { return i >= j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i; }

struct Group {
  int64_t n;
  F32::V a[kGroupElements];  // lower triangles by rows
  Wide product[2][kSpdGroupSize];
};

void group_load(int64_t count, const metaplast_spd_item_t* items, const int64_t* order, Group* g) {
  const int64_t n = g->n;
  alignas(64) double damping[kGroupWidth];
  const float* m[kGroupWidth];
  int64_t ld[kGroupWidth];
  for (int64_t k = 0; k < kGroupWidth; ++k) {
    // Idle lanes repeat the first matrix.
    const metaplast_spd_item_t& item = items[order[k < count ? k : 0]];
    m[k] = item.m;
    ld[k] = item.ldm;
    damping[k] = item.damping;
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; j += kGroupWidth) {
      F32::V t[kGroupWidth];
      for (int k = 0; k < kGroupWidth; ++k) t[k] = F32::load_n(m[k] + i * ld[k] + j, i + 1 - j);
      F32::transpose(t);
      for (int64_t c = 0; c < kGroupWidth && j + c <= i; ++c) g->a[element(i, j + c)] = t[c];
    }
    F32::V* const diagonal = &g->a[element(i, i)];
    const Wide damped = wide_add(widen(diagonal), wide_load(damping));
    *diagonal = F32::narrow(damped.low, damped.high);
  }
}

// Sums of absolute values are scaled: neither a row of 32 nor the sum of 32 rows may overflow where the matrix does not.
constexpr float kNormScale = 0x1p-12f;

// body(i, v0, v1): products of row i of the symmetric matrix with the two factors; factor(v, j) gives the factors. norm: the largest sum of absolute
// values of a row; NaN or infinite where an element is.
template <class Factor, class Body>
METAPLAST_HD void group_multiply(const Group& g, double* norm, Factor factor, Body body) {
  const F32::V scale = F32::set(kNormScale);
  F32::V largest = F32::zero(), total = F32::zero();
  for (int64_t i = 0; i < g.n; ++i) {
    Wide x = wide_zero(), y = wide_zero();
    F32::V sum = F32::zero();
    const auto term = [&](int64_t j, const F32::V* value) {
      const Wide m = widen(value);
      x = wide_fma(m, factor(0, j), x);
      y = wide_fma(m, factor(1, j), y);
      sum = F32::fma(F32::absolute(*value), scale, sum);
    };
    const F32::V* const row = g.a + element(i, 0);
    for (int64_t j = 0; j <= i; ++j) term(j, row + j);
    const F32::V* column = row + 2 * i + 1;  // element (i + 1, i)
    for (int64_t j = i + 1; j < g.n; ++j) {
      term(j, column);
      column += j + 1;
    }
    largest = F32::max(largest, sum);
    total = F32::add(total, sum);
    body(i, x, y);
  }
  alignas(64) float lanes[kGroupWidth], totals[kGroupWidth];
  F32::store(lanes, largest);
  F32::store(totals, total);
  for (int k = 0; k < kGroupWidth; ++k) {
    norm[k] = static_cast<double>(std::isfinite(totals[k]) ? lanes[k] : totals[k]) / static_cast<double>(kNormScale);
  }
}

// Columns of V that are formed before the rest of the matrix is updated with all of them. An element sees the same operations in the same order for
// any such number; four divide its loads and stores by four.
constexpr int kSteps = 4;
using Columns = F32::V[kSpdGroupSize][kSteps];

// body(0), body(1), ... with arguments known at compile time: loops over the steps of a block have no branches.
template <int kCount, class Body>
METAPLAST_HD void unrolled(Body body) {
  if constexpr (kCount > 0) {
    unrolled<kCount - 1>(body);
    body(std::integral_constant<int, kCount - 1>());
  }
}

// Row elements from..to-1 of two rows: plus (or minus) v[row][s]*v[j][s], s ascending.
template <bool kMinus>
METAPLAST_HD void update_pair(F32::V* row, F32::V* next, int64_t i, int64_t from, int64_t to, const Columns& v) {
  F32::V x[kSteps], y[kSteps];
  for (int s = 0; s < kSteps; ++s) {
    x[s] = v[i][s];
    y[s] = v[i + 1][s];
  }
  for (int64_t j = from; j < to; ++j) {
    F32::V e = row[j], f = next[j];
    for (int s = 0; s < kSteps; ++s) {
      e = kMinus ? F32::fnma(x[s], v[j][s], e) : F32::fma(x[s], v[j][s], e);
      f = kMinus ? F32::fnma(y[s], v[j][s], f) : F32::fma(y[s], v[j][s], f);
    }
    row[j] = e;
    next[j] = f;
  }
}

// x plus (or minus) a[s]*b[s], s from..to-1 ascending.
template <int kFrom, int kTo, bool kMinus>
METAPLAST_HD F32::V accumulate(F32::V x, const F32::V* a, const F32::V* b) {
  for (int s = kFrom; s < kTo; ++s) x = kMinus ? F32::fnma(a[s], b[s], x) : F32::fma(a[s], b[s], x);
  return x;
}

// Lanes whose pivot fails are noted and go on with pivot 1; what they compute is not used.
F32::V checked_pivot(F32::V pivot, F32::V threshold, int64_t k, int64_t count, const int64_t* order, SpdOutcome* outcomes) {
  constexpr uint32_t kAll = static_cast<uint32_t>((uint64_t{1} << kGroupWidth) - 1);
  const uint32_t good = F32::greater(pivot, threshold);
  if (good == kAll) return pivot;
  alignas(64) float p[kGroupWidth];
  F32::store(p, pivot);
  for (int64_t lane = 0; lane < kGroupWidth; ++lane) {
    if ((good >> lane & 1) != 0) continue;
    if (lane < count && outcomes[order[lane]].failure == 0) {
      outcomes[order[lane]].failure = k + 1;
      outcomes[order[lane]].pivot = static_cast<double>(p[lane]);
    }
    p[lane] = 1;
  }
  return F32::load(p);
}

// One sweep does Cholesky, inverse of the factor and their product at once. With steps 0..k-1 done the triangle holds, Y = L^-1,
//   i, j >= k: the Schur complement;   i >= k > j: -sum over s < k of L_is Y_sj;   i, j < k: sum over s < k of Y_si Y_sj,
// and step k forms v, column k of the symmetric matrix so stored over the root of its pivot, v_k = 1/root; sets row and column k to zero; and
// adds v_i v_j where i <= k, subtracts it where i > k. (Large matrices are not inverted so, see spd_inverse.h; here the sums are short.)
// Here steps first..first+kCount-1; a block of fewer than kSteps is the last one.
template <int kCount>
void group_sweep_block(int64_t first, int64_t count, Group* g, const F32::V* threshold, SpdOutcome* outcomes, const int64_t* order) {
  const int64_t n = g->n, last = first + kCount;
  const F32::V one = F32::set(1), zero = F32::zero();
  Columns v;
  unrolled<kCount>([&](auto step) {
    constexpr int t = step;
    const int64_t k = first + t;
    // Column k with the steps of this block before it.
    F32::V own[kSteps];
    for (int s = 0; s < t; ++s) own[s] = v[k][s];
    const auto updated = [&](int64_t i, F32::V x) { return accumulate<0, t, true>(x, v[i], own); };
    const F32::V pivot = checked_pivot(updated(k, g->a[element(k, k)]), threshold[k], k, count, order, outcomes);
    const F32::V root = F32::div(one, F32::sqrt(pivot));
    const F32::V* const row = g->a + element(k, 0);
    for (int64_t i = 0; i < first; ++i) v[i][t] = F32::mul(updated(i, row[i]), root);
    unrolled<t>([&](auto before) {
      constexpr int s = before;
      const F32::V begun = F32::mul(F32::sub(zero, own[s]), v[first + s][s]);
      v[first + s][t] = F32::mul(accumulate<s + 1, t, true>(begun, v[first + s], own), root);
    });
    v[k][t] = root;
    const F32::V* column = row + 2 * k + 1;  // element (k + 1, k)
    for (int64_t i = k + 1; i < n; ++i) {
      v[i][t] = F32::mul(updated(i, *column), root);
      column += i + 1;
    }
  });
  // Rows of the block start anew at their own step, columns of the block at theirs.
  unrolled<kCount>([&](auto step) {
    constexpr int t = step;
    const int64_t i = first + t;
    F32::V own[kSteps];
    for (int s = t; s < kCount; ++s) own[s] = v[i][s];
    F32::V* const row = g->a + element(i, 0);
    for (int64_t j = 0; j <= i; ++j) row[j] = accumulate<t + 1, kCount, false>(F32::mul(own[t], v[j][t]), own, v[j]);
  });
  for (int64_t i = last; i < n; ++i) {
    F32::V own[kSteps];
    for (int s = 0; s < kCount; ++s) own[s] = v[i][s];
    F32::V* const row = g->a + element(i, first);
    unrolled<kCount>([&](auto step) {
      constexpr int t = step;
      row[t] = accumulate<t + 1, kCount, true>(F32::mul(F32::sub(zero, own[t]), v[first + t][t]), own, v[first + t]);
    });
  }
  const auto accumulated = [&](int64_t i, int64_t j, auto minus) {
    F32::V* const x = g->a + element(i, j);
    *x = accumulate<0, kCount, minus>(*x, v[i], v[j]);
  };
  // Before a block of fewer steps there are whole ones only, and none behind it.
  if constexpr (kCount < kSteps) {
    for (int64_t i = 0; i < first; ++i) {
      for (int64_t j = 0; j <= i; ++j) accumulated(i, j, std::false_type());
    }
  } else {
    for (int64_t i = 0; i < first; i += 2) {
      update_pair<false>(g->a + element(i, 0), g->a + element(i + 1, 0), i, 0, i + 1, v);
      accumulated(i + 1, i + 1, std::false_type());
    }
    for (int64_t i = last; i < n; i += 2) {
      if (i + 1 == n) {
        for (int64_t j = 0; j <= i; ++j) {
          if (j < first || j >= last) accumulated(i, j, std::true_type());
        }
        break;
      }
      update_pair<true>(g->a + element(i, 0), g->a + element(i + 1, 0), i, 0, first, v);
      update_pair<true>(g->a + element(i, 0), g->a + element(i + 1, 0), i, last, i + 1, v);
      accumulated(i + 1, i + 1, std::true_type());
    }
  }
}

void group_sweep(int64_t count, Group* g, SpdOutcome* outcomes, const int64_t* order) {
  const int64_t n = g->n;
  const F32::V unit = F32::set(8 * 0x1p-24f);
  F32::V threshold[kSpdGroupSize];
  for (int64_t k = 0; k < n; ++k) threshold[k] = F32::mul(g->a[element(k, k)], unit);
  int64_t first = 0;
  for (; first + kSteps <= n; first += kSteps) group_sweep_block<kSteps>(first, count, g, threshold, outcomes, order);
  switch (n - first) {
    case 1: return group_sweep_block<1>(first, count, g, threshold, outcomes, order);
    case 2: return group_sweep_block<2>(first, count, g, threshold, outcomes, order);
    case 3: return group_sweep_block<3>(first, count, g, threshold, outcomes, order);
    default: return;
  }
}

void group_store(int64_t count, const metaplast_spd_item_t* items, const int64_t* order, const bool* usable, const Group& g) {
  for (int64_t i = 0; i < g.n; ++i) {
    for (int64_t j = 0; j < g.n; j += kGroupWidth) {
      F32::V t[kGroupWidth];
      for (int64_t c = 0; c < kGroupWidth; ++c) t[c] = j + c < g.n ? g.a[element(i, j + c)] : F32::zero();
      F32::transpose(t);
      for (int64_t k = 0; k < count; ++k) {
        const metaplast_spd_item_t& item = items[order[k]];
        if (usable[k]) F32::store_n(item.out + i * item.ldo + j, t[k], g.n - j);
      }
    }
  }
}

}  // namespace

void spd_group(int64_t count, const metaplast_spd_item_t* items, const int64_t* order, const double* signs, int64_t signs_stride,
               double tolerance, SpdOutcome* outcomes) noexcept {
  Group g;
  g.n = items[order[0]].n;
  group_load(count, items, order, &g);

  double norm[kGroupWidth], inverse_norm[kGroupWidth];
  group_multiply(
      g, norm, [&](int v, int64_t j) { return F64::set(signs[v * signs_stride + j]); },
      [&](int64_t i, Wide x, Wide y) {
        g.product[0][i] = x;
        g.product[1][i] = y;
      });
  for (int64_t k = 0; k < count; ++k) {
    SpdOutcome& outcome = outcomes[order[k]];
    outcome = {};
    outcome.failure = std::isfinite(norm[k]) ? 0 : -1;
  }
  group_sweep(count, &g, outcomes, order);

  Wide square[2] = {wide_zero(), wide_zero()};
  group_multiply(
      g, inverse_norm, [&](int v, int64_t j) { return g.product[v][j]; },
      [&](int64_t i, Wide x, Wide y) {
        const F64::V v0 = F64::set(signs[i]), v1 = F64::set(signs[signs_stride + i]);
        const Wide e0 = {F64::sub(x.low, v0), F64::sub(x.high, v0)}, e1 = {F64::sub(y.low, v1), F64::sub(y.high, v1)};
        square[0] = wide_fma(e0, e0, square[0]);
        square[1] = wide_fma(e1, e1, square[1]);
      });
  alignas(64) double lanes[2][kGroupWidth];
  wide_store(lanes[0], square[0]);
  wide_store(lanes[1], square[1]);
  bool usable[kGroupWidth];
  for (int64_t k = 0; k < count; ++k) {
    SpdOutcome& outcome = outcomes[order[k]];
    usable[k] = false;
    if (outcome.failure == 0) {
      const double larger = lanes[0][k] > lanes[1][k] ? lanes[0][k] : lanes[1][k];
      outcome.residual = __builtin_sqrt((lanes[1][k] != lanes[1][k] ? lanes[1][k] : larger) / static_cast<double>(g.n));
      outcome.norm = norm[k];
      outcome.inverse_norm = inverse_norm[k];
      usable[k] = outcome.residual <= tolerance;
    }
  }
  group_store(count, items, order, usable, g);
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
