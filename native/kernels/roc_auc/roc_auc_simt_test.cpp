#include <limits>

#include "shim/simt_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names

namespace {

// Scores with many ties, and some NaN.
std::vector<float> scores(uint64_t seed, int64_t n) {
  std::vector<float> values = metaplast::testing::uniform_values(seed, n, 0.0f, 20.0f);
  for (float& v : values) v = static_cast<float>(static_cast<int>(v)) * 0.25f;
  const std::vector<float> odd = metaplast::testing::mixed_values(seed, n);
  for (size_t i = 5; i < values.size(); i += 11) values[i] = odd[i];
  return values;
}

struct Shape {
  int64_t n, m;
};
constexpr Shape kShapes[] = {{0, 1}, {1, 1}, {1, 5}, {5, 1}, {31, 33}, {255, 257}, {256, 1024}, {300, 1025}, {4096, 10}, {3, 4096}};

}  // namespace

METAPLAST_SIMT_TEST(roc_pairs_f32) {
  for (const Shape& s : kShapes) {
    const std::vector<float> in = scores(1, s.n), ood = scores(2, s.m);
    for_orders([&](int order, int64_t offset) {
      const std::string where = format("roc_pairs, %lld x %lld, order %d", static_cast<long long>(s.n), static_cast<long long>(s.m), order);
      std::vector<int64_t> counts(2, 77);
      Device<float> d_in(in, offset), d_ood(ood, offset);
      Device<int64_t> d_counts(counts);
      check(metaplast_roc_pairs_f32(cpu(), s.n, in.data(), s.m, ood.data(), counts.data()) == METAPLAST_OK, "%s: CPU", where.c_str());
      check(metaplast_roc_pairs_f32_cuda(cuda(), s.n, d_in.data(), s.m, d_ood.data(), d_counts.data(), nullptr) == METAPLAST_OK, "%s: CUDA",
            where.c_str());
      expect_same(counts, &d_counts, "counts", where);
    });
  }
}

METAPLAST_SIMT_TEST(roc_thresholds_f32) {
  std::vector<float> fractions(30);
  for (size_t j = 0; j < fractions.size(); ++j) fractions[j] = static_cast<float>(static_cast<double>(j) / 29.0);
  for (const Shape& s : kShapes) {
    const std::vector<float> in = scores(3, s.n);
    for (uint64_t seed : {4u, 5u, 6u}) {
      std::vector<float> ood = scores(seed, s.m);
      if (seed == 6) ood[0] = std::numeric_limits<float>::quiet_NaN();  // in front, it makes every threshold NaN
      for_orders([&](int order, int64_t offset) {
        const std::string where = format("roc_thresholds, %lld, %lld, seed %d, order %d", static_cast<long long>(s.n),
                                         static_cast<long long>(s.m), static_cast<int>(seed), order);
        std::vector<int64_t> counts(60, 77);
        Device<float> d_in(in, offset), d_ood(ood, offset), d_fractions(fractions, offset);
        Device<int64_t> d_counts(counts);
        check(metaplast_roc_thresholds_f32(cpu(), s.n, in.data(), s.m, ood.data(), 30, fractions.data(), counts.data()) == METAPLAST_OK,
              "%s: CPU", where.c_str());
        check(metaplast_roc_thresholds_f32_cuda(cuda(), s.n, d_in.data(), s.m, d_ood.data(), 30, d_fractions.data(), d_counts.data(),
                                                nullptr) == METAPLAST_OK,
              "%s: CUDA", where.c_str());
        expect_same(counts, &d_counts, "counts", where);
      });
    }
  }
}
