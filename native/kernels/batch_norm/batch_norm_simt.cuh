// Batch norm of fp32 or int32 values, with signs and straight-through masks. Contracts: metaplast/binary.h.
#ifndef METAPLAST_KERNELS_BATCH_NORM_SIMT_CUH_
#define METAPLAST_KERNELS_BATCH_NORM_SIMT_CUH_

#include "runtime/cuda/bit_matrix.h"
#include "runtime/cuda/r16_simt.h"

namespace metaplast {
namespace simt {

// Double precision, each operation rounded once.
#if defined(__CUDA_ARCH__)
METAPLAST_DEVICE double dadd(double a, double b) { return __dadd_rn(a, b); }
METAPLAST_DEVICE double dmul(double a, double b) { return __dmul_rn(a, b); }
METAPLAST_DEVICE double ddiv(double a, double b) { return __ddiv_rn(a, b); }
METAPLAST_DEVICE double dsqrt(double a) { return __dsqrt_rn(a); }
#else
METAPLAST_DEVICE double dadd(double a, double b) { return a + b; }
METAPLAST_DEVICE double dmul(double a, double b) { return a * b; }
METAPLAST_DEVICE double ddiv(double a, double b) { return a / b; }
METAPLAST_DEVICE double dsqrt(double a) { return ::sqrt(a); }
#endif

METAPLAST_DEVICE float inverse_deviation(double var, double eps) { return static_cast<float>(ddiv(1.0, dsqrt(dadd(var, eps)))); }

struct BatchShape {
  int64_t batch, channels, spatial;
};

METAPLAST_DEVICE float value_at(const float* y, int64_t i) { return y[i]; }
METAPLAST_DEVICE float value_at(const int32_t* y, int64_t i) { return static_cast<float>(y[i]); }

// How a block of 512 threads, 32 groups of 16, shares its channels: every group adds up one chunk of 4096 values of one channel at a time.
// Many values a channel: several groups a channel. Threads that follow each other take what follows each other in memory: channels
// (spatial = 1) or the lanes of R16.
struct ChannelShare {
  static constexpr int kThreads = 512;
  static constexpr int kGroups = kThreads / 16;
  static constexpr int kPitch = 17;

  BatchShape shape;
  int64_t values, chunks;      // of a channel
  int32_t groups_per_channel;  // divides kGroups

  METAPLAST_DEVICE int channels_here() const { return kGroups / groups_per_channel; }
  METAPLAST_DEVICE int slot() const {  // channel in the block * groups_per_channel + chunk of a round
    const int t = static_cast<int>(threadIdx.x);
    if (shape.spatial > 1) return t / 16;
    return t % channels_here() * groups_per_channel + t / channels_here() / 16;
  }
  METAPLAST_DEVICE int lane() const {
    const int t = static_cast<int>(threadIdx.x);
    return shape.spatial > 1 ? t % 16 : t / channels_here() % 16;
  }
  METAPLAST_DEVICE int64_t channel() const { return static_cast<int64_t>(blockIdx.x) * channels_here() + slot() / groups_per_channel; }

  // body(item, position) for the values lane, lane + 16, ... of a chunk, in ascending order.
  template <class Body>
  METAPLAST_DEVICE void for_lane_of_chunk(int64_t chunk, const Body& body) const {
    const int64_t begin = chunk * kR16Chunk;
    const int64_t end = values - begin < kR16Chunk ? values : begin + kR16Chunk;
    int64_t b = begin + lane();
    if (b >= end) return;
    if (shape.spatial == 1) {
      for (; b < end; b += 16) body(b, static_cast<int64_t>(0));
      return;
    }
    int64_t item = b / shape.spatial, position = b - item * shape.spatial;
    for (; b < end; b += 16) {
      body(item, position);
      for (position += 16; position >= shape.spatial; position -= shape.spatial) ++item;
    }
  }

