#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

void check_pairs(const std::vector<float>& in_dist, const std::vector<float>& ood) {
  int64_t below = 0, equal = 0;
  for (float a : in_dist) {
    for (float b : ood) {
      below += a < b ? 1 : 0;
      equal += a == b ? 1 : 0;
    }
  }
  const int64_t n = static_cast<int64_t>(in_dist.size()), m = static_cast<int64_t>(ood.size());
  GuardedMemory in_memory(n * 4 + 1), ood_memory(m * 4 + 1);
  float* a = reinterpret_cast<float*>(in_memory.at_end(n * 4, 0));
  float* b = reinterpret_cast<float*>(ood_memory.at_end(m * 4, 0));
  std::copy(in_dist.begin(), in_dist.end(), a);
  std::copy(ood.begin(), ood.end(), b);
  for (int32_t tier : tiers()) {
    for (int32_t threads : {1, 3}) {
      const Context context(tier, threads);
      int64_t counts[2] = {7, 7};
      expect(metaplast_roc_pairs_f32(context, n, a, m, b, counts) == METAPLAST_OK, "status");
      expect(counts[0] == below && counts[1] == equal, "%s, %lld x %lld: %lld below, %lld equal; expected %lld, %lld", tier_name(tier),
             static_cast<long long>(n), static_cast<long long>(m), static_cast<long long>(counts[0]), static_cast<long long>(counts[1]),
             static_cast<long long>(below), static_cast<long long>(equal));
    }
  }
}

void check_thresholds(const std::vector<float>& in_dist, const std::vector<float>& ood, int32_t thresholds) {
  std::vector<float> fractions;
  for (int32_t j = 0; j < thresholds; ++j) {
    fractions.push_back(static_cast<float>(static_cast<double>(j) / (thresholds - 1)));
  }
  float most = ood[0];
  for (float b : ood) {
    most = b > most ? b : most;
  }
  std::vector<int64_t> wanted(static_cast<size_t>(thresholds) * 2);
  for (size_t j = 0; j < fractions.size(); ++j) {
    const float t = most * fractions[j];
    for (float a : in_dist) {
      wanted[j] += a < t ? 1 : 0;
    }
    for (float b : ood) {
      wanted[fractions.size() + j] += b < t ? 1 : 0;
    }
  }
  for (int32_t tier : tiers()) {
    for (int32_t threads : {1, 3}) {
      const Context context(tier, threads);
      std::vector<int64_t> counts(wanted.size(), 7);
      expect(metaplast_roc_thresholds_f32(context, static_cast<int64_t>(in_dist.size()), in_dist.data(), static_cast<int64_t>(ood.size()),
                                          ood.data(), thresholds, fractions.data(), counts.data()) == METAPLAST_OK,
             "status");
      expect(counts == wanted, "%s, %d threads: %zu x %zu, %d thresholds", tier_name(tier), threads, in_dist.size(), ood.size(),
             thresholds);
    }
  }
}

}  // namespace

int main() {
  for (int64_t n = 0; n <= 70; ++n) {
    for (int64_t m : {int64_t{0}, int64_t{1}, int64_t{2}, n, int64_t{65}}) {
      check_pairs(mixed_values(static_cast<uint64_t>(n), n), mixed_values(100 + static_cast<uint64_t>(m), m));
    }
  }
  const std::vector<float> in_dist = uniform_values(1, 3000, 0, 2), ood = uniform_values(2, 900, 0.5f, 3);
  check_pairs(in_dist, ood);
  check_thresholds(in_dist, ood, 1000);
  for (int64_t n = 1; n <= 40; ++n) {
    check_thresholds(mixed_values(static_cast<uint64_t>(n), n), mixed_values(50 + static_cast<uint64_t>(n), 41 - n), 17);
  }
  return finish("roc_auc_test");
}
