// Cholesky factors, triangular inverses and systems: residual gates in double, closed forms, statuses, bits that do not depend on threads.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "metaplast/kfac.h"
#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

constexpr double kUnit = 0x1p-24;
constexpr double kGate = 10;
constexpr float kUntouched = 12345.0f;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

long long ll(int64_t n) { return static_cast<long long>(n); }

using Element = std::function<double(int64_t i, int64_t j)>;

// Lower triangle at pitch ld, NaN above it and between the rows: nothing else may be read.
std::vector<float> lower_of(int64_t n, int64_t ld, const Element& element) {
  std::vector<float> m(static_cast<size_t>(n * ld), kNaN);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) m[i * ld + j] = static_cast<float>(element(i, j));
  }
  return m;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * 4) == 0);
}

bool untouched(const std::vector<float>& x) {
  return std::all_of(x.begin(), x.end(), [](float v) { return v == kUntouched; });
}

double largest(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0, larger); }

double norm1(int64_t n, const Element& a) {
  std::vector<double> sums(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) sums[j] += std::fabs(a(i, j));
  }
  return largest(sums);
}

struct Factor {
  std::vector<float> l;
  int32_t status = 99;
  double pivot = -1;
  int64_t index = -1;
};

// l at pitch ldl; in_place: over a copy of m, whose pitch is ldl too.
Factor cholesky(const metaplast_context_t* context, int64_t n, const std::vector<float>& m, int64_t ldm, double damping, int64_t ldl, bool in_place) {
  Factor factor;
  factor.l = in_place ? m : std::vector<float>(static_cast<size_t>(n * ldl), kUntouched);
  const int64_t bytes = n * n * 4 + 64 * n + 4096;
  char* const memory = static_cast<char*>(metaplast_alloc(bytes + 128));
  std::memset(memory, 0xA5, static_cast<size_t>(bytes + 128));
  expect(metaplast_damped_cholesky_f32(context, n, in_place ? factor.l.data() : m.data(), ldm, damping, factor.l.data(), ldl, &factor.status,
                                       &factor.pivot, &factor.index, memory + 64, bytes) == METAPLAST_OK,
         "call");
  for (int64_t i = 0; i < 64; ++i) expect(memory[i] == '\xA5' && memory[64 + bytes + i] == '\xA5', "workspace overrun, n %lld", ll(n));
  metaplast_free(memory, bytes + 128);
  return factor;
}

bool lower_only(int64_t n, const std::vector<float>& l, int64_t ld) {
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i + 1; j < n; ++j) {
      if (!(l[i * ld + j] == 0 && !std::signbit(l[i * ld + j]))) return false;
    }
  }
  return true;
}

std::vector<int64_t> sizes() {
  std::vector<int64_t> sizes = {1, 2, 3, 7, 16, 31, 63, 64, 65, 100, 129};
  if (!sparse()) {
    for (int64_t n : {47, 48, 49, 95, 96, 97, 127, 128, 191, 192, 200, 257, 400, 515}) sizes.push_back(n);
  }
  return sizes;
}

// A Gram matrix of normal rows: well conditioned with the damping of the tests.
std::vector<float> gram(uint64_t seed, int64_t n, int64_t ld) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  const int64_t rows = n / 2 + 3;
  std::vector<float> x(static_cast<size_t>(rows * n));
  for (float& v : x) v = normal(random);
  std::vector<double> sums(static_cast<size_t>(n * n));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < n; ++i) {
      const double f = x[r * n + i];
      for (int64_t j = 0; j <= i; ++j) sums[i * n + j] += f * x[r * n + j];
    }
  }
  return lower_of(n, ld, [&](int64_t i, int64_t j) { return sums[i * n + j] / static_cast<double>(rows); });
}

