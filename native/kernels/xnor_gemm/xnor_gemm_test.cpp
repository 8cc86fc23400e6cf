#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "kernels/xnor_gemm/xnor_gemm.h"
#include "runtime/context.h"
#include "testing/matrices.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

uint32_t differing(const BitRows& a, int64_t i, const BitRows& b, int64_t j) {
  int64_t count = 0;
  for (int64_t w = 0; w < a.stride; ++w) {
    count += __builtin_popcountll(a.words[static_cast<size_t>(i * a.stride + w)] ^ b.words[static_cast<size_t>(j * b.stride + w)]);
  }
  return static_cast<uint32_t>(count);
}

// Numbers of all kinds [rows][cols] with these signs: NaN has none, both zeros have one.
std::vector<float> numbers_with(const BitRows& signs, int64_t ld, uint64_t seed) {
  std::vector<float> x = mixed_values(seed, static_cast<int64_t>(matrix_size(signs.rows, signs.cols, ld)));
  for (int64_t r = 0; r < signs.rows; ++r) {
    for (int64_t c = 0; c < signs.cols; ++c) {
      float& v = x[static_cast<size_t>(r * ld + c)];
      if ((v >= 0.0f) == signs.get(r, c)) continue;
      v = v == 0.0f ? NAN : v != v ? -0.0f : -v;
    }
  }
  return x;
}

// Operands and results of one shape.
struct Case {
  Case(int64_t rows, int64_t cols, int64_t bits, int64_t gap, uint64_t seed)
      : m(rows), n(cols), k(bits), ldy(cols + gap), ldx(bits + gap), a(random_bits(seed, m, k)), b(random_bits(seed + 1, n, k)),
        reals(numbers_with(a, ldx, seed + 5)),
        scale(mixed_values(seed + 2, n)), bias(mixed_values(seed + 3, n)), limit(static_cast<size_t>(n)), invert(static_cast<size_t>(n)),
        y(matrix_size(m, n, ldy), kStale), plain(y.size(), kStaleFloat), scaled(plain), shifted(plain), both(plain), thresholds(m, n) {
    std::mt19937_64 random(seed + 4);
    for (size_t j = 0; j < limit.size(); ++j) {
      // Around the middle, where both outcomes occur, and the constants of "never" and "always".
      const int64_t kind = static_cast<int64_t>(random() % 8);
      limit[j] = kind == 0 ? -1 : kind == 1 ? static_cast<int32_t>(k) : static_cast<int32_t>(k / 2 + kind - 4);
      invert[j] = static_cast<int32_t>(random() % 2);
    }
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        const size_t at = static_cast<size_t>(i * ldy + j);
        const size_t c = static_cast<size_t>(j);
        const int64_t p = differing(a, i, b, j);
        y[at] = static_cast<int32_t>(k - 2 * p);
        plain[at] = static_cast<float>(y[at]);
        scaled[at] = scale[c] * plain[at];
        shifted[at] = plain[at] + bias[c];
        both[at] = scaled[at] + bias[c];
        thresholds.set(i, j, (p <= limit[c]) != (invert[c] != 0));
      }
    }
  }

  void check(const metaplast_context_t* context, int32_t tier, int32_t threads, bool at_end) const {
    GuardedArray<uint64_t> x(a.words, at_end), w(b.words, at_end);
    const auto verify = [&](bool ok, metaplast_status_t status, const char* what) {
      expect(ok && status == METAPLAST_OK, "%s, %s, %d threads, %lld x %lld x %lld, ld %lld: status %d", what, tier_name(tier), threads,
             static_cast<long long>(m), static_cast<long long>(n), static_cast<long long>(k), static_cast<long long>(ldy), status);
    };
    {
      GuardedArray<int32_t> out(std::vector<int32_t>(y.size(), kStale), at_end);
      const metaplast_status_t status = metaplast_xnor_gemm_i32(context, m, n, k, x, w, out, ldy);
      verify(out.holds(y), status, "int32");
    }
    {
      GuardedArray<int32_t> limits(limit, at_end), inverts(invert, at_end);
      GuardedArray<uint64_t> out(stale_words(thresholds.words.size()), at_end);
      const metaplast_status_t status = metaplast_xnor_gemm_bits(context, m, n, k, x, w, limits, inverts, out);
      verify(out.holds(thresholds.words) && limits.holds(limit) && inverts.holds(invert), status, "bits");
    }
    check_packing(context, tier, threads, at_end);
    GuardedArray<float> scales(scale, at_end), biases(bias, at_end);
    const struct {
      const float *scale, *bias;
      const std::vector<float>& expected;
    } floats[] = {{nullptr, nullptr, plain}, {scales, nullptr, scaled}, {nullptr, biases, shifted}, {scales, biases, both}};
    for (const auto& f : floats) {
      GuardedArray<float> out(std::vector<float>(y.size(), kStaleFloat), at_end);
      const metaplast_status_t status = metaplast_xnor_gemm_f32(context, m, n, k, x, w, f.scale, f.bias, out, ldy);
      verify(equal_bits(out.values(), f.expected) && out.gaps_intact(), status, "fp32");
    }
    verify(x.holds(a.words) && w.holds(b.words), METAPLAST_OK, "operands");
  }

  // The same thresholds from real rows: as users call it, and the kernel itself, which packs beside the product at any size.
  void check_packing(const metaplast_context_t* context, int32_t tier, int32_t threads, bool at_end) const {
    GuardedArray<float> x(reals, at_end);
    GuardedArray<uint64_t> w(b.words, at_end);
    GuardedArray<int32_t> limits(limit, at_end), inverts(invert, at_end);
    for (bool directly : {false, true}) {
      GuardedArray<uint64_t> packed(stale_words(a.words.size()), at_end), out(stale_words(thresholds.words.size()), at_end);
      metaplast_status_t status = METAPLAST_OK;
      if (directly) {
        const metaplast::XnorGemm g{m,       n,       k,      packed,  w, metaplast::XnorOutput::kBits, out, thresholds.stride,
                                    nullptr, nullptr, limits, inverts, x, ldx,                          packed};
        context->kernels.xnor_gemm(&g, 0, m, 0, n);
      } else {
        status = metaplast_sign_pack_xnor_gemm_bits(context, m, n, k, x, ldx, packed, w, limits, inverts, out);
      }
      expect(status == METAPLAST_OK && packed.holds(a.words) && out.holds(thresholds.words) && x.holds(reals) && w.holds(b.words),
             "from real rows%s, %s, %d threads, %lld x %lld x %lld, ld %lld: status %d", directly ? ", the kernel" : "", tier_name(tier), threads,
             static_cast<long long>(m), static_cast<long long>(n), static_cast<long long>(k), static_cast<long long>(ldx), status);
    }
  }

  static constexpr int32_t kStale = 0x5a5a5a5a;
  static constexpr float kStaleFloat = 54321.0f;
  int64_t m, n, k, ldy, ldx;
  BitRows a, b;
  std::vector<float> reals;
  std::vector<float> scale, bias;
  std::vector<int32_t> limit, invert;
  std::vector<int32_t> y;
  std::vector<float> plain, scaled, shifted, both;
  BitRows thresholds;
};

