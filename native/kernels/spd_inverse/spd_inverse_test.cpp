// Damped SPD inverse: closed forms, residual gates in double, statuses, and bits that depend on nothing but the matrix.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <random>

#include "metaplast/kfac.h"
#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

constexpr double kUnit = 0x1p-24;
constexpr double kGate = 10;
constexpr double kAnyResidual = std::numeric_limits<double>::infinity();
constexpr double kUsual = 0.1;
constexpr float kUntouched = 12345.0f;

using Matrix = std::vector<double>;  // n x n
using Inverse = metaplast_status_t (*)(const metaplast_context_t*, int64_t, const metaplast_spd_item_t*, double, metaplast_spd_result_t*,
                                       void*, int64_t);
using WorkspaceBytes = int64_t (*)(const metaplast_context_t*, int64_t, const metaplast_spd_item_t*);

struct Arithmetic {
  const char* name;
  Inverse inverse;
  WorkspaceBytes workspace_bytes;
};
constexpr Arithmetic kF32 = {"f32", metaplast_spd_inverse_f32, metaplast_spd_inverse_workspace_bytes};
constexpr Arithmetic kF64 = {"f64acc", metaplast_spd_inverse_f64acc, metaplast_spd_inverse_workspace_bytes_f64acc};

// A call with a workspace of exactly the size that was asked for, between canaries.
metaplast_status_t invert(const Arithmetic& arithmetic, const metaplast_context_t* context, const std::vector<metaplast_spd_item_t>& items,
                          double tolerance, std::vector<metaplast_spd_result_t>* results) {
  const int64_t count = static_cast<int64_t>(items.size()), bytes = arithmetic.workspace_bytes(context, count, items.data());
  char* const memory = static_cast<char*>(metaplast_alloc(bytes + 128));
  std::memset(memory, 0xA5, static_cast<size_t>(bytes + 128));
  std::memset(results->data(), 0x5A, results->size() * sizeof(metaplast_spd_result_t));
  const metaplast_status_t status =
      arithmetic.inverse(context, count, items.data(), tolerance, results->data(), memory + 64, bytes);
  for (int64_t i = 0; i < 64; ++i) {
    expect(memory[i] == '\xA5' && memory[64 + bytes + i] == '\xA5', "%s: workspace overrun, %zu items, %d threads", arithmetic.name, items.size(),
           metaplast_context_threads(context));
  }
  metaplast_free(memory, bytes + 128);
  return status;
}

struct Single {
  std::vector<float> x;
  metaplast_spd_result_t result;
};

// Upper triangle poisoned: only the lower one may be read.
std::vector<float> input_of(int64_t n, const Matrix& m) {
  std::vector<float> f(static_cast<size_t>(n * n), std::numeric_limits<float>::quiet_NaN());
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) f[i * n + j] = static_cast<float>(m[i * n + j]);
  }
  return f;
}

Single invert_one(const Arithmetic& arithmetic, const metaplast_context_t* context, int64_t n, const std::vector<float>& m, double damping,
                  double tolerance) {
  Single single{std::vector<float>(static_cast<size_t>(n * n), kUntouched), {}};
  std::vector<metaplast_spd_result_t> results(1);
  expect(invert(arithmetic, context, {{m.data(), n, single.x.data(), n, n, damping}}, tolerance, &results) == METAPLAST_OK, "call");
  single.result = results[0];
  return single;
}

double norm1(int64_t n, const std::function<double(int64_t, int64_t)>& a) {
  double most = 0;
  for (int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (int64_t j = 0; j < n; ++j) sum += std::fabs(a(i, j));
    most = larger(most, sum);
  }
  return most;
}

double lower(const std::vector<float>& m, int64_t n, int64_t i, int64_t j, double damping) {
  return static_cast<double>(i >= j ? m[i * n + j] : m[j * n + i]) + (i == j ? damping : 0.0);
}

// norm1(I - M X)/(norm1(M) norm1(X) u), M damped, in double.
double residual_ratio(int64_t n, const std::vector<float>& m, double damping, const std::vector<float>& x) {
  std::vector<double> row(static_cast<size_t>(n)), columns(static_cast<size_t>(n));
  const std::vector<double> wide(x.begin(), x.end());
  for (int64_t i = 0; i < n; ++i) {
    std::fill(row.begin(), row.end(), 0.0);
    row[i] = 1;
    for (int64_t k = 0; k < n; ++k) {
      const double f = lower(m, n, i, k, damping);
      const double* xk = wide.data() + k * n;
      for (int64_t j = 0; j < n; ++j) row[j] -= f * xk[j];
    }
    for (int64_t j = 0; j < n; ++j) columns[j] += std::fabs(row[j]);
  }
  const double scale = norm1(n, [&](int64_t i, int64_t j) { return lower(m, n, i, j, damping); }) *
                       norm1(n, [&](int64_t i, int64_t j) { return wide[i * n + j]; }) * kUnit;
  double most = 0;
  for (double sum : columns) most = larger(most, sum);
  return most / scale;
}

