#include <cmath>
#include <limits>

#include "metaplast/kfac.h"
#include "shim/simt_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::uniform_values;

namespace {

constexpr double kUnit = 1.0 / (1 << 24);
constexpr int64_t kSizes[] = {0, 1, 2, 9, 63, 64, 65, 130, 200};

size_t at(int64_t i, int64_t j, int64_t ld) { return static_cast<size_t>(i * ld + j); }

// Lower triangle with a large diagonal; NaN above, which nothing may read.
std::vector<float> triangle(int64_t n, int64_t ld) {
  std::vector<float> l = uniform_values(static_cast<uint64_t>(n + 1), n * ld + 1, -1.0f, 1.0f);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i; j < ld; ++j) l[at(i, j, ld)] = j == i ? (i % 2 == 0 ? 2.0f : -3.0f) : std::numeric_limits<float>::quiet_NaN();
    for (int64_t j = 0; j < i; ++j) l[at(i, j, ld)] /= 8.0f;
  }
  return l;
}

// L L' of the triangle above, rounded.
std::vector<float> square(int64_t n, int64_t ld) {
  const std::vector<float> l = triangle(n, ld);
  std::vector<float> m(l.size(), std::numeric_limits<float>::quiet_NaN());
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (int64_t k = 0; k <= j; ++k) sum += static_cast<double>(l[at(i, k, ld)]) * static_cast<double>(l[at(j, k, ld)]);
      m[at(i, j, ld)] = static_cast<float>(sum);
    }
  }
  return m;
}

// Runs body in all orders; its results must be those of the first.
void same_in_all_orders(const char* what, int64_t n, const std::function<std::vector<float>(int order, int64_t offset)>& body) {
  std::vector<float> first;
  for_orders([&](int order, int64_t offset) {
    if (n > 100 && order > 4) return;
    const std::vector<float> seen = body(order, offset);
    if (order == 0) first = seen;
    bool same = first.size() == seen.size();
    for (size_t i = 0; same && i < seen.size(); ++i) same = metaplast::testing::same(first[i], seen[i]);
    check(same, "%s, n %lld, order %d: other bits", what, static_cast<long long>(n), order);
  });
}

}  // namespace

METAPLAST_SIMT_TEST(damped_cholesky_f32) {
  for (int64_t n : kSizes) {
    const int64_t ld = n + 2;
    const double damping = 0.25;
    const std::vector<float> m = square(n, ld);
    same_in_all_orders("damped_cholesky", n, [&](int order, int64_t offset) {
      const bool in_place = order % 2 == 1;
      Device<float> in(m, offset), out(std::vector<float>(m.size(), 7.0f), offset);
      Device<int32_t> status({-9});
      Device<double> pivot({-9.0});
      Device<int64_t> index({-9});
      const int64_t bytes = n * n * 4 + 64 * n + 4096;
      Device<char> space(std::vector<char>(static_cast<size_t>(bytes)));
      check(metaplast_damped_cholesky_f32_cuda(cuda(), n, in.data(), ld, damping, in_place ? in.data() : out.data(), ld, status.data(), pivot.data(),
                                               index.data(), space.data(), bytes, nullptr) == METAPLAST_OK &&
                status.values()[0] == 0 && pivot.values()[0] == 0 && index.values()[0] == 0,
            "damped_cholesky, n %lld", static_cast<long long>(n));
      std::vector<float> l = in_place ? in.values() : out.values(), packed;
      double worst = 0, norm = 0;
      for (int64_t j = 0; j < n; ++j) {
        double column = 0, column_m = 0;
        for (int64_t i = 0; i < n; ++i) {
          packed.push_back(l[at(i, j, ld)]);
          const int64_t high = i > j ? i : j, low = i > j ? j : i;
          const double a = static_cast<double>(m[at(high, low, ld)]) + (i == j ? damping : 0);
          double sum = -a;
          for (int64_t k = 0; k <= low; ++k) sum += static_cast<double>(l[at(i, k, ld)]) * static_cast<double>(l[at(j, k, ld)]);
          column += std::fabs(sum);
          column_m += std::fabs(a);
          if (i < j) check(l[at(i, j, ld)] == 0.0f, "damped_cholesky: above the diagonal");
        }
        worst = metaplast::testing::larger(worst, column);
        norm = metaplast::testing::larger(norm, column_m);
      }
      check(worst <= 10 * norm * kUnit, "damped_cholesky, n %lld: residual %g", static_cast<long long>(n), worst / (norm * kUnit));
      return packed;
    });
  }
  // Statuses; nothing is written with any of them.
  for (int64_t n : {3, 70, 150}) {
    for (int kind = 0; kind < 4; ++kind) {
      const int64_t ld = n + 1, where = n - 2;
      std::vector<float> m = square(n, ld);
      if (kind == 0) m[at(where, where, ld)] = -1.0f;
      if (kind == 1) m[at(n - 1, 1, ld)] = std::numeric_limits<float>::quiet_NaN();
      if (kind == 2) m[at(where, where, ld)] = 3.3e38f;
      const double damping = kind == 2 ? 3e38 : kind == 3 ? -1.0 : 0.0;
      Device<float> in(m), out(std::vector<float>(m.size(), 7.0f));
      Device<int32_t> status({-9});
      Device<double> pivot({-9.0});
      Device<int64_t> index({-9});
      const int64_t bytes = n * n * 4 + 64 * n + 4096;
      Device<char> space(std::vector<char>(static_cast<size_t>(bytes)));
      check(metaplast_damped_cholesky_f32_cuda(cuda(), n, in.data(), ld, damping, out.data(), ld, status.data(), pivot.data(), index.data(),
                                               space.data(), bytes, nullptr) == METAPLAST_OK,
            "damped_cholesky, kind %d", kind);
      const int32_t wanted = kind == 0 ? static_cast<int32_t>(n - 1) : kind == 3 ? METAPLAST_SPD_ARGUMENT : METAPLAST_SPD_NOT_FINITE;
      const int64_t place = kind == 1 ? (n - 1) * n + 1 : kind == 2 ? where * n + where : 0;
      check(status.values()[0] == wanted && index.values()[0] == place && (kind == 0) == (pivot.values()[0] < 0),
            "damped_cholesky, n %lld, kind %d: status %d, index %lld, pivot %g", static_cast<long long>(n), kind, status.values()[0],
            static_cast<long long>(index.values()[0]), pivot.values()[0]);
      check(out.values() == std::vector<float>(m.size(), 7.0f), "damped_cholesky, kind %d: written in spite of its status", kind);
    }
  }
}

