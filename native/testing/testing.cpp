#include "testing/testing.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>

#include "runtime/cpu_features.h"

namespace metaplast {
namespace testing {
namespace {

constexpr int kPrintedFailures = 20;
constexpr unsigned char kCanary = 0xA5;
constexpr int64_t kGuardedElements = 1030;
constexpr int64_t kOffsets = 16;
constexpr int64_t kMaskedVectorBytes = 64;

// Sizes and offsets that a sparse run leaves out.
bool skipped_when_sparse(int64_t n, int64_t offset) {
  return sparse() && ((n > 70 && n % 97 != 0) || (offset % kOffsets > 1 && offset % kOffsets != 15));
}

int64_t expectations = 0;
int64_t failures = 0;

std::vector<unsigned char> bytes_of(const std::vector<float>& values) {
  std::vector<unsigned char> bytes(values.size() * 4);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// Slices of n elements out of slices of `most`.
void take_slices(const Operand& operand, const std::vector<unsigned char>& from, int64_t n, unsigned char* to) {
  const int64_t most = static_cast<int64_t>(from.size()) / operand.size / operand.copies;
  for (int64_t k = 0; k < operand.copies; ++k) {
    std::memcpy(to + k * n * operand.size, from.data() + k * most * operand.size, static_cast<size_t>(n * operand.size));
  }
}

bool same_elements(const Operand& operand, const unsigned char* a, const unsigned char* b, int64_t elements, int64_t* where) {
  if (std::memcmp(a, b, static_cast<size_t>(elements * operand.size)) == 0) {
    return true;
  }
  for (int64_t i = 0; i < elements; ++i) {
    const unsigned char* x = a + i * operand.size;
    const unsigned char* y = b + i * operand.size;
    bool equal = std::memcmp(x, y, static_cast<size_t>(operand.size)) == 0;
    if (!equal && operand.size == 4) {
      float f, g;
      std::memcpy(&f, x, 4);
      std::memcpy(&g, y, 4);
      equal = same(f, g);
    }
    if (!equal) {
      *where = i;
      return false;
    }
  }
  return true;
}

uint32_t word_at(const unsigned char* p, int32_t size) {
  uint32_t word = 0;
  std::memcpy(&word, p, static_cast<size_t>(size));
  return word;
}

void compare(const char* kernel, const char* where, int32_t tier, int64_t n, const Operand& operand, const unsigned char* seen,
             std::vector<unsigned char>* scratch) {
  scratch->resize(static_cast<size_t>(n * operand.copies * operand.size) + 1);
  take_slices(operand, operand.expected, n, scratch->data());
  int64_t i = -1;
  const bool equal = same_elements(operand, seen, scratch->data(), n * operand.copies, &i);
  expect(equal, "%s, %s, %s, n = %lld: %s[%lld] is %08x, expected %08x", kernel, tier_name(tier), where, static_cast<long long>(n),
         operand.name.c_str(), static_cast<long long>(i), i < 0 ? 0 : word_at(seen + i * operand.size, operand.size),
         i < 0 ? 0 : word_at(scratch->data() + i * operand.size, operand.size));
}

}  // namespace

bool sparse() {
  static const bool set = std::getenv("METAPLAST_TEST_SPARSE") != nullptr;
  return set;
}

const int64_t kMostElements = sparse() ? 20011 : 200003;

void expect(bool ok, const char* format, ...) {
  ++expectations;
  if (ok) {
    return;
  }
  if (++failures <= kPrintedFailures) {
    va_list arguments;
    va_start(arguments, format);
    std::fputs("FAIL: ", stdout);
    std::vprintf(format, arguments);
    std::fputs("\n", stdout);
    va_end(arguments);
  }
}

int finish(const char* test) {
  std::string names;
  for (int32_t tier : tiers()) {
    names += names.empty() ? "" : ", ";
    names += tier_name(tier);
  }
  for (int32_t tier = metaplast_cpu_tier() + 1; tier <= METAPLAST_TIER_AVX512; ++tier) {
    std::printf("SKIP: tier %s: this CPU does not have it\n", tier_name(tier));
  }
  if (sparse()) {
    std::puts("SKIP: most sizes and offsets, exhaustive inputs (METAPLAST_TEST_SPARSE)");
  }
  if (std::getenv("METAPLAST_TEST_EMULATED_MASKS") != nullptr) {
    std::puts("SKIP: data directly against the upper guard page: this emulator faults on masked-out lanes");
  }
  std::printf("%s: %lld checks on %s, %lld failures\n", test, static_cast<long long>(expectations), names.c_str(),
              static_cast<long long>(failures));
  return failures == 0 && expectations > 0 ? 0 : 1;
}

Context::Context(int32_t tier, int32_t threads)
    : context_(metaplast_context_create_without(tier, threads, tier == kTierAvx512WithoutVpopcntdq ? METAPLAST_WITHOUT_VPOPCNTDQ : 0)) {
  if (context_ == nullptr) {
    std::printf("FAIL: no context of tier %d with %d threads\n", tier, threads);
    std::exit(1);
  }
}

Context::~Context() { metaplast_context_destroy(context_); }

std::vector<int32_t> tiers() {
  const int32_t highest = metaplast_cpu_tier();
  const char* wanted = std::getenv("METAPLAST_TEST_TIER");
  if (wanted != nullptr && std::atoi(wanted) != highest) {
    std::printf("FAIL: the CPU was found to have tier %s, METAPLAST_TEST_TIER says %s\n", tier_name(highest), wanted);
    std::exit(1);
  }
  std::vector<int32_t> all;
  for (int32_t tier = METAPLAST_TIER_SCALAR; tier <= highest; ++tier) {
    all.push_back(tier);
  }
  return all;
}

std::vector<int32_t> tiers_and_variants() {
  std::vector<int32_t> all = tiers();
  if ((cpu_features() & kAvx512Vpopcntdq) != 0 && all.back() == METAPLAST_TIER_AVX512) {
    all.push_back(kTierAvx512WithoutVpopcntdq);
  }
  return all;
}

const char* tier_name(int32_t tier) {
  static const char* const names[] = {"scalar", "avx2", "avx512", "avx512 without vpopcntdq"};
  return names[tier];
}

GuardedMemory::GuardedMemory(int64_t capacity) {
  const int64_t page = sysconf(_SC_PAGESIZE);
  accessible_ = (capacity + kMaskedVectorBytes + page - 1) / page * page;
  mapped_ = accessible_ + 2 * page;
  void* mapping = mmap(nullptr, static_cast<size_t>(mapped_), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) {
    std::puts("FAIL: mmap");
    std::exit(1);
  }
  base_ = static_cast<unsigned char*>(mapping) + page;
  if (mprotect(base_, static_cast<size_t>(accessible_), PROT_READ | PROT_WRITE) != 0) {
    std::puts("FAIL: mprotect");
    std::exit(1);
  }
  std::memset(base_, kCanary, static_cast<size_t>(accessible_));
}

GuardedMemory::~GuardedMemory() {
  const int64_t page = sysconf(_SC_PAGESIZE);
  munmap(base_ - page, static_cast<size_t>(mapped_));
}

unsigned char* GuardedMemory::place(int64_t begin, int64_t bytes) {
  std::memset(base_ + begin_, kCanary, static_cast<size_t>(end_ - begin_));
  begin_ = begin;
  end_ = begin + bytes;
  return base_ + begin;
}

unsigned char* GuardedMemory::at_start(int64_t bytes, int64_t offset) { return place(offset, bytes); }

unsigned char* GuardedMemory::at_end(int64_t bytes, int64_t offset) {
  // QEMU 7.2 raises a fault for masked-out lanes of an AVX2 masked load or store, which no CPU does.
  static const int64_t gap = std::getenv("METAPLAST_TEST_EMULATED_MASKS") != nullptr ? kMaskedVectorBytes : 0;
  return place(accessible_ - gap - offset - bytes, bytes);
}

bool GuardedMemory::gaps_intact() const {
  // A cache line and more on either side; the guards see what goes further.
  constexpr int64_t kGap = 256;
  for (int64_t i = begin_ > kGap ? begin_ - kGap : 0; i < begin_; ++i) {
    if (base_[i] != kCanary) {
      return false;
    }
  }
  for (int64_t i = end_; i < accessible_ && i < end_ + kGap; ++i) {
    if (base_[i] != kCanary) {
      return false;
    }
  }
  return true;
}

std::vector<float> mixed_values(uint64_t seed, int64_t n) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(n));
  for (float& value : values) {
    const int kind = static_cast<int>(random() % 100);
    const float sign = (random() & 1) != 0 ? -1.0f : 1.0f;
    if (kind < 40) {
      value = normal(random);
    } else if (kind < 55) {
      value = sign * static_cast<float>(random() % 9);
    } else if (kind < 70) {
      value = sign * std::ldexp(1.0f, static_cast<int>(random() % 64) - 32);
    } else if (kind < 80) {
      value = sign * std::ldexp(static_cast<float>(random() % 8388608), -149);
    } else if (kind < 90) {
      value = sign * 0.0f;
    } else if (kind < 95) {
      value = sign * std::ldexp(1.0f + static_cast<float>(random() % 1024) / 1024.0f, 126);
    } else {
      const int special = static_cast<int>(random() % 3);
      value = special == 0 ? NAN : sign * INFINITY;
    }
  }
  return values;
}

std::vector<float> positive_values(uint64_t seed, int64_t n) {
  std::mt19937_64 random(seed);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& value : values) {
    value = std::exp(-4.6f * static_cast<float>(random() >> 40) * 0x1p-24f);
  }
  return values;
}

