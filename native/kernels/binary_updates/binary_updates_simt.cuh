// EWC on binary weights, relaxed samples, BiMU, BayesBiNN. Contracts: metaplast/binary.h.
#ifndef METAPLAST_KERNELS_BINARY_UPDATES_SIMT_CUH_
#define METAPLAST_KERNELS_BINARY_UPDATES_SIMT_CUH_

#include "metaplast/binary.h"
#include "runtime/cuda/bit_matrix.h"

namespace metaplast {
namespace simt {

struct BinaryEwcConsolidate {
  static constexpr int kBits = 0;
  struct Values {
    bool bit;
    float fisher, total, target;
  };
  int64_t cols;
  const uint64_t* packed;
  const float* fisher;
  float *total, *target;

  METAPLAST_DEVICE uint64_t* bits(int) const { return nullptr; }
  METAPLAST_DEVICE void load(int64_t row, int64_t col, Values* v) const {
    const int64_t i = row * cols + col;
    *v = {bit_at(packed, bit_row_words(cols), row, col), fisher[i], total[i], target[i]};
  }
  METAPLAST_DEVICE unsigned apply(Values* v) const {
    v->total = add(v->total, v->fisher);
    v->target = add(v->target, signed_by(v->bit, v->fisher));
    return 0;
  }
  METAPLAST_DEVICE void store(int64_t row, int64_t col, const Values& v) const {
    const int64_t i = row * cols + col;
    total[i] = v.total;
    target[i] = v.target;
  }
};

struct BinaryEwcGrad {
  static constexpr int kBits = 0;
  struct Values {
    bool bit;
    float total, target, g;
  };
  int64_t cols;
  const uint64_t* packed;
  const float *total, *target;
  float lambda;
  float* g;

  METAPLAST_DEVICE uint64_t* bits(int) const { return nullptr; }
  METAPLAST_DEVICE void load(int64_t row, int64_t col, Values* v) const {
    const int64_t i = row * cols + col;
    *v = {bit_at(packed, bit_row_words(cols), row, col), total[i], target[i], g[i]};
  }
  METAPLAST_DEVICE unsigned apply(Values* v) const {
    v->g = add(v->g, mul(lambda, sub(signed_by(v->bit, v->total), v->target)));
    return 0;
  }
  METAPLAST_DEVICE void store(int64_t row, int64_t col, const Values& v) const { g[row * cols + col] = v.g; }
};

// Four weights a thread: one Philox block.
struct RelaxedSignSample {
  static constexpr int kThreads = 256;

  struct Args {
    RandomStream stream;
    int64_t n;
    const float* l;
    float inverse_temperature;
    float* w;
    int32_t aligned;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const Tile<1> t(static_cast<int64_t>(blockIdx.x), a.n, a.aligned != 0);
    const Four l = load_group(t.whole, a.l + t.element[0], t.valid[0]);
    uint32_t word[4];
    philox_block(a.stream, static_cast<uint64_t>(t.element[0]) >> 2, word);
    Four w;
    METAPLAST_UNROLL
    for (int j = 0; j < 4; ++j) {
      const float u = uniform_of_word(word[j]);
      const float logit = mul(0.5f, sub(ln32(u), ln32(sub(1.0f, u))));
      w.v[j] = tanh32(mul(add(l.v[j], logit), a.inverse_temperature));
    }
    store_group(t.whole, a.w + t.element[0], w, t.valid[0]);
  }
};

// Opens the gate (a word of the report) when some |g| > 0; counts NaN.
struct BimuGate {
  static constexpr int kThreads = 256;
  static constexpr int kElementsPerThread = 8;

  struct Args {
    int64_t n;
    const float* g;
    int64_t* report;
    int32_t aligned;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    constexpr int kGroups = kElementsPerThread / 4;
    const Tile<kGroups> t(static_cast<int64_t>(blockIdx.x), a.n, a.aligned != 0);
    bool open = false;
    unsigned nans = 0;
    METAPLAST_UNROLL
    for (int u = 0; u < kGroups; ++u) {
      const Four g = load_group(t.whole, a.g + t.element[u], t.valid[u]);
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) {
        open = open || absolute(g.v[j]) > 0.0f;
        nans += is_nan(g.v[j]) ? 1u : 0u;
      }
    }
    if (__syncthreads_or(open ? 1 : 0) != 0 && threadIdx.x == 0) {
      atomicOr(reinterpret_cast<unsigned long long*>(a.report + METAPLAST_REPORT_GATE_OPEN), 1ull);
    }
    add_count(a.report + METAPLAST_REPORT_NAN_GRADIENTS, nans);
  }
};

struct BimuStep {
  static constexpr int kThreads = 256;
  static constexpr int kElementsPerThread = 4;

