#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include <numeric>
#include <random>
#include <thread>

#include "kernels/spd_inverse/spd_queue_simt.cuh"
#include "metaplast/kfac.h"
#include "runtime/cuda/variants.h"
#include "shim/simt_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::uniform_values;
namespace shim = metaplast::shim;
namespace simt = metaplast::simt;

namespace {

constexpr double kUnit = 1.0 / (1 << 24);

// A matrix of the batch: symmetric positive definite unless it is spoilt afterwards; rows one element apart.
struct Matrix {
  int64_t n, ld;
  double damping;
  std::vector<float> m;

  float& at(int64_t i, int64_t j) { return m[static_cast<size_t>(i * ld + j)]; }
  double damped(int64_t i, int64_t j, bool doubles) const {
    const double x = static_cast<double>(m[static_cast<size_t>(std::max(i, j) * ld + std::min(i, j))]);
    return i != j ? x : doubles ? x + damping : static_cast<double>(static_cast<float>(x + damping));
  }
};

// X X'/n of 2n columns, damped; what lies above the diagonal is never read.
Matrix gaussian_like(int64_t n, uint64_t seed, double damping) {
  Matrix result{n, n + 1, damping, std::vector<float>(static_cast<size_t>(n * (n + 1)), std::numeric_limits<float>::quiet_NaN())};
  const std::vector<float> x = uniform_values(seed, 2 * n * n, -1.0f, 1.0f);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < 2 * n; ++k) sum += static_cast<double>(x[static_cast<size_t>(i * 2 * n + k)]) * static_cast<double>(x[static_cast<size_t>(j * 2 * n + k)]);
      result.at(i, j) = static_cast<float>(sum / static_cast<double>(n));
    }
  }
  return result;
}

Matrix min_matrix(int64_t n) {
  Matrix result{n, n, 0, std::vector<float>(static_cast<size_t>(n * n))};
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) result.at(i, j) = static_cast<float>(std::min(i, j) + 1);
  }
  return result;
}

std::vector<Matrix> batch() {
  std::vector<Matrix> list;
  for (int64_t n : {1, 2, 3, 7, 8, 9, 31, 32, 33, 64, 65, 96, 97, 128, 130, 193}) list.push_back(gaussian_like(n, static_cast<uint64_t>(n), 1e-3));
  list.push_back(min_matrix(64));
  list.push_back(min_matrix(140));
  for (int64_t n : {5, 32, 70, 96, 150}) {
    const size_t zero = list.size();
    list.push_back(gaussian_like(n, 77, 0));  // a row of zeros: that order fails
    for (int64_t i = 0; i < n; ++i) list[zero].at(std::max(i, n / 2), std::min(i, n / 2)) = 0.0f;
    list.push_back(gaussian_like(n, 78, 0));  // not definite
    list.back().at(n - 1, n - 1) = -1.0f;
    list.push_back(gaussian_like(n, 79, 0));
    list.back().at(n - 1, n / 3) = std::numeric_limits<float>::quiet_NaN();
    list.back().at(n - 1, n - 1) = std::numeric_limits<float>::infinity();
    list.push_back(gaussian_like(n, 80, 3.3e38));  // the damped diagonal overflows in float
    list.back().at(n / 2, n / 2) = 3e38f;
    list.push_back(gaussian_like(n, 81, -1.0));  // a wrong argument
  }
  list.push_back(gaussian_like(0, 1, 0));
  // Every pivot is 1, and no inverse is good: the probe says so.
  Matrix moler{16, 16, 0, std::vector<float>(256)};
  for (int64_t i = 0; i < 16; ++i) {
    for (int64_t j = 0; j < 16; ++j) moler.at(i, j) = static_cast<float>(i == j ? i + 1 : std::min(i, j) - 1);
  }
  list.push_back(moler);
  return list;
}

using Inverse = metaplast_status_t (*)(metaplast_cuda_context_t*, int64_t, const metaplast_spd_item_t*, double, metaplast_spd_result_t*, void*, int64_t,
                                       void*);

// What a call leaves: outputs with what was there before, and results.
struct Outcome {
  std::vector<std::vector<float>> out;
  std::vector<metaplast_spd_result_t> results;
};

constexpr float kStale = 7.0f;

