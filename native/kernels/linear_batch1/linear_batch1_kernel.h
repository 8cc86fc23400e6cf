// Batch-1 Bayesian linear layer, on ranges of rows (forward) and on blocks of rows and columns (backward and update).
#include "kernels/gaussian_update/gaussian_update_math.h"
#include "runtime/kernel_table.h"
#include "runtime/math/gaussian.h"
#include "runtime/math/r16.h"
#if defined(__AVX512F__)
#include "runtime/math/gaussian_turns.h"
#endif

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

// R16 of w*x over one chunk of a row.
METAPLAST_HD float dot_chunk(int64_t n, const float* mu, const float* sigma, const float* z, const float* x) {
  return r16_chunk(n, [=](int64_t i, int64_t lanes) {
    const F w = add(load_lanes(mu + i, lanes), mul(load_lanes(sigma + i, lanes), load_lanes(z + i, lanes)));
    return mul(w, load_lanes(x + i, lanes));
  });
}

// Rows row .. row+rows-1 of one sample, epsilon consumed as it is made: the dot products hide behind the random numbers. For in a multiple of 16
// up to one R16 chunk, so that no vector crosses a row. A function of its own, or the compiler spills the generator's constants.
template <bool kStore>
__attribute__((noinline)) void dot_rows_fused(const RandomStream& stream, int64_t row, int64_t rows, int64_t in, const float* mu,
                                              const float* sigma, const float* x, float* eps, float* dots) {
  constexpr int kVectors = kR16Lanes / W;
  R16Lanes sum;
  for (int q = 0; q < kVectors; ++q) sum.lane[q] = set(-0.0f);
  int64_t column = 0;
  for_gaussians(stream, static_cast<uint64_t>(row * in), rows * in, [&](int64_t i, F z, int64_t) {
    if (kStore) store(eps + i, z);
    const F w = add(load(mu + i), mul(load(sigma + i), z));
    const int q = kVectors == 1 ? 0 : static_cast<int>(column / W % kVectors);
    sum.lane[q] = add(sum.lane[q], mul(w, load(x + column)));
    column += W;
    if (column == in) {
      *dots++ = r16_fold(sum);
      for (int p = 0; p < kVectors; ++p) sum.lane[p] = set(-0.0f);
      column = 0;
    }
  });
}

#if defined(__AVX512F__)
// Samples by tens, which share what two Philox rounds make of the weights' numbers. Few groups of 64 weights at a time: the epsilon of this run and
// of the one before, whose dot products come next, stays in the L1 cache.
constexpr int64_t kRunGroups = 4;
constexpr int32_t kRunSamples = 10;

struct ForwardRun {
  float* eps[kRunSamples];  // of the run's first weight
  F sum[kRunSamples];       // of the row begun
};

// n weights (a multiple of 16) that begin at `column` of a row; finish(row, k, sum) at the end of each row.
template <class Finish>
METAPLAST_HD void dot_run(ForwardRun* run, int64_t n, int64_t in, const float* mu, const float* sigma, const float* x, int64_t* row,
                          int64_t* column, Finish finish) {
  int64_t i = 0;
  while (i < n) {
    const int64_t span = n - i < in - *column ? n - i : in - *column;
    F sum[kRunSamples];
    const float* z[kRunSamples];
    for (int k = 0; k < kRunSamples; ++k) {
      sum[k] = run->sum[k];
      z[k] = run->eps[k] + i;
    }
    for (int64_t v = 0; v < span; v += W) {
      const F m = load(mu + i + v), s = load(sigma + i + v), xv = load(x + *column + v);
      for (int k = 0; k < kRunSamples; ++k) sum[k] = add(sum[k], mul(add(m, mul(s, load(z[k] + v))), xv));
    }
    i += span;
    *column += span;
    const bool row_ends = *column == in;
    for (int k = 0; k < kRunSamples; ++k) {
      if (row_ends) finish(*row, k, r16_fold(R16Lanes{{sum[k]}}));
      run->sum[k] = row_ends ? set(-0.0f) : sum[k];
    }
    if (row_ends) {
      *column = 0;
      ++*row;
    }
  }
}