  // R16 of kSums terms at a time: term(item, position, values) for every value of this thread's channel. The sums of all channels of the
  // block come back in shared memory, result[kSums*channel + sum]; every thread may read them.
  template <int kSums, class Term>
  METAPLAST_DEVICE float* sums(float* shared, const Term& term) const {
    float* lanes = shared;                           // [kSums][kGroups][kPitch]
    float* chunk_sums = lanes + kSums * kGroups * kPitch;  // [kSums][kGroups]
    float* result = chunk_sums + kSums * kGroups;          // [kSums*channels]
    const int half = static_cast<int>(threadIdx.x / 16);
    const int mine = slot();
    R16Sums total[kSums];
    for (int64_t first = 0; first < chunks; first += groups_per_channel) {
      const int64_t chunk = first + mine % groups_per_channel;
      float sum[kSums];
      METAPLAST_UNROLL
      for (int s = 0; s < kSums; ++s) sum[s] = kR16Start;
      if (chunk < chunks && channel() < shape.channels) {
        for_lane_of_chunk(chunk, [&](int64_t item, int64_t position) {
          float value[kSums];
          term(item, position, value);
          METAPLAST_UNROLL
          for (int s = 0; s < kSums; ++s) sum[s] = add(sum[s], value[s]);
        });
      }
      METAPLAST_UNROLL
      for (int s = 0; s < kSums; ++s) lanes[(s * kGroups + mine) * kPitch + lane()] = sum[s];
      __syncthreads();
      const int64_t folded_chunk = first + half % groups_per_channel;
      const int64_t rest = values - folded_chunk * kR16Chunk;
      METAPLAST_UNROLL
      for (int s = 0; s < kSums; ++s) {
        const float folded = r16_fold(lanes[(s * kGroups + half) * kPitch + r16_lane()], rest);
        if (r16_lane() == 0) chunk_sums[s * kGroups + half] = folded;
      }
      __syncthreads();
      const int here = chunks - first < groups_per_channel ? static_cast<int>(chunks - first) : groups_per_channel;
      const int owned = half % channels_here();  // half-warps without a channel repeat another's work: all of a warp push alike
      for (int c = 0; c < here; ++c) {
        METAPLAST_UNROLL
        for (int s = 0; s < kSums; ++s) total[s].push(chunk_sums[s * kGroups + owned * groups_per_channel + c]);
      }
      __syncthreads();
    }
    METAPLAST_UNROLL
    for (int s = 0; s < kSums; ++s) {
      const float sum = total[s].finish();
      if (half < channels_here() && r16_lane() == 0) result[kSums * half + s] = sum;
    }
    __syncthreads();
    return result;
  }

  static constexpr size_t shared_floats(int sums) { return static_cast<size_t>(sums) * kGroups * (kPitch + 2); }
};

// Where statistics go.
struct StatisticsOut {
  float *mean, *inv;
  float *running_mean, *running_var;  // both or none
  float momentum, keep;

  METAPLAST_DEVICE void put(int64_t channel, float m, float i, float unbiased_var) const {
    mean[channel] = m;
    inv[channel] = i;
    if (running_mean == nullptr) return;
    running_mean[channel] = add(mul(keep, running_mean[channel]), mul(momentum, m));
    running_var[channel] = add(mul(keep, running_var[channel]), mul(momentum, unbiased_var));
  }
};

struct StatisticsF32 {
  static constexpr int kThreads = ChannelShare::kThreads;
  static constexpr int kMinBlocks = 2;  // left to itself, the compiler for sm_90 spills two registers for a third block
  static constexpr size_t kSharedBytes = ChannelShare::shared_floats(1) * sizeof(float);

