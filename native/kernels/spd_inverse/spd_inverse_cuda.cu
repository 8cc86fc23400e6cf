#include "kernels/real_gemm/real_gemm_simt.cuh"
#include "kernels/spd_inverse/spd_queue_simt.cuh"
#include "runtime/cuda/product_variant.cuh"
#include "runtime/cuda/variants.h"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::fill_spd_queue;
using metaplast::cuda_runtime::is_aligned;
using metaplast::cuda_runtime::kSpdProgress;
using metaplast::cuda_runtime::Launcher;
using metaplast::cuda_runtime::place_spd_large;
using metaplast::cuda_runtime::spd_group_end;
using metaplast::cuda_runtime::spd_large;
using metaplast::cuda_runtime::SpdGroup;

// Blocks of the queue on a multiprocessor.
constexpr int64_t kBlocksEach = 4;

template <class T>
int64_t workspace_bytes_of(int64_t count, const metaplast_spd_item_t* items) {
  int64_t most = 0;
  for (int64_t i = 0; items != nullptr && i < count;) {
    int64_t bytes = 0;
    i = spd_group_end<T>(count, items, i, &bytes);
    most = bytes > most ? bytes : most;
  }
  return most;
}

template <class T>
void run_small(Launcher* launcher, int64_t count, const metaplast_spd_item_t* items, double tolerance, metaplast_spd_result_t* results) {
  using Kernel = simt::SpdSmall<T>;
  for (int64_t begin = 0; begin < count; begin += Kernel::kItems) {
    const int64_t here = count - begin < Kernel::kItems ? count - begin : Kernel::kItems;
    typename Kernel::Args args;
    args.tolerance = tolerance;
    args.results = results + begin;
    int64_t most[2] = {0, 0};
    bool any[2] = {false, false};
    for (int64_t i = 0; i < here; ++i) {
      const metaplast_spd_item_t& item = args.items[i] = items[begin + i];
      if (spd_large<T>(item) && simt::spd_valid(item)) continue;
      const bool one_warp = !simt::spd_valid(item) || item.n <= simt::kSpdWarp;
      any[one_warp ? 0 : 1] = true;
      if (simt::spd_valid(item) && item.n > most[one_warp ? 0 : 1]) most[one_warp ? 0 : 1] = item.n;
    }
    for (int part = 0; part < 2; ++part) {
      if (!any[part]) continue;
      args.low = part == 0 ? 0 : simt::kSpdWarp;
      args.high = part == 0 ? simt::kSpdWarp : simt::kSpdSmall<T>;
      launcher->run<Kernel>(here, 1, part == 0 ? simt::kSpdWarp : Kernel::kThreads, Kernel::shared_bytes(static_cast<int>(most[part])), args);
    }
  }
}

template <class T>
void run_large(Launcher* launcher, int64_t begin, int64_t end, const metaplast_spd_item_t* items, double tolerance,
               metaplast_spd_result_t* results, char* workspace) {
  simt::SpdLarge<T> entries[simt::kQueueTiled];
  const int64_t members = place_spd_large<T>(begin, end, items, results, workspace + kSpdProgress, entries);
  SpdGroup<T> group(launcher, members, entries);
  group.load();
  group.multiply(0, 2);
  group.judge(false, tolerance);
  group.factor();
  group.invert_triangle();
  group.square();
  group.multiply(2, 4);
  group.judge(true, tolerance);
  group.store(false);
}

// A group in one launch.
template <class T>
void run_queue(Launcher* launcher, int64_t begin, int64_t end, const metaplast_spd_item_t* items, double tolerance,
               metaplast_spd_result_t* results, char* workspace) {
  using Kernel = simt::SpdQueue<T>;
  typename Kernel::Args args;
  const int64_t parallel = fill_spd_queue<T>(begin, end, items, tolerance, results, workspace, &args), blocks = kBlocksEach * launcher->multiprocessors();
  if (args.progress != nullptr) launcher->clear(args.progress, sizeof(simt::SpdProgress));
  launcher->run<Kernel>(parallel < blocks ? parallel : blocks, 1, Kernel::kThreads, Kernel::shared_bytes(), args);
}

