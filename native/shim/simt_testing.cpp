#include "shim/simt_testing.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace metaplast {
namespace simt_testing {
namespace {

// The kernels that must have a test: every entry point of metaplast/bayes.h, binary.h and kfac.h, written by CMake.
const char* const kEntryPoints[] = {
#include "simt_entry_points.inc"
};

struct Test {
  std::string name;
  void (*run)();
};
std::vector<Test>& tests() {
  static std::vector<Test> instance;
  return instance;
}

constexpr int kPrintedFailures = 20;
int64_t g_cases = 0;
int64_t g_failures = 0;

template <class T>
void compare(const std::vector<T>& expected, const std::vector<T>& seen, const char* what, const std::string& where) {
  size_t i = 0;
  while (i < expected.size() && std::memcmp(&expected[i], &seen[i], sizeof(T)) == 0) ++i;
  check(i == expected.size(), "%s: %s[%zu] differs", where.c_str(), what, i);
}

}  // namespace

Registration::Registration(const char* name, void (*test)()) { tests().push_back({name, test}); }

void check(bool ok, const char* pattern, ...) {
  ++g_cases;
  if (ok || ++g_failures > kPrintedFailures) return;
  std::fputs("  failed: ", stdout);
  va_list arguments;
  va_start(arguments, pattern);
  std::vprintf(pattern, arguments);
  va_end(arguments);
  const char* failure = shim::last_failure();
  std::printf("%s%s\n", failure[0] != 0 ? "; the shim says: " : "", failure);
}

const metaplast_context_t* cpu() {
  static metaplast_context_t* const context = metaplast_context_create(METAPLAST_TIER_SCALAR, 1);
  return context;
}

metaplast_cuda_context_t* cuda() {
  static metaplast_cuda_context_t* const context = [] {
    metaplast_cuda_context_t* created = nullptr;
    metaplast_cuda_context_create(0, METAPLAST_CUDA_SYNCHRONOUS + METAPLAST_CUDA_SIMT, &created);
    return created;
  }();
  return context;
}

void expect_same(const std::vector<float>& expected, Device<float>* seen, const char* what, const std::string& where) {
  const std::vector<float> values = seen->values();
  size_t i = 0;
  while (i < expected.size() && testing::same(expected[i], values[i])) ++i;
  if (i == expected.size()) {
    check(true, "-");
    return;
  }
  uint32_t want, have;
  std::memcpy(&want, &expected[i], 4);
  std::memcpy(&have, &values[i], 4);
  check(false, "%s: %s[%zu] is %08x, the CPU has %08x", where.c_str(), what, i, have, want);
}
void expect_same(const std::vector<uint32_t>& expected, Device<uint32_t>* seen, const char* what, const std::string& where) {
  compare(expected, seen->values(), what, where);
}
void expect_same(const std::vector<int64_t>& expected, Device<int64_t>* seen, const char* what, const std::string& where) {
  compare(expected, seen->values(), what, where);
}

void expect_same(const std::vector<uint64_t>& expected, Device<uint64_t>* seen, const char* what, const std::string& where) {
  compare(expected, seen->values(), what, where);
}
void expect_same(const std::vector<int32_t>& expected, Device<int32_t>* seen, const char* what, const std::string& where) {
  compare(expected, seen->values(), what, where);
}
void expect_same(const std::vector<uint16_t>& expected, Device<uint16_t>* seen, const char* what, const std::string& where) {
  compare(expected, seen->values(), what, where);
}

void for_orders(const std::function<void(int order, int64_t offset)>& body) {
  for (int order = 0; order < kOrders; ++order) {
    shim::set_order(order);
    body(order, order % 4);
  }
  shim::set_order(0);
}

namespace {

void check_flat_once(const char* kernel, const std::vector<std::vector<float>>& arrays, int64_t n, int order, int64_t offset,
                     const FlatCall& on_cpu, const FlatCall& on_cuda) {
  const std::string where =
      format("%s, n %lld, order %d, offset %lld", kernel, static_cast<long long>(n), order, static_cast<long long>(offset));
  std::vector<std::vector<float>> host;
  std::vector<std::unique_ptr<Device<float>>> device;
  std::vector<float*> host_data, device_data;
  for (size_t j = 0; j < arrays.size(); ++j) {
    host.emplace_back(arrays[j].begin(), arrays[j].begin() + n);
    // Offsets that differ from array to array, and are equal in a quarter of the cases.
    device.emplace_back(new Device<float>(host[j], offset * static_cast<int64_t>(j + 1) % 4));
  }
  for (size_t j = 0; j < arrays.size(); ++j) {
    host_data.push_back(host[j].data());
    device_data.push_back(device[j]->data());
  }
  shim::set_order(order);
  check(on_cpu(n, host_data) == METAPLAST_OK, "%s: status of the CPU", where.c_str());
  check(on_cuda(n, device_data) == METAPLAST_OK, "%s: status of CUDA", where.c_str());
  shim::set_order(0);
  for (size_t j = 0; j < arrays.size(); ++j) expect_same(host[j], device[j].get(), format("array %zu", j).c_str(), where);
}

}  // namespace

void check_flat(const char* kernel, const std::vector<std::vector<float>>& arrays, const FlatCall& on_cpu, const FlatCall& on_cuda) {
  for (int64_t n = 0; n <= 1030; ++n) check_flat_once(kernel, arrays, n, static_cast<int>(n % kOrders), n / 7 % 4, on_cpu, on_cuda);
  for (int64_t n : {512, 1023, 2047, 2048, 2049, 4095, 4096}) {
    for_orders([&](int order, int64_t offset) { check_flat_once(kernel, arrays, n, order, offset, on_cpu, on_cuda); });
  }
}

std::string format(const char* pattern, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(text, sizeof(text), pattern, arguments);
  va_end(arguments);
  return text;
}

namespace {

// Prints one line a test: PASS or FAIL, its name, its number of cases.
int run_all(const char* only) {
  int failed = 0;
  std::sort(tests().begin(), tests().end(), [](const Test& a, const Test& b) { return a.name < b.name; });
  for (const Test& test : tests()) {
    if (only != nullptr && test.name != only) continue;
    g_cases = 0;
    g_failures = 0;
    test.run();
    const bool pass = g_failures == 0 && g_cases > 0;
    failed += pass ? 0 : 1;
    std::printf("%s %s %lld\n", pass ? "PASS" : "FAIL", test.name.c_str(), static_cast<long long>(g_cases));
    std::fflush(stdout);
  }
  for (const char* entry : kEntryPoints) {
    const bool tested = std::any_of(tests().begin(), tests().end(), [=](const Test& test) { return test.name == entry; });
    if (!tested) {
      std::printf("FAIL %s 0\n  failed: no test on the host shim\n", entry);
      ++failed;
    }
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace simt_testing
}  // namespace metaplast

// simt_tests [NAME]: all tests, or one.
int main(int argc, char** argv) { return metaplast::simt_testing::run_all(argc > 1 ? argv[1] : nullptr); }