METAPLAST_SIMT_TEST(triangular_inverse_f32) {
  for (int64_t n : kSizes) {
    const int64_t ld = n + 1;
    const std::vector<float> l = triangle(n, ld);
    same_in_all_orders("triangular_inverse", n, [&](int order, int64_t offset) {
      const bool in_place = order % 2 == 1;
      Device<float> in(l, offset), out(std::vector<float>(l.size(), 7.0f), offset);
      Device<int32_t> status({-9});
      check(metaplast_triangular_inverse_f32_cuda(cuda(), n, in.data(), ld, in_place ? in.data() : out.data(), ld, status.data(), nullptr) ==
                    METAPLAST_OK &&
                status.values()[0] == 0,
            "triangular_inverse, n %lld", static_cast<long long>(n));
      const std::vector<float> w = in_place ? in.values() : out.values();
      std::vector<float> packed;
      bool good = true;
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          packed.push_back(w[at(i, j, ld)]);
          if (j > i) {
            good = good && w[at(i, j, ld)] == 0.0f;
            continue;
          }
          // W L = I, with the componentwise bound of substitution.
          double sum = i == j ? -1 : 0, absolute = 0;
          for (int64_t k = j; k <= i; ++k) {
            const double term = static_cast<double>(w[at(i, k, ld)]) * static_cast<double>(l[at(k, j, ld)]);
            sum += term;
            absolute += std::fabs(term);
          }
          good = good && std::fabs(sum) <= static_cast<double>(n + 3) * kUnit * absolute;
        }
      }
      check(good, "triangular_inverse, n %lld, order %d: not the inverse", static_cast<long long>(n), order);
      return packed;
    });
  }
  for (float wrong : {0.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> l = triangle(70, 70);
    l[at(66, 66, 70)] = wrong;
    l[at(68, 68, 70)] = 0.0f;
    Device<float> in(l), out(std::vector<float>(l.size(), 7.0f));
    Device<int32_t> status({-9});
    check(metaplast_triangular_inverse_f32_cuda(cuda(), 70, in.data(), 70, out.data(), 70, status.data(), nullptr) == METAPLAST_OK &&
              status.values()[0] == 67 && out.values() == std::vector<float>(l.size(), 7.0f),
          "triangular_inverse of a singular matrix: status %d", status.values()[0]);
  }
}

METAPLAST_SIMT_TEST(triangular_solve_f32) {
  for (int64_t n : kSizes) {
    for (int64_t columns : {0, 1, 5, 70}) {
      for (int transposed = 0; transposed < 2; ++transposed) {
        const int64_t ld = n + 1, ldb = columns + 2;
        const std::vector<float> l = triangle(n, ld), right = uniform_values(3, n * ldb + 1, -1.0f, 1.0f);
        same_in_all_orders("triangular_solve", n, [&](int order, int64_t offset) {
          Device<float> in(l, offset), b(right, offset);
          Device<int32_t> status({-9});
          check(metaplast_triangular_solve_f32_cuda(cuda(), n, columns, transposed, in.data(), ld, b.data(), ldb, status.data(), nullptr) ==
                        METAPLAST_OK &&
                    status.values()[0] == 0,
                "triangular_solve, n %lld", static_cast<long long>(n));
          const std::vector<float> x = b.values();
          bool good = true;
          for (int64_t i = 0; i < n; ++i) {
            for (int64_t j = 0; j < ldb; ++j) {
              if (j >= columns) {
                good = good && x[at(i, j, ldb)] == right[at(i, j, ldb)];
                continue;
              }
              double sum = -static_cast<double>(right[at(i, j, ldb)]), absolute = 0;
              for (int64_t k = transposed == 0 ? 0 : i; k <= (transposed == 0 ? i : n - 1); ++k) {
                const double term = static_cast<double>(transposed == 0 ? l[at(i, k, ld)] : l[at(k, i, ld)]) * static_cast<double>(x[at(k, j, ldb)]);
                sum += term;
                absolute += std::fabs(term);
              }
              good = good && std::fabs(sum) <= static_cast<double>(n + 3) * kUnit * absolute;
            }
          }
          check(good, "triangular_solve, n %lld, columns %lld, transposed %d, order %d: not the solution", static_cast<long long>(n),
                static_cast<long long>(columns), transposed, order);
          return x;
        });
      }
    }
  }
  std::vector<float> l = triangle(9, 9), right = uniform_values(3, 9, -1.0f, 1.0f);
  l[at(4, 4, 9)] = 0.0f;
  Device<float> in(l), b(right);
  Device<int32_t> status({-9});
  check(metaplast_triangular_solve_f32_cuda(cuda(), 9, 1, 0, in.data(), 9, b.data(), 1, status.data(), nullptr) == METAPLAST_OK &&
            status.values()[0] == 5 && b.values() == right,
        "triangular_solve with a singular matrix");
}