  struct Args {
    int64_t n;
    float* l;
    const float* g;
    float rate, inverse_rate_max, like, kl, inverse_window;
    int32_t gated;
    int64_t* report;  // null unless gated or asked for
    int32_t aligned;
  };

  static METAPLAST_DEVICE float step(const Args& a, float l, float g, int* bad) {
    const float th = tanh32(l);
    const float e = exp32(mul(-2.0f, absolute(l)));
    const float one_e = add(1.0f, e);
    const float f = div(mul(4.0f, e), mul(one_e, one_e));
    const float ic = mul(a.kl, f);
    const float p = mul(a.like, g);
    const float s = add(ic, mul(2.0f, mul(p, th)));
    const float den = add(s, add(mul(2.0f, absolute(p)), a.inverse_rate_max));
    *bad += den > 0.0f ? 0 : 1;
    const float q = mul(mul(l, ic), a.inverse_window);
    return sub(l, div(add(mul(a.rate, p), q), den));
  }

  static METAPLAST_DEVICE void run(const Args& a) {
    if (a.gated != 0 && a.report[METAPLAST_REPORT_GATE_OPEN] == 0) return;
    const Tile<1> t(static_cast<int64_t>(blockIdx.x), a.n, a.aligned != 0);
    Four l = load_group(t.whole, a.l + t.element[0], t.valid[0]);
    const Four g = load_group(t.whole, a.g + t.element[0], t.valid[0]);
    int bad = 0;
    METAPLAST_UNROLL
    for (int j = 0; j < 4; ++j) {
      int not_positive = 0;
      l.v[j] = step(a, l.v[j], g.v[j], &not_positive);
      bad += j < t.valid[0] ? not_positive : 0;
    }
    store_group(t.whole, a.l + t.element[0], l, t.valid[0]);
    if (a.report != nullptr) add_count(a.report + METAPLAST_REPORT_SIGMA_NOT_POSITIVE, static_cast<unsigned>(bad));
  }
};

struct BayesBinnStep {
  static constexpr int kThreads = 256;
  static constexpr int kElementsPerThread = 4;

  struct Args {
    int64_t n;
    float *l, *mom;
    const float *w, *g;  // [samples][n]
    int32_t samples;
    float inverse_temperature, likelihood, prior, prior_weight, momentum, fresh, rate;
    int32_t aligned;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const Tile<1> t(static_cast<int64_t>(blockIdx.x), a.n, a.aligned != 0);
    const int64_t element = t.element[0];
    const int valid = t.valid[0];
    Four l = load_group(t.whole, a.l + element, valid), mom = load_group(t.whole, a.mom + element, valid);
    Four scale, sum = {{-0.0f, -0.0f, -0.0f, -0.0f}};  // the first term added to -0 is that term
    METAPLAST_UNROLL
    for (int j = 0; j < 4; ++j) {
      const float th = tanh32(l.v[j]);
      scale.v[j] = add(sub(1.0f, mul(th, th)), 1e-10f);
    }
    for (int k = 0; k < a.samples; ++k) {
      const Four w = load_group(t.whole, a.w + k * a.n + element, valid), g = load_group(t.whole, a.g + k * a.n + element, valid);
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) {
        float c = add(sub(1.0f, mul(w.v[j], w.v[j])), 1e-10f);
        c = div(mul(c, a.inverse_temperature), scale.v[j]);
        sum.v[j] = add(sum.v[j], mul(c, g.v[j]));
      }
    }
    METAPLAST_UNROLL
    for (int j = 0; j < 4; ++j) {
      const float s = add(mul(a.likelihood, sum.v[j]), mul(a.prior_weight, sub(l.v[j], a.prior)));
      mom.v[j] = add(mul(a.momentum, mom.v[j]), mul(a.fresh, s));
      l.v[j] = sub(l.v[j], mul(a.rate, mom.v[j]));
    }
    store_group(t.whole, a.l + element, l, valid);
    store_group(t.whole, a.mom + element, mom, valid);
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_BINARY_UPDATES_SIMT_CUH_
