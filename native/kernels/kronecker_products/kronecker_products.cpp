// Entry points: products G W A of a list of layers, and the quadratic penalty with its gradient.
#include "kernels/kronecker_products/kronecker_products.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>

#include "runtime/entry.h"

namespace metaplast {
namespace {

constexpr int64_t kAlign = 64;
// Multiply-adds from which a thread of its own pays: several microseconds.
constexpr int64_t kGrain = int64_t{1} << 18;

// Bands of the whole list a thread: every band copies the left operands again.
constexpr int64_t kBandsPerThread = 2;

constexpr int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

int64_t work_of(const metaplast_kronecker_item_t& item) { return item.m * item.k * (item.m + item.k); }

// What is left of an item of the caller: its index, and in bytes the place of its column sums or of the copy of its operand.
struct Entry {
  int64_t item, offset;
};

// Entries that write to one place, entries[begin..end-1] in index order; their work, and the number of units before them.
struct Group {
  int64_t begin, end, work, first_unit;
};

// Bytes of an item outside of the arenas: column sums of the penalty, or room for an operand that the result overwrites.
int64_t own_bytes(const metaplast_kronecker_item_t& item, bool penalty) {
  const int64_t m = std::max<int64_t>(item.m, 0), k = std::max<int64_t>(item.k, 0);
  return penalty ? round_up(k * 8, kAlign) : k <= kKroneckerBandUnit ? 0 : round_up(m * k * 4, kAlign);
}

// Shares of the workspace, functions of the sizes of the items and of the number of threads.
struct Layout {
  int64_t entries, groups, own, arenas, arena, t;
  int64_t total() const { return entries + groups + own + arenas * arena; }

  Layout(const metaplast_context_t* context, int64_t count, const metaplast_kronecker_item_t* items, bool penalty) {
    entries = round_up(count * static_cast<int64_t>(sizeof(Entry)), kAlign);
    groups = round_up((count + 1) * static_cast<int64_t>(sizeof(Group)), kAlign);
    own = t = 0;
    for (int64_t i = 0; i < count; ++i) {
      own += own_bytes(items[i], penalty);
      t = std::max(t, items[i].m * round_up(std::min(items[i].k, kKroneckerBand), kKroneckerBandUnit));
    }
    arenas = context->pool->threads();
    arena = 4 * (kKroneckerLeftSize + kKroneckerRightSize + 2 * t);
  }
};

bool valid(const metaplast_kronecker_item_t& item, bool penalty) {
  if (item.m < 0 || item.k < 0 || item.ldg < item.m || item.lda < item.k || item.ldw < item.k || item.ldo < item.k ||
      (penalty && item.ldanchor < item.k)) {
    return false;
  }
  return item.m == 0 || item.k == 0 || (present(item.g, item.w, item.a) && (penalty || item.out != nullptr));
}

bool same_place(const metaplast_kronecker_item_t& a, const metaplast_kronecker_item_t& b) {
  return a.m == b.m && a.k == b.k && a.ldo == b.ldo;
}

// Cuts the list into units of work, a group's bands of columns, and hands them to the threads.
class Run {
 public:
  Run(const metaplast_context_t* context, const metaplast_kronecker_item_t* items, const Layout& layout, bool penalty, void* workspace)
      : context_(context), items_(items), layout_(layout), penalty_(penalty), entries_(static_cast<Entry*>(workspace)),
        groups_(reinterpret_cast<Group*>(static_cast<char*>(workspace) + layout.entries)),
        own_(static_cast<char*>(workspace) + layout.entries + layout.groups), arenas_(own_ + layout.own) {}

