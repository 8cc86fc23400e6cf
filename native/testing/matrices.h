// Matrices of floats, integers and bits for native tests, between guard pages.
#ifndef METAPLAST_TESTING_MATRICES_H_
#define METAPLAST_TESTING_MATRICES_H_

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "metaplast/binary.h"
#include "testing/testing.h"

namespace metaplast {
namespace testing {

// A copy of `values` that begins right behind one guard page or ends right before the other.
template <class T>
class GuardedArray {
 public:
  GuardedArray(const std::vector<T>& values, bool at_end)
      : bytes_(static_cast<int64_t>(values.size() * sizeof(T))), memory_(bytes_),
        data_(at_end ? memory_.at_end(bytes_, 0) : memory_.at_start(bytes_, 0)) {
    if (bytes_ > 0) std::memcpy(data_, values.data(), static_cast<size_t>(bytes_));
  }
  operator T*() { return reinterpret_cast<T*>(data_); }
  // Equal bits, and nothing written around the array.
  bool holds(const std::vector<T>& values) const {
    return static_cast<int64_t>(values.size() * sizeof(T)) == bytes_ && memory_.gaps_intact() &&
           (bytes_ == 0 || std::memcmp(data_, values.data(), static_cast<size_t>(bytes_)) == 0);
  }
  bool gaps_intact() const { return memory_.gaps_intact(); }
  std::vector<T> values() const {
    std::vector<T> copy(static_cast<size_t>(bytes_) / sizeof(T));
    if (bytes_ > 0) std::memcpy(copy.data(), data_, static_cast<size_t>(bytes_));
    return copy;
  }

 private:
  int64_t bytes_;
  GuardedMemory memory_;
  unsigned char* data_;
};

// Equal bits, NaN of any payload equal.
inline bool equal_bits(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!same(a[i], b[i])) return false;
  }
  return true;
}

// Elements of a row-major matrix with leading dimension `ld`; the last row ends with its last column.
inline size_t matrix_size(int64_t rows, int64_t cols, int64_t ld) {
  return rows == 0 ? 0 : static_cast<size_t>((rows - 1) * ld + cols);
}

// A bit matrix (metaplast/binary.h).
struct BitRows {
  BitRows(int64_t row_count, int64_t col_count)
      : rows(row_count), cols(col_count), stride(metaplast_bit_row_words(col_count)), words(static_cast<size_t>(rows * stride)) {}
  bool get(int64_t r, int64_t c) const { return (words[static_cast<size_t>(r * stride + c / 64)] >> (c % 64) & 1) != 0; }
  void set(int64_t r, int64_t c, bool bit) {
    if (bit) words[static_cast<size_t>(r * stride + c / 64)] |= uint64_t{1} << (c % 64);
  }
  int64_t rows, cols, stride;
  std::vector<uint64_t> words;
};

inline BitRows random_bits(uint64_t seed, int64_t rows, int64_t cols) {
  std::mt19937_64 random(seed);
  BitRows bits(rows, cols);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t w = 0; w * 64 < cols; ++w) {
      const uint64_t valid = cols - w * 64 >= 64 ? ~uint64_t{0} : (uint64_t{1} << (cols - w * 64)) - 1;
      bits.words[static_cast<size_t>(r * bits.stride + w)] = random() & valid;
    }
  }
  return bits;
}

// What an output holds before the call; none of it may survive.
constexpr uint64_t kStaleWord = 0xDEADBEEFCAFEF00Du;
inline std::vector<uint64_t> stale_words(size_t n) { return std::vector<uint64_t>(n, kStaleWord); }

}  // namespace testing
}  // namespace metaplast

#endif  // METAPLAST_TESTING_MATRICES_H_