Outcome run_cuda(const std::vector<Matrix>& list, bool doubles, bool in_place, int64_t offset) {
  std::vector<std::unique_ptr<Device<float>>> m, out;
  std::vector<metaplast_spd_item_t> items;
  for (const Matrix& x : list) {
    m.emplace_back(new Device<float>(x.m, offset));
    const int64_t ldo = in_place ? x.ld : x.n + 2;
    out.emplace_back(new Device<float>(std::vector<float>(static_cast<size_t>(in_place ? 0 : x.n * ldo), kStale), offset));
    items.push_back({m.back()->data(), x.ld, in_place ? m.back()->data() : out.back()->data(), ldo, x.n, x.damping});
  }
  const int64_t count = static_cast<int64_t>(items.size());
  const int64_t bytes = doubles ? metaplast_spd_inverse_workspace_bytes_f64acc_cuda(count, items.data())
                                : metaplast_spd_inverse_workspace_bytes_cuda(count, items.data());
  Device<char> space(std::vector<char>(static_cast<size_t>(bytes), '\x7F'));
  Device<metaplast_spd_result_t> results(std::vector<metaplast_spd_result_t>(items.size(), metaplast_spd_result_t{-99, -99, -1, -1, -1, -1}));
  const Inverse inverse = doubles ? metaplast_spd_inverse_f64acc_cuda : metaplast_spd_inverse_f32_cuda;
  check(inverse(cuda(), count, items.data(), 0.1, results.data(), space.data(), bytes, nullptr) == METAPLAST_OK, "spd_inverse: CUDA");
  if (bytes > 0) {
    check(inverse(cuda(), count, items.data(), 0.1, results.data(), space.data(), bytes - 1, nullptr) == METAPLAST_E_ARGUMENT,
          "spd_inverse: small workspace");
  }
  Outcome outcome{{}, results.values()};
  for (size_t i = 0; i < list.size(); ++i) outcome.out.push_back(in_place ? m[i]->values() : out[i]->values());
  return outcome;
}

Outcome run_cpu(const std::vector<Matrix>& list, bool doubles) {
  Outcome outcome{{}, std::vector<metaplast_spd_result_t>(list.size())};
  std::vector<metaplast_spd_item_t> items;
  for (const Matrix& x : list) outcome.out.emplace_back(static_cast<size_t>(x.n * (x.n + 2)), kStale);
  for (size_t i = 0; i < list.size(); ++i) {
    items.push_back({list[i].m.data(), list[i].ld, outcome.out[i].data(), list[i].n + 2, list[i].n, list[i].damping});
  }
  const int64_t count = static_cast<int64_t>(items.size());
  const int64_t bytes = doubles ? metaplast_spd_inverse_workspace_bytes_f64acc(cpu(), count, items.data())
                                : metaplast_spd_inverse_workspace_bytes(cpu(), count, items.data());
  Device<char> space(std::vector<char>(static_cast<size_t>(bytes)));
  check((doubles ? metaplast_spd_inverse_f64acc : metaplast_spd_inverse_f32)(cpu(), count, items.data(), 0.1, outcome.results.data(), space.data(),
                                                                             bytes) == METAPLAST_OK,
        "spd_inverse: CPU");
  return outcome;
}

// norm1(I - M X)/(norm1(M) norm1(X) u), and both triangles equal.
void check_inverse(const Matrix& x, const std::vector<float>& out, int64_t ldo, bool doubles, const std::string& at) {
  double residual = 0, norm_m = 0, norm_x = 0;
  bool symmetric = true;
  for (int64_t j = 0; j < x.n; ++j) {
    double column = 0, column_m = 0, column_x = 0;
    for (int64_t i = 0; i < x.n; ++i) {
      double sum = i == j ? -1 : 0;
      for (int64_t k = 0; k < x.n; ++k) sum += x.damped(i, k, doubles) * static_cast<double>(out[static_cast<size_t>(k * ldo + j)]);
      column += std::fabs(sum);
      column_m += std::fabs(x.damped(i, j, doubles));
      column_x += std::fabs(static_cast<double>(out[static_cast<size_t>(i * ldo + j)]));
      symmetric = symmetric && out[static_cast<size_t>(i * ldo + j)] == out[static_cast<size_t>(j * ldo + i)];
    }
    residual = metaplast::testing::larger(residual, column);
    norm_m = metaplast::testing::larger(norm_m, column_m);
    norm_x = metaplast::testing::larger(norm_x, column_x);
  }
  const double gate = residual / (norm_m * norm_x * kUnit);
  // Below the normal range of float the rounding of the result weighs more.
  const bool normal = norm_x > static_cast<double>(std::numeric_limits<float>::min());
  check(gate <= (doubles && normal ? 1.5 : 10), "%s: residual %g of the bound's unit", at.c_str(), gate);
  check(symmetric, "%s: the triangles differ", at.c_str());
}