  // False: items that write to one place differ in shape.
  bool plan(int64_t count) noexcept {
    int64_t offset = 0, work = 0;
    for (int64_t i = 0; i < count; ++i) {
      if (items_[i].m > 0 && items_[i].k > 0) {
        entries_[ordered_++] = {i, offset};
        work += work_of(items_[i]);
      }
      offset += own_bytes(items_[i], penalty_);
    }
    const metaplast_kronecker_item_t* const items = items_;
    if (penalty_) {
      std::sort(entries_, entries_ + ordered_, [items](const Entry& a, const Entry& b) {
        const float *x = items[a.item].out, *y = items[b.item].out;
        return x != y ? std::less<const float*>()(x, y) : a.item < b.item;
      });
    }
    for (int64_t i = 0; i < ordered_;) {
      const metaplast_kronecker_item_t& first = items_[entries_[i].item];
      Group group{i, i + 1, work_of(first), 0};
      for (; group.end < ordered_ && penalty_ && first.out != nullptr && items_[entries_[group.end].item].out == first.out; ++group.end) {
        const metaplast_kronecker_item_t& item = items_[entries_[group.end].item];
        if (!same_place(first, item)) return false;
        group.work += work_of(item);
      }
      groups_[group_count_++] = group;
      i = group.end;
    }
    threads_ = work < 2 * kGrain ? 1 : context_->pool->threads();
    if (threads_ > 1) {
      // What is left for the end is small.
      std::sort(groups_, groups_ + group_count_,
                [](const Group& x, const Group& y) { return x.work != y.work ? x.work > y.work : x.begin < y.begin; });
    }
    const int64_t share = threads_ == 1 ? work + 1 : std::max(kGrain, work / (threads_ * kBandsPerThread));
    for (int64_t g = 0; g < group_count_; ++g) {
      groups_[g].first_unit = units_;
      const int64_t k = items_[entries_[groups_[g].begin].item].k;
      const int64_t most = (k + kKroneckerBandUnit - 1) / kKroneckerBandUnit, least = (k + kKroneckerBand - 1) / kKroneckerBand;
      units_ += std::min(most, std::max(least, (groups_[g].work + share - 1) / share));
    }
    groups_[group_count_] = {ordered_, ordered_, 0, units_};
    return true;
  }

  void compute() const noexcept {
    bool overwritten = false;
    for (int64_t g = 0; g < group_count_; ++g) overwritten |= copied(g);
    if (overwritten) {
      over(group_count_, [this](int64_t g, char*) {
        if (!copied(g)) return;
        const metaplast_kronecker_item_t& item = items_[entries_[groups_[g].begin].item];
        float* const to = reinterpret_cast<float*>(own_ + entries_[groups_[g].begin].offset);
        for (int64_t r = 0; r < item.m; ++r) std::memcpy(to + r * item.k, item.w + r * item.ldw, static_cast<size_t>(item.k) * 4);
      });
    }
    over(units_, [this](int64_t unit, char* arena) { compute_unit(unit, arena); });
  }

  void sums(int64_t count, double* value, double* absolute) const noexcept {
    double sum = 0, magnitude = 0;
    const char* own = own_;
    for (int64_t i = 0; i < count; ++i) {
      const double* const columns = reinterpret_cast<const double*>(own);
      double form = 0;
      for (int64_t c = 0; items_[i].m > 0 && c < items_[i].k; ++c) form += columns[c];
      sum += items_[i].weight / 2 * form;
      magnitude += std::fabs(items_[i].weight / 2) * std::fabs(form);
      own += own_bytes(items_[i], true);
    }
    *value = sum;
    *absolute = magnitude;
  }

 private:
  int64_t units_of(int64_t group) const { return groups_[group + 1].first_unit - groups_[group].first_unit; }

  // Whether the group's operand is overwritten while other bands need it. Groups of products are single items.
  bool copied(int64_t group) const {
    const metaplast_kronecker_item_t& item = items_[entries_[groups_[group].begin].item];
    return !penalty_ && item.out == item.w && units_of(group) > 1;
  }

  void compute_unit(int64_t unit, char* arena) const noexcept {
    const Group* const found =
        std::upper_bound(groups_, groups_ + group_count_, unit, [](int64_t u, const Group& g) { return u < g.first_unit; }) - 1;
    const int64_t group = found - groups_, bands = units_of(group), band = unit - found->first_unit;
    for (int64_t e = found->begin; e < found->end; ++e) {
      const metaplast_kronecker_item_t& item = items_[entries_[e].item];
      float* const scratch = reinterpret_cast<float*>(arena);
      void* const own = own_ + entries_[e].offset;
      const int64_t panels = (item.k + kKroneckerBandUnit - 1) / kKroneckerBandUnit;
      const bool copy = copied(group);
      KroneckerBand work;
      work.item = &item;
      work.w = copy ? static_cast<const float*>(own) : item.w;
      work.ldw = copy ? item.k : item.ldw;
      work.anchor = penalty_ ? item.anchor : nullptr;
      work.column_sums = penalty_ ? static_cast<double*>(own) : nullptr;
      work.scratch = {scratch, scratch + kKroneckerLeftSize, scratch + kKroneckerLeftSize + kKroneckerRightSize,
                      scratch + kKroneckerLeftSize + kKroneckerRightSize + layout_.t};
      work.begin = panels * band / bands * kKroneckerBandUnit;
      work.end = std::min(item.k, panels * (band + 1) / bands * kKroneckerBandUnit);
      context_->kernels.kronecker_band(&work);
    }
  }