void check_cholesky() {
  for (int64_t n : sizes()) {
    const int64_t ldm = n + 3, ldl = n + 5;
    const double damping = 1e-2;
    const std::vector<float> m = gram(static_cast<uint64_t>(n), n, ldm);
    const auto damped = [&](int64_t i, int64_t j) {
      return i == j ? static_cast<double>(static_cast<float>(m[i * ldm + i] + damping)) : static_cast<double>(m[std::max(i, j) * ldm + std::min(i, j)]);
    };
    const double norm = norm1(n, damped);
    for (int32_t tier : tiers()) {
      Factor first;
      for (int32_t threads = 1; threads <= 4; ++threads) {
        const Context context(tier, threads);
        const Factor factor = cholesky(context, n, m, ldm, damping, ldl, false);
        expect(factor.status == METAPLAST_SPD_OK, "%s, n %lld: status %d", tier_name(tier), ll(n), factor.status);
        bool gaps = true;
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t j = n; j < ldl; ++j) gaps &= factor.l[i * ldl + j] == kUntouched;
        }
        expect(gaps, "%s, n %lld: written between rows", tier_name(tier), ll(n));
        if (threads > 1) {
          expect(same_bits(factor.l, first.l), "%s, n %lld, %d threads: other bits", tier_name(tier), ll(n), threads);
          continue;
        }
        first = factor;
        expect(lower_only(n, factor.l, ldl), "%s, n %lld: not zero above the diagonal", tier_name(tier), ll(n));
        std::vector<double> columns(static_cast<size_t>(n));
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t j = 0; j <= i; ++j) {
            double sum = -damped(i, j);
            for (int64_t k = 0; k <= j; ++k) sum += static_cast<double>(factor.l[i * ldl + k]) * static_cast<double>(factor.l[j * ldl + k]);
            columns[j] += std::fabs(sum);
            if (i != j) columns[i] += std::fabs(sum);
          }
        }
        const double ratio = largest(columns) / (norm * kUnit);
        expect(ratio <= kGate, "%s, n %lld: residual ratio %g", tier_name(tier), ll(n), ratio);
        const Factor over = cholesky(context, n, m, ldm, damping, ldm, true);
        bool equal = over.status == METAPLAST_SPD_OK;
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t j = 0; j < n; ++j) equal &= same(over.l[i * ldm + j], factor.l[i * ldl + j]);
        }
        expect(equal, "%s, n %lld: in place", tier_name(tier), ll(n));
      }
    }
  }
}

void check_closed_forms() {
  for (int32_t tier : tiers()) {
    const Context context(tier, 2);
    for (int64_t n : {1, 2, 5, 64, 100, 200}) {
      // min(i,j) from 1: L is all ones, its inverse has 1 on the diagonal and -1 below it. Exact.
      const std::vector<float> m = lower_of(n, n, [](int64_t, int64_t j) { return static_cast<double>(j + 1); });
      Factor factor = cholesky(context, n, m, n, 0, n, false);
      bool ones = factor.status == 0, bidiagonal = true;
      std::vector<float> inverse(factor.l.size(), kUntouched);
      int32_t status = 99;
      expect(metaplast_triangular_inverse_f32(context, n, factor.l.data(), n, inverse.data(), n, &status) == METAPLAST_OK && status == 0, "call");
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j <= i; ++j) {
          ones &= factor.l[i * n + j] == 1;
          bidiagonal &= inverse[i * n + j] == (i == j ? 1.0f : j == i - 1 ? -1.0f : 0.0f);
        }
      }
      expect(ones, "%s, n %lld: min(i,j)", tier_name(tier), ll(n));
      expect(bidiagonal && lower_only(n, inverse, n), "%s, n %lld: inverse of ones", tier_name(tier), ll(n));
    }
    // diag(4, 9, 16) + 5 on the damped diagonal.
    const std::vector<float> m = lower_of(3, 3, [](int64_t i, int64_t j) { return i == j ? static_cast<double>((i + 3) * (i + 3) - 5) : 0.0; });
    const Factor factor = cholesky(context, 3, m, 3, 5, 3, false);
    expect(factor.l == std::vector<float>({3, 0, 0, 0, 4, 0, 0, 0, 5}), "%s: damping", tier_name(tier));
  }
}