void check_variant(bool doubles) {
  const std::vector<Matrix> list = batch();
  const Outcome expected = run_cpu(list, doubles);
  const Outcome first = run_cuda(list, doubles, false, 0);
  for (size_t i = 0; i < list.size(); ++i) {
    const Matrix& x = list[i];
    const metaplast_spd_result_t &want = expected.results[i], &have = first.results[i];
    const std::string at = format("spd_inverse%s, matrix %zu, n %lld", doubles ? " in double" : "", i, static_cast<long long>(x.n));
    check(have.status == want.status, "%s: status %d, the CPU has %d", at.c_str(), have.status, want.status);
    check(have.index == want.index, "%s: index %lld, the CPU has %lld", at.c_str(), static_cast<long long>(have.index), static_cast<long long>(want.index));
    if (have.status == METAPLAST_SPD_OK && x.n > 0) {
      check_inverse(x, first.out[i], x.n + 2, doubles, at);
      check(have.cond1 > 0.99 * want.cond1 && have.cond1 < 1.01 * want.cond1, "%s: cond1 %g, the CPU has %g", at.c_str(), have.cond1, want.cond1);
      check(have.flags == want.flags, "%s: flags %d", at.c_str(), have.flags);
      check(have.residual >= 0 && have.residual <= 100 * want.residual + 1e-6, "%s: residual %g, the CPU has %g", at.c_str(), have.residual, want.residual);
    } else {
      check(std::all_of(first.out[i].begin(), first.out[i].end(), [](float v) { return v == kStale; }), "%s: written in spite of its status", at.c_str());
    }
    if (have.status > 0) check(have.pivot <= 8 * kUnit * std::fabs(x.damped(have.status - 1, have.status - 1, doubles)), "%s: pivot %g", at.c_str(), have.pivot);
  }
  // The bits depend on the matrix only: not on the order of threads, the place in the batch, the place of the result.
  std::vector<Matrix> reversed(list.rbegin(), list.rend());
  for_orders([&](int order, int64_t offset) {
    if (order > 5) return;
    const bool in_place = order % 2 == 1;
    const Outcome seen = run_cuda(reversed, doubles, in_place, offset);
    for (size_t i = 0; i < list.size(); ++i) {
      const size_t r = list.size() - 1 - i;
      const Matrix& x = list[i];
      const int64_t ldo = in_place ? x.ld : x.n + 2;
      bool same = std::memcmp(&seen.results[r], &first.results[i], sizeof(metaplast_spd_result_t)) == 0;
      const bool usable = first.results[i].status == METAPLAST_SPD_OK;
      for (int64_t a = 0; a < x.n; ++a) {
        for (int64_t b = 0; b < x.n; ++b) {
          const float was = usable ? first.out[i][static_cast<size_t>(a * (x.n + 2) + b)] : in_place ? x.m[static_cast<size_t>(a * x.ld + b)] : kStale;
          same = same && metaplast::testing::same(seen.out[r][static_cast<size_t>(a * ldo + b)], was);
        }
      }
      check(same, "spd_inverse, matrix %zu, n %lld, order %d: other bits", i, static_cast<long long>(x.n), order);
    }
  });
  for (size_t i = 0; i < list.size(); i += 3) {
    const Outcome alone = run_cuda({list[i]}, doubles, false, 1);
    check(std::memcmp(alone.out[0].data(), first.out[i].data(), alone.out[0].size() * 4) == 0 &&
              std::memcmp(&alone.results[0], &first.results[i], sizeof(metaplast_spd_result_t)) == 0,
          "spd_inverse, matrix %zu alone: other bits", i);
  }
}

}  // namespace

