#include "testing/matrices.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

// What s holds before: another number at every element, not symmetric, so that each must get its own back.
std::vector<int32_t> old_values(int64_t in, int64_t lds) {
  std::vector<int32_t> s(matrix_size(in, in, lds));
  for (size_t i = 0; i < s.size(); ++i) s[i] = static_cast<int32_t>(i % 10007) * 11 - 50000;
  return s;
}

// s, or what lies between its rows alone, plus the sum over the batch of products of signs, from the bits one by one.
std::vector<int32_t> gram(const BitRows& x, int64_t lds, bool accumulate) {
  const int64_t in = x.cols;
  std::vector<int32_t> s = old_values(in, lds);
  for (int64_t i = 0; i < in; ++i) {
    for (int64_t j = 0; j < in; ++j) {
      int32_t sum = 0;
      for (int64_t b = 0; b < x.rows; ++b) sum += x.get(b, i) == x.get(b, j) ? 1 : -1;
      int32_t& out = s[static_cast<size_t>(i * lds + j)];
      out = accumulate ? out + sum : sum;
    }
  }
  return s;
}

void check_shape(int64_t batch, int64_t in, int64_t gap, bool at_end, int32_t threads) {
  const int64_t lds = in + gap;
  const BitRows x = random_bits(static_cast<uint64_t>(batch * 10007 + in), batch, in);
  const std::vector<int32_t> fresh = gram(x, lds, false), added = gram(x, lds, true);
  const int64_t bytes = metaplast_xnor_syrk_workspace_bytes(batch, in);
  for (int32_t tier : tiers_and_variants()) {
    for (int32_t t = 1; t <= threads; ++t) {
      const Context context(tier, t);
      for (int32_t accumulate : {0, 1}) {
        GuardedArray<uint64_t> bits(x.words, at_end), workspace(stale_words(static_cast<size_t>(bytes / 8)), at_end);
        GuardedArray<int32_t> s(old_values(in, lds), at_end);
        const metaplast_status_t status = metaplast_xnor_syrk_i32(context, batch, in, bits, accumulate, s, lds, workspace, bytes);
        expect(status == METAPLAST_OK && s.holds(accumulate != 0 ? added : fresh) && bits.holds(x.words) && workspace.gaps_intact(),
               "xnor_syrk, %s, %d threads, batch %lld, in %lld, lds %lld, accumulate %d: status %d", tier_name(tier), t,
               static_cast<long long>(batch), static_cast<long long>(in), static_cast<long long>(lds), accumulate, status);
      }
    }
  }
}

void check_average(int64_t rows, int64_t cols, int64_t gap, int32_t threads) {
  const int64_t lds = cols + gap, lda = cols + 2 * gap;
  constexpr float kInverse = 1.0f / 300.0f, kDecay = 0.95f, kFresh = 1.0f - 0.95f;
  std::mt19937_64 random(static_cast<uint64_t>(rows * 100 + cols));
  std::vector<int32_t> s(matrix_size(rows, cols, lds));
  // Some beyond 2^24, where the conversion rounds.
  for (int32_t& value : s) value = static_cast<int32_t>(random() >> (random() % 2 == 0 ? 33 : 50)) - 4000;
  const std::vector<float> a = mixed_values(static_cast<uint64_t>(rows), static_cast<int64_t>(matrix_size(rows, cols, lda)));
  std::vector<float> expected = a;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) {
      float& out = expected[static_cast<size_t>(r * lda + c)];
      float t = static_cast<float>(s[static_cast<size_t>(r * lds + c)]);
      t = t * kInverse;
      t = kFresh * t;
      out = kDecay * out;
      out = out + t;
    }
  }
  for (int32_t tier : tiers()) {
    for (int32_t t = 1; t <= threads; ++t) {
      const Context context(tier, t);
      GuardedArray<int32_t> sums(s, cols % 2 == 0);
      GuardedArray<float> average(a, cols % 2 == 0);
      const metaplast_status_t status =
          metaplast_factor_moving_average_f32(context, rows, cols, sums, lds, kInverse, kDecay, kFresh, average, lda);
      expect(status == METAPLAST_OK && equal_bits(average.values(), expected) && average.gaps_intact() && sums.holds(s),
             "factor_moving_average, %s, %d threads, %lld x %lld", tier_name(tier), t, static_cast<long long>(rows),
             static_cast<long long>(cols));
    }
  }
}

void check_arguments() {
  const Context context(METAPLAST_TIER_AVX512, 1);
  uint64_t x[8] = {}, workspace[8];
  int32_t s[4] = {7, 7, 7, 7};
  float a[1] = {};
  expect(metaplast_xnor_syrk_i32(context, 1, 1, x, 0, s, 1, workspace, 63) == METAPLAST_E_ARGUMENT, "workspace too small");
  expect(metaplast_xnor_syrk_i32(context, 1, 1, x, 0, s, 0, workspace, 64) == METAPLAST_E_ARGUMENT, "lds below in");
  expect(metaplast_xnor_syrk_i32(context, int64_t{1} << 31, 1, x, 0, s, 1, workspace, INT64_MAX) == METAPLAST_E_ARGUMENT, "batch of 2^31");
  expect(metaplast_xnor_syrk_i32(context, 0, 2, nullptr, 1, s, 2, nullptr, 0) == METAPLAST_OK && s[0] == 7 && s[3] == 7, "nothing added");
  expect(metaplast_xnor_syrk_i32(context, 0, 2, nullptr, 0, s, 2, nullptr, 0) == METAPLAST_OK && s[0] == 0 && s[3] == 0, "an empty sum");
  expect(metaplast_factor_moving_average_f32(context, 1, 2, s, 2, 1, 1, 1, a, 1) == METAPLAST_E_ARGUMENT, "lda below the columns");
}

}  // namespace

int main() {
  for (int64_t in : {1, 2, 3, 4, 5, 8, 9, 16, 33, 39, 40, 41, 80, 119, 121, 129, 250}) {
    for (int64_t batch : {0, 1, 63, 64, 65, 100, 520}) check_shape(batch, in, in % 3, (in + batch) % 2 == 0, 1);
  }
  if (!sparse()) {
    check_shape(300, 700, 1, true, 4);
    check_shape(9000, 50, 0, false, 2);
  }
  for (int64_t cols : {0, 1, 7, 16, 17, 100}) check_average(3, cols, cols % 3, 1);
  check_average(300, 700, 3, 4);
  check_arguments();
  return finish("xnor_syrk_test");
}
