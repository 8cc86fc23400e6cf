// Multi-tensor operands of simt_tests: one array a tensor, on the host and on the device, and the tables of addresses that the entry points
// take.
#ifndef METAPLAST_SHIM_TENSOR_TESTING_H_
#define METAPLAST_SHIM_TENSOR_TESTING_H_

#include "shim/simt_testing.h"

namespace metaplast {
namespace simt_testing {

template <class T>
class Tensors {
 public:
  // `copies` slices of counts[t] elements for tensor t, cut from `values` one after the other.
  Tensors(const std::vector<int64_t>& counts, int64_t copies, int64_t offset, const std::vector<T>& values) {
    size_t begin = 0;
    for (int64_t count : counts) {
      const size_t n = static_cast<size_t>(count * copies);
      begin = begin + n > values.size() ? 0 : begin;
      host_.emplace_back(values.begin() + static_cast<std::ptrdiff_t>(begin), values.begin() + static_cast<std::ptrdiff_t>(begin + n));
      begin += n;
    }
    for (size_t t = 0; t < host_.size(); ++t) {
      // Aligned and unaligned tensors in one call.
      device_.emplace_back(new Device<T>(host_[t], offset * static_cast<int64_t>(t + 1) % 4));
    }
    for (size_t t = 0; t < host_.size(); ++t) {
      host_table_.push_back(host_[t].data());
      device_table_.push_back(device_[t]->data());
    }
  }

  T* const* host() { return host_table_.data(); }
  T* const* device() { return device_table_.data(); }
  const void* const* host_untyped() { return reinterpret_cast<const void* const*>(host_table_.data()); }
  const void* const* device_untyped() { return reinterpret_cast<const void* const*>(device_table_.data()); }

  void expect_same_as_host(const char* what, const std::string& where) {
    for (size_t t = 0; t < host_.size(); ++t) expect_same(host_[t], device_[t].get(), format("%s of tensor %zu", what, t).c_str(), where);
  }

 private:
  std::vector<std::vector<T>> host_;
  std::vector<std::unique_ptr<Device<T>>> device_;
  std::vector<T*> host_table_, device_table_;
};

// Networks to test with: one tensor of every small size, and several tensors at once, more than the table of a launch holds.
inline std::vector<std::vector<int64_t>> networks() {
  std::vector<std::vector<int64_t>> result = {{0}, {1, 0, 7, 300, 0, 4}, {4096}, {2048, 2047}, {3, 5, 0, 0, 0, 0, 0, 64, 1000}};
  for (int64_t n : {1, 2, 3, 4, 5, 8, 15, 63, 64, 65, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025}) result.push_back({n});
  for (int64_t tensors : {63, 64, 65, 200}) {
    std::vector<int64_t> many;
    for (int64_t t = 0; t < tensors; ++t) many.push_back(t * 5 % 12);
    result.push_back(many);
  }
  return result;
}

inline std::vector<uint32_t> tensor_numbers(size_t tensors) {
  std::vector<uint32_t> numbers;
  for (size_t t = 0; t < tensors; ++t) numbers.push_back(static_cast<uint32_t>(t * 3 + 1));
  return numbers;
}

// An update rule with everything that it has switched on or off.
inline metaplast_rule_row_t rule_row(int32_t rule, bool limits) {
  metaplast_rule_row_t row = {};
  row.prior_mean = 0.1f;
  row.prior_pull = 0.01f;
  row.prior_variance = 0.25f;
  row.rate_mean = rule == METAPLAST_RULE_BGD ? 0.5f : 1.0f;
  row.rate_sigma = 0.5f;
  if (limits && rule == METAPLAST_RULE_MESU) {
    row.clamp = 0.3f;
    row.sigma_min = 0.05f;
  }
  if (rule == METAPLAST_RULE_MESU_RATIO) {
    row.ratio_max = 0.5f;
    if (limits) {
      row.second_order = 0.7f;
      row.sigma_min = 0.02f;
      row.sigma_max = 0.6f;
      row.mean_min = -1.0f;
      row.mean_max = 1.0f;
    }
  }
  return row;
}

inline std::vector<uint16_t> bf16_of(const std::vector<float>& values) {
  std::vector<uint16_t> result;
  for (float value : values) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    result.push_back(static_cast<uint16_t>(bits >> 16));
  }
  return result;
}

}  // namespace simt_testing
}  // namespace metaplast

#endif  // METAPLAST_SHIM_TENSOR_TESTING_H_