// finish(row, k, sum) for rows row_begin .. row_end-1 and samples 0 .. samples-1, a multiple of ten, all of input x. For in a multiple of 16 up to one
// R16 chunk, so that no vector crosses a row, and blocks whose counters have the same upper word. The dot products of a run come one run later,
// because its last turns end there.
template <class Finish>
__attribute__((noinline)) void forward_in_turns(int64_t rows, int64_t in, int64_t row_begin, int64_t row_end, uint32_t tensor,
                                                const float* mu, const float* sigma, const float* x, int32_t samples, uint64_t seed, uint32_t step,
                                                float* eps, Finish finish) {
  constexpr int64_t kRunWeights = kRunGroups * kTurnElements;
  const int64_t begin = row_begin * in, end = row_end * in;
  const uint32_t high = static_cast<uint32_t>(static_cast<uint64_t>(begin) >> 34);
  const PhiloxSetup setup = philox_setup({seed, 0, step}, high);
  const TurnKeys keys = turn_keys(setup);
  TurnCounters counters[kRunGroups];
  TurnStream streams[kRunSamples];
  Turn turns[kTurnsUnderWay + kRunGroups * kRunSamples];
  TurnPipeline pipeline{};
  alignas(64) float scratch[2][kRunSamples][kRunWeights], overwritten[kTurnElements];
  char* under_way[kTurnsUnderWay];
  const auto advance = [&](Turn* list, int64_t n, void* base) {
    for (int i = 0; i < kTurnsUnderWay; ++i) list[i].z = reinterpret_cast<intptr_t>(under_way[i]) - reinterpret_cast<intptr_t>(base);
    gaussian_turns(list + kTurnsUnderWay, n, keys, base, &pipeline);
    for (int i = 0; i < kTurnsUnderWay; ++i) under_way[i] = static_cast<char*>(base) + list[n + i].z;
  };
  for (int i = 0; i < kTurnsUnderWay; ++i) under_way[i] = reinterpret_cast<char*>(overwritten);
  for (int32_t first = 0; first < samples; first += kRunSamples) {
    ForwardRun run;
    for (int32_t k = 0; k < kRunSamples; ++k) {
      streams[k] = turn_stream(philox_setup({seed, tensor * 256 + static_cast<uint32_t>(first + k), step}, high));
      run.sum[k] = set(-0.0f);
    }
    int64_t row = row_begin, column = 0, listed_pitch = 0;
    float* last_base = nullptr;
    int64_t last_pitch = 0;
    const auto dot = [&](int64_t e, int64_t n) {
      for (int32_t k = 0; k < kRunSamples; ++k) run.eps[k] = last_base + k * last_pitch;
      dot_run(&run, n, in, mu + e, sigma + e, x, &row, &column, [=](int64_t o, int32_t k, float sum) { finish(o, first + k, sum); });
    };
    int64_t e = begin;
    for (int which = 0; e < end; e += kRunWeights, which ^= 1) {
      const int64_t n = end - e < kRunWeights ? end - e : kRunWeights;
      const int64_t groups = (n + kTurnElements - 1) / kTurnElements;
      // A range that ends inside a group must not write what follows it.
      const bool direct = eps != nullptr && n % kTurnElements == 0;
      float* base = direct ? eps + first * rows * in + e : scratch[which][0];
      const int64_t pitch = direct ? rows * in : kRunWeights;
      if (pitch != listed_pitch) {
        Turn* turn = turns + kTurnsUnderWay;
        for (int64_t g = 0; g < kRunGroups; ++g) {
          for (int32_t k = 0; k < kRunSamples; ++k) {
            *turn++ = {&counters[g], &streams[k], static_cast<intptr_t>(sizeof(float)) * (k * pitch + g * kTurnElements)};
          }
        }
        listed_pitch = pitch;
      }
      for (int64_t g = 0; g < groups; ++g) {
        turn_counters(setup, static_cast<uint32_t>(static_cast<uint64_t>(e + g * kTurnElements) >> 2), &counters[g]);
      }
      if (e > begin) {
        for (int64_t i = e - kRunWeights; i < e; i += W) {
          __builtin_prefetch(mu + i);
          __builtin_prefetch(sigma + i);
        }
      }
      advance(turns, groups * kRunSamples, base);
      if (e > begin) dot(e - kRunWeights, kRunWeights);
      last_base = base;
      last_pitch = pitch;
    }
    Turn drain[2 * kTurnsUnderWay];
    for (Turn& turn : drain) turn = {counters, streams, 0};
    advance(drain, kTurnsUnderWay, overwritten);
    if (e == begin) continue;
    const int64_t last = e - kRunWeights, n = end - last;
    dot(last, n);
    if (eps != nullptr && n % kTurnElements != 0) {
      for (int32_t k = 0; k < kRunSamples; ++k) {
        memcpy(eps + (first + k) * rows * in + last, last_base + k * last_pitch, static_cast<size_t>(n) * sizeof(float));
      }
    }
  }
}
#endif

}  // namespace