  // body(i, the thread's arena) for i = 0..n-1.
  template <class Body>
  void over(int64_t n, const Body& body) const noexcept {
    if (threads_ == 1) {
      for (int64_t i = 0; i < n; ++i) body(i, arenas_);
      return;
    }
    std::atomic<int64_t> next{0}, arenas_taken{0};
    parallel_chunks(context_, std::min(n, threads_), [&](int64_t) {
      char* const arena = arenas_ + arenas_taken.fetch_add(1, std::memory_order_relaxed) * layout_.arena;
      for (int64_t i = next.fetch_add(1, std::memory_order_relaxed); i < n; i = next.fetch_add(1, std::memory_order_relaxed)) body(i, arena);
    });
  }

  const metaplast_context_t* const context_;
  const metaplast_kronecker_item_t* const items_;
  const Layout& layout_;
  const bool penalty_;
  Entry* const entries_;
  Group* const groups_;
  char* const own_;
  char* const arenas_;
  int64_t ordered_ = 0, group_count_ = 0, units_ = 0, threads_ = 1;
};

metaplast_status_t run(const metaplast_context_t* context, int64_t count, const metaplast_kronecker_item_t* items, bool penalty, double* value,
                       double* absolute, void* workspace, int64_t workspace_bytes) noexcept {
  if (context == nullptr || count < 0 || (count > 0 && !present(items, workspace)) || (penalty && !present(value, absolute))) {
    return METAPLAST_E_ARGUMENT;
  }
  for (int64_t i = 0; i < count; ++i) {
    if (!valid(items[i], penalty)) return METAPLAST_E_ARGUMENT;
  }
  if (count == 0) {
    if (penalty) *value = *absolute = 0;
    return METAPLAST_OK;
  }
  const Layout layout(context, count, items, penalty);
  if (workspace_bytes < layout.total() || reinterpret_cast<uintptr_t>(workspace) % kAlign != 0) {
    return METAPLAST_E_ARGUMENT;
  }
  const FpEnvironment environment;
  Run work(context, items, layout, penalty, workspace);
  if (!work.plan(count)) return METAPLAST_E_ARGUMENT;
  work.compute();
  if (penalty) work.sums(count, value, absolute);
  return METAPLAST_OK;
}

int64_t workspace_bytes_of(const metaplast_context_t* context, int64_t count, const metaplast_kronecker_item_t* items, bool penalty) noexcept {
  return context == nullptr || count <= 0 || items == nullptr ? 0 : Layout(context, count, items, penalty).total();
}

}  // namespace
}  // namespace metaplast

extern "C" {

metaplast_status_t metaplast_kronecker_products_f32(const metaplast_context_t* context, int64_t count,
                                                    const metaplast_kronecker_item_t* items, void* workspace, int64_t workspace_bytes) {
  return metaplast::run(context, count, items, false, nullptr, nullptr, workspace, workspace_bytes);
}

metaplast_status_t metaplast_kronecker_penalty_f32(const metaplast_context_t* context, int64_t count,
                                                   const metaplast_kronecker_item_t* items, double* value, double* absolute, void* workspace,
                                                   int64_t workspace_bytes) {
  return metaplast::run(context, count, items, true, value, absolute, workspace, workspace_bytes);
}

int64_t metaplast_kronecker_products_workspace_bytes(const metaplast_context_t* context, int64_t count,
                                                     const metaplast_kronecker_item_t* items) {
  return metaplast::workspace_bytes_of(context, count, items, false);
}

int64_t metaplast_kronecker_penalty_workspace_bytes(const metaplast_context_t* context, int64_t count,
                                                    const metaplast_kronecker_item_t* items) {
  return metaplast::workspace_bytes_of(context, count, items, true);
}

}  // extern "C"