void check_shape(int64_t m, int64_t n, int64_t k, int64_t gap, bool at_end, int32_t threads) {
  const Case expected(m, n, k, gap, static_cast<uint64_t>((m * 1000 + n) * 10000 + k));
  for (int32_t tier : tiers_and_variants()) {
    for (int32_t t = 1; t <= threads; ++t) {
      const Context context(tier, t);
      expected.check(context, tier, t, at_end);
    }
  }
}

// Every K up to 1030, and every number of rows and columns that tails can have.
void check_tails() {
  constexpr int64_t kSizes[] = {1, 2, 3, 4, 5, 7, 9, 11, 12, 18, 33, 41};
  constexpr int64_t kCount = sizeof kSizes / sizeof kSizes[0];
  for (int64_t k = 0; k <= 1030; ++k) {
    if (sparse() && k > 66 && k % 97 != 0) continue;
    check_shape(kSizes[k % kCount], kSizes[(k / kCount + 5) % kCount], k, k % 5 == 0 ? 3 : 0, k % 2 == 0, 1);
    check_shape(kSizes[(k * 7 + 3) % kCount], kSizes[(k * 5 + 1) % kCount], k, 0, k % 2 != 0, 1);
  }
  for (int64_t m = 1; m <= 26; ++m) {
    for (int64_t n = 1; n <= 140; n += sparse() ? 23 : 1) check_shape(m, n, (m * 31 + n * 17) % 400 + 1, 0, n % 2 == 0, 1);
  }
}

// More words than a panel holds, and rows beyond a tile.
void check_blocks() {
  for (int64_t k : {4608, 4609, 8192, 8193, 9217, 16385, 30000}) {
    check_shape(13, 47, k, 1, true, 1);
    check_shape(2, 70, k, 0, false, 1);
    check_shape(70, 2, k, 0, true, 1);
    if (sparse()) break;
    check_shape(301, 45, k, 0, false, 1);
  }
}

void check_threads() {
  check_shape(300, 700, 1000, 0, true, 4);
  check_shape(1, 3000, 2000, 0, false, 4);
  check_shape(3000, 10, 785, 2, true, 4);
  check_shape(100, 2100, 513, 0, false, 4);
}

// Rows and bytes from which the call packs beside the product, on up to two threads; three take rows that are packed first.
void check_packing_beside() {
  check_shape(1003, 170, 2117, 0, true, 3);
  check_shape(483, 41, 4608, 1, false, 1);
  check_shape(2000, 85, 1050, 3, true, 1);
}