std::vector<float> uniform_values(uint64_t seed, int64_t n, float low, float high) {
  std::mt19937_64 random(seed);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& value : values) {
    value = low + (high - low) * static_cast<float>(random() >> 40) * 0x1p-24f;
  }
  return values;
}

bool same(float a, float b) { return std::memcmp(&a, &b, 4) == 0 || (std::isnan(a) && std::isnan(b)); }

Operand input(const char* name, const std::vector<float>& values, int64_t copies) {
  return {name, 4, copies, bytes_of(values), bytes_of(values)};
}

Operand input_bf16(const char* name, const std::vector<float>& values, int64_t copies) {
  std::vector<unsigned char> halves(values.size() * 2);
  for (size_t i = 0; i < values.size(); ++i) {
    std::memcpy(&halves[i * 2], reinterpret_cast<const unsigned char*>(&values[i]) + 2, 2);
  }
  return {name, 2, copies, halves, halves};
}

Operand output(const char* name, const std::vector<float>& expected, int64_t copies) {
  return {name, 4, copies, std::vector<unsigned char>(expected.size() * 4, 0x5A), bytes_of(expected)};
}

Operand output_words(const char* name, const std::vector<uint32_t>& expected) {
  std::vector<unsigned char> bytes(expected.size() * 4);
  std::memcpy(bytes.data(), expected.data(), bytes.size());
  return {name, 4, 1, std::vector<unsigned char>(bytes.size(), 0x5A), bytes};
}