METAPLAST_SIMT_TEST(spd_inverse_f32) {
  check_variant(false);
  // More matrices than a grid dimension of 16 bits counts.
  constexpr int64_t kMany = 65537;
  Device<float> m(std::vector<float>(kMany, 4.0f)), out(std::vector<float>(kMany, 0.0f));
  Device<metaplast_spd_result_t> results{std::vector<metaplast_spd_result_t>(kMany)};
  std::vector<metaplast_spd_item_t> items;
  for (int64_t i = 0; i < kMany; ++i) items.push_back({m.data() + i, 1, out.data() + i, 1, 1, static_cast<double>(i % 5)});
  check(metaplast_spd_inverse_f32_cuda(cuda(), kMany, items.data(), 0.1, results.data(), nullptr, 0, nullptr) == METAPLAST_OK, "many matrices");
  const std::vector<float> seen = out.values();
  bool right = true;
  for (int64_t i = 0; i < kMany; ++i) right = right && std::fabs(seen[static_cast<size_t>(i)] * static_cast<float>(4 + i % 5) - 1.0f) < 1e-6f;
  check(right, "many matrices: a wrong inverse");
  // More large ones than a table of a launch holds.
  const Outcome large = run_cuda(std::vector<Matrix>(66, min_matrix(97)), false, false, 0);
  for (const std::vector<float>& x : large.out) check(x == large.out[0], "66 large matrices: other bits");
  check_inverse(min_matrix(97), large.out[65], 99, false, "the last of 66 large matrices");
  metaplast_spd_item_t none = {};
  check(metaplast_spd_inverse_f32_cuda(cuda(), 1, &none, -1.0, results.data(), nullptr, 0, nullptr) == METAPLAST_E_ARGUMENT, "negative tolerance");
}

METAPLAST_SIMT_TEST(spd_inverse_f64acc) { check_variant(true); }

namespace {

class InverseQueue {
 public:
  InverseQueue() { cuda()->inverse_variant = METAPLAST_CUDA_INVERSE_QUEUE; }
  ~InverseQueue() { cuda()->inverse_variant = METAPLAST_CUDA_INVERSE_LAUNCHES; }
  InverseQueue(const InverseQueue&) = delete;
  InverseQueue& operator=(const InverseQueue&) = delete;
};

void expect_same(const Outcome& seen, const Outcome& expected, const char* at) {
  check(seen.results.size() == expected.results.size() &&
            std::memcmp(seen.results.data(), expected.results.data(), seen.results.size() * sizeof(metaplast_spd_result_t)) == 0,
        "%s: other results", at);
  for (size_t i = 0; i < seen.out.size(); ++i) {
    check(seen.out[i].size() == expected.out[i].size() && (seen.out[i].empty() || std::memcmp(seen.out[i].data(), expected.out[i].data(), seen.out[i].size() * 4) == 0),
          "%s: matrix %zu has other bits", at, i);
  }
}

struct Item {
  int64_t matrix, stage, block;
};

// A list of inverses as the queue gets it.
template <class T>
struct Queue {
  using Kernel = simt::SpdQueue<T>;

  std::vector<std::unique_ptr<Device<float>>> m, out;
  std::vector<metaplast_spd_item_t> items;
  std::unique_ptr<Device<metaplast_spd_result_t>> results;
  std::unique_ptr<Device<char>> space;
  std::unique_ptr<typename Kernel::Args> args{new typename Kernel::Args()};

