// Damped SPD inverse: entry points, scheduling, verdicts. Contract: metaplast/kfac.h; algorithm: spd_inverse.h.
#include <algorithm>
#include <atomic>
#include <cmath>

#include "runtime/entry.h"

namespace metaplast {
namespace {

constexpr int64_t kAlign = 64;
constexpr uint32_t kSignStream = 0x4B464143;  // "KFAC"
// Up to this size each thread has a matrix of its own. Above, the threads share one matrix where its work is more than 1/kTurns of a thread's
// part of what is left, largest first: beyond that the last matrix keeps no thread waiting for long, and nothing waits inside a matrix.
constexpr int64_t kOwnSize = 1024;
constexpr double kTurns = 4;
// Up to this size a matrix is one block.
constexpr int64_t kOneBlockSize = 512;
// Ranges of a phase per thread: triangles make them uneven.
constexpr int64_t kRangesOfPhase = 64;
// A range of kSpdGather begins at a multiple of these.
constexpr int64_t kColumns = 64;
constexpr double kIllConditioned = 1e5;
constexpr double kUnreliable = 1.7e6;

constexpr int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// Of the probe.
int64_t strips(int64_t n) { return n <= kOwnSize ? 1 : kSpdStrips; }

// One of the two arithmetics.
struct Kind {
  int64_t bytes;       // of an element
  int64_t group_size;  // largest n of the interleaved kernel, 0 without
  void (*KernelTable::*phase)(const SpdWork*, SpdPhase, int64_t, int64_t, int64_t) noexcept;
  KernelSlot slot;
};
constexpr Kind kFloat = {4, kSpdGroupSize, &KernelTable::spd_phase_f32, kSlot_spd_phase_f32};
constexpr Kind kDouble = {8, 0, &KernelTable::spd_phase_f64, kSlot_spd_phase_f64};

int64_t vector_width(const metaplast_context_t* context, const Kind& kind) {
  return kSpdVectorBytes[context->kernels.tier_of_slot[kind.slot]] / kind.bytes;
}

// Layout of a matrix of size n, a function of n, tier and arithmetic only: class B.
struct Plan {
  int64_t width, padded, ld, panels, block;
  int64_t matrix, v, root, vectors;  // bytes
  int64_t total() const { return matrix + v + root + vectors; }

  Plan(int64_t n, int64_t vector, const Kind& kind) : width(vector) {
    const int64_t panel = 2 * width;
    padded = round_up(n, width);
    // Rows one vector longer than a multiple of two vectors do not fall on the same sets of the cache.
    ld = round_up(padded, panel) + width;
    panels = (padded + panel - 1) / panel;
    // Wide blocks save passes over the matrix, narrow ones work in the panels. One block needs no packing.
    block = n <= kOneBlockSize ? panels : 128 / panel;
    matrix = round_up(padded * ld * kind.bytes, kAlign);
    // The panels of a block, and in their turn the shares of the probe.
    v = round_up(std::max(panels * block * panel * panel * kind.bytes, strips(n) > 1 ? strips(n) * 3 * padded * 8 : 0), kAlign);
    root = round_up(padded * kind.bytes, kAlign);
    vectors = 5 * round_up(padded * 8, kAlign);
  }
};

bool valid(const metaplast_spd_item_t& item) {
  return item.n >= 0 && item.ldm >= item.n && item.ldo >= item.n && item.damping >= 0 && std::isfinite(item.damping) &&
         (item.n == 0 || (item.m != nullptr && item.out != nullptr));
}

// Shares of the workspace: order and units of the items, outcomes, signs, then one arena for every thread that may invert a matrix of its own.
struct Layout {
  int64_t order, units, outcomes, words, signs, arena, arenas;
  int64_t signs_stride;
  int64_t small_of_first;  // valid small items of the size of the first one
  int64_t largest_own;     // matrices above are shared by the threads
  int64_t total() const { return order + units + outcomes + words + signs + arena * arenas; }

  static double cube(int64_t n) { return n > 0 ? static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n) : 0; }

