#include <algorithm>
#include <limits>

#include "metaplast/kfac.h"
#include "runtime/cuda/tile_product_tf32.h"
#include "runtime/cuda/variants.h"
#include "shim/matrix_testing.h"
#include "shim/simt_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
namespace shim = metaplast::shim;
namespace simt = metaplast::simt;
using metaplast::testing::mixed_values;
using metaplast::testing::uniform_values;

namespace {

struct Shape {
  int64_t m, n, inner;
};
// Around the sides of a tile, and the blocks of a sum.
constexpr Shape kShapes[] = {{1, 1, 1}, {1, 1, 0}, {3, 5, 7}, {64, 64, 16}, {65, 63, 17}, {130, 70, 33}, {5, 200, 257}, {70, 3, 520}, {0, 4, 2}, {4, 0, 2}};

}  // namespace

// The order of a sum is part of the contract, so the bits are those of a restatement of it.
METAPLAST_SIMT_TEST(real_gemm_f32) {
  for (const Shape& s : kShapes) {
    for_orders([&](int order, int64_t offset) {
      const bool ta = order % 2 == 1, tb = order % 4 >= 2;
      const float alpha = order % 3 == 0 ? 1.0f : -0.75f, beta = order % 5 < 2 ? 0.0f : 0.5f;
      const int64_t lda = (ta ? s.m : s.inner) + order % 3, ldb = (tb ? s.inner : s.n) + order % 4, ldc = s.n + order % 2;
      const std::string at = format("real_gemm %lld x %lld x %lld, order %d", static_cast<long long>(s.m), static_cast<long long>(s.n),
                                    static_cast<long long>(s.inner), order);
      Both<float> a(uniform_values(1, (ta ? s.inner : s.m) * lda + 1, -2.0f, 2.0f), offset);
      Both<float> b(order == 7 ? mixed_values(2, (tb ? s.n : s.inner) * ldb + 1) : uniform_values(2, (tb ? s.n : s.inner) * ldb + 1, -1.0f, 3.0f), offset);
      std::vector<float> before = uniform_values(3, s.m * ldc + 1, -1.0f, 1.0f);
      if (beta == 0.0f) before.assign(before.size(), __builtin_nanf(""));  // not read
      Both<float> c(before, offset);
      for (int64_t i = 0; i < s.m; ++i) {
        for (int64_t j = 0; j < s.n; ++j) {
          const float sum = alpha * ordered_sum(
              s.inner, [&](int64_t k) { return a.cpu()[ta ? k * lda + i : i * lda + k]; },
              [&](int64_t k) { return b.cpu()[tb ? j * ldb + k : k * ldb + j]; });
          float* const x = c.cpu() + i * ldc + j;
          *x = beta == 0.0f ? sum : std::fma(beta, *x, sum);
        }
      }
      check(metaplast_real_gemm_f32_cuda(cuda(), ta, tb, s.m, s.n, s.inner, alpha, a.gpu(), lda, b.gpu(), ldb, beta, c.gpu(), ldc, nullptr,
                                         metaplast_real_gemm_workspace_bytes_cuda(s.m, s.n, s.inner), nullptr) == METAPLAST_OK,
            "%s: CUDA", at.c_str());
      c.expect_same_on_both("c", at);
    });
  }
  check(metaplast_real_gemm_f32_cuda(cuda(), 0, 0, 2, 2, 2, 1, nullptr, 2, nullptr, 2, 0, nullptr, 2, nullptr, 0, nullptr) == METAPLAST_E_ARGUMENT,
        "real_gemm without operands");
}

namespace {

float of_bits(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, 4);
  return x;
}
uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits;
}

// Operands of one instruction, and its result.
float g_a[16][8], g_b[8][8], g_d[16][8];

// Numbers with all kinds of last bits, between 2^low and 2^high.
std::vector<float> spread_values(uint64_t seed, int64_t n, int low, int high) {
  std::vector<float> values = uniform_values(seed, n, 1.0f, 2.0f);
  const std::vector<float> more = uniform_values(seed + 1000, n, 0.0f, 2.0f);
  for (size_t i = 0; i < values.size(); ++i) {
    const int exponent = low + static_cast<int>(std::fmod(more[i], 1.0f) * static_cast<float>(high - low));
    values[i] = std::ldexp(more[i] < 1.0f ? values[i] : -values[i], exponent);
  }
  return values;
}

struct Product {
  Shape s;
  bool ta, tb;
  float alpha, beta;
  int64_t pad;

  int64_t lda() const { return (ta ? s.m : s.inner) + pad; }
  int64_t ldb() const { return (tb ? s.inner : s.n) + pad; }
  int64_t ldc() const { return s.n + pad; }
  int64_t a_elements() const { return (ta ? s.inner : s.m) * lda(); }
  int64_t b_elements() const { return (tb ? s.n : s.inner) * ldb(); }
  int64_t a_at(int64_t i, int64_t k) const { return ta ? k * lda() + i : i * lda() + k; }
  int64_t b_at(int64_t k, int64_t j) const { return tb ? j * ldb() + k : k * ldb() + j; }