  explicit Queue(const std::vector<Matrix>& list) {
    for (const Matrix& x : list) {
      m.emplace_back(new Device<float>(x.m));
      out.emplace_back(new Device<float>(std::vector<float>(static_cast<size_t>(x.n * (x.n + 2)), kStale)));
      items.push_back({m.back()->data(), x.ld, out.back()->data(), x.n + 2, x.n, x.damping});
    }
    const int64_t count = static_cast<int64_t>(items.size());
    int64_t bytes = 0;
    check(metaplast::cuda_runtime::spd_group_end<T>(count, items.data(), 0, &bytes) == count, "one group");
    results.reset(new Device<metaplast_spd_result_t>(std::vector<metaplast_spd_result_t>(items.size(), metaplast_spd_result_t{-99, -99, -1, -1, -1, -1})));
    space.reset(new Device<char>(std::vector<char>(static_cast<size_t>(bytes))));
    metaplast::cuda_runtime::fill_spd_queue<T>(0, count, items.data(), 0.1, results->data(), space->data(), args.get());
  }
  Outcome outcome() {
    Outcome seen{{}, results->values()};
    for (auto& x : out) seen.out.push_back(x->values());
    return seen;
  }
  int64_t blocks(int64_t matrix, int64_t stage) const { return simt::SpdStages<T>::of(args->large[matrix].n, stage).blocks; }
};

// What the kernels below work on.
template <class T>
const typename simt::SpdQueue<T>::Args* g_args = nullptr;
std::vector<Item> g_items;
std::vector<unsigned long long> g_needed;

// A block of the launch.
template <class T>
void run_block(const void*) {
  simt::SpdQueue<T>::run(*g_args<T>);
}

// All items in the order of g_items, by one block.
template <class T>
void run_items(const void*) {
  for (const Item& item : g_items) {
    __syncthreads();
    if (item.stage >= 0) {
      simt::SpdQueue<T>::work(*g_args<T>, item.matrix, item.stage, item.block);
    } else {
      simt::SpdQueue<T>::work_small(*g_args<T>, item.matrix);
    }
  }
}

// All tickets, by one warp.
template <class T>
void find_items(const void*) {
  typename simt::SpdQueue<T>::Told* const told = simt::shared_memory<typename simt::SpdQueue<T>::Told>();
  typename simt::SpdQueue<T>::Cursor cursor;
  for (int64_t ticket = 0;; ++ticket) {
    if (threadIdx.x == 0) told->matrix = -1;
    __syncwarp();
    cursor.find(*g_args<T>, ticket, told);
    __syncwarp();
    if (told->matrix < 0) return;
    if (threadIdx.x == 0) {
      g_items.push_back({told->matrix, told->stage, told->block});
      g_needed.push_back(told->needed);
    }
    __syncwarp();
  }
}

// Matrices at random, their stages in order, the blocks of a stage and the small matrices at random.
template <class T>
std::vector<Item> drawn_order(const Queue<T>& queue, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::vector<Item>> left;
  for (int64_t i = 0; i < queue.args->tiled; ++i) {
    left.emplace_back();
    for (int64_t s = 0; s < simt::SpdStages<T>::count(queue.args->large[i].tiles()); ++s) {
      const size_t first = left.back().size();
      for (int64_t b = 0; b < queue.blocks(i, s); ++b) left.back().push_back({i, s, b});
      std::shuffle(left.back().begin() + static_cast<std::ptrdiff_t>(first), left.back().end(), random);
    }
    std::reverse(left.back().begin(), left.back().end());
  }
  for (int64_t i = 0; i < simt::SpdQueue<T>::small_items(queue.args->small, queue.args->whole); ++i) left.push_back({{i, -1, 0}});
  std::vector<Item> order;
  while (!left.empty()) {
    const size_t pick = random() % left.size();
    order.push_back(left[pick].back());
    left[pick].pop_back();
    if (left[pick].empty()) left.erase(left.begin() + static_cast<std::ptrdiff_t>(pick));
  }
  return order;
}

template <class T>
void check_queue() {
  const bool doubles = sizeof(T) == 8;
  const std::vector<Matrix> list = batch();
  const Outcome expected = run_cuda(list, doubles, false, 0);
  // One launch, whatever the order of threads and blocks.
  for (int order = 0; order < 4; ++order) {
    shim::set_order(order);
    const InverseQueue on;
    const int64_t launches = shim::statistics().launches;
    expect_same(run_cuda(list, doubles, false, order), expected, "queue");
    check(shim::statistics().launches == launches + 1, "one launch");
  }
  shim::set_order(0);
  {
    const InverseQueue on;
    for (size_t i = 0; i < list.size(); i += 4) {
      expect_same(run_cuda({list[i]}, doubles, false, 1), {{expected.out[i]}, {expected.results[i]}}, "queue of one matrix");
    }
  }
  // Items in any order that the stages allow.
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    Queue<T> queue(list);
    g_args<T> = queue.args.get();
    g_items = drawn_order(queue, seed);
    shim::set_order(static_cast<int>(seed));
    const char* failure = shim::run({1, 1, 1}, {simt::SpdQueue<T>::kThreads, 1, 1}, simt::SpdQueue<T>::shared_bytes(), run_items<T>, nullptr);
    check(failure == nullptr, "drawn order: %s", failure == nullptr ? "" : failure);
    expect_same(queue.outcome(), expected, "drawn order");
  }
  shim::set_order(0);
  // Blocks side by side, each on an OS thread, which wait for each other.
  {
    Queue<T> queue(list);
    g_args<T> = queue.args.get();
    *queue.args->progress = {};
    shim::allow_waiting(true);
    const int64_t waits = shim::statistics().waits;
    std::vector<std::thread> blocks;
    std::atomic<int> failures{0};
    for (int b = 0; b < 5; ++b) {
      blocks.emplace_back([&] {
        failures += shim::run({1, 1, 1}, {simt::SpdQueue<T>::kThreads, 1, 1}, simt::SpdQueue<T>::shared_bytes(), run_block<T>, nullptr) == nullptr ? 0 : 1;
      });
    }
    for (std::thread& block : blocks) block.join();
    shim::allow_waiting(false);
    check(failures == 0 && shim::statistics().waits > waits, "blocks side by side: %d failed, %lld waits", failures.load(),
          static_cast<long long>(shim::statistics().waits - waits));
    expect_same(queue.outcome(), expected, "blocks side by side");
  }
  // Tickets: every item once; those of the stages before have smaller tickets, and are what the item waits for; the largest matrix first.
  Queue<T> queue(list);
  g_args<T> = queue.args.get();
  g_items.clear();
  g_needed.clear();
  const char* failure = shim::run({1, 1, 1}, {32, 1, 1}, simt::SpdQueue<T>::shared_bytes(), find_items<T>, nullptr);
  check(failure == nullptr, "tickets: %s", failure == nullptr ? "" : failure);
  std::vector<std::vector<int64_t>> seen(static_cast<size_t>(queue.args->tiled));  // items of every stage
  Item last{-1, 0, -1};
  for (size_t i = 0; i < g_items.size(); ++i) {
    const Item& item = g_items[i];
    std::vector<int64_t>& stages = seen[static_cast<size_t>(item.matrix)];
    stages.resize(static_cast<size_t>(simt::SpdStages<T>::count(queue.args->large[item.matrix].tiles())), 0);
    int64_t before = 0;
    for (int64_t s = 0; s < item.stage; ++s) before += queue.blocks(item.matrix, s);
    const int64_t taken = std::accumulate(stages.begin(), stages.begin() + static_cast<std::ptrdiff_t>(item.stage), int64_t{0});
    check(before == taken && g_needed[i] == static_cast<unsigned long long>(before) && item.block == stages[static_cast<size_t>(item.stage)], "ticket %zu", i);
    check(item.stage > last.stage || item.matrix > last.matrix || (item.matrix == last.matrix && item.block == last.block + 1), "order of ticket %zu", i);
    ++stages[static_cast<size_t>(item.stage)];
    last = item;
  }
  for (int64_t i = 0; i < queue.args->tiled; ++i) {
    check(i == 0 || queue.args->large[i - 1].n >= queue.args->large[i].n, "the largest first");
    for (size_t s = 0; s < seen[static_cast<size_t>(i)].size(); ++s) {
      check(seen[static_cast<size_t>(i)][s] == queue.blocks(i, static_cast<int64_t>(s)), "items of stage %zu", s);
    }
  }
  check(queue.args->tiled > 5 && queue.args->whole >= 3 && queue.args->small > queue.args->whole + 10, "all three classes");
}

}  // namespace

