#include "kernels/spd_inverse/spd_inverse_simt.cuh"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::is_aligned;
using metaplast::cuda_runtime::Launcher;
using metaplast::cuda_runtime::SpdGroup;

constexpr int64_t kAlign = 256;
// Large matrices of one group work side by side while their workspaces fit this.
constexpr int64_t kGroupBytes = int64_t{1} << 30;

int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// Workspace of a large matrix.
template <class T>
struct Plan {
  int64_t ld, matrix, row, vectors;
  explicit Plan(int64_t n)
      : ld(round_up(n, 32)), matrix(round_up(n * ld * static_cast<int64_t>(sizeof(T)), kAlign)),
        row(round_up(simt::kSide * ld * static_cast<int64_t>(sizeof(T)), kAlign)), vectors(round_up(7 * n * 8, kAlign)) {}
  int64_t total() const { return matrix + row + vectors + kAlign; }
};

template <class T>
bool large(const metaplast_spd_item_t& item) {
  return item.n > simt::kSpdSmall<T>;
}

// The end of the group that begins at `begin`, and its bytes.
template <class T>
int64_t group_end(int64_t count, const metaplast_spd_item_t* items, int64_t begin, int64_t* bytes) {
  int64_t members = 0, i = begin;
  *bytes = 0;
  for (; i < count; ++i) {
    if (!large<T>(items[i])) continue;
    const int64_t here = Plan<T>(items[i].n).total();
    if (members == simt::kTableTensors || (members > 0 && *bytes + here > kGroupBytes)) break;
    *bytes += here;
    ++members;
  }
  return i;
}

template <class T>
int64_t workspace_bytes_of(int64_t count, const metaplast_spd_item_t* items) {
  int64_t most = 0;
  for (int64_t i = 0; items != nullptr && i < count;) {
    int64_t bytes = 0;
    i = group_end<T>(count, items, i, &bytes);
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
      if (large<T>(item) && simt::spd_valid(item)) continue;
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
void run_large(Launcher* launcher, int64_t count, const metaplast_spd_item_t* items, double tolerance, metaplast_spd_result_t* results,
               char* workspace) {
  for (int64_t begin = 0; begin < count;) {
    int64_t bytes = 0;
    const int64_t end = group_end<T>(count, items, begin, &bytes);
    simt::SpdLarge<T> entries[simt::kTableTensors];
    int64_t members = 0;
    char* memory = workspace;
    for (int64_t i = begin; i < end; ++i) {
      const metaplast_spd_item_t& item = items[i];
      if (!large<T>(item) || !simt::spd_valid(item)) continue;
      const Plan<T> plan(item.n);
      simt::SpdLarge<T>& e = entries[members++];
      e = {};
      e.m = item.m;
      e.ldm = item.ldm;
      e.n = item.n;
      e.damping = item.damping;
      e.w = reinterpret_cast<T*>(memory);
      e.ldw = plan.ld;
      e.row = reinterpret_cast<T*>(memory + plan.matrix);
      e.vectors = reinterpret_cast<double*>(memory + plan.matrix + plan.row);
      e.state = reinterpret_cast<simt::SpdState*>(memory + plan.matrix + plan.row + plan.vectors);
      e.out = item.out;
      e.ldo = item.ldo;
      e.result = results + i;
      memory += plan.total();
    }
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
    begin = end;
  }
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
  run_small<T>(&launcher, count, items, tolerance, results);
  run_large<T>(&launcher, count, items, tolerance, results, static_cast<char*>(workspace));
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