  std::vector<float> run(const std::vector<float>& a, const std::vector<float>& b, const std::vector<float>& c, int64_t offset, const char* at) const {
    Device<float> x(a, offset), y(b, offset), z(c, offset);
    check(metaplast_real_gemm_f32_cuda(cuda(), ta, tb, s.m, s.n, s.inner, alpha, x.data(), lda(), y.data(), ldb(), beta, z.data(), ldc(), nullptr, 0, nullptr) ==
              METAPLAST_OK,
          "%s: CUDA", at);
    return z.values();
  }
};

}  // namespace

METAPLAST_SIMT_TEST(tf32_instructions) {
  // Rounding to ten bits behind the point: ties go away from zero, carries reach the exponent.
  constexpr uint32_t kRounded[][2] = {{0x3F800000, 0x3F800000}, {0x3F800FFF, 0x3F800000}, {0x3F801000, 0x3F802000}, {0xBF801000, 0xBF802000},
                                      {0x3F802FFF, 0x3F802000}, {0x3F803000, 0x3F804000}, {0x3FFFF000, 0x40000000}, {0x3FFFEFFF, 0x3FFFE000},
                                      {0x00000FFF, 0x00000000}, {0x80001000, 0x80002000}, {0x007FF000, 0x00800000}, {0x7F7FF000, 0x7F800000},
                                      {0x7F7FEFFF, 0x7F7FE000}, {0x7F800000, 0x7F800000}, {0xFF800000, 0xFF800000}, {0x7FC00001, 0x7FFFFFFF},
                                      {0x00000000, 0x00000000}, {0x80000000, 0x80000000}};
  for (const auto& pair : kRounded) {
    check(shim::round_to_tf32(of_bits(pair[0])) == pair[1], "%08x becomes %08x", pair[0], shim::round_to_tf32(of_bits(pair[0])));
  }
  // Two parts hold a number but for its last bit.
  for (const float x : spread_values(3, 20000, -103, 60)) {
    const simt::SplitNumber parts = simt::split(x);
    const float rest = x - of_bits(parts.big) - of_bits(parts.small);
    check(simt::splits(x) && (parts.big & 0x1FFF) == 0 && (parts.small & 0x1FFF) == 0 && std::fabs(rest) <= std::fabs(x) * 0x1p-23f, "%08x in parts", bits_of(x));
  }
  for (const float x : {0.0f, -0.0f, 0x1p-103f, 0x1.fffffep59f}) check(simt::splits(x) && simt::splits(-x), "%08x splits", bits_of(x));
  for (const float x : {0x1.fffffep-104f, 0x1p-149f, 0x1p60f, std::numeric_limits<float>::max(), std::numeric_limits<float>::infinity(), std::nanf("")}) {
    check(!simt::splits(x) && !simt::splits(-x), "%08x does not split", bits_of(x));
  }
  // The layout of the fragments, with numbers whose sums are exact.
  const std::vector<float> values = uniform_values(4, 16 * 8 + 8 * 8 + 16 * 8, -30.0f, 30.0f);
  for_orders([&](int order, int64_t) {
    size_t next = 0;
    for (auto& row : g_a) {
      for (float& x : row) x = std::nearbyint(values[next++]);
    }
    for (auto& row : g_b) {
      for (float& x : row) x = std::nearbyint(values[next++]);
    }
    for (auto& row : g_d) {
      for (float& x : row) x = order == 0 ? 0.0f : std::nearbyint(values[next++]);
    }
    float expected[16][8];
    for (int i = 0; i < 16; ++i) {
      for (int j = 0; j < 8; ++j) {
        expected[i][j] = g_d[i][j];
        for (int k = 0; k < 8; ++k) expected[i][j] += g_a[i][k] * g_b[k][j];
      }
    }
    const char* failure = shim::run(
        {1, 1, 1}, {32, 1, 1}, 0,
        [](const void*) {
          const unsigned g = threadIdx.x / 4, t = threadIdx.x % 4;
          const uint32_t a[4] = {bits_of(g_a[g][t]), bits_of(g_a[g + 8][t]), bits_of(g_a[g][t + 4]), bits_of(g_a[g + 8][t + 4])};
          const uint32_t b[2] = {bits_of(g_b[t][g]), bits_of(g_b[t + 4][g])};
          float d[4] = {g_d[g][2 * t], g_d[g][2 * t + 1], g_d[g + 8][2 * t], g_d[g + 8][2 * t + 1]};
          simt::mma_tf32(d, a, b);
          for (unsigned e = 0; e < 4; ++e) g_d[g + e / 2 * 8][2 * t + e % 2] = d[e];
        },
        nullptr);
    check(failure == nullptr && std::memcmp(g_d, expected, sizeof(g_d)) == 0, "mma of TF32, order %d", order);
  });
  const char* failure = shim::run(
      {1, 1, 1}, {32, 1, 1}, 0,
      [](const void*) {
        const uint32_t a[4] = {0x3F800001, 0, 0, 0}, b[2] = {};
        float d[4] = {};
        simt::mma_tf32(d, a, b);
      },
      nullptr);
  check(failure != nullptr && std::strstr(failure, "not TF32") != nullptr, "an operand that was not rounded is found");
}