Operand in_place(const char* name, const std::vector<float>& values, const std::vector<float>& expected) {
  return {name, 4, 1, bytes_of(values), bytes_of(expected)};
}

void check_elementwise(const char* kernel, const std::vector<Operand>& operands, const ElementwiseCall& call) {
  std::vector<std::unique_ptr<GuardedMemory>> guarded;
  for (const Operand& operand : operands) {
    guarded.push_back(std::make_unique<GuardedMemory>((kGuardedElements + kOffsets) * operand.size * operand.copies));
  }
  std::vector<void*> data(operands.size());
  std::vector<unsigned char> scratch;

  for (int32_t tier : tiers()) {
    const Context context(tier, 1);
    for (int64_t n = 0; n <= kGuardedElements; ++n) {
      for (int64_t offset = 0; offset < 2 * kOffsets; ++offset) {
        if (skipped_when_sparse(n, offset)) {
          continue;
        }
        const bool at_end = offset >= kOffsets;
        for (size_t i = 0; i < operands.size(); ++i) {
          const Operand& operand = operands[i];
          const int64_t bytes = n * operand.copies * operand.size;
          const int64_t gap = offset % kOffsets * operand.size;
          data[i] = at_end ? guarded[i]->at_end(bytes, gap) : guarded[i]->at_start(bytes, gap);
          take_slices(operand, operand.initial, n, static_cast<unsigned char*>(data[i]));
        }
        const metaplast_status_t status = call(context, n, data.data());
        expect(status == METAPLAST_OK, "%s, %s, n = %lld: status %d", kernel, tier_name(tier), static_cast<long long>(n), status);
        for (size_t i = 0; i < operands.size(); ++i) {
          compare(kernel, at_end ? "against the upper guard" : "against the lower guard", tier, n, operands[i],
                  static_cast<const unsigned char*>(data[i]), &scratch);
          expect(guarded[i]->gaps_intact(), "%s, %s, n = %lld: wrote outside of %s", kernel, tier_name(tier), static_cast<long long>(n),
                 operands[i].name.c_str());
        }
      }
    }
  }

  std::vector<std::vector<unsigned char>> large(operands.size());
  for (int32_t tier : tiers()) {
    for (int32_t threads = 1; threads <= 4; ++threads) {
      const Context context(tier, threads);
      const std::string where = std::to_string(threads) + " threads";
      for (int64_t n : {int64_t{4095}, int64_t{4096}, int64_t{4097}, int64_t{16383}, int64_t{16385}, int64_t{65535}, int64_t{65537},
                        int64_t{131071}, int64_t{131073}, kMostElements}) {
        if (n > kMostElements) {
          continue;
        }
        for (size_t i = 0; i < operands.size(); ++i) {
          large[i].resize(static_cast<size_t>(n * operands[i].copies * operands[i].size));
          take_slices(operands[i], operands[i].initial, n, large[i].data());
          data[i] = large[i].data();
        }
        const metaplast_status_t status = call(context, n, data.data());
        expect(status == METAPLAST_OK, "%s, %s, n = %lld: status %d", kernel, tier_name(tier), static_cast<long long>(n), status);
        for (size_t i = 0; i < operands.size(); ++i) {
          compare(kernel, where.c_str(), tier, n, operands[i], large[i].data(), &scratch);
        }
      }
    }
  }
}

}  // namespace testing
}  // namespace metaplast