  Layout(const metaplast_context_t* context, const Kind& kind, int64_t count, const metaplast_spd_item_t* items) {
    const int64_t threads = context->pool->threads();
    int64_t largest = 0, own = 0;
    small_of_first = 0;
    for (int64_t i = 0; i < count; ++i) {
      largest = std::max(largest, items[i].n);
      if (items[i].n <= kind.group_size) {
        small_of_first += items[i].n == items[0].n && items[i].n > 0 && valid(items[i]) ? 1 : 0;
      } else {
        ++own;
      }
    }
    largest_own = largest;
    while (largest_own > kOwnSize && threads > 1) {
      double work = 0;
      int64_t next = 0, not_larger = 0;
      for (int64_t i = 0; i < count; ++i) {
        if (items[i].n > largest_own) continue;
        work += cube(items[i].n);
        next = items[i].n < largest_own ? std::max(next, items[i].n) : next;
        not_larger += items[i].n > kind.group_size && items[i].n < largest_own ? 1 : 0;
      }
      if (cube(largest_own) * kTurns * static_cast<double>(threads) <= work) break;
      largest_own = next;
      own = not_larger;
    }
    const int64_t width = vector_width(context, kind);
    order = round_up(count * 8, kAlign);
    units = round_up((count + 1) * 8, kAlign);
    outcomes = round_up(count * static_cast<int64_t>(sizeof(SpdOutcome)), kAlign);
    signs_stride = round_up(largest, kAlign);
    words = signs_stride * 4;
    signs = 2 * signs_stride * 8;
    arenas = std::max<int64_t>(1, std::min(threads, own));
    arena = own > 0 ? Plan(largest_own, width, kind).total() : 0;
    if (largest > largest_own) {
      const int64_t shared = Plan(largest, width, kind).total();
      arena = std::max(arena, round_up((shared + arenas - 1) / arenas, kAlign));
    }
  }
};

// Runs the phases of one matrix on the calling thread, or over the pool.
class Inverter {
 public:
  Inverter(const metaplast_context_t* context, const Kind& kind, const double* signs, int64_t signs_stride, double tolerance)
      : context_(context), phase_(context->kernels.*kind.phase), kind_(kind), signs_{signs, signs + signs_stride}, tolerance_(tolerance) {}

  void invert(const metaplast_spd_item_t& item, bool shared, char* memory, SpdOutcome* outcome) const noexcept {
    const Plan plan(item.n, vector_width(context_, kind_), kind_);
    *outcome = {};
    SpdWork work{};
    work.item = item;
    work.width = plan.width;
    work.padded = plan.padded;
    work.ld = plan.ld;
    work.panels = plan.panels;
    work.block = plan.block;
    const auto take = [&memory](int64_t bytes) {
      char* const taken = memory;
      memory += bytes;
      return taken;
    };
    work.matrix = take(plan.matrix);
    work.v = take(plan.v);
    work.root = take(plan.root);
    double* const vectors = reinterpret_cast<double*>(take(plan.vectors));
    const int64_t stride = plan.vectors / 8 / 5;
    double* const products[2] = {vectors, vectors + stride};
    double* const residuals[2] = {vectors + 2 * stride, vectors + 3 * stride};
    work.sums = vectors + 4 * stride;
    work.failure = &outcome->failure;
    work.pivot = &outcome->pivot;

    // One strip adds up in place.
    work.strips = strips(item.n);
    const auto probe = [&](SpdPhase phase, const double* const* factors, double* const* to) {
      for (int v = 0; v < 2; ++v) {
        work.factor[v] = factors[v];
        work.product[v] = to[v];
      }
      over(work, phase, 0, work.strips, 1, shared);
      if (work.strips > 1) {
        over(work, kSpdGather, 0, plan.padded, kColumns, shared);
      }
    };
    probe(kSpdLoad, signs_, products);
    outcome->norm = largest(work.sums, item.n);
    if (!std::isfinite(outcome->norm)) {
      outcome->failure = -1;
      return;
    }
    const int64_t blocks = (plan.panels + plan.block - 1) / plan.block, units = spd_update_units(plan.panels, plan.width);
    for (int64_t block = 0; block < blocks; ++block) {
      phase_(&work, kSpdFactor, block, 0, 0);
      if (outcome->failure != 0) {
        return;
      }
      over(work, kSpdSolve, block, plan.panels, 1, shared);
      over(work, kSpdUpdate, block, units, 1, shared);
    }
    for (int64_t block = blocks - 1; block >= 0; --block) {
      over(work, kSpdPack, block, plan.panels, 1, shared);
      over(work, kSpdInversePanel, block, plan.panels, 1, shared);
      over(work, kSpdInverseUpdate, block, units, 1, shared);
    }
    for (int64_t block = 0; block < blocks; ++block) {
      over(work, kSpdPack, block, plan.panels, 1, shared);
      over(work, kSpdProductUpdate, block, units, 1, shared);
    }
    probe(kSpdProbe, products, residuals);
    outcome->inverse_norm = largest(work.sums, item.n);
    double square[2] = {};
    for (int64_t i = 0; i < item.n; ++i) {
      const double e0 = residuals[0][i] - signs_[0][i], e1 = residuals[1][i] - signs_[1][i];
      square[0] += e0 * e0;
      square[1] += e1 * e1;
    }
    const double worst = square[0] > square[1] || std::isnan(square[0]) ? square[0] : square[1];
    outcome->residual = std::sqrt(worst / static_cast<double>(item.n));
    if (outcome->residual <= tolerance_) {
      over(work, kSpdStore, 0, plan.padded, plan.width, shared);
    }
  }

