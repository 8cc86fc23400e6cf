#include "kernels/kronecker_products/kronecker_products_simt.cuh"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::is_aligned;
using metaplast::cuda_runtime::Launcher;
using metaplast::cuda_runtime::matrix_blocks;
using metaplast::cuda_runtime::run_list;
using metaplast::cuda_runtime::run_products;

constexpr int64_t kAlign = 256;
int64_t round_up(int64_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

bool empty(const metaplast_kronecker_item_t& item) { return item.m <= 0 || item.k <= 0; }
// Bytes of W A, and of P with its rows.
int64_t product_bytes(const metaplast_kronecker_item_t& item) { return empty(item) ? 0 : round_up(item.m * item.k * 4); }
int64_t penalty_bytes(const metaplast_kronecker_item_t& item) { return empty(item) ? 0 : 2 * product_bytes(item) + round_up(item.m * 8); }

bool valid(const metaplast_kronecker_item_t& item, bool penalty) {
  if (item.m < 0 || item.k < 0 || item.ldg < item.m || item.lda < item.k || item.ldw < item.k) return false;
  if ((!penalty || item.out != nullptr) && item.ldo < item.k) return false;
  if (penalty && item.anchor != nullptr && item.ldanchor < item.k) return false;
  return empty(item) || (item.g != nullptr && item.w != nullptr && item.a != nullptr && (penalty || item.out != nullptr));
}

bool valid(int64_t count, const metaplast_kronecker_item_t* items, bool penalty) {
  if (count < 0 || (count > 0 && items == nullptr)) return false;
  for (int64_t i = 0; i < count; ++i) {
    if (!valid(items[i], penalty)) return false;
  }
  return true;
}

// W A, or (W - anchor) A, to `to`.
simt::RealProduct right_product(const metaplast_kronecker_item_t& e, const float* minus, float* to) {
  return {e.m, e.k, e.k, e.w, minus, e.ldw, e.ldanchor, e.a, e.lda, to, e.k, 1.0f, 0.0f, 0, 0};
}
// G T.
simt::RealProduct left_product(const metaplast_kronecker_item_t& e, const float* t, float* to, int64_t ldto) {
  return {e.m, e.k, e.m, e.g, nullptr, e.ldg, 0, t, e.k, to, ldto, 1.0f, 0.0f, 0, 0};
}

}  // namespace

