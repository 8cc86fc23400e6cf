// The weight-gradient product of real inputs against a restatement: shapes around tiles and blocks, leading dimensions, 1 to 4 threads,
// operands against guard pages.
#include <algorithm>

#include "testing/matrices.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

using Values = std::vector<float>;

size_t at(int64_t i) { return static_cast<size_t>(i); }

Values spread(const Values& values, int64_t rows, int64_t cols, int64_t ld) {
  Values out(cols > 0 ? matrix_size(rows, cols, ld) : 0, 77.0f);
  for (int64_t r = 0; r < rows; ++r) std::copy_n(values.begin() + r * cols, cols, out.begin() + r * ld);
  return out;
}

void check(int64_t batch, int64_t out, int64_t in, int32_t most_threads, int64_t gap) {
  const auto values = [](uint64_t seed, int64_t n) {
    Values v = uniform_values(seed, n, -1, 1);
    const Values mixed = mixed_values(seed + 1, n);
    for (size_t i = 0; i < v.size(); i += 13) v[i] = i % 2 == 0 ? -0.0f : mixed[i];
    return v;
  };
  const Values dy = values(static_cast<uint64_t>(batch + out), batch * out), x = values(static_cast<uint64_t>(7 * batch + in), batch * in);
  Values dw(at(out * in));
  for (int64_t o = 0; o < out; ++o) {
    for (int64_t i = 0; i < in; ++i) {
      float sum = 0;
      for (int64_t b = 0; b < batch; ++b) {
        const float product = dy[at(b * out + o)] * x[at(b * in + i)];
        sum = b == 0 ? product : sum + product;
      }
      dw[at(o * in + i)] = sum;
    }
  }
  const int64_t lddy = out + gap, ldx = in + 2 * gap, lddw = in + gap;
  const Values expected = spread(dw, out, in, lddw);
  for (int32_t tier : tiers()) {
    for (int32_t threads = 1; threads <= most_threads; ++threads) {
      const Context context(tier, threads);
      const bool at_end = (batch + out + in) % 2 == 0;
      GuardedArray<float> a(spread(dy, batch, out, lddy), at_end), b(spread(x, batch, in, ldx), at_end),
          y(spread(Values(dw.size(), 55.0f), out, in, lddw), at_end);
      const metaplast_status_t status = metaplast_gemm_tn_f32(context, batch, out, in, a, lddy, b, ldx, y, lddw);
      const long long s[] = {batch, out, in};
      expect(status == METAPLAST_OK, "status %d", status);
      expect(equal_bits(y.values(), expected), "%s, %d threads, %lld x %lld x %lld", tier_name(tier), threads, s[0], s[1], s[2]);
      expect(y.gaps_intact() && a.holds(spread(dy, batch, out, lddy)) && b.holds(spread(x, batch, in, ldx)),
             "%s, %lld x %lld x %lld: inputs or surroundings were written", tier_name(tier), s[0], s[1], s[2]);
    }
  }
}

}  // namespace

int main() {
  for (int64_t n = 0; n <= 70; ++n) {
    check(n, 1 + n % 13, 1 + n * 5 % 67, 1, n % 3);
    check(1 + n % 5, n, 1 + n * 3 % 37, 1, n % 3);
    check(1 + n % 4, 1 + n % 9, n, 1, n % 3);
  }
  for (int64_t n : {127, 128, 129, 257}) {
    check(n, 50, 70, 1, 1);
    check(3, n, 65, 1, 0);
    check(3, 7, n, 1, 0);
  }
  check(100, 200, 150, 4, 0);
  check(100, 10, 785, 4, 0);
  check(20, 700, 9, 4, 1);
  return finish("gemm_tn_test");
}
