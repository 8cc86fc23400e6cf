// Aligned memory with a byte counter.
#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "metaplast/runtime.h"

namespace {

constexpr int64_t kAlignment = 64;
constexpr int64_t kHugePage = int64_t{2} << 20;
// From here on memory is mapped on its own, aligned to huge pages, and goes back to the operating system when freed.
constexpr int64_t kMappedFrom = int64_t{4} << 20;
constexpr int64_t kLargest = INT64_MAX / 4;

std::atomic<int64_t> allocated_bytes{0};

constexpr int64_t round_up(int64_t bytes, int64_t unit) { return (bytes + unit - 1) / unit * unit; }

void* map_huge(int64_t bytes) {
  // Mapped with one huge page to spare, then trimmed to an aligned part. Fresh mappings are zero.
  const int64_t wanted = round_up(bytes, kHugePage);
  const size_t mapped = static_cast<size_t>(wanted + kHugePage);
  void* base = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) {
    return nullptr;
  }
  const uintptr_t first = reinterpret_cast<uintptr_t>(base);
  const uintptr_t aligned = (first + kHugePage - 1) / kHugePage * kHugePage;
  if (aligned > first) {
    munmap(base, aligned - first);
  }
  const uintptr_t end = aligned + static_cast<uintptr_t>(wanted);
  if (first + mapped > end) {
    munmap(reinterpret_cast<void*>(end), first + mapped - end);
  }
  // Advice only: where huge pages are off, small ones serve.
  madvise(reinterpret_cast<void*>(aligned), static_cast<size_t>(wanted), MADV_HUGEPAGE);
  return reinterpret_cast<void*>(aligned);
}

}  // namespace

extern "C" {

void* metaplast_alloc(int64_t bytes) {
  if (bytes < 0 || bytes > kLargest) {
    return nullptr;
  }
  void* memory = nullptr;
  if (bytes >= kMappedFrom) {
    memory = map_huge(bytes);
  } else {
    const size_t size = static_cast<size_t>(round_up(bytes == 0 ? 1 : bytes, kAlignment));
    memory = std::aligned_alloc(static_cast<size_t>(kAlignment), size);
    if (memory != nullptr) {
      std::memset(memory, 0, size);
    }
  }
  if (memory != nullptr) {
    allocated_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }
  return memory;
}

void metaplast_free(void* memory, int64_t bytes) {
  if (memory == nullptr) {
    return;
  }
  if (bytes >= kMappedFrom) {
    munmap(memory, static_cast<size_t>(round_up(bytes, kHugePage)));
  } else {
    std::free(memory);
  }
  allocated_bytes.fetch_sub(bytes, std::memory_order_relaxed);
}

int64_t metaplast_allocated_bytes(void) { return allocated_bytes.load(std::memory_order_relaxed); }

void metaplast_copy(void* destination, const void* source, int64_t bytes) {
  if (bytes > 0) {
    std::memcpy(destination, source, static_cast<size_t>(bytes));
  }
}

}  // extern "C"