extern "C" {

int64_t metaplast_kronecker_products_workspace_bytes_cuda(int64_t count, const metaplast_kronecker_item_t* items) {
  int64_t bytes = 0;
  for (int64_t i = 0; items != nullptr && i < count; ++i) bytes += product_bytes(items[i]);
  return bytes;
}

metaplast_status_t metaplast_kronecker_products_f32_cuda(metaplast_cuda_context_t* context, int64_t count,
                                                         const metaplast_kronecker_item_t* items, void* workspace, int64_t workspace_bytes,
                                                         void* stream) {
  if (context == nullptr || !valid(count, items, false)) return METAPLAST_E_ARGUMENT;
  const int64_t needed = metaplast_kronecker_products_workspace_bytes_cuda(count, items);
  if (workspace_bytes < needed || (needed > 0 && workspace == nullptr) || !is_aligned(workspace, 16)) return METAPLAST_E_ARGUMENT;
  Launcher launcher(context, "kronecker_products", stream);
  // Entries are asked for in index order, so places in the workspace are counted along the way.
  for (int stage = 0; stage < 2; ++stage) {
    int64_t at = 0, next = 0;
    run_products(
        &launcher, launcher.product_variant(), count,
        [=](int64_t i) { return empty(items[i]) ? 0 : metaplast::cuda_runtime::tiles_of(items[i].m) * metaplast::cuda_runtime::tiles_of(items[i].k); },
        [&](int64_t i) {
          for (; next < i; ++next) at += product_bytes(items[next]);
          float* const t = reinterpret_cast<float*>(static_cast<char*>(workspace) + at);
          return stage == 0 ? right_product(items[i], nullptr, t) : left_product(items[i], t, items[i].out, items[i].ldo);
        });
  }
  return launcher.status();
}

int64_t metaplast_kronecker_penalty_workspace_bytes_cuda(int64_t count, const metaplast_kronecker_item_t* items) {
  int64_t bytes = round_up(count > 0 ? count * 8 : 0);
  for (int64_t i = 0; items != nullptr && i < count; ++i) bytes += penalty_bytes(items[i]);
  return bytes;
}

metaplast_status_t metaplast_kronecker_penalty_f32_cuda(metaplast_cuda_context_t* context, int64_t count,
                                                        const metaplast_kronecker_item_t* items, double* value, double* absolute,
                                                        void* workspace, int64_t workspace_bytes, void* stream) {
  if (context == nullptr || value == nullptr || absolute == nullptr || !valid(count, items, true)) return METAPLAST_E_ARGUMENT;
  const int64_t needed = metaplast_kronecker_penalty_workspace_bytes_cuda(count, items);
  if (workspace_bytes < needed || (needed > 0 && workspace == nullptr) || !is_aligned(workspace, 16)) return METAPLAST_E_ARGUMENT;
  Launcher launcher(context, "kronecker_penalty", stream);
  const int32_t variant = launcher.product_variant();
  launcher.clear(value, sizeof(double));
  launcher.clear(absolute, sizeof(double));
  char* const base = static_cast<char*>(workspace);
  double* const forms = reinterpret_cast<double*>(base);
  char* memory = base + round_up(count > 0 ? count * 8 : 0);
  // Groups of items whose gradients are different: additions to one gradient stay in index order. One table a group.
  for (int64_t begin = 0, end = 0; begin < count; begin = end) {
    int64_t places[simt::kTableTensors];
    int64_t at = 0;
    const auto fits = [&](int64_t i) {
      if (i - begin >= simt::kTableTensors) return false;
      for (int64_t j = begin; j < i; ++j) {
        if (items[i].out != nullptr && items[i].out == items[j].out) return false;
      }
      return true;
    };
    for (end = begin; end < count && fits(end); ++end) {
      places[end - begin] = at;
      at += penalty_bytes(items[end]);
    }
    const int64_t n = end - begin;
    const metaplast_kronecker_item_t* const group = items + begin;
    const auto t = [&](int64_t i) { return reinterpret_cast<float*>(memory + places[i]); };
    const auto p = [&](int64_t i) { return reinterpret_cast<float*>(memory + places[i] + product_bytes(group[i])); };
    const auto rows = [&](int64_t i) { return reinterpret_cast<double*>(memory + places[i] + 2 * product_bytes(group[i])); };
    run_products(&launcher, variant, n, [&](int64_t i) { return right_product(group[i], group[i].anchor, t(i)); });
    run_products(&launcher, variant, n, [&](int64_t i) { return left_product(group[i], t(i), p(i), group[i].k); });
    run_list<simt::PenaltyRows>(
        &launcher, n, 1, simt::PenaltyRows::kThreads, 0, {}, [&](int64_t i) { return empty(group[i]) ? 0 : (group[i].m + 7) / 8; },
        [&](int64_t i) {
          const metaplast_kronecker_item_t& e = group[i];
          return simt::PenaltyRows::Entry{e.m, e.k, e.w, e.ldw, e.anchor, e.ldanchor, p(i), rows(i)};
        });
    run_list<simt::PenaltyForms>(
        &launcher, n, 1, simt::PenaltyForms::kThreads, 0, {}, [](int64_t) { return 1; },
        [&](int64_t i) { return simt::PenaltyForms::Entry{empty(group[i]) ? 0 : group[i].m, rows(i), forms + begin + i}; });
    simt::PenaltySum::Args sum = {n, begin == 0 ? 1 : 0, forms + begin, value, absolute, {}};
    for (int64_t i = 0; i < n; ++i) sum.weight[i] = group[i].weight;
    launcher.run<simt::PenaltySum>(1, 1, simt::PenaltySum::kThreads, 0, sum);
    run_list<simt::PenaltyGradient>(
        &launcher, n, 1, simt::PenaltyGradient::kThreads, 0, {},
        [&](int64_t i) { return empty(group[i]) || group[i].out == nullptr ? 0 : matrix_blocks(group[i].m, group[i].k).blocks(); },
        [&](int64_t i) {
          const metaplast_kronecker_item_t& e = group[i];
          return simt::PenaltyGradient::Entry{matrix_blocks(e.m, e.k), p(i), e.out, e.ldo, static_cast<float>(e.weight)};
        });
    memory += at;
  }
  return launcher.status();
}

}  // extern "C"
