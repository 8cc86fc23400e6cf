#include "shim/simt_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names

namespace {

constexpr uint64_t kSeed = 0x0123456789abcdefu;
constexpr uint32_t kStream = 70000, kStep = 4000000000u;

// cpu(first, n, out) and cuda(first, n, out) write n values of T.
template <class T, class OnCpu, class OnCuda>
void check_random(const char* kernel, OnCpu on_cpu, OnCuda on_cuda) {
  const auto once = [&](uint64_t first, int64_t n, int64_t offset, int order) {
    const std::string where = format("%s, first %llu, n %lld, offset %lld, order %d", kernel, static_cast<unsigned long long>(first),
                                     static_cast<long long>(n), static_cast<long long>(offset), order);
    std::vector<T> expected(static_cast<size_t>(n));
    Device<T> seen(expected, offset);
    check(on_cpu(first, n, expected.data()) == METAPLAST_OK, "%s: status of the CPU", where.c_str());
    check(on_cuda(first, n, seen.data()) == METAPLAST_OK, "%s: status of CUDA", where.c_str());
    expect_same(expected, &seen, "out", where);
  };
  for (int64_t n = 0; n <= 1030; ++n) once(static_cast<uint64_t>(n % 7), n, n % 4, 0);
  for_orders([&](int order, int64_t offset) {
    // Around the ends of the 32-bit counter word, and up to the last element of a stream.
    for (uint64_t first : {uint64_t{0}, uint64_t{1}, uint64_t{5000000002u}, (uint64_t{1} << 34) - 9, ~uint64_t{0} - 4095}) {
      for (int64_t n : {1, 2, 3, 4, 5, 17, 4095, 4096}) once(first, n, offset, order);
    }
  });
  T out;
  check(on_cuda(~uint64_t{0}, 2, &out) == METAPLAST_E_ARGUMENT, "%s: past the end of the stream", kernel);
  check(on_cuda(0, -1, &out) == METAPLAST_E_ARGUMENT, "%s: negative length", kernel);
}

}  // namespace

METAPLAST_SIMT_TEST(philox_u32) {
  check_random<uint32_t>(
      "philox", [](uint64_t first, int64_t n, uint32_t* out) { return metaplast_philox_u32(cpu(), kSeed, kStream, kStep, first, n, out); },
      [](uint64_t first, int64_t n, uint32_t* out) {
        return metaplast_philox_u32_cuda(cuda(), kSeed, kStream, kStep, first, n, out, nullptr);
      });
  // Known answers of Random123.
  Device<uint32_t> words(std::vector<uint32_t>(4));
  metaplast_philox_u32_cuda(cuda(), 0, 0, 0, 0, 4, words.data(), nullptr);
  expect_same(std::vector<uint32_t>{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}, &words, "words", "counter 0, key 0");
  metaplast_philox_u32_cuda(cuda(), 0, 0, 0, 4, 4, words.data(), nullptr);
  expect_same(std::vector<uint32_t>{0xf8e4cca4u, 0x5cb200dbu, 0xb1a574ebu, 0x097eff67u}, &words, "words", "counter 1, key 0");
}

METAPLAST_SIMT_TEST(uniform_f32) {
  check_random<float>(
      "uniform", [](uint64_t first, int64_t n, float* out) { return metaplast_uniform_f32(cpu(), kSeed, kStream, kStep, first, n, out); },
      [](uint64_t first, int64_t n, float* out) {
        return metaplast_uniform_f32_cuda(cuda(), kSeed, kStream, kStep, first, n, out, nullptr);
      });
}

METAPLAST_SIMT_TEST(gaussian_f32) {
  check_random<float>(
      "gaussian", [](uint64_t first, int64_t n, float* out) { return metaplast_gaussian_f32(cpu(), kSeed, kStream, kStep, first, n, out); },
      [](uint64_t first, int64_t n, float* out) {
        return metaplast_gaussian_f32_cuda(cuda(), kSeed, kStream, kStep, first, n, out, nullptr);
      });
}
