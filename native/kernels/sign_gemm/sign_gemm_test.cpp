// The three products of reals and signs against restatements in the written order: shapes around quads, words, blocks and tiles, leading
// dimensions, 1 to 4 threads, operands against guard pages.
#include <algorithm>

#include "testing/matrices.h"
#include "testing/reference.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

using Values = std::vector<float>;

size_t at(int64_t i) { return static_cast<size_t>(i); }

// The order of the forward product.
float sum_forward(const Values& terms) {
  const int64_t n = static_cast<int64_t>(terms.size());
  const auto term = [&](int64_t k) { return k < n ? terms[at(k)] : 0.0f; };
  float y = 0;
  for (int64_t block = 0; block < n; block += 512) {
    float sum = 0;
    for (int64_t k = block; k < n && k < block + 512; k += 4) {
      const float left = term(k) + term(k + 1), right = term(k + 2) + term(k + 3);
      const float q = left + right;
      sum = k == block ? q : sum + q;
    }
    y = block == 0 ? sum : y + sum;
  }
  return y;
}

// The order of the gradient products.
float sum_backward(const Values& terms) {
  float sum = 0;
  for (size_t k = 0; k < terms.size(); k += 4) {
    float q = terms[k];
    for (size_t t = k + 1; t < terms.size() && t < k + 4; ++t) q = q + terms[t];
    sum = k == 0 ? q : sum + q;
  }
  return sum;
}

// Rows of `cols` values `pitch` apart, as many bytes as they need and no more; the gaps must come back as they were.
Values spread(const Values& values, int64_t rows, int64_t cols, int64_t pitch) {
  Values out(at(rows > 0 && cols > 0 ? (rows - 1) * pitch + cols : 0), 77.0f);
  for (int64_t r = 0; r < rows; ++r) std::copy_n(values.begin() + r * cols, cols, out.begin() + r * pitch);
  return out;
}

enum class Product { kForward, kInputs, kWeights };

struct Case {
  Product product;
  int64_t batch, out, in;
};

struct Problem {
  Case c;
  int64_t a_rows, a_cols, m, n, terms;
  Values a, expected;
  BitRows bits;
};

Problem problem(const Case& c, const Values& pool) {
  const int64_t a_cols = c.product == Product::kForward ? c.in : c.out;
  const int64_t bit_rows = c.product == Product::kWeights ? c.batch : c.out;
  const uint64_t seed = static_cast<uint64_t>(c.batch + 31 * c.out + 1009 * c.in);
  Problem p = {c, c.batch, a_cols, 0, 0, 0, Values(), Values(), random_bits(seed, bit_rows, c.in)};
  p.m = c.product == Product::kWeights ? c.out : c.batch;
  p.n = c.product == Product::kForward ? c.out : c.in;
  p.terms = c.product == Product::kForward ? c.in : c.product == Product::kInputs ? c.out : c.batch;
  const size_t from = at(c.batch * 7 + c.out * 3 + c.in) % 1000;
  p.a.assign(pool.begin() + static_cast<std::ptrdiff_t>(from), pool.begin() + static_cast<std::ptrdiff_t>(from) + c.batch * a_cols);
  p.expected.resize(at(p.m * p.n));
  Values terms(at(p.terms));
  for (int64_t i = 0; i < p.m; ++i) {
    for (int64_t j = 0; j < p.n; ++j) {
      for (int64_t k = 0; k < p.terms; ++k) {
        const float value = c.product == Product::kWeights ? p.a[at(k * a_cols + i)] : p.a[at(i * a_cols + k)];
        const bool plus = c.product == Product::kForward ? p.bits.get(j, k) : p.bits.get(k, j);
        terms[at(k)] = plus ? value : -value;
      }
      p.expected[at(i * p.n + j)] = c.product == Product::kForward ? sum_forward(terms) : sum_backward(terms);
    }
  }
  return p;
}