bool symmetric(int64_t n, const std::vector<float>& x) {
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      if (std::memcmp(&x[i * n + j], &x[j * n + i], 4) != 0) return false;
    }
  }
  return true;
}

bool untouched(const std::vector<float>& x) {
  return std::all_of(x.begin(), x.end(), [](float v) { return v == kUntouched; });
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * 4) == 0);
}

bool same_result(const metaplast_spd_result_t& a, const metaplast_spd_result_t& b) {
  return a.status == b.status && a.flags == b.flags && std::memcmp(&a.residual, &b.residual, 8) == 0 &&
         std::memcmp(&a.cond1, &b.cond1, 8) == 0 && std::memcmp(&a.pivot, &b.pivot, 8) == 0 && a.index == b.index;
}

double worst_ratio[3];
const char* worst_case[3];
int64_t worst_n[3];

// Gates of one result; `exact` may be null.
void check_inverse(const char* name, int32_t tier, int64_t n, const std::vector<float>& m, double damping, const Matrix* exact,
                   const Single& single) {
  expect(single.result.status == METAPLAST_SPD_OK, "%s, %s, n %lld: status %d", name, tier_name(tier), static_cast<long long>(n),
         single.result.status);
  if (single.result.status != METAPLAST_SPD_OK) return;
  expect(symmetric(n, single.x), "%s, %s, n %lld: not symmetric", name, tier_name(tier), static_cast<long long>(n));
  const double ratio = residual_ratio(n, m, damping, single.x);
  expect(ratio <= kGate, "%s, %s, n %lld: residual ratio %g", name, tier_name(tier), static_cast<long long>(n), ratio);
  if (!(ratio <= worst_ratio[tier])) {
    worst_ratio[tier] = ratio;
    worst_case[tier] = name;
    worst_n[tier] = n;
  }
  const double norm_x = norm1(n, [&](int64_t i, int64_t j) { return static_cast<double>(single.x[i * n + j]); });
  const double cond = norm1(n, [&](int64_t i, int64_t j) { return lower(m, n, i, j, damping); }) * norm_x;
  expect(std::fabs(single.result.cond1 / cond - 1) < 1e-5, "%s, %s, n %lld: cond1 %g, expected %g", name, tier_name(tier),
         static_cast<long long>(n), single.result.cond1, cond);
  const int32_t flags = (single.result.cond1 > 1e5 ? METAPLAST_SPD_ILL_CONDITIONED : 0) |
                        (single.result.cond1 > 1.7e6 ? METAPLAST_SPD_UNRELIABLE : 0);
  expect(single.result.flags == flags, "%s, %s, n %lld: flags %d", name, tier_name(tier), static_cast<long long>(n), single.result.flags);
  if (exact != nullptr) {
    const double error = norm1(n, [&](int64_t i, int64_t j) { return single.x[i * n + j] - (*exact)[i * n + j]; });
    const double norm = norm1(n, [&](int64_t i, int64_t j) { return (*exact)[i * n + j]; });
    expect(error <= 10 * cond * kUnit * norm, "%s, %s, n %lld: forward error %g of %g, cond1 %g", name, tier_name(tier),
           static_cast<long long>(n), error, norm, cond);
  }
}

// ---- closed forms (i, j from 1) --------------------------------------------------------------------------------------------------

struct Family {
  const char* name;
  int64_t largest;
  double damping;
  std::function<double(int64_t n, int64_t i, int64_t j)> m, inverse;
};

double binomial(int64_t n, int64_t k) {
  double b = 1;
  for (int64_t i = 1; i <= k; ++i) b = b * static_cast<double>(n - k + i) / static_cast<double>(i);
  return std::round(b);
}

