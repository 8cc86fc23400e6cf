// What the tests of simt_tests share. A test is named after the entry point of metaplast/bayes.h, binary.h or kfac.h that it covers; an entry point
// without a test fails the run.
#ifndef METAPLAST_SHIM_SIMT_TESTING_H_
#define METAPLAST_SHIM_SIMT_TESTING_H_

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "metaplast/cuda.h"
#include "shim/shim_runtime.h"
#include "testing/testing.h"

namespace metaplast {
namespace simt_testing {

// One case more; counts and prints a failure when `ok` is false.
void check(bool ok, const char* format, ...) __attribute__((format(printf, 2, 3)));

// The scalar CPU context and the context of the host shim that all tests use.
const metaplast_context_t* cpu();
metaplast_cuda_context_t* cuda();

// Fiber orders: forward, reverse, eight drawn ones.
constexpr int kOrders = 10;

// Guarded device memory of exactly n elements, whose first one lies `offset` elements behind an address with the alignment of cudaMalloc.
template <class T>
class Device {
 public:
  explicit Device(const std::vector<T>& values, int64_t offset = 0) : n_(static_cast<int64_t>(values.size())), offset_(offset) {
    check(metaplast_cuda_alloc(cuda(), bytes(), &base_) == METAPLAST_OK, "device memory of %lld bytes", static_cast<long long>(bytes()));
    if (n_ > 0) std::memcpy(data(), values.data(), values.size() * sizeof(T));
  }
  ~Device() { metaplast_cuda_free(cuda(), base_, bytes()); }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  T* data() { return static_cast<T*>(base_) + offset_; }
  std::vector<T> values() { return std::vector<T>(data(), data() + n_); }

 private:
  int64_t bytes() const { return (n_ + offset_) * static_cast<int64_t>(sizeof(T)) + (n_ == 0 ? 16 : 0); }

  int64_t n_, offset_;
  void* base_ = nullptr;
};

// Equal bits (NaN equals NaN) of device memory and what the CPU wrote.
void expect_same(const std::vector<float>& expected, Device<float>* seen, const char* what, const std::string& where);
void expect_same(const std::vector<uint32_t>& expected, Device<uint32_t>* seen, const char* what, const std::string& where);
void expect_same(const std::vector<int64_t>& expected, Device<int64_t>* seen, const char* what, const std::string& where);
void expect_same(const std::vector<uint64_t>& expected, Device<uint64_t>* seen, const char* what, const std::string& where);
void expect_same(const std::vector<int32_t>& expected, Device<int32_t>* seen, const char* what, const std::string& where);
void expect_same(const std::vector<uint16_t>& expected, Device<uint16_t>* seen, const char* what, const std::string& where);

// An operand on the host and on the device.
template <class T>
struct Both {
  explicit Both(const std::vector<T>& values, int64_t offset = 0) : host(values), device(values, offset) {}
  T* cpu() { return host.data(); }
  T* gpu() { return device.data(); }
  void expect_same_on_both(const char* what, const std::string& where) { expect_same(host, &device, what, where); }

  std::vector<T> host;
  Device<T> device;
};

// Runs body(order, offset) for all fiber orders and, cycling with them, offsets of 0 to 3 elements.
void for_orders(const std::function<void(int order, int64_t offset)>& body);

// Checks an element-wise kernel: n = 0..1030 with an order and offset each, and larger n with all of them. `arrays` hold at least 4200
// values each; all of them are compared afterwards, so that inputs must be untouched.
using FlatCall = std::function<metaplast_status_t(int64_t n, const std::vector<float*>& arrays)>;
void check_flat(const char* kernel, const std::vector<std::vector<float>>& arrays, const FlatCall& on_cpu, const FlatCall& on_cuda);

std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

struct Registration {
  Registration(const char* name, void (*test)());
};

}  // namespace simt_testing
}  // namespace metaplast

#define METAPLAST_SIMT_TEST(name)                                                                   \
  static void simt_test_##name();                                                                   \
  static const metaplast::simt_testing::Registration registration_##name(#name, &simt_test_##name); \
  static void simt_test_##name()

#endif  // METAPLAST_SHIM_SIMT_TESTING_H_
