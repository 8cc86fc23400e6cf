// Product of real matrices against double: shapes around tiles, panels and blocks, transposition, leading dimensions, alpha and beta, exact integers,
// bits that depend on the two vectors of an element only, operands against guard pages, bad arguments.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "metaplast/kfac.h"
#include "testing/matrices.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

using Values = std::vector<float>;
using ll = long long;
constexpr float kStale = 4711.0f;

size_t at(int64_t i) { return static_cast<size_t>(i); }

// [rows][cols] or its transpose, with leading dimension `ld`.
Values laid_out(const Values& x, int64_t rows, int64_t cols, bool transposed, int64_t ld) {
  Values out(transposed ? (rows == 0 || cols == 0 ? 0 : matrix_size(cols, rows, ld)) : cols == 0 ? 0 : matrix_size(rows, cols, ld), kStale);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) out[at(transposed ? c * ld + r : r * ld + c)] = x[at(r * cols + c)];
  }
  return out;
}

struct Shape {
  int64_t m, n, inner, gap;
  bool transpose_a, transpose_b;
  float alpha, beta;
  bool integers;
};

Values integers(uint64_t seed, int64_t n) {
  Values v = uniform_values(seed, n, -8.49f, 8.49f);
  for (float& x : v) x = std::round(x);
  return v;
}

// The result [m][n]; c0 [m][n].
Values multiply(const Context& context, const Shape& s, const Values& a, const Values& b, const Values& c0, bool at_end) {
  const int64_t lda = (s.transpose_a ? s.m : s.inner) + s.gap, ldb = (s.transpose_b ? s.inner : s.n) + 2 * s.gap, ldc = s.n + s.gap;
  const Values as = laid_out(a, s.m, s.inner, s.transpose_a, lda), bs = laid_out(b, s.inner, s.n, s.transpose_b, ldb);
  Values cs = laid_out(c0, s.m, s.n, false, ldc);
  if (s.beta == 0) {
    // Must not be read.
    for (int64_t i = 0; i < s.m; ++i) std::fill_n(cs.begin() + i * ldc, s.n, std::nanf(""));
  }
  GuardedArray<float> ga(as, at_end), gb(bs, at_end), gc(cs, at_end);
  const int64_t bytes = metaplast_real_gemm_workspace_bytes(context, s.m, s.n, s.inner);
  GuardedArray<unsigned char> memory(std::vector<unsigned char>(at((bytes + 63) / 64 * 64), 0xA5), at_end);
  unsigned char* const workspace = memory;
  const metaplast_status_t status = metaplast_real_gemm_f32(context, s.transpose_a, s.transpose_b, s.m, s.n, s.inner, s.alpha, ga, lda, gb, ldb,
                                                            s.beta, gc, ldc, workspace, bytes);
  expect(status == METAPLAST_OK, "status %d", status);
  expect(ga.holds(as) && gb.holds(bs) && gc.gaps_intact() && memory.gaps_intact(), "%lld x %lld x %lld: inputs or surroundings were written",
         ll{s.m}, ll{s.n}, ll{s.inner});
  const Values out = gc.values();
  Values c(at(s.m * s.n));
  for (int64_t i = 0; i < s.m; ++i) {
    std::copy_n(out.begin() + i * ldc, s.n, c.begin() + i * s.n);
    if (i + 1 == s.m) break;
    for (int64_t j = s.n; j < ldc; ++j) expect(out[at(i * ldc + j)] == kStale, "the gap between rows was written");
  }
  return c;
}

