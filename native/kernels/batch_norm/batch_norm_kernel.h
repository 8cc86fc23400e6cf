// Batch norm of up to 64 channels at a time: their statistics, and while they are in the cache their outputs. 64 channels are whole words of a bit
// row whatever the number of positions. Dense layers (one position) have channels side by side in the lanes, images positions.
#include <math.h>

#include "kernels/batch_norm/batch_norm.h"
#include "runtime/kernel_table.h"
#include "runtime/math/lanes.h"
#include "runtime/math/r16.h"
#include "runtime/math/row_bits.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

constexpr int64_t kWordBits = 64;
constexpr int64_t kChannels = 64;

METAPLAST_HD F load_values(const float* p, int64_t n) { return load_lanes(p, n); }
METAPLAST_HD F load_values(const int32_t* p, int64_t n) {
  if (n >= W) return to_float(iload(reinterpret_cast<const uint32_t*>(p)));
  alignas(64) uint32_t lanes[W] = {};
  memcpy(lanes, p, static_cast<size_t>(n > 0 ? n : 0) * sizeof(uint32_t));
  return to_float(iload(lanes));
}

// The values of one channel in the order of their count b = n*spatial + s.
template <class T>
class Channel {
 public:
  Channel(const T* values, int64_t channels, int64_t spatial, int64_t c)
      : first_(values + c * spatial), pitch_(channels * spatial), spatial_(spatial) {}

  F at(int64_t b, int64_t lanes) const {
    int64_t n = b / spatial_, s = b - n * spatial_;
    if (s + lanes <= spatial_) return load_values(first_ + n * pitch_ + s, lanes);
    T across[W] = {};
    for (int64_t j = 0; j < lanes; ++j) {
      across[j] = first_[n * pitch_ + s];
      if (++s == spatial_) {
        s = 0;
        ++n;
      }
    }
    return load_values(across, lanes);
  }

 private:
  const T* first_;
  int64_t pitch_, spatial_;
};

// Sixteen running lanes of R16 for W channels at once: lane[j] holds lane j of every channel.
template <class Value>
METAPLAST_HD F r16_chunk_of_channels(int64_t n, Value value) {
  F lane[kR16Lanes];
#pragma GCC unroll 16
  for (int j = 0; j < kR16Lanes; ++j) lane[j] = j < n ? set(-0.0f) : set(0.0f);
  int64_t b = 0;
  for (; b + kR16Lanes <= n; b += kR16Lanes) {
#pragma GCC unroll 16
    for (int j = 0; j < kR16Lanes; ++j) lane[j] = add(lane[j], value(b + j));
  }
  for (int j = 0; b < n; ++j, ++b) lane[j] = add(lane[j], value(b));
#pragma GCC unroll 4
  for (int h = 8; h > 0; h >>= 1) {
#pragma GCC unroll 8
    for (int j = 0; j < h; ++j) lane[j] = add(lane[j], lane[j + h]);
  }
  return lane[0];
}

// R16 over items of `lanes` <= W channels that lie side by side; value(b) gives item b of all of them.
template <class Value>
METAPLAST_HD F r16_sum_of_channels(int64_t n, Value value) {
  if (n <= kR16Chunk) return r16_chunk_of_channels(n, value);
  R16Chunks chunks[W];
  alignas(64) float sums[W];
  for (int64_t c = 0; c < n; c += kR16Chunk) {
    store(sums, r16_chunk_of_channels(n - c < kR16Chunk ? n - c : kR16Chunk, [&](int64_t b) { return value(c + b); }));
    for (int j = 0; j < W; ++j) chunks[j].push(sums[j]);
  }
  for (int j = 0; j < W; ++j) sums[j] = chunks[j].finish();
  return load(sums);
}

// What a block of channels normalises with, spread out for the lanes.
struct Constants {
  alignas(64) float mean[kChannels];
  alignas(64) float inv[kChannels];
  alignas(64) float gamma[kChannels];
  alignas(64) float beta[kChannels];
};

// ---- statistics ------------------------------------------------------------------------------------------------------------------

struct Statistics {
  float mean[kChannels], inv[kChannels];
  float unbiased[kChannels];  // variance for the running statistics
};

