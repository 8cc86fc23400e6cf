// The shim itself, and what native/runtime/cuda does apart from kernels.
#include "shim/simt_testing.h"

#include <algorithm>

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
namespace shim = metaplast::shim;

namespace {

bool says(const char* failure, const char* what) { return failure != nullptr && std::strstr(failure, what) != nullptr; }

const char* run(unsigned threads, std::size_t shared_bytes, void (*body)(const void*)) {
  return shim::run({2, 1, 1}, {threads, 1, 1}, shared_bytes, body, nullptr);
}

uint64_t g_seen[128];

struct Fault {
  int cuda_code;
  metaplast_status_t without_driver, with_driver;
};

}  // namespace

METAPLAST_SIMT_TEST(shim_finds_faults) {
  for_orders([](int, int64_t) {
    check(says(run(64, 0,
                   [](const void*) {
                     if (threadIdx.x != 5) __syncthreads();
                   }),
               "divergence"),
          "a thread that skips a barrier is found");
    check(says(run(64, 0,
                   [](const void*) {
                     if (threadIdx.x < 32) {
                       __syncthreads();
                     } else {
                       __syncthreads();
                     }
                   }),
               "divergence"),
          "two barriers in two branches are found");
    check(says(run(64, 16, [](const void*) { static_cast<char*>(shim::shared_memory())[16] = 0; }), "outside of shared memory"),
          "a write behind shared memory is found");
    check(says(run(64, 16, [](const void*) { static_cast<char*>(shim::shared_memory())[-1] = 0; }), "outside of shared memory"),
          "a write before shared memory is found");
    check(says(run(64, 0,
                   [](const void*) {
                     if (threadIdx.x % 32 != 7) __syncwarp();
                   }),
               "divergence"),
          "a lane that never arrives is found");
    check(says(run(48, 0, [](const void*) { __syncwarp(); }), "do not exist"), "a mask of missing lanes is found");
    check(says(run(32, 0, [](const void*) { shim::aligned(reinterpret_cast<float*>(20), 16); }), "not aligned"),
          "an access that is not aligned is found");
  });
  check(shim::run({1, 1, 1}, {2048, 1, 1}, 0, [](const void*) {}, nullptr) != nullptr, "a block that is too large is refused");
  check(shim::run({0, 1, 1}, {32, 1, 1}, 0, [](const void*) {}, nullptr) != nullptr, "an empty grid is refused");
}

METAPLAST_SIMT_TEST(shim_orders_differ) {
  // A kernel with a missing barrier: what thread 0 reads depends on the order.
  uint64_t distinct[kOrders] = {};
  int different = 0;
  for_orders([&](int order, int64_t) {
    const char* failure = shim::run(
        {1, 1, 1}, {64, 1, 1}, 64 * sizeof(int),
        [](const void*) {
          int* shared = static_cast<int*>(shim::shared_memory());
          const unsigned t = threadIdx.x;
          g_seen[t] = t == 0 ? 0 : static_cast<uint64_t>(shared[t - 1] == static_cast<int>(t) - 1);
          shared[t] = static_cast<int>(t);
        },
        nullptr);
    check(failure == nullptr, "runs");
    for (int t = 0; t < 64; ++t) distinct[order] = distinct[order] * 31 + g_seen[t];
    different += order > 0 && distinct[order] != distinct[0] ? 1 : 0;
  });
  check(different >= 8, "%d of 9 orders show a missing barrier", different);
}

METAPLAST_SIMT_TEST(shim_warp_operations) {
  for_orders([](int, int64_t) {
    const char* failure = shim::run(
        {1, 1, 1}, {64, 1, 1}, 0,
        [](const void*) {
          const unsigned t = threadIdx.x;
          const int down = __shfl_down_sync(0xffffffffu, static_cast<int>(t), 8, 16);
          const int from_zero = __shfl_sync(0xffffffffu, static_cast<int>(t), 0, 16);
          const int flipped = __shfl_xor_sync(0xffffffffu, static_cast<int>(t), 3);
          const int any = __syncthreads_or(t == 40);
          const int none = __syncthreads_or(0);
          g_seen[t] = static_cast<uint64_t>(down) | static_cast<uint64_t>(from_zero) << 16 | static_cast<uint64_t>(flipped) << 32 |
                      static_cast<uint64_t>(any) << 48 | static_cast<uint64_t>(none) << 56;
        },
        nullptr);
    check(failure == nullptr, "runs");
    for (uint64_t t = 0; t < 64; ++t) {
      const uint64_t down = t % 16 < 8 ? t + 8 : t;
      check(g_seen[t] == (down | (t & ~15u) << 16 | (t ^ 3) << 32 | uint64_t{1} << 48), "thread %d", static_cast<int>(t));
    }
  });
  const shim::Statistics s = shim::statistics();
  check(s.launches > 0 && s.blocks >= s.launches / 2 && s.barriers > 0 && s.warp_operations > 0, "the shim counted what it did");
}