std::vector<Family> families() {
  const auto d = [](int64_t x) { return static_cast<double>(x); };
  return {
      {"min(i,j)", 1024, 0, [d](int64_t, int64_t i, int64_t j) { return d(std::min(i, j)); },
       [](int64_t n, int64_t i, int64_t j) { return i == j ? (i == n ? 1.0 : 2.0) : std::abs(i - j) == 1 ? -1.0 : 0.0; }},
      {"Lehmer", 1024, 0, [d](int64_t, int64_t i, int64_t j) { return d(std::min(i, j)) / d(std::max(i, j)); },
       [d](int64_t n, int64_t i, int64_t j) {
         const double k = d(std::min(i, j));
         return i == j ? (i == n ? k * k / (2 * k - 1) : 4 * k * k * k / (4 * k * k - 1))
                       : std::abs(i - j) == 1 ? -k * (k + 1) / (2 * k + 1) : 0.0;
       }},
      {"tridiagonal", 1024, 0, [](int64_t, int64_t i, int64_t j) { return i == j ? 2.0 : std::abs(i - j) == 1 ? -1.0 : 0.0; },
       [d](int64_t n, int64_t i, int64_t j) { return d(std::min(i, j)) * d(n + 1 - std::max(i, j)) / d(n + 1); }},
      {"Hilbert", 4, 0, [d](int64_t, int64_t i, int64_t j) { return 1 / d(i + j - 1); },
       [d](int64_t n, int64_t i, int64_t j) {
         return ((i + j) % 2 == 0 ? 1 : -1) * d(i + j - 1) * binomial(n + i - 1, n - j) * binomial(n + j - 1, n - i) *
                binomial(i + j - 2, i - 1) * binomial(i + j - 2, i - 1);
       }},
      {"Pascal", 6, 0, [](int64_t, int64_t i, int64_t j) { return binomial(i + j - 2, i - 1); },
       [](int64_t n, int64_t i, int64_t j) {
         double sum = 0;
         for (int64_t k = std::max(i, j); k <= n; ++k) sum += binomial(k - 1, i - 1) * binomial(k - 1, j - 1);
         return ((i + j) % 2 == 0 ? 1 : -1) * sum;
       }},
      {"0.9^|i-j|", 1024, 0, [d](int64_t, int64_t i, int64_t j) { return std::pow(0.9, d(std::abs(i - j))); },
       [](int64_t n, int64_t i, int64_t j) {
         const double r = 0.9, s = 1 - r * r;
         if (n == 1) return 1.0;
         return i == j ? (i == 1 || i == n ? 1 / s : (1 + r * r) / s) : std::abs(i - j) == 1 ? -r / s : 0.0;
       }},
      {"aI + ones, a the damping", 1024, 0.03125, [](int64_t, int64_t, int64_t) { return 1.0; },
       [d](int64_t n, int64_t i, int64_t j) { return ((i == j ? 1.0 : 0.0) - 1 / (0.03125 + d(n))) / 0.03125; }},
      {"gI + HH'/m, g the damping", 1024, 0x1p-10,
       [](int64_t n, int64_t i, int64_t j) {
         const int64_t m = std::max<int64_t>(1, n / 8);
         int64_t sum = 0;
         for (int64_t c = 0; c < m; ++c) sum += __builtin_parityll((i - 1) & c) == __builtin_parityll((j - 1) & c) ? 1 : -1;
         return static_cast<double>(sum) / static_cast<double>(m);
       },
       [](int64_t n, int64_t i, int64_t j) {
         const int64_t m = std::max<int64_t>(1, n / 8);
         int64_t sum = 0;
         for (int64_t c = 0; c < m; ++c) sum += __builtin_parityll((i - 1) & c) == __builtin_parityll((j - 1) & c) ? 1 : -1;
         return ((i == j ? 1.0 : 0.0) - static_cast<double>(sum) / (static_cast<double>(m) * 0x1p-10 + static_cast<double>(n))) / 0x1p-10;
       }},
  };
}

Matrix filled(int64_t n, const std::function<double(int64_t, int64_t, int64_t)>& f) {
  Matrix a(static_cast<size_t>(n * n));
  for (int64_t i = 1; i <= n; ++i) {
    for (int64_t j = 1; j <= n; ++j) a[(i - 1) * n + j - 1] = f(n, i, j);
  }
  return a;
}

void closed_forms() {
  for (const Family& family : families()) {
    std::vector<int64_t> sizes;
    for (int64_t n = 1; n <= std::min<int64_t>(64, family.largest); ++n) {
      if (!sparse() || n % 7 == 1 || n == 32) sizes.push_back(n);
    }
    const bool hadamard = std::strncmp(family.name, "gI", 2) == 0;
    if (family.largest > 64) {
      for (int64_t n : {100, 127, 128, 129, 256, 511, 512, 513, 1024}) {
        if (n <= (sparse() ? 129 : 1024)) sizes.push_back(n);
      }
    }
    for (int64_t n : sizes) {
      if (hadamard && (n & (n - 1)) != 0) continue;
      // The conditions of these grow with n^2: beyond, fp32 may rightly fail.
      if (n > 300 && (std::strcmp(family.name, "min(i,j)") == 0 || std::strcmp(family.name, "Lehmer") == 0)) continue;
      const std::vector<float> m = input_of(n, filled(n, family.m));
      const Matrix exact = filled(n, family.inverse);
      for (int32_t tier : tiers()) {
        if (n > 513 && tier == METAPLAST_TIER_SCALAR && !hadamard) continue;
        const Context context(tier, 1);
        check_inverse(family.name, tier, n, m, family.damping, &exact, invert_one(kF32, context, n, m, family.damping, kAnyResidual));
      }
    }
  }
}