void statistics(const BatchNormForward& a, const int32_t* y, int64_t c0, int64_t count, Statistics* s) {
  const int64_t values = a.batch * a.spatial;
  int64_t sum[kChannels] = {}, squares[kChannels] = {};
  for (int64_t n = 0; n < a.batch; ++n) {
    const int32_t* row = y + (n * a.channels + c0) * a.spatial;
    if (a.spatial == 1) {
      for (int64_t c = 0; c < count; ++c) {
        const int64_t v = row[c];
        sum[c] += v;
        squares[c] += v * v;
      }
    } else {
      for (int64_t c = 0; c < count; ++c) {
        int64_t s1 = 0, s2 = 0;
        for (int64_t p = 0; p < a.spatial; ++p) {
          const int64_t v = row[c * a.spatial + p];
          s1 += v;
          s2 += v * v;
        }
        sum[c] += s1;
        squares[c] += s2;
      }
    }
  }
  const double number = static_cast<double>(values);
  for (int64_t c = 0; c < count; ++c) {
    const double mean = static_cast<double>(sum[c]) / number;
    const double var = static_cast<double>(values * squares[c] - sum[c] * sum[c]) / static_cast<double>(values * values);
    s->mean[c] = static_cast<float>(mean);
    s->inv[c] = static_cast<float>(1.0 / ::sqrt(var + a.eps));
    s->unbiased[c] = static_cast<float>(var * (number / (number - 1.0)));
  }
}

void statistics(const BatchNormForward& a, const float* y, int64_t c0, int64_t count, Statistics* s) {
  const int64_t values = a.batch * a.spatial;
  const float inverse = static_cast<float>(1.0 / static_cast<double>(values));
  alignas(64) float mean[kChannels] = {}, var[kChannels] = {};
  if (a.spatial == 1) {
    for_vectors(count, [&](int64_t c, int64_t lanes) {
      const float* first = y + c0 + c;
      const F m = mul(r16_sum_of_channels(values, [&](int64_t b) { return load_lanes(first + b * a.channels, lanes); }), set(inverse));
      const F v = r16_sum_of_channels(values, [&](int64_t b) {
        const F d = sub(load_lanes(first + b * a.channels, lanes), m);
        return mul(d, d);
      });
      store(mean + c, m);
      store(var + c, mul(v, set(inverse)));
    });
  } else {
    for (int64_t c = 0; c < count; ++c) {
      const Channel<float> channel(y, a.channels, a.spatial, c0 + c);
      mean[c] = r16_sum(values, [&](int64_t b, int64_t lanes) { return channel.at(b, lanes); }) * inverse;
      const F m = set(mean[c]);
      var[c] = r16_sum(values, [&](int64_t b, int64_t lanes) {
                 const F d = sub(channel.at(b, lanes), m);
                 return mul(d, d);
               }) * inverse;
    }
  }
  const float eps = static_cast<float>(a.eps);
  const float unbiased = static_cast<float>(static_cast<double>(values) / (static_cast<double>(values) - 1.0));
  for (int64_t c = 0; c < count; ++c) {
    s->mean[c] = mean[c];
    s->inv[c] = 1.0f / ::sqrtf(var[c] + eps);
    s->unbiased[c] = var[c] * unbiased;
  }
}

// r = keep*r + momentum*stat.
void move_average(float momentum, int64_t count, const float* stat, float* running) {
  const float keep = 1.0f - momentum;
  for (int64_t c = 0; c < count; ++c) {
    const float kept = keep * running[c];
    const float fresh = momentum * stat[c];
    running[c] = kept + fresh;
  }
}

// ---- outputs ---------------------------------------------------------------------------------------------------------------------

struct Transform {
  F mean, inv, gamma, beta;
};

METAPLAST_HD F normalized(const Transform& t, F y) { return mul(sub(y, t.mean), t.inv); }

template <bool kAffine>
METAPLAST_HD F transformed(const Transform& t, F y) {
  const F x = normalized(t, y);
  return kAffine ? add(mul(t.gamma, x), t.beta) : x;
}

// `count` <= 64 outputs of one item from column p of the block on; column p is position p%spatial of the block's channel p/spatial.
template <bool kAffine, class T>
void transform_word(const Constants& k, int64_t spatial, int64_t p, int64_t count, const T* y, float* out) {
  if (spatial == 1) {
    for_vectors(count, [&](int64_t j, int64_t lanes) {
      const Transform t = {load(k.mean + p + j), load(k.inv + p + j), load(k.gamma + p + j), load(k.beta + p + j)};
      store(out + j, transformed<kAffine>(t, load_values(y + p + j, lanes)));
    });
    return;
  }
  for (int64_t j = 0; j < count;) {
    const int64_t c = (p + j) / spatial, left = (c + 1) * spatial - (p + j);
    const int64_t run = left < count - j ? left : count - j;
    const Transform t = {set(k.mean[c]), set(k.inv[c]), set(k.gamma[c]), set(k.beta[c])};
    for_vectors(run, [&](int64_t i, int64_t lanes) {
      store_lanes(out + j + i, transformed<kAffine>(t, load_values(y + p + j + i, lanes)), lanes);
    });
    j += run;
  }
}