// y[k][o] for rows row_begin <= o < row_end. eps null or [samples][rows*in].
void linear_forward(int64_t rows, int64_t in, int64_t row_begin, int64_t row_end, uint32_t tensor, const float* mu, const float* sigma,
                    const float* x, int64_t x_stride, int32_t samples, uint64_t seed, uint32_t step, bool relu, float* eps,
                    float* y) noexcept {
  constexpr int64_t kFusedWeights = 16384;
  const bool fused = W > 1 && in <= kR16Chunk && in % kR16Lanes == 0 && in > 0;
  int32_t first_sample = 0;
#if defined(__AVX512F__)
  const uint64_t first_block = static_cast<uint64_t>(row_begin * in) >> 2, blocks = static_cast<uint64_t>((row_end - row_begin) * in) >> 2;
  // Groups of 64 may reach beyond the range.
  const bool one_counter = static_cast<uint32_t>(first_block) <= 0xffffffffu - 16 && blocks < 0xffffffffu - 16 - static_cast<uint32_t>(first_block);
  if (fused && x_stride == 0 && samples >= kRunSamples && one_counter) {
    first_sample = samples / kRunSamples * kRunSamples;
    forward_in_turns(rows, in, row_begin, row_end, tensor, mu, sigma, x, first_sample, seed, step, eps,
                     [=](int64_t row, int32_t k, float sum) { y[k * rows + row] = relu ? (sum > 0 ? sum : 0.0f) : sum; });
  }
#endif
  float scratch[kR16Chunk], dots[kFusedWeights / kR16Lanes];
  const int64_t block_rows = linear_block_rows(in, fused ? kFusedWeights : kR16Chunk);
  for (int64_t o = row_begin; o < row_end; o += block_rows) {
    const int64_t block = row_end - o < block_rows ? row_end - o : block_rows;
    for (int32_t k = first_sample; k < samples; ++k) {
      const uint32_t stream = tensor * 256 + static_cast<uint32_t>(k);
      const float* xk = x + k * x_stride;
      float* stored = eps == nullptr ? nullptr : eps + k * rows * in + o * in;
      const auto finish = [=](int64_t row, float sum) { y[k * rows + row] = relu ? (sum > 0 ? sum : 0.0f) : sum; };
      if (fused) {
        const RandomStream random{seed, stream, step};
        if (stored != nullptr) {
          dot_rows_fused<true>(random, o, block, in, mu + o * in, sigma + o * in, xk, stored, dots);
        } else {
          dot_rows_fused<false>(random, o, block, in, mu + o * in, sigma + o * in, xk, nullptr, dots);
        }
        for (int64_t b = 0; b < block; ++b) finish(o + b, dots[b]);
      } else if (in <= kR16Chunk) {
        float* z = stored != nullptr ? stored : scratch;
        gaussian(seed, stream, step, static_cast<uint64_t>(o * in), block * in, z);
        for (int64_t b = 0; b < block; ++b) {
          const int64_t w = (o + b) * in;
          finish(o + b, in > 0 ? dot_chunk(in, mu + w, sigma + w, z + b * in, xk) : 0.0f);
        }
      } else {
        R16Chunks sum;
        for (int64_t c = 0; c < in; c += kR16Chunk) {
          const int64_t n = in - c < kR16Chunk ? in - c : kR16Chunk;
          float* z = stored != nullptr ? stored + c : scratch;
          gaussian(seed, stream, step, static_cast<uint64_t>(o * in + c), n, z);
          sum.push(dot_chunk(n, mu + o * in + c, sigma + o * in + c, z, xk + c));
        }
        finish(o, sum.finish());
      }
    }
  }
}