// ---- Q D Q' ----------------------------------------------------------------------------------------------------------------------

std::vector<double> spectrum(int32_t kind, int64_t n, double cond) {
  std::vector<double> d(static_cast<size_t>(n), 1.0);
  for (int64_t i = 0; i < n; ++i) {
    const double t = n == 1 ? 0 : static_cast<double>(i) / static_cast<double>(n - 1);
    switch (kind) {
      case 0: d[i] = std::pow(cond, -t); break;                     // geometric
      case 1: d[i] = 1 - t * (1 - 1 / cond); break;                 // arithmetic
      case 2: d[i] = i == 0 ? 1 : 1 / cond; break;                  // one large
      case 3: d[i] = i == n - 1 ? 1 / cond : 1; break;              // one small
      default: d[i] = i % 2 == 0 ? 1 : std::pow(cond, -t); break;   // mixed
    }
  }
  return d;
}

// Three Householder reflections on either side of a diagonal.
Matrix reflected(int64_t n, const std::vector<double>& diagonal, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Matrix a(static_cast<size_t>(n * n));
  for (int64_t i = 0; i < n; ++i) a[i * n + i] = diagonal[i];
  for (int k = 0; k < 3; ++k) {
    std::vector<double> v(static_cast<size_t>(n)), w(static_cast<size_t>(n));
    double square = 0;
    for (double& x : v) {
      x = normal(random);
      square += x * x;
    }
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) w[i] += a[i * n + j] * v[j] * 2 / square;
    }
    const double vw = std::inner_product(v.begin(), v.end(), w.begin(), 0.0);
    for (int64_t i = 0; i < n; ++i) w[i] -= vw / square * v[i];
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) a[i * n + j] -= v[i] * w[j] + w[i] * v[j];
    }
  }
  return a;
}

void spectra() {
  for (int64_t n : sparse() ? std::vector<int64_t>{5, 33} : std::vector<int64_t>{2, 5, 16, 31, 32, 33, 64, 100, 129, 257}) {
    for (int32_t kind = 0; kind < 5; ++kind) {
      for (double cond : {2.0, 1e2, 916.0, 1e4, 1e5, 8.4e5}) {
        for (double scale : {0x1p-105, 1.0, 0x1p105}) {
          Matrix a = reflected(n, spectrum(kind, n, cond), static_cast<uint64_t>(n * 100 + kind));
          for (double& x : a) x *= scale;
          const std::vector<float> m = input_of(n, a);
          for (int32_t tier : tiers()) {
            const Context context(tier, 1);
            check_inverse("Q D Q'", tier, n, m, 0, nullptr, invert_one(kF32, context, n, m, 0, kAnyResidual));
          }
        }
      }
    }
  }
}

// XX'/rank of Gaussian X[n][rank].
std::vector<float> gaussian_factor(int64_t n, int64_t rank, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> x(static_cast<size_t>(n * rank));
  for (double& value : x) value = normal(random);
  std::vector<float> m(static_cast<size_t>(n * n), std::numeric_limits<float>::quiet_NaN());
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      m[i * n + j] = static_cast<float>(std::inner_product(x.begin() + i * rank, x.begin() + (i + 1) * rank, x.begin() + j * rank, 0.0) /
                                        static_cast<double>(rank));
    }
  }
  return m;
}

// ---- statuses --------------------------------------------------------------------------------------------------------------------

void expect_status(const char* what, const Arithmetic& arithmetic, int32_t tier, int64_t n, const std::vector<float>& m, double damping,
                   double tolerance, int32_t wanted, int64_t index = 0) {
  const Context context(tier, 1);
  const Single single = invert_one(arithmetic, context, n, m, damping, tolerance);
  expect(single.result.status == wanted, "%s, %s, %s, n %lld: status %d, expected %d", what, arithmetic.name, tier_name(tier),
         static_cast<long long>(n), single.result.status, wanted);
  expect(single.result.index == index, "%s, %s, %s, n %lld: index %lld, expected %lld", what, arithmetic.name, tier_name(tier),
         static_cast<long long>(n), static_cast<long long>(single.result.index), static_cast<long long>(index));
  if (wanted != METAPLAST_SPD_OK) expect(untouched(single.x), "%s, n %lld: output touched", what, static_cast<long long>(n));
}

std::vector<float> identity(int64_t n, float value) {
  std::vector<float> m(static_cast<size_t>(n * n));
  for (int64_t i = 0; i < n; ++i) m[i * n + i] = value;
  return m;
}