void check_statuses() {
  for (int32_t tier : tiers()) {
    const Context context(tier, 2);
    const auto status_of = [&](int64_t n, const std::vector<float>& m, double damping) {
      const Factor factor = cholesky(context, n, m, n, damping, n, false);
      expect(factor.status == 0 || untouched(factor.l), "%s: status %d, but written", tier_name(tier), factor.status);
      return factor;
    };
    const Factor indefinite = status_of(2, {1, kNaN, 2, 1}, 0);
    expect(indefinite.status == 2 && indefinite.pivot == -3, "%s: indefinite: %d, %g", tier_name(tier), indefinite.status, indefinite.pivot);
    expect(status_of(1, {-1}, 0).status == 1 && status_of(1, {-1}, 2).status == 0, "%s: -1", tier_name(tier));
    for (int64_t n : {1, 50, 130}) {
      for (int64_t zero : {int64_t{0}, n / 2, n - 1}) {
        const Factor factor = status_of(n, lower_of(n, n, [=](int64_t i, int64_t j) { return i == j && i != zero ? 1.0 : 0.0; }), 0);
        expect(factor.status == zero + 1 && factor.pivot == 0, "%s: zero row %lld of %lld: %d", tier_name(tier), ll(zero), ll(n), factor.status);
      }
      for (float bad : {kNaN, std::numeric_limits<float>::infinity()}) {
        std::vector<float> m = gram(3, n, n);
        m[(n - 1) * n + n / 2] = bad;
        const Factor factor = status_of(n, m, 1);
        expect(factor.status == METAPLAST_SPD_NOT_FINITE && factor.index == (n - 1) * n + n / 2, "%s, n %lld: not finite: %d", tier_name(tier), ll(n),
               factor.status);
      }
    }
    expect(status_of(1, {3e38f}, 1e38).status == METAPLAST_SPD_NOT_FINITE, "%s: damping overflows", tier_name(tier));
    for (double damping : {-1.0, static_cast<double>(kNaN), static_cast<double>(std::numeric_limits<float>::infinity())}) {
      expect(status_of(1, {1}, damping).status == METAPLAST_SPD_ARGUMENT, "%s: damping %g", tier_name(tier), damping);
    }
    expect(cholesky(context, 0, {}, 0, 0, 0, false).status == 0, "%s: n 0", tier_name(tier));
    // Exactly rank 1 of order 2: the second pivot is 0, or rounding of it.
    expect(status_of(2, {4, kNaN, 2, 1}, 0).status == 2, "%s: singular", tier_name(tier));
  }
  const Context context(METAPLAST_TIER_SCALAR, 1);
  Factor factor;
  std::vector<float> l(4, kUntouched), m = {1, 0, 0, 1};
  std::vector<char> memory(8192 + 64);
  void* const workspace = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64);
  expect(metaplast_damped_cholesky_f32(context, 2, m.data(), 1, 0, l.data(), 2, &factor.status, &factor.pivot, &factor.index, workspace, 8192) ==
                 METAPLAST_OK &&
             factor.status == METAPLAST_SPD_ARGUMENT && untouched(l),
         "ldm");
  expect(metaplast_damped_cholesky_f32(context, 2, m.data(), 2, 0, l.data(), 2, &factor.status, &factor.pivot, &factor.index, workspace,
                                       2 * 2 * 4 + 64 * 2 + 4095) == METAPLAST_E_ARGUMENT &&
             metaplast_damped_cholesky_f32(context, 2, m.data(), 2, 0, l.data(), 2, nullptr, &factor.pivot, &factor.index, workspace, 8192) ==
                 METAPLAST_E_ARGUMENT &&
             untouched(l),
         "workspace");
}

// A lower triangle with a dominant diagonal.
std::vector<float> triangle(uint64_t seed, int64_t n, int64_t ld) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  return lower_of(n, ld, [&](int64_t i, int64_t j) { return i == j ? 1.5 + 0.5 * uniform(random) : uniform(random) / std::sqrt(static_cast<double>(n)); });
}

