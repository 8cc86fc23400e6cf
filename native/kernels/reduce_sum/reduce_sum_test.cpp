#include "testing/reference.h"
#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

int main() {
  const std::vector<float> normal = uniform_values(1, 70000, -1, 1);
  const std::vector<float> mixed = mixed_values(2, 70000);
  const std::vector<float> negative_zeros(70000, -0.0f);
  GuardedMemory memory(70000 * 4);
  for (int32_t tier : tiers()) {
    const Context context(tier, 1);
    std::vector<int64_t> sizes;
    for (int64_t n = 0; n <= 1030; ++n) {
      sizes.push_back(n);
    }
    for (int64_t n : {4094, 4095, 4096, 4097, 4111, 4112, 8191, 8192, 8193, 16384, 16385, 20480, 65535, 65537, 69999}) {
      sizes.push_back(n);
    }
    for (int64_t n : sizes) {
      for (const std::vector<float>* source : {&normal, &mixed, &negative_zeros}) {
        const std::vector<float> x(source->begin(), source->begin() + n);
        float* data = reinterpret_cast<float*>(memory.at_end(n * 4, 0));
        std::copy(x.begin(), x.end(), data);
        float sum = 7;
        expect(metaplast_reduce_sum_f32(context, n, data, &sum) == METAPLAST_OK, "status");
        expect(same(sum, ref_sum(x)), "%s: sum of %lld is %a, expected %a", tier_name(tier), static_cast<long long>(n),
               static_cast<double>(sum), static_cast<double>(ref_sum(x)));
      }
    }
  }

  // Three levels: more than 4096 chunks of 4096. Any thread count.
  const int64_t large = (int64_t{1} << 24) + 4097 * 3 + 5;
  const std::vector<float> x = uniform_values(3, sparse() ? 300001 : large, -1, 1);
  for (int64_t n : {large, int64_t{1} << 24, (int64_t{1} << 24) + 1, int64_t{300001}}) {
    if (n > static_cast<int64_t>(x.size())) {
      continue;
    }
    const float expected = ref_sum(std::vector<float>(x.begin(), x.begin() + n));
    for (int32_t tier : tiers()) {
      for (int32_t threads = 1; threads <= 4; ++threads) {
        const Context context(tier, threads);
        float sum = 7;
        metaplast_reduce_sum_f32(context, n, x.data(), &sum);
        expect(same(sum, expected), "%s, %d threads: sum of %lld is %a, expected %a", tier_name(tier), threads, static_cast<long long>(n),
               static_cast<double>(sum), static_cast<double>(expected));
      }
    }
  }
  return finish("reduce_sum_test");
}