 private:
  // phase on items 0..n-1, in ranges that begin at multiples of `unit`.
  void over(const SpdWork& work, SpdPhase phase, int64_t block, int64_t n, int64_t unit, bool shared) const noexcept {
    if (!shared) {
      phase_(&work, phase, block, 0, n);
      return;
    }
    const int64_t units = (n + unit - 1) / unit, ranges = std::min<int64_t>(units, context_->pool->threads() * kRangesOfPhase);
    parallel_chunks(context_, ranges, [&](int64_t chunk) {
      phase_(&work, phase, block, units * chunk / ranges * unit, std::min(n, units * (chunk + 1) / ranges * unit));
    });
  }

  // Of values that are not negative; NaN where one is among them.
  static double largest(const double* x, int64_t n) noexcept {
    double most = 0, sum = 0;
    for (int64_t i = 0; i < n; ++i) {
      most = x[i] > most ? x[i] : most;
      sum += x[i];
    }
    return std::isnan(sum) ? sum : most;
  }

  const metaplast_context_t* const context_;
  void (*const phase_)(const SpdWork*, SpdPhase, int64_t, int64_t, int64_t) noexcept;
  const Kind& kind_;
  const double* const signs_[2];
  const double tolerance_;
};

// First element that is not finite, damped diagonal included.
int64_t first_not_finite(const metaplast_spd_item_t& item, const Kind& kind) {
  for (int64_t i = 0; i < item.n; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      const float x = item.m[i * item.ldm + j];
      const double damped = i == j ? static_cast<double>(x) + item.damping : static_cast<double>(x);
      if (!std::isfinite(x) || !std::isfinite(kind.bytes == 4 ? static_cast<double>(static_cast<float>(damped)) : damped)) {
        return i * item.n + j;
      }
    }
  }
  return 0;
}

metaplast_spd_result_t result_of(const metaplast_spd_item_t& item, const Kind& kind, const SpdOutcome& outcome, double tolerance) {
  metaplast_spd_result_t result{};
  if (outcome.failure < 0) {
    result.status = METAPLAST_SPD_NOT_FINITE;
    result.index = first_not_finite(item, kind);
  } else if (outcome.failure > 0) {
    result.status = static_cast<int32_t>(outcome.failure);
    result.pivot = outcome.pivot;
  } else {
    result.status = outcome.residual <= tolerance ? METAPLAST_SPD_OK : METAPLAST_SPD_RESIDUAL;
    result.residual = outcome.residual;
    result.cond1 = outcome.norm * outcome.inverse_norm;
    result.flags = (result.cond1 > kIllConditioned ? METAPLAST_SPD_ILL_CONDITIONED : 0) |
                   (result.cond1 > kUnreliable ? METAPLAST_SPD_UNRELIABLE : 0);
  }
  return result;
}