void check_triangular_inverse() {
  for (int64_t n : sizes()) {
    const int64_t ld = n + 2, ldo = n + 1;
    const std::vector<float> l = triangle(static_cast<uint64_t>(n), n, ld);
    const auto element = [&](int64_t i, int64_t j) { return j <= i ? static_cast<double>(l[i * ld + j]) : 0.0; };
    for (int32_t tier : tiers()) {
      std::vector<float> first;
      for (int32_t threads = 1; threads <= 4; ++threads) {
        const Context context(tier, threads);
        std::vector<float> x(static_cast<size_t>(n * ldo), kUntouched), over = l;
        int32_t status = 99;
        expect(metaplast_triangular_inverse_f32(context, n, l.data(), ld, x.data(), ldo, &status) == METAPLAST_OK && status == 0, "call");
        expect(metaplast_triangular_inverse_f32(context, n, over.data(), ld, over.data(), ld, &status) == METAPLAST_OK && status == 0, "call");
        bool equal = true;
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t j = 0; j < n; ++j) equal &= same(over[i * ld + j], x[i * ldo + j]);
          equal &= x[i * ldo + n] == kUntouched;
        }
        expect(equal, "%s, n %lld, %d threads: in place", tier_name(tier), ll(n), threads);
        if (threads > 1) {
          expect(same_bits(x, first), "%s, n %lld, %d threads: other bits", tier_name(tier), ll(n), threads);
          continue;
        }
        first = x;
        expect(lower_only(n, x, ldo), "%s, n %lld: not zero above the diagonal", tier_name(tier), ll(n));
        const auto inverse = [&](int64_t i, int64_t j) { return static_cast<double>(x[i * ldo + j]); };
        std::vector<double> columns(static_cast<size_t>(n));
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t j = 0; j <= i; ++j) {
            double sum = i == j ? -1 : 0;
            for (int64_t k = j; k <= i; ++k) sum += element(i, k) * inverse(k, j);
            columns[j] += std::fabs(sum);
          }
        }
        const double ratio = largest(columns) / (norm1(n, element) * norm1(n, inverse) * kUnit);
        expect(ratio <= kGate, "%s, n %lld: residual ratio %g", tier_name(tier), ll(n), ratio);
      }
    }
  }
}

void check_triangular_solve() {
  for (int64_t n : sizes()) {
    for (int64_t columns : {1, 5, 100, 210}) {
      if ((n > 130 || sparse()) && columns > 100) continue;
      const int64_t ld = n + 2, ldb = columns + 3;
      const std::vector<float> l = triangle(static_cast<uint64_t>(n) + 1000, n, ld);
      std::mt19937_64 random(static_cast<uint64_t>(columns));
      std::normal_distribution<float> normal;
      std::vector<float> b(static_cast<size_t>(n * ldb), kUntouched);
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t c = 0; c < columns; ++c) b[i * ldb + c] = normal(random);
      }
      for (int32_t transposed : {0, 1}) {
        const auto element = [&](int64_t i, int64_t k) {
          const int64_t r = transposed != 0 ? k : i, c = transposed != 0 ? i : k;
          return c <= r ? static_cast<double>(l[r * ld + c]) : 0.0;
        };
        for (int32_t tier : tiers()) {
          std::vector<float> first;
          for (int32_t threads = 1; threads <= 4; ++threads) {
            const Context context(tier, threads);
            std::vector<float> x = b;
            int32_t status = 99;
            expect(metaplast_triangular_solve_f32(context, n, columns, transposed, l.data(), ld, x.data(), ldb, &status) == METAPLAST_OK && status == 0,
                   "call");
            if (threads > 1) {
              expect(same_bits(x, first), "%s, n %lld x %lld, %d threads: other bits", tier_name(tier), ll(n), ll(columns), threads);
              continue;
            }
            first = x;
            // |B - L X| <= (n + 4) u |L| |X|, element by element.
            int64_t beyond = 0;
            for (int64_t i = 0; i < n; ++i) {
              for (int64_t c = 0; c < columns; ++c) {
                double sum = -static_cast<double>(b[i * ldb + c]), bound = 0;
                for (int64_t k = 0; k < n; ++k) {
                  sum += element(i, k) * static_cast<double>(x[k * ldb + c]);
                  bound += std::fabs(element(i, k) * static_cast<double>(x[k * ldb + c]));
                }
                beyond += !(std::fabs(sum) <= static_cast<double>(n + 4) * kUnit * bound);
              }
              for (int64_t c = columns; c < ldb; ++c) beyond += x[i * ldb + c] != kUntouched;
            }
            expect(beyond == 0, "%s, n %lld x %lld, transposed %d: %lld elements beyond the bound", tier_name(tier), ll(n), ll(columns), transposed,
                   ll(beyond));
          }
        }
      }
    }
  }
}