void check(const Shape& s, int32_t most_threads) {
  const uint64_t seed = static_cast<uint64_t>(s.m + 3 * s.n + 7 * s.inner);
  const auto values = [&](uint64_t more, int64_t n) { return s.integers ? integers(seed + more, n) : uniform_values(seed + more, n, -1, 1); };
  const Values a = values(1, s.m * s.inner), b = values(2, s.inner * s.n), c0 = values(3, s.m * s.n);
  std::vector<double> exact(at(s.m * s.n)), bound(at(s.m * s.n));
  for (int64_t i = 0; i < s.m; ++i) {
    for (int64_t j = 0; j < s.n; ++j) {
      double sum = 0, most = 0;
      for (int64_t p = 0; p < s.inner; ++p) {
        const double t = static_cast<double>(a[at(i * s.inner + p)]) * b[at(p * s.n + j)];
        sum += t;
        most += std::fabs(t);
      }
      const double old = s.beta == 0 ? 0 : static_cast<double>(s.beta) * c0[at(i * s.n + j)];
      exact[at(i * s.n + j)] = s.alpha * sum + old;
      bound[at(i * s.n + j)] = 0x1p-24 * (static_cast<double>(s.inner + 3) * std::fabs(s.alpha) * most + std::fabs(old));
    }
  }
  for (int32_t tier : tiers()) {
    Values first;
    for (int32_t threads = 1; threads <= most_threads; ++threads) {
      const Context context(tier, threads);
      const Values c = multiply(context, s, a, b, c0, (s.m + s.n + s.inner + threads) % 2 == 0);
      if (threads == 1) {
        first = c;
        for (size_t i = 0; i < c.size(); ++i) {
          const double error = std::fabs(c[i] - exact[i]);
          if (!(error <= (s.integers ? 0 : bound[i]))) {
            expect(false, "%s, %lld x %lld x %lld, element %zu: %.9g instead of %.17g", tier_name(tier), ll{s.m}, ll{s.n}, ll{s.inner}, i, c[i],
                   exact[i]);
            return;
          }
        }
      }
      expect(equal_bits(c, first), "%s, %lld x %lld x %lld: other bits with %d threads", tier_name(tier), ll{s.m}, ll{s.n}, ll{s.inner}, threads);
    }
  }
}

// Every element has the bits of the product of its row and its column alone, whatever the transpositions.
void check_positions(int64_t m, int64_t n, int64_t inner) {
  const Values a = uniform_values(11, m * inner, -1, 1), b = uniform_values(12, inner * n, -1, 1), c0 = uniform_values(13, m * n, -1, 1);
  for (int32_t tier : tiers()) {
    const Context context(tier, 1);
    const Shape plain = {m, n, inner, 0, false, false, 1.5f, 0.25f, false};
    const Values whole = multiply(context, plain, a, b, c0, true);
    for (int turn = 1; turn < 4; ++turn) {
      Shape other = plain;
      other.transpose_a = (turn & 1) != 0;
      other.transpose_b = (turn & 2) != 0;
      expect(equal_bits(multiply(context, other, a, b, c0, false), whole), "%s: transposition %d gives other bits", tier_name(tier), turn);
    }
    for (int64_t i = 0; i < m; i += 5) {
      for (int64_t j = 0; j < n; j += 7) {
        const Values row(a.begin() + i * inner, a.begin() + (i + 1) * inner);
        Values column(at(inner));
        for (int64_t p = 0; p < inner; ++p) column[at(p)] = b[at(p * n + j)];
        const Values one = multiply(context, {1, 1, inner, 0, false, false, 1.5f, 0.25f, false}, row, column, {c0[at(i * n + j)]}, true);
        expect(same(one[0], whole[at(i * n + j)]), "%s: element (%lld, %lld) of %lld x %lld depends on its place", tier_name(tier), ll{i}, ll{j},
               ll{m}, ll{n});
      }
    }
  }
}