  struct Args {
    ChannelShare share;
    const float* y;
    float inverse_values, eps, unbias;
    StatisticsOut out;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const BatchShape& s = a.share.shape;
    const int64_t channel = a.share.channel();
    const auto at = [&](int64_t item, int64_t position) { return a.y[(item * s.channels + channel) * s.spatial + position]; };
    const int here = a.share.slot() / a.share.groups_per_channel;
    float* shared = shared_memory<float>();
    // First the mean, then the squares of what is left.
    float mean = 0.0f, moment = 0.0f;
    for (int pass = 0; pass < 2; ++pass) {
      mean = moment;
      const float* sum = a.share.template sums<1>(shared, [&](int64_t item, int64_t position, float (&v)[1]) {
        v[0] = at(item, position);
        if (pass == 0) return;
        const float d = sub(v[0], mean);
        v[0] = mul(d, d);
      });
      moment = mul(sum[here], a.inverse_values);
    }
    if (a.share.lane() != 0 || a.share.slot() % a.share.groups_per_channel != 0 || channel >= s.channels) return;
    a.out.put(channel, mean, div(1.0f, sqrt(add(moment, a.eps))), mul(moment, a.unbias));
  }
};

// Integers: exact sums, in any order.
struct StatisticsI32 {
  static constexpr int kThreads = ChannelShare::kThreads;
  static constexpr size_t kSharedBytes = 2 * kThreads * sizeof(int64_t);

  struct Args {
    ChannelShare share;
    const int32_t* y;
    double eps, unbias;
    StatisticsOut out;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const BatchShape& s = a.share.shape;
    const int64_t channel = a.share.channel();
    int64_t sum = 0, squares = 0;
    if (channel < s.channels) {
      for (int64_t chunk = a.share.slot() % a.share.groups_per_channel; chunk < a.share.chunks; chunk += a.share.groups_per_channel) {
        a.share.for_lane_of_chunk(chunk, [&](int64_t item, int64_t position) {
          const int64_t y = a.y[(item * s.channels + channel) * s.spatial + position];
          sum += y;
          squares += y * y;
        });
      }
    }
    int64_t* shared = shared_memory<int64_t>();
    const int parts = 16 * a.share.groups_per_channel;  // of a channel
    const int here = a.share.slot() / a.share.groups_per_channel;
    const int part = a.share.slot() % a.share.groups_per_channel * 16 + a.share.lane();
    shared[here * parts + part] = sum;
    shared[kThreads + here * parts + part] = squares;
    __syncthreads();
    if (part != 0 || channel >= s.channels) return;
    for (int p = 1; p < parts; ++p) {
      sum += shared[here * parts + p];
      squares += shared[kThreads + here * parts + p];
    }
    const int64_t n = a.share.values;
    const double mean = ddiv(static_cast<double>(sum), static_cast<double>(n));
    const double var = ddiv(static_cast<double>(n * squares - sum * sum), static_cast<double>(n * n));
    a.out.put(channel, static_cast<float>(mean), inverse_deviation(var, a.eps), static_cast<float>(dmul(var, a.unbias)));
  }
};

// The values themselves: a block has 512 columns of a share of the rows [batch][channels*spatial]; a warp a row at a time.
template <class T, bool kFromVariance>
struct Normalize {
  static constexpr int kThreads = 256;
  static constexpr size_t kSharedBytes = 4 * kGroupColumns * sizeof(float);

  struct Args {
    int64_t batch, cols, spatial, rows_per_block;
    const T* y;
    const float *mean, *deviation;  // inverse deviation, or variance
    const float *gamma, *beta;      // or null
    double eps;
    float* out;
    uint64_t *sign, *mask;
  };

  struct Op {
    static constexpr int kBits = 2;
    using Values = float;
    const Args& a;
    const float* table;  // mean, inverse deviation, gamma, beta of 512 columns
    int64_t first;

