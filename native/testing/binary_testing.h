// What the tests of the binarized family share: typed operands between guard pages, bit matrices bit by bit.
#ifndef METAPLAST_TESTING_BINARY_TESTING_H_
#define METAPLAST_TESTING_BINARY_TESTING_H_

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>

#include "metaplast/binary.h"
#include "testing/testing.h"

namespace metaplast {
namespace testing {

// A copy of the values whose last byte lies directly before a page without access, or whose first lies directly behind one.
template <class T>
class Guarded {
 public:
  explicit Guarded(const std::vector<T>& values, bool at_end = true)
      : n_(values.size()), memory_(static_cast<int64_t>(values.size() * sizeof(T)) + 1) {
    const int64_t bytes = static_cast<int64_t>(n_ * sizeof(T));
    data_ = reinterpret_cast<T*>(at_end ? memory_.at_end(bytes, 0) : memory_.at_start(bytes, 0));
    std::copy(values.begin(), values.end(), data_);
  }
  operator T*() { return data_; }
  std::vector<T> values() const { return {data_, data_ + n_}; }
  bool gaps_intact() const { return memory_.gaps_intact(); }

 private:
  size_t n_;
  GuardedMemory memory_;
  T* data_;
};

inline bool equal_bits(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!same(a[i], b[i])) return false;
  }
  return true;
}

// Bit matrix as metaplast/binary.h lays it out.
struct Bits {
  Bits(int64_t rows, int64_t cols) : words_of_row(metaplast_bit_row_words(cols)), words(static_cast<size_t>(rows * words_of_row)) {}
  bool get(int64_t r, int64_t c) const { return (words[static_cast<size_t>(r * words_of_row + c / 64)] >> (c % 64) & 1) != 0; }
  void set(int64_t r, int64_t c) { words[static_cast<size_t>(r * words_of_row + c / 64)] |= uint64_t{1} << (c % 64); }

  int64_t words_of_row;
  std::vector<uint64_t> words;
};

inline Bits random_bits(uint64_t seed, int64_t rows, int64_t cols) {
  std::mt19937_64 random(seed);
  Bits bits(rows, cols);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) {
      if ((random() & 1) != 0) bits.set(r, c);
    }
  }
  return bits;
}

}  // namespace testing
}  // namespace metaplast

#endif  // METAPLAST_TESTING_BINARY_TESTING_H_