void check_arguments() {
  const Context context(tiers().back(), 2);
  const Values a = uniform_values(1, 60, -1, 1), b = uniform_values(2, 60, -1, 1), stale(at(60), kStale);
  Values c = stale;
  const int64_t bytes = metaplast_real_gemm_workspace_bytes(context, 5, 6, 7);
  void* const memory = metaplast_alloc(bytes + 64);
  const auto call = [&](const metaplast_context_t* with, int64_t m, int64_t n, int64_t inner, const float* x, int64_t lda, const float* y,
                        int64_t ldb, float* z, int64_t ldc, void* workspace, int64_t size) {
    return metaplast_real_gemm_f32(with, 0, 0, m, n, inner, 1, x, lda, y, ldb, 0, z, ldc, workspace, size);
  };
  const metaplast_context_t* const good = context;
  const metaplast_status_t bad[] = {
      call(nullptr, 5, 6, 7, a.data(), 7, b.data(), 6, c.data(), 6, memory, bytes), call(good, -1, 6, 7, a.data(), 7, b.data(), 6, c.data(), 6, memory, bytes),
      call(good, 5, -6, 7, a.data(), 7, b.data(), 6, c.data(), 6, memory, bytes),   call(good, 5, 6, -7, a.data(), 7, b.data(), 6, c.data(), 6, memory, bytes),
      call(good, 5, 6, 7, nullptr, 7, b.data(), 6, c.data(), 6, memory, bytes),     call(good, 5, 6, 7, a.data(), 6, b.data(), 6, c.data(), 6, memory, bytes),
      call(good, 5, 6, 7, a.data(), 7, nullptr, 6, c.data(), 6, memory, bytes),     call(good, 5, 6, 7, a.data(), 7, b.data(), 5, c.data(), 6, memory, bytes),
      call(good, 5, 6, 7, a.data(), 7, b.data(), 6, nullptr, 6, memory, bytes),     call(good, 5, 6, 7, a.data(), 7, b.data(), 6, c.data(), 5, memory, bytes),
      call(good, 5, 6, 7, a.data(), 7, b.data(), 6, c.data(), 6, nullptr, bytes),   call(good, 5, 6, 7, a.data(), 7, b.data(), 6, c.data(), 6, memory, bytes - 1),
      call(good, 5, 6, 7, a.data(), 7, b.data(), 6, c.data(), 6, static_cast<char*>(memory) + 4, bytes)};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) expect(bad[i] == METAPLAST_E_ARGUMENT, "bad call %zu: status %d", i, bad[i]);
  expect(equal_bits(c, stale), "a bad call wrote c");
  expect(call(good, 0, 6, 7, nullptr, 7, nullptr, 6, nullptr, 6, nullptr, 0) == METAPLAST_OK, "no rows");
  expect(metaplast_real_gemm_f32(good, 1, 0, 5, 6, 7, 1, a.data(), 4, b.data(), 6, 0, c.data(), 6, memory, bytes) == METAPLAST_E_ARGUMENT,
         "transposed a, lda < m");
  expect(metaplast_real_gemm_f32(good, 0, 1, 5, 6, 7, 1, a.data(), 7, b.data(), 6, 0, c.data(), 6, memory, bytes) == METAPLAST_E_ARGUMENT,
         "transposed b, ldb < inner");
  metaplast_free(memory, bytes + 64);
}

}  // namespace

int main() {
  for (int64_t n = 0; n <= 100; ++n) {
    const bool ta = n % 2 != 0, tb = n % 4 >= 2;
    check({n, 1 + n * 5 % 67, 1 + n % 13, n % 3, ta, tb, 1, 0, false}, 1);
    check({1 + n % 9, n, 1 + n * 3 % 37, n % 3, ta, tb, -0.5f, 0.5f, false}, 1);
    check({1 + n % 11, 1 + n % 50, n, n % 3, ta, tb, 2, 1, n % 3 == 0}, 1);
  }
  for (int turn = 0; turn < 4; ++turn) {
    const bool ta = (turn & 1) != 0, tb = (turn & 2) != 0;
    for (int64_t inner : {255, 256, 257, 513}) {
      check({7, 50, inner, 1, ta, tb, 1, 0, false}, 2);
      check({97, 49, inner, 0, ta, tb, 1, 1, true}, 2);
    }
    check({200, 530, 300, 1, ta, tb, 0.25f, 0.75f, false}, 4);
    check({10, 785, 400, 0, ta, tb, 1, 0, false}, 4);
    check({700, 9, 300, 2, ta, tb, 1, 0.5f, false}, 4);
  }
  // More than one column block: inner decides how wide they are.
  check({3, 200, sparse() ? 2000 : 30000, 0, false, false, 1, 0, false}, 2);
  check_positions(53, 101, 300);
  check_arguments();
  return finish("real_gemm_test");
}