// Within the bound of the contract, whatever the shape and the padding; the same bits in every order. Shapes that do not suit have the portable bits.
METAPLAST_SIMT_TEST(real_gemm_tensor_cores) {
  constexpr Shape kLarge[] = {{32, 32, 64}, {33, 65, 64}, {64, 64, 256}, {40, 50, 257}, {130, 70, 81}, {32, 40, 600}, {31, 64, 64}, {64, 31, 64}, {64, 64, 63}};
  for (const Shape& s : kLarge) {
    for (int kind = 0; kind < 8; ++kind) {
      if (!simt::suits_tf32(s.m, s.n, s.inner) && kind > 1) continue;
      if (s.m > 64 && kind > 3) continue;
      const Product p = {s, kind % 2 == 1, kind % 4 >= 2, kind < 4 ? 1.0f : -0.75f, kind % 3 == 0 ? 0.5f : 0.0f, kind % 3};
      const std::string at = format("tensor cores: %lld x %lld x %lld, kind %d", static_cast<long long>(s.m), static_cast<long long>(s.n),
                                    static_cast<long long>(s.inner), kind);
      // Kinds: one sign (errors add up), both signs, few or many powers of two, results that are not normal.
      const auto values = [&](uint64_t seed, int64_t n) {
        return kind == 0 ? uniform_values(seed, n, 1.0f, 2.0f) : kind == 7 ? spread_values(seed, n, -72, -68) : spread_values(seed, n, kind == 1 ? -20 : -2, 2);
      };
      const std::vector<float> a = values(11, p.a_elements() + 1), b = values(12, p.b_elements() + 1);
      std::vector<float> before = uniform_values(13, s.m * p.ldc() + 1, -1.0f, 1.0f);
      if (p.beta == 0.0f) before.assign(before.size(), __builtin_nanf(""));  // not read
      std::vector<float> first;
      for (int order = 0; order < (kind == 0 && s.m <= 64 ? 4 : 2); ++order) {
        shim::set_order(kind + order);
        const ProductsOnTensorCores on;
        std::vector<float> c = p.run(a, b, before, order % 4, at.c_str());
        if (order == 0) {
          first = c;
        } else {
          check(std::memcmp(first.data(), c.data(), c.size() * sizeof(float)) == 0, "%s, order %d: other bits", at.c_str(), order);
        }
      }
      shim::set_order(0);
      const std::vector<float> portable = p.run(a, b, before, 0, at.c_str());
      int64_t different = 0;
      for (int64_t i = 0; i < s.m; ++i) {
        for (int64_t j = 0; j < s.n; ++j) {
          const size_t place = static_cast<size_t>(i * p.ldc() + j);
          different += bits_of(first[place]) != bits_of(portable[place]) ? 1 : 0;
          ExactSum exact;
          for (int64_t k = 0; k < s.inner; ++k) {
            exact.add(static_cast<double>(a[static_cast<size_t>(p.a_at(i, k))]) * static_cast<double>(p.alpha), static_cast<double>(b[static_cast<size_t>(p.b_at(k, j))]));
          }
          if (p.beta != 0.0f) exact.add(static_cast<double>(p.beta), static_cast<double>(before[place]));
          check(exact.allows(first[place], static_cast<double>(s.inner) + 3, s.inner), "%s: c[%lld][%lld] is %g, exactly %g", at.c_str(),
                static_cast<long long>(i), static_cast<long long>(j), first[place], exact.value);
        }
        for (int64_t j = s.n; j < p.ldc(); ++j) {
          const size_t place = static_cast<size_t>(i * p.ldc() + j);
          check(metaplast::testing::same(first[place], before[place]), "%s: padding", at.c_str());
        }
      }
      check(simt::suits_tf32(s.m, s.n, s.inner) ? different > 0 : different == 0, "%s: %lld elements differ from the portable ones", at.c_str(),
            static_cast<long long>(different));
    }
  }
}