void statuses() {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (int32_t tier : tiers()) {
    for (const Arithmetic& arithmetic : {kF32, kF64}) {
      expect_status("[[1,2],[2,1]]", arithmetic, tier, 2, {1, 2, 2, 1}, 0, kUsual, 2);
      expect_status("1x1 infinity", arithmetic, tier, 1, {inf}, 0, kUsual, METAPLAST_SPD_NOT_FINITE);
      expect_status("rank-deficient", arithmetic, tier, 3, {8.5f, 11, 13.5f, 11, 14.5f, 18, 13.5f, 18, 22.5f}, 0, kUsual, 3);
      for (int64_t n : {1, 2, 8, 16, 31, 32, 33, 50, 64, 100, 129, 200}) {
        expect_status("-I", arithmetic, tier, n, identity(n, -1), 0, kUsual, 1);
        for (int64_t k : {int64_t{1}, (n + 1) / 2, n}) {
          const auto entry = [](int64_t, int64_t i, int64_t j) { return i == j ? 2.0 : 0.25 / static_cast<double>((i - j) * (i - j)); };
          std::vector<float> m = input_of(n, filled(n, entry));
          for (int64_t j = 0; j < n; ++j) m[(k - 1) * n + j] = m[j * n + k - 1] = 0;
          expect_status("zero row", arithmetic, tier, n, m, 0, kUsual, static_cast<int32_t>(k));
        }
        std::mt19937_64 random(static_cast<uint64_t>(n));
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t j = 0; j <= i; ++j) {
            if (n > 8 && random() % static_cast<uint64_t>(n * n / 8) != 0) continue;
            for (float bad : {nan, inf, -inf}) {
              std::vector<float> m = identity(n, 1);
              m[i * n + j] = bad;
              expect_status("not finite", arithmetic, tier, n, m, 0.5, kUsual, METAPLAST_SPD_NOT_FINITE, i * n + j);
            }
          }
        }
        std::vector<float> m = identity(n, 1);
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t j = i + 1; j < n; ++j) m[i * n + j] = nan;
        }
        expect_status("NaN above the diagonal", arithmetic, tier, n, m, 0, kUsual, METAPLAST_SPD_OK);
        for (double damping : {-1e-30, static_cast<double>(nan), static_cast<double>(inf)}) {
          expect_status("damping", arithmetic, tier, n, m, damping, kUsual, METAPLAST_SPD_ARGUMENT);
        }
      }
    }
    // Damping that only float cannot hold.
    expect_status("damping beyond float", kF32, tier, 2, identity(2, 1), 1e39, kUsual, METAPLAST_SPD_NOT_FINITE, 0);
    // Every pivot of the Moler matrix is 1, and yet even the correctly rounded inverse is useless: only the probe sees it.
    const int64_t n = 16;
    const auto moler = [](int64_t, int64_t i, int64_t j) { return static_cast<double>(i == j ? i : std::min(i, j) - 2); };
    const std::vector<float> m = input_of(n, filled(n, moler));
    expect_status("Moler", kF32, tier, n, m, 0, kUsual, METAPLAST_SPD_RESIDUAL);
    expect_status("Moler", kF64, tier, n, m, 0, kUsual, METAPLAST_SPD_OK);
    const Context context(tier, 1);
    const Single fine = invert_one(kF64, context, n, m, 0, kUsual);
    // M = A A' with A unit lower triangular and -1 below the diagonal; A^-1 by substitution.
    std::vector<double> k_inverse(static_cast<size_t>(n * n));
    for (int64_t j = 0; j < n; ++j) {
      for (int64_t i = j; i < n; ++i) {
        double sum = i == j ? 1 : 0;
        for (int64_t s = j; s < i; ++s) sum -= -1.0 * k_inverse[s * n + j];
        k_inverse[i * n + j] = sum;
      }
    }
    double error = 0, norm = 0;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        double exact = 0;
        for (int64_t s = 0; s < n; ++s) exact += k_inverse[s * n + i] * k_inverse[s * n + j];
        error = larger(error, std::fabs(exact - fine.x[i * n + j]));
        norm = std::max(norm, std::fabs(exact));
      }
    }
    expect(error <= kUnit * norm, "Moler, f64acc, %s: error %g of %g", tier_name(tier), error, norm);

    // A finished factorization that is no good inverse: the flag says so, the probe says by how much, and a smaller tolerance refuses it.
    if (!sparse()) {
      const int64_t wide = 512;
      const std::vector<float> factor = gaussian_factor(wide, 32, 7);
      const Single single = invert_one(kF32, context, wide, factor, 1e-5, kAnyResidual);
      double square = 0;
      for (int64_t i = 0; i < wide; ++i) {
        std::vector<double> row(static_cast<size_t>(wide));
        row[i] = -1;
        for (int64_t k = 0; k < wide; ++k) {
          for (int64_t j = 0; j < wide; ++j) row[j] += static_cast<double>(single.x[i * wide + k]) * lower(factor, wide, k, j, 1e-5);
        }
        square += std::inner_product(row.begin(), row.end(), row.begin(), 0.0);
      }
      const double residual = std::sqrt(square / static_cast<double>(wide)), seen = single.result.residual;
      expect(single.result.flags == (METAPLAST_SPD_ILL_CONDITIONED | METAPLAST_SPD_UNRELIABLE), "rank 32 of 512, %s: flags %d", tier_name(tier),
             single.result.flags);
      expect(seen > 0.02 && seen > 0.12 * residual && seen < 2.6 * residual, "rank 32 of 512, %s: probe %g, residual %g", tier_name(tier), seen,
             residual);
      expect_status("rank 32 of 512, damping 1e-5", kF32, tier, wide, factor, 1e-5, 0.02, METAPLAST_SPD_RESIDUAL);
      expect_status("rank 32 of 512, damping 1e-5", kF64, tier, wide, factor, 1e-5, 0.02, METAPLAST_SPD_OK);
      expect_status("rank 32 of 512, damping 1e-3", kF32, tier, wide, factor, 1e-3, 0.02, METAPLAST_SPD_OK);
      const Single failed = invert_one(kF32, context, wide, factor, 1e-7, kUsual);
      expect(failed.result.status > 0 && untouched(failed.x), "rank 32 of 512, damping 1e-7, %s: status %d", tier_name(tier), failed.result.status);
    }

    // Rank below the width of a tile, where the tile on the diagonal is ill-conditioned: no pivot may be lost.
    for (uint64_t seed = 2000; seed < (sparse() ? 2002 : 2040); ++seed) {
      expect_status("rank 16 of 128, damping 1e-5", kF32, tier, 128, gaussian_factor(128, 16, seed), 1e-5, kAnyResidual, METAPLAST_SPD_OK);
    }

    // Faults of an item, and of the call.
    std::vector<float> a = identity(4, 1), x(16, kUntouched);
    std::vector<metaplast_spd_result_t> results(7);
    const std::vector<metaplast_spd_item_t> items = {{a.data(), 3, x.data(), 4, 4, 0}, {a.data(), 4, x.data(), 3, 4, 0},
                                                     {nullptr, 4, x.data(), 4, 4, 0},  {a.data(), 4, nullptr, 4, 4, 0},
                                                     {a.data(), 4, x.data(), 4, -1, 0}, {nullptr, 0, nullptr, 0, 0, 0},
                                                     {a.data(), 4, x.data(), 4, 0, 0}};
    expect(invert(kF32, context, items, kUsual, &results) == METAPLAST_OK, "wrong items are no fault of the call");
    for (size_t i = 0; i < items.size(); ++i) {
      const int32_t wanted = i < 5 ? METAPLAST_SPD_ARGUMENT : METAPLAST_SPD_OK;
      expect(results[i].status == wanted, "item %zu: status %d", i, results[i].status);
    }
    expect(untouched(x), "wrong items write nothing");
    const metaplast_spd_item_t good = {a.data(), 4, x.data(), 4, 4, 0};
    const int64_t bytes = metaplast_spd_inverse_workspace_bytes(context, 1, &good);
    char* const memory = static_cast<char*>(metaplast_alloc(bytes + 64));
    const auto call = [&](const metaplast_context_t* c, int64_t count, const metaplast_spd_item_t* i, double tolerance,
                          metaplast_spd_result_t* r, void* w, int64_t b) { return metaplast_spd_inverse_f32(c, count, i, tolerance, r, w, b); };
    expect(call(nullptr, 1, &good, kUsual, results.data(), memory, bytes) == METAPLAST_E_ARGUMENT, "no context");
    expect(call(context, -1, &good, kUsual, results.data(), memory, bytes) == METAPLAST_E_ARGUMENT, "negative count");
    expect(call(context, 1, nullptr, kUsual, results.data(), memory, bytes) == METAPLAST_E_ARGUMENT, "no items");
    expect(call(context, 1, &good, kUsual, nullptr, memory, bytes) == METAPLAST_E_ARGUMENT, "no results");
    expect(call(context, 1, &good, kUsual, results.data(), nullptr, bytes) == METAPLAST_E_ARGUMENT, "no workspace");
    expect(call(context, 1, &good, kUsual, results.data(), memory, bytes - 1) == METAPLAST_E_ARGUMENT, "small workspace");
    expect(call(context, 1, &good, kUsual, results.data(), memory + 4, bytes) == METAPLAST_E_ARGUMENT, "misaligned workspace");
    expect(call(context, 1, &good, -1, results.data(), memory, bytes) == METAPLAST_E_ARGUMENT, "negative tolerance");
    expect(call(context, 1, &good, std::nan(""), results.data(), memory, bytes) == METAPLAST_E_ARGUMENT, "tolerance not a number");
    expect(untouched(x), "a refused call writes nothing");
    expect(call(context, 0, nullptr, kUsual, nullptr, nullptr, 0) == METAPLAST_OK, "an empty batch");
    expect(call(context, 1, &good, kUsual, results.data(), memory, bytes) == METAPLAST_OK && results[0].status == 0, "the same, right");
    metaplast_free(memory, bytes + 64);
  }
}