    METAPLAST_DEVICE uint64_t* bits(int b) const { return b == 0 ? a.sign : a.mask; }
    METAPLAST_DEVICE void load(int64_t row, int64_t col, float* v) const {
      const float* t = table + (col - first);
      float x = mul(sub(value_at(a.y, row * a.cols + col), t[0]), t[kGroupColumns]);
      if (a.gamma != nullptr) x = add(mul(t[2 * kGroupColumns], x), t[3 * kGroupColumns]);
      *v = x;
    }
    METAPLAST_DEVICE unsigned apply(float* v) const { return (*v >= 0.0f ? 1u : 0u) | (absolute(*v) > 1.0f ? 0u : 2u); }
    METAPLAST_DEVICE void store(int64_t row, int64_t col, float v) const {
      if (a.out != nullptr) a.out[row * a.cols + col] = v;
    }
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    float* table = shared_memory<float>();
    const int64_t group = blockIdx.x;
    const int64_t first = group * kGroupColumns;
    for (int c = static_cast<int>(threadIdx.x); c < kGroupColumns && first + c < a.cols; c += kThreads) {
      const int64_t channel = (first + c) / a.spatial;
      const float deviation = a.deviation[channel];
      table[c] = a.mean[channel];
      table[kGroupColumns + c] = kFromVariance ? inverse_deviation(static_cast<double>(deviation), a.eps) : deviation;
      if (a.gamma != nullptr) {
        table[2 * kGroupColumns + c] = a.gamma[channel];
        table[3 * kGroupColumns + c] = a.beta[channel];
      }
    }
    __syncthreads();
    const Op op{a, table, first};
    const int64_t begin = static_cast<int64_t>(blockIdx.y) * a.rows_per_block;
    const int64_t end = a.batch - begin < a.rows_per_block ? a.batch : begin + a.rows_per_block;
    for (int64_t row = begin + threadIdx.x / 32; row < end; row += kThreads / 32) row_group(op, row, group, a.cols);
  }
};

// Sums and gradients of some channels by one block, which keeps nothing between the two but the sums.
template <class T>
struct BatchNormBackward {
  static constexpr int kThreads = ChannelShare::kThreads;
  static constexpr size_t kSharedBytes = ChannelShare::shared_floats(2) * sizeof(float);

  struct Args {
    ChannelShare share;
    const T* y;
    const float *gamma, *mean, *inv;
    const float* dout;  // may be dx
    const uint64_t* mask;
    float inverse_values;
    float *dx, *dgamma, *dbeta;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const BatchShape& s = a.share.shape;
    const int64_t channel = a.share.channel();
    const bool there = channel < s.channels;
    const float mean = there ? a.mean[channel] : 0.0f, inv = there ? a.inv[channel] : 0.0f;
    const int64_t cols = s.channels * s.spatial;
    const int64_t row_words = bit_row_words(cols);
    const auto xh_and_d = [&](int64_t item, int64_t position, float* xh, float* d) {
      const int64_t col = channel * s.spatial + position;
      const int64_t i = item * cols + col;
      *xh = mul(sub(value_at(a.y, i), mean), inv);
      *d = a.mask == nullptr || bit_at(a.mask, row_words, item, col) ? a.dout[i] : 0.0f;
    };
    const float* sums = a.share.template sums<2>(shared_memory<float>(), [&](int64_t item, int64_t position, float (&v)[2]) {
      float xh, d;
      xh_and_d(item, position, &xh, &d);
      v[0] = d;
      v[1] = mul(d, xh);
    });
    if (!there) return;
    const int here = a.share.slot() / a.share.groups_per_channel;
    const float s1 = sums[2 * here], s2 = sums[2 * here + 1];
    if (a.share.lane() == 0 && a.share.slot() % a.share.groups_per_channel == 0) {
      if (a.dbeta != nullptr) a.dbeta[channel] = s1;
      if (a.dgamma != nullptr) a.dgamma[channel] = s2;
    }
    const float t1 = mul(s1, a.inverse_values), t2 = mul(s2, a.inverse_values);
    const float scale = a.gamma != nullptr ? mul(a.gamma[channel], inv) : inv;
    for (int64_t chunk = a.share.slot() % a.share.groups_per_channel; chunk < a.share.chunks; chunk += a.share.groups_per_channel) {
      a.share.for_lane_of_chunk(chunk, [&](int64_t item, int64_t position) {
        float xh, d;
        xh_and_d(item, position, &xh, &d);
        a.dx[item * cols + channel * s.spatial + position] = mul(scale, sub(sub(d, t1), mul(xh, t2)));
      });
    }
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_BATCH_NORM_SIMT_CUH_