metaplast_status_t spd_inverse(const metaplast_context_t* context, const Kind& kind, int64_t count, const metaplast_spd_item_t* items,
                               double tolerance, metaplast_spd_result_t* results, void* workspace, int64_t workspace_bytes) noexcept {
  if (context == nullptr || count < 0 || !(tolerance >= 0) || (count > 0 && !present(items, results, workspace))) {
    return METAPLAST_E_ARGUMENT;
  }
  if (count == 0) {
    return METAPLAST_OK;
  }
  const Layout layout(context, kind, count, items);
  if (workspace_bytes < layout.total() || reinterpret_cast<uintptr_t>(workspace) % kAlign != 0) {
    return METAPLAST_E_ARGUMENT;
  }
  const FpEnvironment environment;
  char* memory = static_cast<char*>(workspace);
  int64_t* const order = reinterpret_cast<int64_t*>(memory);
  int64_t* const units = reinterpret_cast<int64_t*>(memory += layout.order);
  SpdOutcome* const outcomes = reinterpret_cast<SpdOutcome*>(memory += layout.units);
  uint32_t* const words = reinterpret_cast<uint32_t*>(memory += layout.outcomes);
  double* const signs = reinterpret_cast<double*>(memory += layout.words);
  char* const arenas = memory + layout.signs;

  for (int v = 0; v < 2; ++v) {
    context->kernels.philox_words(0, kSignStream, static_cast<uint32_t>(v), 0, layout.signs_stride, words);
    for (int64_t i = 0; i < layout.signs_stride; ++i) {
      signs[v * layout.signs_stride + i] = (words[i] & 1) != 0 ? 1.0 : -1.0;
    }
  }

  // Largest first: large ones by comparison, the many small ones by counting. Small ones of one size are in order as they are.
  const bool one_size = layout.small_of_first == count;
  int64_t of_size[kSpdGroupSize + 2] = {};
  int64_t ordered = 0;
  for (int64_t i = 0; i < count && one_size; ++i) order[i] = i;
  for (int64_t i = 0; i < count && !one_size; ++i) {
    if (!valid(items[i])) {
      results[i] = {};
      results[i].status = METAPLAST_SPD_ARGUMENT;
    } else if (items[i].n == 0) {
      results[i] = {};
    } else if (items[i].n > kind.group_size) {
      order[ordered++] = i;
    } else {
      ++of_size[items[i].n];
    }
  }
  const int64_t large = ordered;
  std::sort(order, order + large,
            [items](int64_t a, int64_t b) { return items[a].n > items[b].n || (items[a].n == items[b].n && a < b); });
  for (int64_t n = kind.group_size; n >= 1; --n) {
    const int64_t begin = ordered;
    ordered += of_size[n];
    of_size[n] = begin;
  }
  for (int64_t i = 0; i < count && large < ordered && !one_size; ++i) {
    if (items[i].n > 0 && items[i].n <= kind.group_size && valid(items[i])) {
      order[of_size[items[i].n]++] = i;
    }
  }

  ordered = one_size ? count : ordered;

  const Inverter inverter(context, kind, signs, layout.signs_stride, tolerance);
  int64_t shared = 0;
  for (; shared < large && items[order[shared]].n > layout.largest_own; ++shared) {
    inverter.invert(items[order[shared]], true, arenas, &outcomes[order[shared]]);
  }
  const int64_t group = vector_width(context, kind);
  int64_t unit_count = 0;
  for (int64_t i = shared; i < ordered;) {
    units[unit_count++] = i;
    const int64_t n = items[order[i]].n;
    const int64_t end = n > kind.group_size ? i + 1 : std::min(ordered, i + group);
    while (i < end && items[order[i]].n == n) {
      ++i;
    }
  }
  units[unit_count] = ordered;
  std::atomic<int64_t> next{0}, arenas_taken{0};
  parallel_chunks(context, std::min<int64_t>(unit_count, context->pool->threads()), [&](int64_t) {
    int64_t arena = -1;
    for (int64_t u = next.fetch_add(1, std::memory_order_relaxed); u < unit_count; u = next.fetch_add(1, std::memory_order_relaxed)) {
      const int64_t* const members = order + units[u];
      if (items[members[0]].n <= kind.group_size) {
        context->kernels.spd_group(units[u + 1] - units[u], items, members, signs, layout.signs_stride, tolerance, outcomes);
      } else {
        arena = arena < 0 ? arenas_taken.fetch_add(1, std::memory_order_relaxed) : arena;
        inverter.invert(items[members[0]], false, arenas + arena * layout.arena, &outcomes[members[0]]);
      }
    }
  });
  for (int64_t i = 0; i < ordered; ++i) {
    const int64_t item = order[i];
    results[item] = result_of(items[item], kind, outcomes[item], tolerance);
  }
  return METAPLAST_OK;
}

int64_t workspace_bytes_of(const metaplast_context_t* context, const Kind& kind, int64_t count, const metaplast_spd_item_t* items) noexcept {
  return context == nullptr || count <= 0 || items == nullptr ? 0 : Layout(context, kind, count, items).total();
}

}  // namespace
}  // namespace metaplast

extern "C" {

metaplast_status_t metaplast_spd_inverse_f32(const metaplast_context_t* context, int64_t count, const metaplast_spd_item_t* items,
                                             double residual_tolerance, metaplast_spd_result_t* results, void* workspace,
                                             int64_t workspace_bytes) {
  return metaplast::spd_inverse(context, metaplast::kFloat, count, items, residual_tolerance, results, workspace, workspace_bytes);
}

metaplast_status_t metaplast_spd_inverse_f64acc(const metaplast_context_t* context, int64_t count, const metaplast_spd_item_t* items,
                                                double residual_tolerance, metaplast_spd_result_t* results, void* workspace,
                                                int64_t workspace_bytes) {
  return metaplast::spd_inverse(context, metaplast::kDouble, count, items, residual_tolerance, results, workspace, workspace_bytes);
}

int64_t metaplast_spd_inverse_workspace_bytes(const metaplast_context_t* context, int64_t count, const metaplast_spd_item_t* items) {
  return metaplast::workspace_bytes_of(context, metaplast::kFloat, count, items);
}

int64_t metaplast_spd_inverse_workspace_bytes_f64acc(const metaplast_context_t* context, int64_t count,
                                                     const metaplast_spd_item_t* items) {
  return metaplast::workspace_bytes_of(context, metaplast::kDouble, count, items);
}

}  // extern "C"