namespace {

struct ActiveSample {
  float delta;
  int32_t k;
};

template <int kRule, bool kClips>
int64_t step_block(const LinearStep& l, int64_t row_begin, int64_t row_end, int64_t column_begin, int64_t column_end) {
  constexpr int64_t kColumns = 1024;
  const RuleLanes r = rule_lanes(*l.row);
  const int64_t count = l.rows * l.in;
  ActiveSample active[256];
  float g_mu[kColumns], g_sigma[kColumns], z[kColumns];
  int64_t bad = 0;
  const auto update = [&](int64_t e, int64_t lanes, F gm, F gs) {
    F m = load_lanes(l.mu + e, lanes);
    F s = load_lanes(l.sigma + e, lanes);
    if (kRule == METAPLAST_RULE_MESU && l.low != nullptr) {
      F low = load_lanes(l.low + e, lanes);
      mesu_update_compensated<kClips>(r, &m, &s, &low, gm, gs);
      store_lanes(l.low + e, low, lanes);
    } else {
      gaussian_update_lanes<kRule, kClips>(r, &m, &s, gm, gs);
    }
    store_lanes(l.mu + e, m, lanes);
    store_lanes(l.sigma + e, s, lanes);
    bad += not_positive(s, lanes);
  };
  // Where the order of rows is free, the last ones come first: the forward pass has left their epsilon in the cache.
  const bool backwards = l.dx == nullptr;
  for (int64_t row = row_begin; row < row_end; ++row) {
    const int64_t o = backwards ? row_end - 1 - (row - row_begin) : row;
    int32_t actives = 0;
    for (int32_t k = 0; k < l.samples; ++k) {
      const float d = l.delta[k * l.rows + o];
      const bool masked = l.active != nullptr && !(l.active[k * l.rows + o] > 0);
      if (!masked && d != 0) active[actives++] = {d, k};  // NaN is not 0: it counts
    }
    for (int64_t c = column_begin; c < column_end; c += kColumns) {
      const int64_t n = column_end - c < kColumns ? column_end - c : kColumns;
      const int64_t e = o * l.in + c;
      if (l.eps != nullptr && l.dx == nullptr) {
        // Everything of a weight stays in registers. Blocks of vectors, so that each sample's epsilon is read in runs and the samples' chains of
        // additions overlap.
        constexpr int64_t kVectors = W == 1 ? 1 : 8;
        int64_t i = 0;
        for (; i + kVectors * W <= n; i += kVectors * W) {
          F gm[kVectors], gs[kVectors];
          for (int v = 0; v < kVectors; ++v) gm[v] = gs[v] = set(0.0f);
          for (int32_t a = 0; a < actives; ++a) {
            const F delta = set(active[a].delta);
            const float* x = l.x + active[a].k * l.x_stride + c + i;
            const float* eps = l.eps + active[a].k * count + e + i;
            for (int v = 0; v < kVectors; ++v) {
              const F d = mul(delta, load(x + v * W));
              gm[v] = add(gm[v], d);
              gs[v] = add(gs[v], mul(d, load(eps + v * W)));
            }
          }
          for (int v = 0; v < kVectors; ++v) update(e + i + v * W, static_cast<int64_t>(W), gm[v], gs[v]);
        }
        for (; i < n; i += W) {
          const int64_t lanes = n - i < W ? n - i : W;
          F gm = set(0.0f), gs = set(0.0f);
          for (int32_t a = 0; a < actives; ++a) {
            const F d = mul(set(active[a].delta), load_lanes(l.x + active[a].k * l.x_stride + c + i, lanes));
            gm = add(gm, d);
            gs = add(gs, mul(d, load_lanes(l.eps + active[a].k * count + e + i, lanes)));
          }
          update(e + i, lanes, gm, gs);
        }
        continue;
      }
      for_vectors(n, [&](int64_t i, int64_t lanes) {
        store_lanes(g_mu + i, set(0.0f), lanes);
        store_lanes(g_sigma + i, set(0.0f), lanes);
      });
      for (int32_t a = 0; a < actives; ++a) {
        const int32_t k = active[a].k;
        const float* eps = l.eps != nullptr ? l.eps + k * count + e : z;
        if (l.eps == nullptr) {
          gaussian(l.seed, l.tensor * 256 + static_cast<uint32_t>(k), l.step, static_cast<uint64_t>(e), n, z);
        }
        const F delta = set(active[a].delta);
        const float* x = l.x + k * l.x_stride + c;
        float* dx = l.dx == nullptr ? nullptr : l.dx + k * l.in + c;
        for_vectors(n, [&](int64_t i, int64_t lanes) {
          const F epsilon = load_lanes(eps + i, lanes);
          const F d = mul(delta, load_lanes(x + i, lanes));
          store_lanes(g_mu + i, add(load_lanes(g_mu + i, lanes), d), lanes);
          store_lanes(g_sigma + i, add(load_lanes(g_sigma + i, lanes), mul(d, epsilon)), lanes);
          if (dx != nullptr) {
            const F w = add(load_lanes(l.mu + e + i, lanes), mul(load_lanes(l.sigma + e + i, lanes), epsilon));
            store_lanes(dx + i, add(load_lanes(dx + i, lanes), mul(delta, w)), lanes);
          }
        });
      }
      for_vectors(n, [&](int64_t i, int64_t lanes) { update(e + i, lanes, load_lanes(g_mu + i, lanes), load_lanes(g_sigma + i, lanes)); });
    }
  }
  return bad;
}

}  // namespace

// Rows row_begin..row_end-1, columns column_begin..column_end-1. dx, where wanted, must be zero in these columns before the first row, and rows must
// come in ascending order.
void linear_step(const LinearStep* step, int64_t row_begin, int64_t row_end, int64_t column_begin, int64_t column_end,
                 int64_t* not_positive_count) noexcept {
  const LinearStep& l = *step;
  int64_t bad;
  if (l.rule == METAPLAST_RULE_MESU_RATIO) {
    bad = step_block<METAPLAST_RULE_MESU_RATIO, false>(l, row_begin, row_end, column_begin, column_end);
  } else if (l.rule == METAPLAST_RULE_BGD) {
    bad = step_block<METAPLAST_RULE_BGD, false>(l, row_begin, row_end, column_begin, column_end);
  } else if (l.row->clamp > 0) {
    bad = step_block<METAPLAST_RULE_MESU, true>(l, row_begin, row_end, column_begin, column_end);
  } else {
    bad = step_block<METAPLAST_RULE_MESU, false>(l, row_begin, row_end, column_begin, column_end);
  }
  *not_positive_count += bad;
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