// The bits of the launches, in one launch.
METAPLAST_SIMT_TEST(spd_inverse_queue) {
  check_queue<float>();
  check_queue<double>();
  // More matrices than a launch takes, with and without large ones.
  for (const int64_t n : {97, 2}) {
    const std::vector<Matrix> many(n == 97 ? 130 : 300, min_matrix(n));
    const Outcome expected = run_cuda({many[0]}, false, false, 0);
    const InverseQueue on;
    const Outcome seen = run_cuda(many, false, false, 0);
    for (size_t i = 0; i < many.size(); ++i) check(seen.out[i] == expected.out[0], "matrix %zu of many", i);
  }
  // The test at start-up.
  metaplast_cuda_context_t context;
  check(metaplast::cuda_runtime::choose_inverse_variant(&context) == METAPLAST_OK && context.inverse_variant == METAPLAST_CUDA_INVERSE_QUEUE &&
            context.inverse_failed == METAPLAST_CUDA_INVERSE_LAUNCHES,
        "passes");
  metaplast_cuda_context_t without;
  shim::fail_allocation(1);
  check(metaplast::cuda_runtime::choose_inverse_variant(&without) == METAPLAST_OK && without.inverse_variant == METAPLAST_CUDA_INVERSE_LAUNCHES, "no memory");
  shim::inject(1, false);
  check(metaplast::cuda_runtime::choose_inverse_variant(&without) == METAPLAST_OK && without.inverse_variant == METAPLAST_CUDA_INVERSE_LAUNCHES &&
            without.inverse_failed == METAPLAST_CUDA_INVERSE_QUEUE,
        "a launch fails");
  shim::inject(0, false);
}