// ---- bits ------------------------------------------------------------------------------------------------------------------------

struct Batch {
  std::vector<int64_t> n;
  std::vector<std::vector<float>> m;
  std::vector<double> damping;
};

Batch mixed_batch(const std::vector<int64_t>& sizes, uint64_t seed) {
  Batch batch;
  std::mt19937_64 random(seed);
  for (int64_t n : sizes) {
    batch.n.push_back(n);
    batch.m.push_back(gaussian_factor(n, std::max<int64_t>(1, std::min<int64_t>(n / 2, 8)), random()));
    batch.damping.push_back(0.01 * static_cast<double>(1 + random() % 50));
  }
  return batch;
}

void check_batches(const Arithmetic& arithmetic, const std::vector<int64_t>& sizes, bool bad) {
  Batch batch = mixed_batch(sizes, 11);
  const size_t count = sizes.size();
  for (int32_t tier : tiers()) {
    const Context one(tier, 1);
    std::vector<Single> alone;
    for (size_t i = 0; i < count; ++i) {
      alone.push_back(invert_one(arithmetic, one, batch.n[i], batch.m[i], batch.damping[i], kUsual));
      expect(alone[i].result.status == METAPLAST_SPD_OK, "%s, n %lld alone: status %d", tier_name(tier), static_cast<long long>(batch.n[i]),
             alone[i].result.status);
    }
    std::mt19937_64 random(3);
    const auto run = [&](int32_t threads, const std::vector<size_t>& order, const std::vector<bool>& spoilt) {
      const Context context(tier, threads);
      std::vector<std::vector<float>> m, x;
      std::vector<metaplast_spd_item_t> items;
      std::vector<metaplast_spd_result_t> results(order.size());
      for (size_t i = 0; i < order.size(); ++i) {
        m.push_back(batch.m[order[i]]);
        if (spoilt[i] && !m[i].empty()) m[i][0] = -1;
        x.push_back(std::vector<float>(m[i].size(), kUntouched));
      }
      for (size_t i = 0; i < order.size(); ++i) {
        const int64_t n = batch.n[order[i]];
        items.push_back({m[i].data(), n, x[i].data(), n, n, batch.damping[order[i]]});
      }
      expect(invert(arithmetic, context, items, kUsual, &results) == METAPLAST_OK, "batch");
      for (size_t i = 0; i < order.size(); ++i) {
        const int64_t n = batch.n[order[i]];
        if (spoilt[i] && n > 0) {
          expect(results[i].status == 1 && untouched(x[i]), "%s, %d threads: a bad matrix of size %lld has status %d", tier_name(tier), threads,
                 static_cast<long long>(n), results[i].status);
        } else {
          expect(same_bits(x[i], alone[order[i]].x) && same_result(results[i], alone[order[i]].result),
                 "%s, %s, %d threads: n %lld in a batch is not what it is alone", arithmetic.name, tier_name(tier), threads,
                 static_cast<long long>(n));
        }
      }
    };
    std::vector<size_t> order(count);
    std::iota(order.begin(), order.end(), size_t{0});
    for (int32_t threads = 1; threads <= 4; ++threads) {
      run(threads, order, std::vector<bool>(count, false));
      std::shuffle(order.begin(), order.end(), random);
      run(threads, order, std::vector<bool>(count, false));
      if (!bad) continue;
      for (size_t position : {size_t{0}, count / 2, count - 1}) {
        std::vector<bool> spoilt(count, false);
        spoilt[position] = true;
        run(threads, order, spoilt);
      }
      run(threads, order, std::vector<bool>(count, true));
    }
  }
}