// Infinities, NaN, overflow, numbers that are not normal: as in the portable products, where those are not finite; else within the bound.
METAPLAST_SIMT_TEST(real_gemm_tensor_cores_special_values) {
  const float special[] = {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), std::nanf(""), std::numeric_limits<float>::max(),
                           0x1p-149f, -0x1.8p-130f, 0x1.000002p-110f, 0x1.fffffep59f, 0x1.2p60f, -0x1.fffffep-104f, -0.0f};
  int64_t not_finite = 0, small = 0;
  for (const float value : special) {
    for (int kind = 0; kind < 4; ++kind) {
      const Product p = {{34, 36, 80}, kind % 2 == 1, kind >= 2, 1.0f, 0.0f, 1};
      const std::string at = format("tensor cores with %g, kind %d", value, kind);
      std::vector<float> a = spread_values(21, p.a_elements(), -3, 1), b = spread_values(22, p.b_elements(), -3, 1);
      a[static_cast<size_t>(p.a_at(5, 19))] = value;
      a[static_cast<size_t>(p.a_at(33, 79))] = value;
      b[static_cast<size_t>(p.b_at(40, 7))] = value;
      for (int64_t j = 0; j < 36; j += 3) b[static_cast<size_t>(p.b_at(19, j))] = 0.0f;
      // A row of nothing but such numbers.
      for (int64_t k = 0; k < 80; ++k) a[static_cast<size_t>(p.a_at(9, k))] *= value;
      shim::set_order(2 * kind + (value > 0 ? 0 : 1));
      const std::vector<float> before(static_cast<size_t>(34 * p.ldc()));
      const std::vector<float> portable = p.run(a, b, before, 0, at.c_str());
      std::vector<float> c;
      {
        const ProductsOnTensorCores on;
        c = p.run(a, b, before, 0, at.c_str());
      }
      for (int64_t i = 0; i < 34; ++i) {
        for (int64_t j = 0; j < 36; ++j) {
          const size_t place = static_cast<size_t>(i * p.ldc() + j);
          if (!std::isfinite(portable[place])) {
            ++not_finite;
            check(metaplast::testing::same(c[place], portable[place]), "%s: c[%lld][%lld] is %g, portable %g", at.c_str(), static_cast<long long>(i),
                  static_cast<long long>(j), c[place], portable[place]);
            continue;
          }
          ExactSum exact;
          for (int64_t k = 0; k < 80; ++k) exact.add(static_cast<double>(a[static_cast<size_t>(p.a_at(i, k))]), static_cast<double>(b[static_cast<size_t>(p.b_at(k, j))]));
          small += exact.value != 0 && std::fabs(exact.value) < 0x1p-100 ? 1 : 0;
          check(exact.allows(c[place], 83, 80), "%s: c[%lld][%lld] is %g, exactly %g", at.c_str(), static_cast<long long>(i), static_cast<long long>(j), c[place],
                exact.value);
        }
      }
    }
  }
  shim::set_order(0);
  check(not_finite > 500 && small > 500, "%lld results were not finite, %lld tiny", static_cast<long long>(not_finite), static_cast<long long>(small));
}

// The test at start-up takes the variant, and refuses that of a broken device.
METAPLAST_SIMT_TEST(product_variant) {
  const int32_t simt_only = METAPLAST_CUDA_PRODUCT_SIMT, tensor_cores = METAPLAST_CUDA_PRODUCT_TF32X3;
  for (int32_t flags : {0, static_cast<int32_t>(METAPLAST_CUDA_SIMT)}) {
    metaplast_cuda_context_t* context = nullptr;
    check(metaplast_cuda_context_create(0, flags, &context) == METAPLAST_OK, "context");
    check(metaplast_cuda_product_variant(context) == (flags == 0 ? tensor_cores : simt_only) && metaplast_cuda_product_failed_variant(context) == simt_only,
          "passes, or is left out");
    metaplast_cuda_context_destroy(context);
  }
  const auto chosen = [](int32_t major, int32_t* failed) {
    metaplast_cuda_context_t context;
    check(metaplast::cuda_runtime::choose_product_variant(&context, major) == METAPLAST_OK, "choice");
    *failed = metaplast_cuda_product_failed_variant(&context);
    return metaplast_cuda_product_variant(&context);
  };
  int32_t failed = -1;
  shim::break_tf32_mma(0x1p-10f, false);
  check(chosen(9, &failed) == simt_only && failed == tensor_cores, "a wrong element is found");
  shim::break_tf32_mma(0, true);
  check(chosen(9, &failed) == simt_only && failed == tensor_cores, "results that are flushed are found");
  shim::break_tf32_mma(0, false);
  shim::fail_allocation(1);
  check(chosen(9, &failed) == simt_only && failed == simt_only, "no memory for the test");
  check(chosen(7, &failed) == simt_only && failed == simt_only, "not on 7.5");
  check(chosen(8, &failed) == tensor_cores && failed == simt_only, "on 8.0");
}