METAPLAST_SIMT_TEST(probe) {
  // Codes as in the fault table of the numerics document; driver version 0 means that there is no driver.
  const Fault faults[] = {
      {35, METAPLAST_E_CUDA_NO_DRIVER, METAPLAST_E_CUDA_OLD_DRIVER},  {34, METAPLAST_E_CUDA_NO_DRIVER, METAPLAST_E_CUDA_NO_DRIVER},
      {36, METAPLAST_E_CUDA_OLD_DRIVER, METAPLAST_E_CUDA_OLD_DRIVER}, {222, METAPLAST_E_CUDA_OLD_DRIVER, METAPLAST_E_CUDA_OLD_DRIVER},
      {214, METAPLAST_E_CUDA_NO_DEVICE, METAPLAST_E_CUDA_NO_DEVICE},  {209, METAPLAST_E_CUDA_NO_DEVICE, METAPLAST_E_CUDA_NO_DEVICE},
      {46, METAPLAST_E_CUDA_NO_DEVICE, METAPLAST_E_CUDA_NO_DEVICE},   {100, METAPLAST_E_CUDA_NO_DEVICE, METAPLAST_E_CUDA_NO_DEVICE},
      {101, METAPLAST_E_CUDA_NO_DEVICE, METAPLAST_E_CUDA_NO_DEVICE},  {999, METAPLAST_E_CUDA_OTHER, METAPLAST_E_CUDA_OTHER}};
  metaplast_cuda_probe_result_t result;
  for (const Fault& fault : faults) {
    for (int driver : {0, 12080}) {
      shim::set_probe(fault.cuda_code, 1, driver);
      const metaplast_status_t status = metaplast_cuda_probe(&result);
      check(status == (driver == 0 ? fault.without_driver : fault.with_driver), "code %d, driver %d: status %d", fault.cuda_code, driver,
            status);
      check(result.cuda_code == fault.cuda_code && result.devices == 0 && result.driver_version == driver, "code %d: result",
            fault.cuda_code);
    }
  }
  check(std::strcmp(metaplast_cuda_status_text(METAPLAST_E_CUDA_NO_DRIVER), "NVIDIA driver not found") == 0, "no driver, in words");
  check(std::strcmp(metaplast_cuda_status_text(METAPLAST_E_CUDA_OLD_DRIVER), "driver too old for CUDA 13") == 0, "old driver, in words");
  shim::set_probe(0, 0, 13000);
  check(metaplast_cuda_probe(&result) == METAPLAST_E_CUDA_NO_DEVICE, "no device");
  shim::set_probe(0, 1, 13000);
  check(metaplast_cuda_probe(&result) == METAPLAST_OK && result.devices == 1 && result.runtime_version == 13000, "a device");
  metaplast_cuda_context_t* none = nullptr;
  check(metaplast_cuda_context_create(1, 0, &none) == METAPLAST_E_CUDA_NO_DEVICE && none == nullptr, "no second device");
}

METAPLAST_SIMT_TEST(memory) {
  metaplast_cuda_context_t* context = nullptr;
  check(metaplast_cuda_context_create(0, METAPLAST_CUDA_SIMT, &context) == METAPLAST_OK, "context");
  for (int k = 1; k <= 20; ++k) {
    std::vector<void*> blocks;
    shim::fail_allocation(k);
    for (int i = 1; i <= 20; ++i) {
      void* block = nullptr;
      const metaplast_status_t status = metaplast_cuda_alloc(context, 1000, &block);
      check(status == (i == k ? METAPLAST_E_CUDA_OUT_OF_MEMORY : METAPLAST_OK), "allocation %d of 20, the %dth fails: %d", i, k, status);
      check((block == nullptr) == (i == k), "memory only with success");
      if (block != nullptr) blocks.push_back(block);
      if (i == k) check(metaplast_cuda_last_error_code(context) == 2, "code");
    }
    check(metaplast_cuda_allocated_bytes(context) == 19000, "counted");
    for (void* block : blocks) {
      const char* bytes = static_cast<const char*>(block);
      check(std::all_of(bytes, bytes + 1000, [](char b) { return b == 0; }), "zeroed");
      check(metaplast_cuda_free(context, block, 1000) == METAPLAST_OK, "free");
    }
    check(metaplast_cuda_allocated_bytes(context) == 0, "counted down");
  }
  void* block = nullptr;
  check(metaplast_cuda_alloc(context, -1, &block) == METAPLAST_E_ARGUMENT, "negative size");
  check(metaplast_cuda_alloc(context, int64_t{1} << 50, &block) == METAPLAST_E_CUDA_OUT_OF_MEMORY, "more than there is");
  check(metaplast_cuda_alloc(context, 0, &block) == METAPLAST_OK && block == nullptr, "nothing");
  int64_t available = 0, total = 0;
  check(metaplast_cuda_memory_info(context, &available, &total) == METAPLAST_OK && available <= total && total > 0, "memory info");
  metaplast_cuda_context_destroy(context);
}