void bits() {
  std::vector<int64_t> mixed;
  for (int64_t n : {0, 1, 2, 3, 5, 8, 15, 16, 17, 31, 32, 33, 48, 64, 65, 100, 129, 200}) {
    for (int64_t k = 0; k < (n <= 32 ? 5 : 2); ++k) mixed.push_back(n);
  }
  check_batches(kF32, mixed, true);
  check_batches(kF64, mixed, true);
  check_batches(kF32, std::vector<int64_t>(65, 8), true);
  check_batches(kF32, std::vector<int64_t>(17, 32), true);
  if (!sparse()) {
    check_batches(kF32, {40, 1025, 3, 1100}, false);
    // Enough of them for two threads to take one each, not for three.
    check_batches(kF32, std::vector<int64_t>(8, 1025), false);
    check_batches(kF64, {1030, 5}, false);
  }
}

// Leading dimensions, in place, alignment, guard pages: same bits, nothing beside the matrix is touched.
void memory_layouts() {
  for (int64_t n : {1, 7, 16, 17, 32, 33, 47, 64, 90, 129}) {
    const std::vector<float> m = gaussian_factor(n, std::max<int64_t>(1, n / 4), static_cast<uint64_t>(n));
    GuardedMemory from(n * (n + 9) * 4), to(n * (n + 9) * 4);
    for (int32_t tier : tiers()) {
      const Context context(tier, 1);
      for (const Arithmetic& arithmetic : {kF32, kF64}) {
        const std::vector<float> plain = invert_one(arithmetic, context, n, m, 0.25, kUsual).x;
        for (int64_t extra : {0, 1, 9}) {
          for (int64_t offset : {0, 4, 12}) {
            for (bool end : {false, true}) {
              // The last row ends with its n elements.
              const int64_t ldm = n + extra, ldo = n + (extra == 1 ? 5 : extra);
              const int64_t bytes = ((n - 1) * ldm + n) * 4, out_bytes = ((n - 1) * ldo + n) * 4;
              float* const a = reinterpret_cast<float*>(end ? from.at_end(bytes, offset) : from.at_start(bytes, offset));
              float* const x = reinterpret_cast<float*>(end ? to.at_end(out_bytes, offset) : to.at_start(out_bytes, offset));
              std::fill(a, a + bytes / 4, kUntouched);
              std::fill(x, x + out_bytes / 4, kUntouched);
              for (int64_t i = 0; i < n; ++i) std::copy(m.begin() + i * n, m.begin() + (i + 1) * n, a + i * ldm);
              const auto check = [&](const float* data, int64_t ld, const char* what) {
                bool equal = true, beside = true;
                for (int64_t i = 0; i < n; ++i) {
                  equal = equal && std::memcmp(data + i * ld, plain.data() + i * n, static_cast<size_t>(n) * 4) == 0;
                  for (int64_t j = n; j < ld && i < n - 1; ++j) beside = beside && data[i * ld + j] == kUntouched;
                }
                expect(equal && beside, "%s, %s, %s, n %lld, ld %lld, offset %lld", what, arithmetic.name, tier_name(tier),
                       static_cast<long long>(n), static_cast<long long>(ld), static_cast<long long>(offset));
              };
              std::vector<metaplast_spd_result_t> results(1);
              expect(invert(arithmetic, context, {{a, ldm, x, ldo, n, 0.25}}, kUsual, &results) == METAPLAST_OK, "call");
              check(x, ldo, "out of place");
              expect(to.gaps_intact() && from.gaps_intact(), "written outside");
              expect(invert(arithmetic, context, {{a, ldm, a, ldm, n, 0.25}}, kUsual, &results) == METAPLAST_OK, "call");
              check(a, ldm, "in place");
            }
          }
        }
      }
    }
  }
}