template <class T>
metaplast_status_t spd_inverse(metaplast_cuda_context_t* context, const char* name, int64_t count, const metaplast_spd_item_t* items,
                               double tolerance, metaplast_spd_result_t* results, void* workspace, int64_t workspace_bytes, void* stream) {
  if (context == nullptr || count < 0 || !(tolerance >= 0) || (count > 0 && (items == nullptr || results == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  const int64_t needed = workspace_bytes_of<T>(count, items);
  if (workspace_bytes < needed || (needed > 0 && workspace == nullptr) || !is_aligned(workspace, 64)) return METAPLAST_E_ARGUMENT;
  Launcher launcher(context, name, stream);
  const bool queue = context->inverse_variant.load() == METAPLAST_CUDA_INVERSE_QUEUE;
  if (!queue) run_small<T>(&launcher, count, items, tolerance, results);
  for (int64_t begin = 0; begin < count;) {
    int64_t bytes = 0;
    const int64_t end = spd_group_end<T>(count, items, begin, &bytes);
    (queue ? run_queue<T> : run_large<T>)(&launcher, begin, end, items, tolerance, results, static_cast<char*>(workspace));
    begin = end;
  }
  return launcher.status();
}

}  // namespace

extern "C" {

metaplast_status_t metaplast_spd_inverse_f32_cuda(metaplast_cuda_context_t* context, int64_t count, const metaplast_spd_item_t* items,
                                                  double residual_tolerance, metaplast_spd_result_t* results, void* workspace,
                                                  int64_t workspace_bytes, void* stream) {
  return spd_inverse<float>(context, "spd_inverse", count, items, residual_tolerance, results, workspace, workspace_bytes, stream);
}
metaplast_status_t metaplast_spd_inverse_f64acc_cuda(metaplast_cuda_context_t* context, int64_t count, const metaplast_spd_item_t* items,
                                                     double residual_tolerance, metaplast_spd_result_t* results, void* workspace,
                                                     int64_t workspace_bytes, void* stream) {
  return spd_inverse<double>(context, "spd_inverse_f64acc", count, items, residual_tolerance, results, workspace, workspace_bytes, stream);
}
int64_t metaplast_spd_inverse_workspace_bytes_cuda(int64_t count, const metaplast_spd_item_t* items) {
  return workspace_bytes_of<float>(count, items);
}
int64_t metaplast_spd_inverse_workspace_bytes_f64acc_cuda(int64_t count, const metaplast_spd_item_t* items) {
  return workspace_bytes_of<double>(count, items);
}

}  // extern "C"

// ---- choice of the variant ---------------------------------------------------------------------------------------------------------

namespace {
namespace inverse_test {

constexpr int kMatrices = 4;
constexpr int64_t kRows[kMatrices] = {5, 130, 97, 40};
constexpr int64_t kMost = 130;

struct Memory {
  float *x, *absolute;  // what matrices are made of
  float *m[kMatrices], *out[2][kMatrices];
  metaplast_spd_result_t* results[2];
  int64_t* different;
  char* workspace;
  int64_t workspace_bytes;

  // Lays the parts out from `base` on; returns the bytes.
  size_t place(unsigned char* base) {
    size_t used = 0;
    const auto part = [&](int64_t elements, auto** p) {
      *p = reinterpret_cast<std::remove_reference_t<decltype(*p)>>(base + used);
      used += (static_cast<size_t>(elements) * sizeof(**p) + 255) / 256 * 256;
    };
    part(kMost * kMost, &x);
    part(kMost * kMost, &absolute);
    metaplast_spd_item_t items[kMatrices] = {};
    for (int i = 0; i < kMatrices; ++i) {
      part(kRows[i] * kRows[i], &m[i]);
      for (int v = 0; v < 2; ++v) part(kRows[i] * kRows[i], &out[v][i]);
      items[i].n = kRows[i];
    }
    for (int v = 0; v < 2; ++v) part(kMatrices, &results[v]);
    part(1, &different);
    workspace_bytes = std::max(workspace_bytes_of<float>(kMatrices, items), workspace_bytes_of<double>(kMatrices, items));
    part(workspace_bytes, &workspace);
    return used;
  }
};

// Both variants, in both precisions; `different` counts elements that are not equal.
metaplast_status_t queue(metaplast_cuda_context* context, const Memory& t) {
  Launcher launcher(context, "spd_inverse self-test", nullptr);
  launcher.clear(t.different, sizeof(int64_t));
  for (int i = 0; i < kMatrices; ++i) {
    using Fill = simt::ProductTestFill;
    const int64_t n = kRows[i], elements = n * n;
    launcher.run<Fill>((elements + Fill::kThreads - 1) / Fill::kThreads, 1, Fill::kThreads, 0, {elements, static_cast<uint32_t>(i), 0, t.x, t.absolute});
    const simt::RealProduct e = {n, n, n, t.x, nullptr, n, 0, t.x, n, t.m[i], n, 1.0f, 0.0f, 0, 1};
    using Product = simt::RealGemm;
    metaplast::cuda_runtime::run_list<Product>(
        &launcher, 1, 1, Product::kThreads, Product::kSharedBytes, {}, [=](int64_t) { return metaplast::cuda_runtime::tiles_of(n) * metaplast::cuda_runtime::tiles_of(n); },
        [&](int64_t) { return e; });
  }
  for (const bool doubles : {false, true}) {
    for (int v = 0; v < 2; ++v) {
      metaplast_spd_item_t items[kMatrices];
      for (int i = 0; i < kMatrices; ++i) {
        const int64_t n = kRows[i];
        items[i] = {t.m[i], n, t.out[v][i], n, n, 0.5};
        launcher.fill(t.out[v][i], 0xFF, static_cast<size_t>(n * n) * sizeof(float));  // NaN: counts where nothing is written
      }
      if (launcher.status() != METAPLAST_OK) return launcher.status();
      context->inverse_variant = v == 0 ? METAPLAST_CUDA_INVERSE_LAUNCHES : METAPLAST_CUDA_INVERSE_QUEUE;
      const auto inverse = doubles ? metaplast_spd_inverse_f64acc_cuda : metaplast_spd_inverse_f32_cuda;
      const metaplast_status_t status = inverse(context, kMatrices, items, 0.1, t.results[v], t.workspace, t.workspace_bytes, nullptr);
      context->inverse_variant = METAPLAST_CUDA_INVERSE_LAUNCHES;
      if (status != METAPLAST_OK) return status;
    }
    for (int i = 0; i < kMatrices; ++i) {
      using Compare = simt::ProductTestCompare;
      const int64_t elements = kRows[i] * kRows[i];
      launcher.run<Compare>((elements + Compare::kThreads - 1) / Compare::kThreads, 1, Compare::kThreads, 0,
                            {elements, t.out[0][i], t.out[1][i], t.absolute, 0.0f, 0.0f, t.different});
    }
  }
  return launcher.status();
}

}  // namespace inverse_test
}  // namespace

metaplast_status_t metaplast::cuda_runtime::choose_inverse_variant(metaplast_cuda_context* context) noexcept {
  const Call call(context);
  if (call.status() != METAPLAST_OK) return call.status();
  inverse_test::Memory t = {};
  void* memory = nullptr;
  if (cudaMalloc(&memory, t.place(nullptr)) != cudaSuccess) {
    cudaGetLastError();
    return METAPLAST_OK;
  }
  t.place(static_cast<unsigned char*>(memory));
  int64_t different = -1;
  metaplast_status_t status = inverse_test::queue(context, t);
  if (status == METAPLAST_OK) status = metaplast_cuda_copy(context, &different, t.different, sizeof(different), nullptr);
  if (status == METAPLAST_OK) status = check(context, cudaStreamSynchronize(nullptr));
  cudaFree(memory);
  (status == METAPLAST_OK && different == 0 ? context->inverse_variant : context->inverse_failed) = METAPLAST_CUDA_INVERSE_QUEUE;
  return status == METAPLAST_E_CUDA_LOST ? status : METAPLAST_OK;
}

extern "C" int32_t metaplast_cuda_inverse_variant(const metaplast_cuda_context_t* context) { return context->inverse_variant.load(); }
extern "C" int32_t metaplast_cuda_inverse_failed_variant(const metaplast_cuda_context_t* context) { return context->inverse_failed.load(); }