METAPLAST_SIMT_TEST(copy_and_fill) {
  for (int64_t n : {0, 1, 3, 4, 5, 1000}) {
    for (int64_t offset = 0; offset < 4; ++offset) {
      std::vector<uint32_t> source(static_cast<size_t>(n)), expected(static_cast<size_t>(n), 0x7fa00001u), back(static_cast<size_t>(n), 7u);
      for (size_t i = 0; i < source.size(); ++i) source[i] = static_cast<uint32_t>(i * 2654435761u);
      Device<uint32_t> device(std::vector<uint32_t>(static_cast<size_t>(n)), offset);
      check(metaplast_cuda_copy(cuda(), device.data(), source.data(), 4 * n, nullptr) == METAPLAST_OK, "up");
      expect_same(source, &device, "copied", "copy");
      check(metaplast_cuda_copy(cuda(), back.data(), device.data(), 4 * n, nullptr) == METAPLAST_OK && back == source, "down");
      check(metaplast_cuda_fill_u32(cuda(), device.data(), n, 0x7fa00001u, nullptr) == METAPLAST_OK,
            "fill");  // a signalling NaN keeps its bits
      expect_same(expected, &device, "filled", "fill");
    }
  }
  void* stream = nullptr;
  check(metaplast_cuda_stream_create(cuda(), &stream) == METAPLAST_OK && stream != nullptr, "stream");
  check(metaplast_cuda_stream_synchronize(cuda(), stream) == METAPLAST_OK && metaplast_cuda_synchronize(cuda()) == METAPLAST_OK, "wait");
  check(metaplast_cuda_stream_destroy(cuda(), stream) == METAPLAST_OK, "destroy");
}

METAPLAST_SIMT_TEST(device_loss) {
  for (int code : {214, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719}) {
    metaplast_cuda_context_t* context = nullptr;
    check(metaplast_cuda_context_create(0, METAPLAST_CUDA_SIMT, &context) == METAPLAST_OK, "context");
    Device<float> x(std::vector<float>(64, 1.0f));
    check(metaplast_sgd_step_f32_cuda(context, 32, x.data(), x.data() + 32, 0.5f, nullptr) == METAPLAST_OK, "works");
    // The error surfaces when the caller waits, and belongs to the kernel launched last.
    shim::inject(code, true);
    check(metaplast_cuda_stream_synchronize(context, nullptr) == METAPLAST_E_CUDA_LOST, "code %d is a loss", code);
    shim::inject(0, false);
    check(metaplast_cuda_last_error_code(context) == code, "code");
    check(std::strcmp(metaplast_cuda_last_error_kernel(context), "sgd_step") == 0, "kernel '%s'",
          metaplast_cuda_last_error_kernel(context));
    void* block = nullptr;
    check(metaplast_cuda_alloc(context, 64, &block) == METAPLAST_E_CUDA_LOST, "stays lost: memory");
    check(metaplast_uniform_f32_cuda(context, 1, 2, 3, 4, 32, x.data(), nullptr) == METAPLAST_E_CUDA_LOST, "stays lost: kernels");
    check(metaplast_cuda_synchronize(context) == METAPLAST_E_CUDA_LOST, "stays lost: waiting");
    check(std::strcmp(metaplast_cuda_last_error_kernel(context), "sgd_step") == 0, "the first error keeps its name");
    metaplast_cuda_context_destroy(context);
  }
  for (int code : {1, 9, 98, 400}) check(metaplast_cuda_call_status(code) == METAPLAST_E_CUDA_OTHER, "code %d passes", code);
  check(metaplast_cuda_call_status(2) == METAPLAST_E_CUDA_OUT_OF_MEMORY && metaplast_cuda_call_status(0) == METAPLAST_OK, "others");
}