void check(const Problem& p, int32_t tier, int32_t threads, bool at_end, int64_t gap) {
  const Context context(tier, threads);
  const int64_t lda = p.a_cols + gap, ldy = p.n + 2 * gap;
  const Values a = spread(p.a, p.a_rows, p.a_cols, lda);
  const Values expected = spread(p.expected, p.m, p.n, ldy);
  Values initial = spread(Values(at(p.m * p.n), 55.0f), p.m, p.n, ldy);
  GuardedArray<float> ga(a, at_end), gy(initial, at_end);
  GuardedArray<uint64_t> bits(p.bits.words, at_end);
  const auto call = p.c.product == Product::kForward  ? metaplast_sign_gemm_nt_f32
                    : p.c.product == Product::kInputs ? metaplast_sign_gemm_nn_f32
                                                      : metaplast_sign_gemm_tn_f32;
  const metaplast_status_t status = call(context, p.c.batch, p.c.out, p.c.in, ga, lda, bits, gy, ldy);
  const long long b = p.c.batch, o = p.c.out, i = p.c.in;
  expect(status == METAPLAST_OK, "status %d", status);
  expect(equal_bits(gy.values(), expected), "%s, %d threads, product %d, %lld x %lld x %lld", tier_name(tier), threads,
         static_cast<int>(p.c.product), b, o, i);
  expect(equal_bits(ga.values(), a) && bits.values() == p.bits.words, "inputs were written");
  expect(ga.gaps_intact() && gy.gaps_intact() && bits.gaps_intact(), "%s, product %d, %lld x %lld x %lld: wrote outside of an operand",
         tier_name(tier), static_cast<int>(p.c.product), b, o, i);
}

Values mostly_ordinary(int64_t n) {
  Values values = uniform_values(5, n, -1, 1);
  const Values mixed = mixed_values(6, n);
  // Zeros of both signs often, the rest of the mixture rarely: a NaN hides whatever else is wrong with a sum.
  for (size_t i = 0; i < values.size(); ++i) {
    if (i % 5 == 0) values[i] = i % 2 == 0 ? 0.0f : -0.0f;
    if (i % 97 == 0) values[i] = mixed[i];
  }
  return values;
}

}  // namespace

int main() {
  const Values pool = mostly_ordinary(600000);
  const Values zeros(600000, -0.0f);
  constexpr Product kProducts[] = {Product::kForward, Product::kInputs, Product::kWeights};
  int64_t variant = 0;
  const auto on_every_tier = [&](const Problem& p) {
    for (int32_t tier : tiers()) check(p, tier, 1, variant % 2 == 0, variant % 3);
    ++variant;
  };
  for (Product product : kProducts) {
    // Every number of terms around quads, words and blocks; every number of rows and columns around tiles.
    for (int64_t k = 0; k <= 140; ++k) {
      const int64_t m = 1 + k % 13, n = 1 + k * 7 % 71;
      on_every_tier(problem(product == Product::kForward  ? Case{product, m, n, k}
                            : product == Product::kInputs ? Case{product, m, k, n}
                                                          : Case{product, k, m, n}, pool));
    }
    for (int64_t k : {511, 512, 513, 516, 1023, 1024, 1030, 1537}) {
      on_every_tier(problem(product == Product::kForward  ? Case{product, 7, 19, k}
                            : product == Product::kInputs ? Case{product, 7, k, 19}
                                                          : Case{product, k, 7, 19}, pool));
    }
    for (int64_t m = 0; m <= 14; ++m) {
      for (int64_t n : {0, 1, 15, 16, 17, 31, 33, 63, 64, 65, 97, 129, 511, 513}) {
        on_every_tier(problem(product == Product::kForward  ? Case{product, m, n, 37}
                              : product == Product::kInputs ? Case{product, m, 37, n}
                                                            : Case{product, 37, m, n}, pool));
      }
    }
    // Nothing but zeros: their signs must come out in the written order.
    for (int64_t k = 1; k <= 9; ++k) {
      on_every_tier(problem(product == Product::kForward  ? Case{product, 2, 40, k}
                            : product == Product::kInputs ? Case{product, 2, k, 40}
                                                          : Case{product, k, 2, 40}, zeros));
    }
    // More columns than a panel holds; ranges of rows and of columns.
    for (const Case& c : {Case{product, 13, 2100, 65}, Case{product, 65, 13, 2100}, Case{product, 200, 150, 600}}) {
      const Problem p = problem(c, pool);
      for (int32_t tier : tiers()) {
        for (int32_t threads = 1; threads <= 4; ++threads) check(p, tier, threads, true, 0);
      }
    }
  }
  return finish("sign_gemm_test");
}