void check_refusals() {
  const Context context(METAPLAST_TIER_SCALAR, 2);
  for (int64_t n : {1, 70}) {
    for (int64_t bad : {int64_t{0}, n - 1}) {
      for (float value : {0.0f, kNaN, -std::numeric_limits<float>::infinity()}) {
        std::vector<float> l = triangle(1, n, n);
        l[bad * n + bad] = value;
        std::vector<float> out(l.size(), kUntouched), b(static_cast<size_t>(n), kUntouched);
        int32_t status = 99;
        expect(metaplast_triangular_inverse_f32(context, n, l.data(), n, out.data(), n, &status) == METAPLAST_OK && status == bad + 1 && untouched(out),
               "inverse, diagonal element %g", static_cast<double>(value));
        status = 99;
        expect(metaplast_triangular_solve_f32(context, n, 1, 0, l.data(), n, b.data(), 1, &status) == METAPLAST_OK && status == bad + 1 && untouched(b),
               "solve, diagonal element %g", static_cast<double>(value));
      }
    }
  }
  std::vector<float> l = {2, 0, 1, 2}, x(4, kUntouched);
  int32_t status = 99;
  expect(metaplast_triangular_inverse_f32(context, 2, l.data(), 1, x.data(), 2, &status) == METAPLAST_E_ARGUMENT &&
             metaplast_triangular_inverse_f32(context, 2, l.data(), 2, x.data(), 1, &status) == METAPLAST_E_ARGUMENT &&
             metaplast_triangular_inverse_f32(context, -1, l.data(), 2, x.data(), 2, &status) == METAPLAST_E_ARGUMENT &&
             metaplast_triangular_inverse_f32(context, 2, nullptr, 2, x.data(), 2, &status) == METAPLAST_E_ARGUMENT &&
             metaplast_triangular_inverse_f32(context, 2, l.data(), 2, x.data(), 2, nullptr) == METAPLAST_E_ARGUMENT &&
             metaplast_triangular_inverse_f32(context, 2, l.data(), 2, l.data(), 3, &status) == METAPLAST_E_ARGUMENT &&
             metaplast_triangular_solve_f32(context, 2, 2, 0, l.data(), 1, x.data(), 2, &status) == METAPLAST_E_ARGUMENT &&
             metaplast_triangular_solve_f32(context, 2, 2, 0, l.data(), 2, x.data(), 1, &status) == METAPLAST_E_ARGUMENT &&
             metaplast_triangular_solve_f32(context, 2, -1, 0, l.data(), 2, x.data(), 2, &status) == METAPLAST_E_ARGUMENT &&
             metaplast_triangular_solve_f32(context, 2, 2, 0, l.data(), 2, nullptr, 2, &status) == METAPLAST_E_ARGUMENT && untouched(x) && status == 99,
         "bad arguments");
}

}  // namespace

int main() {
  check_cholesky();
  check_closed_forms();
  check_statuses();
  check_triangular_inverse();
  check_triangular_solve();
  check_refusals();
  return finish("cholesky_pieces");
}