template <bool kAffine, class T>
void write_outputs(const BatchNormForward& a, const Constants& k, const T* y, int64_t c0, int64_t count) {
  const int64_t columns = a.channels * a.spatial, row_words = metaplast_bit_row_words(columns);
  const int64_t first = c0 * a.spatial, here = count * a.spatial;
  const int64_t words = first + here == columns ? row_words - first / kWordBits : here / kWordBits;
  alignas(64) float values[kWordBits];
  for (int64_t n = 0; n < a.batch; ++n) {
    uint64_t* sign = a.sign == nullptr ? nullptr : a.sign + n * row_words + first / kWordBits;
    uint64_t* mask = a.mask == nullptr ? nullptr : a.mask + n * row_words + first / kWordBits;
    for (int64_t p = 0; p < here; p += kWordBits) {
      const int64_t valid = here - p < kWordBits ? here - p : kWordBits;
      transform_word<kAffine>(k, a.spatial, p, valid, y + n * columns + first, values);
      uint64_t positive = 0, passes = 0;
      for_vectors(valid, [&](int64_t j, int64_t lanes) {
        const F x = load_lanes(values + j, lanes);
        if (a.out != nullptr) store_lanes(a.out + n * columns + first + p + j, x, lanes);
        const M exists = first_lanes(lanes);
        positive |= static_cast<uint64_t>(mask_bits(mask_and(exists, ge(x, set(0.0f))))) << j;
        passes |= static_cast<uint64_t>(mask_bits(mask_and(exists, mask_not(gt(absolute(x), set(1.0f)))))) << j;
      });
      if (sign != nullptr) sign[p / kWordBits] = positive;
      if (mask != nullptr) mask[p / kWordBits] = passes;
    }
    for (int64_t pad = (here + kWordBits - 1) / kWordBits; pad < words; ++pad) {
      if (sign != nullptr) sign[pad] = 0;
      if (mask != nullptr) mask[pad] = 0;
    }
  }
}

template <class T>
void forward_block(const BatchNormForward& a, const T* y, int64_t c0, int64_t count) {
  Constants k = {};
  if (a.given_mean != nullptr) {
    for (int64_t c = 0; c < count; ++c) {
      k.mean[c] = a.given_mean[c0 + c];
      k.inv[c] = static_cast<float>(1.0 / ::sqrt(static_cast<double>(a.given_var[c0 + c]) + a.eps));
    }
  } else {
    Statistics s;
    statistics(a, y, c0, count, &s);
    for (int64_t c = 0; c < count; ++c) {
      k.mean[c] = a.mean[c0 + c] = s.mean[c];
      k.inv[c] = a.inv[c0 + c] = s.inv[c];
    }
    if (a.running_mean != nullptr) {
      move_average(a.momentum, count, s.mean, a.running_mean + c0);
      move_average(a.momentum, count, s.unbiased, a.running_var + c0);
    }
  }
  if (a.gamma != nullptr) {
    memcpy(k.gamma, a.gamma + c0, static_cast<size_t>(count) * sizeof(float));
    memcpy(k.beta, a.beta + c0, static_cast<size_t>(count) * sizeof(float));
    write_outputs<true>(a, k, y, c0, count);
  } else {
    write_outputs<false>(a, k, y, c0, count);
  }
}

// ---- backward --------------------------------------------------------------------------------------------------------------------

// Gradients of one item, those that the mask stops as +0.
class MaskedGradient {
 public:
  MaskedGradient(const BatchNormBackward& a)
      : dout_(a.dout), mask_(a.mask), columns_(a.channels * a.spatial), row_words_(metaplast_bit_row_words(columns_)) {}

  F at(int64_t n, int64_t column, int64_t lanes) const {
    const F d = load_lanes(dout_ + n * columns_ + column, lanes);
    if (mask_ == nullptr) return d;
    return select(row_mask(mask_ + n * row_words_, column, lanes), d, set(0.0f));
  }

 private:
  const float* dout_;
  const uint64_t* mask_;
  int64_t columns_, row_words_;
};

// The final formula: a*((d - t1) - xh*t2).
METAPLAST_HD F input_gradient(F a, F d, F xh, F t1, F t2) { return mul(a, sub(sub(d, t1), mul(xh, t2))); }