// Results at equal distances, some of which put a row of all of them into one set of the first-level cache: same bits, nothing between them is touched.
void rows_of_results() {
  constexpr size_t kCount = 35;
  for (int64_t n : {16, 32}) {
    for (int64_t distance : {1024, 1040, 2048}) {
      const Batch batch = mixed_batch(std::vector<int64_t>(kCount, n), 12);
      for (int32_t tier : tiers()) {
        const Context context(tier, 1);
        std::vector<float> x(kCount * static_cast<size_t>(distance), kUntouched);
        std::vector<metaplast_spd_item_t> items;
        std::vector<metaplast_spd_result_t> results(kCount);
        for (size_t i = 0; i < kCount; ++i) items.push_back({batch.m[i].data(), n, x.data() + i * static_cast<size_t>(distance), n, n, batch.damping[i]});
        expect(invert(kF32, context, items, kUsual, &results) == METAPLAST_OK, "call");
        for (size_t i = 0; i < kCount; ++i) {
          const std::vector<float> alone = invert_one(kF32, context, n, batch.m[i], batch.damping[i], kUsual).x;
          const float* const at = x.data() + i * static_cast<size_t>(distance);
          expect(std::memcmp(at, alone.data(), alone.size() * 4) == 0, "%s, n %lld, distance %lld: result %zu", tier_name(tier), static_cast<long long>(n),
                 static_cast<long long>(distance), i);
          expect(std::all_of(at + n * n, at + distance, [](float v) { return v == kUntouched; }), "%s, n %lld: written behind result %zu",
                 tier_name(tier), static_cast<long long>(n), i);
        }
      }
    }
  }
}

}  // namespace

int main() {
  closed_forms();
  spectra();
  statuses();
  bits();
  memory_layouts();
  rows_of_results();
  for (int32_t tier : tiers()) {
    std::printf("%s: largest residual ratio %.2f (%s, n = %lld), gate %g\n", tier_name(tier), worst_ratio[tier], worst_case[tier],
                static_cast<long long>(worst_n[tier]), kGate);
  }
  return finish("spd_inverse_test");
}