// K = 2^31 - 1: p reaches K, y reaches -K.
void check_longest() {
  constexpr int64_t kLongest = INT32_MAX;
  const int64_t words = metaplast_bit_row_words(kLongest);
  uint64_t* ones = static_cast<uint64_t*>(std::malloc(static_cast<size_t>(words) * 8));
  uint64_t* zeros = static_cast<uint64_t*>(std::calloc(static_cast<size_t>(words), 8));
  for (int64_t w = 0; w < words; ++w) ones[w] = ~uint64_t{0};
  ones[words - 1] >>= 1;
  for (int32_t tier : tiers_and_variants()) {
    const Context context(tier, 1);
    int32_t y = 0;
    expect(metaplast_xnor_gemm_i32(context, 1, 1, kLongest, ones, zeros, &y, 1) == METAPLAST_OK && y == -INT32_MAX, "%s: y %d of opposites",
           tier_name(tier), y);
    expect(metaplast_xnor_gemm_i32(context, 1, 1, kLongest, ones, ones, &y, 1) == METAPLAST_OK && y == INT32_MAX, "%s: y %d of equals",
           tier_name(tier), y);
    const int32_t limit = INT32_MAX - 1, invert = 0;
    uint64_t bits[8];
    expect(metaplast_xnor_gemm_bits(context, 1, 1, kLongest, ones, zeros, &limit, &invert, bits) == METAPLAST_OK && bits[0] == 0,
           "%s: p = 2^31 - 1 is above its limit", tier_name(tier));
  }
  std::free(ones);
  std::free(zeros);
}

void check_arguments() {
  const Context context(METAPLAST_TIER_AVX512, 1);
  uint64_t a[8] = {}, b[8] = {}, bits[8] = {};
  int32_t y[4] = {}, limit[1] = {}, invert[1] = {};
  float f[1] = {};
  expect(metaplast_xnor_gemm_i32(nullptr, 1, 1, 1, a, b, y, 1) == METAPLAST_E_ARGUMENT, "no context");
  expect(metaplast_xnor_gemm_i32(context, -1, 1, 1, a, b, y, 1) == METAPLAST_E_ARGUMENT, "negative m");
  expect(metaplast_xnor_gemm_i32(context, 1, 1, int64_t{1} << 31, a, b, y, 1) == METAPLAST_E_ARGUMENT, "k beyond 2^31 - 1");
  expect(metaplast_xnor_gemm_i32(context, 1, 2, 1, a, b, y, 1) == METAPLAST_E_ARGUMENT, "ldy below n");
  expect(metaplast_xnor_gemm_i32(context, 1, 1, 1, a, nullptr, y, 1) == METAPLAST_E_ARGUMENT, "no b");
  expect(metaplast_xnor_gemm_f32(context, 1, 1, (1 << 24) + 1, a, b, nullptr, nullptr, f, 1) == METAPLAST_E_ARGUMENT, "k beyond 2^24");
  expect(metaplast_xnor_gemm_bits(context, 1, 1, 1, a, b, limit, nullptr, bits) == METAPLAST_E_ARGUMENT, "no invert");
  const float x[8] = {};
  expect(metaplast_sign_pack_xnor_gemm_bits(context, 1, 1, 2, x, 1, a, b, limit, invert, bits) == METAPLAST_E_ARGUMENT, "ldx below k");
  expect(metaplast_sign_pack_xnor_gemm_bits(context, 1, 1, 1, nullptr, 1, a, b, limit, invert, bits) == METAPLAST_E_ARGUMENT, "no x");
  expect(metaplast_sign_pack_xnor_gemm_bits(context, 1, 1, 1, x, 1, nullptr, b, limit, invert, bits) == METAPLAST_E_ARGUMENT, "no a");
  expect(metaplast_sign_pack_xnor_gemm_bits(context, 1, 1, 1, x, 1, a, b, nullptr, invert, bits) == METAPLAST_E_ARGUMENT, "no limit");
  expect(metaplast_sign_pack_xnor_gemm_bits(context, 1, 0, 1, x, 1, a, nullptr, nullptr, nullptr, nullptr) == METAPLAST_OK && a[0] == 1,
         "rows are packed where there are no columns");
  a[0] = 0;
  expect(metaplast_xnor_gemm_i32(context, 0, 1, 1, nullptr, nullptr, nullptr, 1) == METAPLAST_OK, "no rows");
  expect(metaplast_xnor_gemm_i32(context, 1, 1, 0, nullptr, nullptr, y, 1) == METAPLAST_OK && y[0] == 0, "k = 0");
  limit[0] = 0;
  expect(metaplast_xnor_gemm_bits(context, 1, 1, 0, nullptr, nullptr, limit, invert, bits) == METAPLAST_OK && bits[0] == 1,
         "the epilogue of k = 0");
}

}  // namespace

int main() {
  check_tails();
  check_blocks();
  check_threads();
  if (!sparse()) check_packing_beside();
  if (!sparse()) check_longest();
  check_arguments();
  return finish("xnor_gemm_test");
}