template <class T>
void backward_dense(const BatchNormBackward& a, const T* y, int64_t c0, int64_t count, float inverse) {
  const MaskedGradient gradient(a);
  for_vectors(count, [&](int64_t j, int64_t lanes) {
    const int64_t c = c0 + j;
    const Transform t = {load_lanes(a.mean + c, lanes), load_lanes(a.inv + c, lanes), set(0.0f), set(0.0f)};
    const auto d = [&](int64_t b) { return gradient.at(b, c, lanes); };
    const auto xh = [&](int64_t b) { return normalized(t, load_values(y + b * a.channels + c, lanes)); };
    const F s1 = r16_sum_of_channels(a.batch, d);
    const F s2 = r16_sum_of_channels(a.batch, [&](int64_t b) { return mul(d(b), xh(b)); });
    const F t1 = mul(s1, set(inverse)), t2 = mul(s2, set(inverse));
    const F factor = a.gamma == nullptr ? t.inv : mul(load_lanes(a.gamma + c, lanes), t.inv);
    for (int64_t b = 0; b < a.batch; ++b) {
      store_lanes(a.dx + b * a.channels + c, input_gradient(factor, d(b), xh(b), t1, t2), lanes);
    }
    if (a.dgamma != nullptr) store_lanes(a.dgamma + c, s2, lanes);
    if (a.dbeta != nullptr) store_lanes(a.dbeta + c, s1, lanes);
  });
}

template <class T>
void backward_image(const BatchNormBackward& a, const T* y, int64_t c, float inverse) {
  const MaskedGradient gradient(a);
  const Channel<T> channel(y, a.channels, a.spatial, c);
  const Transform t = {set(a.mean[c]), set(a.inv[c]), set(0.0f), set(0.0f)};
  const auto d = [&](int64_t b, int64_t lanes) {
    int64_t n = b / a.spatial, s = b - n * a.spatial;
    if (s + lanes <= a.spatial) return gradient.at(n, c * a.spatial + s, lanes);
    alignas(64) float across[W] = {};
    for (int64_t j = 0; j < lanes; ++j) {
      store_lanes(across + j, gradient.at(n, c * a.spatial + s, 1), 1);
      if (++s == a.spatial) {
        s = 0;
        ++n;
      }
    }
    return load(across);
  };
  const int64_t values = a.batch * a.spatial;
  const float s1 = r16_sum(values, d);
  const float s2 = r16_sum(values, [&](int64_t b, int64_t lanes) { return mul(d(b, lanes), normalized(t, channel.at(b, lanes))); });
  const F t1 = set(s1 * inverse), t2 = set(s2 * inverse);
  const F factor = set(a.gamma == nullptr ? a.inv[c] : a.gamma[c] * a.inv[c]);
  for (int64_t n = 0; n < a.batch; ++n) {
    const int64_t row = n * a.channels * a.spatial, column = c * a.spatial;
    for_vectors(a.spatial, [&](int64_t s, int64_t lanes) {
      const F xh = normalized(t, load_values(y + row + column + s, lanes));
      store_lanes(a.dx + row + column + s, input_gradient(factor, gradient.at(n, column + s, lanes), xh, t1, t2), lanes);
    });
  }
  if (a.dgamma != nullptr) a.dgamma[c] = s2;
  if (a.dbeta != nullptr) a.dbeta[c] = s1;
}

template <class T>
void backward_block(const BatchNormBackward& a, const T* y, int64_t c0, int64_t count) {
  const float inverse = static_cast<float>(1.0 / static_cast<double>(a.batch * a.spatial));
  if (a.spatial == 1) {
    backward_dense(a, y, c0, count, inverse);
    return;
  }
  for (int64_t c = c0; c < c0 + count; ++c) backward_image(a, y, c, inverse);
}

}  // namespace

// Channels c_begin..c_end-1; both ends begin a word of the bit rows (or are the last channel's).
void batch_norm_forward(const BatchNormForward* a, int64_t c_begin, int64_t c_end) noexcept {
  for (int64_t c = c_begin; c < c_end; c += kChannels) {
    const int64_t count = c_end - c < kChannels ? c_end - c : kChannels;
    if (a->type == METAPLAST_I32) {
      forward_block(*a, static_cast<const int32_t*>(a->y), c, count);
    } else {
      forward_block(*a, static_cast<const float*>(a->y), c, count);
    }
  }
}

void batch_norm_backward(const BatchNormBackward* a, int64_t c_begin, int64_t c_end) noexcept {
  for (int64_t c = c_begin; c < c_end; c += kChannels) {
    const int64_t count = c_end - c < kChannels ? c_end - c : kChannels;
    if (a->type == METAPLAST_I32) {
      backward_block(*a, static_cast<const int32_t*>(a->y), c, count);
    } else {
      backward_block(*a, static_cast<const float*>(a->y), c, count);
    }
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
