// Batch norm against a restatement: integers and floats, dense layers and images, shapes around vectors, words and chunks, with and without
// each optional operand, 1 to 4 threads, operands against guard pages; known answers.
#include <algorithm>
#include <cmath>

#include "testing/matrices.h"
#include "testing/reference.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

using Values = std::vector<float>;

size_t at(int64_t i) { return static_cast<size_t>(i); }

struct Shape {
  int64_t batch, channels, spatial;
  bool integers, affine, masked;

  int64_t values() const { return batch * spatial; }
  int64_t size() const { return batch * channels * spatial; }
  // Element of channel c with count b.
  size_t element(int64_t c, int64_t b) const { return at((b / spatial * channels + c) * spatial + b % spatial); }
};

struct Layer {
  std::vector<int32_t> integers;
  Values y;  // the integers as floats, or the input itself
  Values gamma, beta, mean, inv, var_running, mean_running, given_var;
};

constexpr double kEps = 1e-5;
constexpr float kMomentum = 0.1f;

struct Expected {
  Values mean, inv, running_mean, running_var, out;
  BitRows sign, mask;
};

// Fills out, sign and mask from mean and inv.
void transform(const Shape& s, const Layer& l, Expected* e) {
  for (int64_t c = 0; c < s.channels; ++c) {
    for (int64_t b = 0; b < s.values(); ++b) {
      const size_t i = s.element(c, b);
      const float d = l.y[i] - e->mean[at(c)];
      float x = d * e->inv[at(c)];
      if (s.affine) {
        x = l.gamma[at(c)] * x;
        x = x + l.beta[at(c)];
      }
      e->out[i] = x;
      const int64_t row = b / s.spatial, column = c * s.spatial + b % s.spatial;
      e->sign.set(row, column, x >= 0);
      e->mask.set(row, column, !(std::fabs(x) > 1));
    }
  }
}

Expected empty(const Shape& s) {
  const int64_t columns = s.channels * s.spatial;
  return {Values(at(s.channels)), Values(at(s.channels)),     Values(), Values(), Values(at(s.size())), BitRows(s.batch, columns),
          BitRows(s.batch, columns)};
}

Expected forward(const Shape& s, const Layer& l) {
  Expected e = empty(s);
  e.running_mean = l.mean_running;
  e.running_var = l.var_running;
  const int64_t n = s.values();
  for (int64_t c = 0; c < s.channels; ++c) {
    float mean, var_unbiased, inv;
    if (s.integers) {
      int64_t s1 = 0, s2 = 0;
      for (int64_t b = 0; b < n; ++b) {
        const int64_t v = l.integers[s.element(c, b)];
        s1 += v;
        s2 += v * v;
      }
      const double mean_d = static_cast<double>(s1) / static_cast<double>(n);
      const double var_d = static_cast<double>(n * s2 - s1 * s1) / static_cast<double>(n * n);
      mean = static_cast<float>(mean_d);
      inv = static_cast<float>(1 / std::sqrt(var_d + kEps));
      var_unbiased = static_cast<float>(var_d * (static_cast<double>(n) / static_cast<double>(n - 1)));
    } else {
      const float inverse = static_cast<float>(1.0 / static_cast<double>(n));
      Values v(at(n));
      for (int64_t b = 0; b < n; ++b) v[at(b)] = l.y[s.element(c, b)];
      mean = ref_sum(v) * inverse;
      for (float& x : v) {
        x = x - mean;
        x = x * x;
      }
      const float var = ref_sum(v) * inverse;
      inv = 1.0f / std::sqrt(var + static_cast<float>(kEps));
      var_unbiased = var * static_cast<float>(static_cast<double>(n) / static_cast<double>(n - 1));
    }
    e.mean[at(c)] = mean;
    e.inv[at(c)] = inv;
    for (const bool second : {false, true}) {
      float& running = (second ? e.running_var : e.running_mean)[at(c)];
      const float kept = (1.0f - kMomentum) * running;
      const float fresh = kMomentum * (second ? var_unbiased : mean);
      running = kept + fresh;
    }
  }
  transform(s, l, &e);
  return e;
}

Expected inference(const Shape& s, const Layer& l) {
  Expected e = empty(s);
  e.mean = l.mean;
  for (int64_t c = 0; c < s.channels; ++c) {
    e.inv[at(c)] = static_cast<float>(1 / std::sqrt(static_cast<double>(l.given_var[at(c)]) + kEps));
  }
  transform(s, l, &e);
  return e;
}

struct Gradients {
  Values dx, dgamma, dbeta;
};

Gradients backward(const Shape& s, const Layer& l, const Values& dout, const BitRows& mask) {
  Gradients g = {Values(at(s.size())), Values(at(s.channels)), Values(at(s.channels))};
  const int64_t n = s.values();
  const float inverse = static_cast<float>(1.0 / static_cast<double>(n));
  for (int64_t c = 0; c < s.channels; ++c) {
    Values d(at(n)), xh(at(n)), products(at(n));
    for (int64_t b = 0; b < n; ++b) {
      const size_t i = s.element(c, b);
      d[at(b)] = !s.masked || mask.get(b / s.spatial, c * s.spatial + b % s.spatial) ? dout[i] : 0.0f;
      const float centred = l.y[i] - l.mean[at(c)];
      xh[at(b)] = centred * l.inv[at(c)];
      products[at(b)] = d[at(b)] * xh[at(b)];
    }
    const float s1 = ref_sum(d), s2 = ref_sum(products);
    const float t1 = s1 * inverse, t2 = s2 * inverse;
    const float a = s.affine ? l.gamma[at(c)] * l.inv[at(c)] : l.inv[at(c)];
    for (int64_t b = 0; b < n; ++b) {
      const float centred = d[at(b)] - t1;
      const float pulled = xh[at(b)] * t2;
      g.dx[s.element(c, b)] = a * (centred - pulled);
    }
    g.dgamma[at(c)] = s2;
    g.dbeta[at(c)] = s1;
  }
  return g;
}

const void* input_of(const Shape& s, GuardedArray<float>& floats, GuardedArray<int32_t>& integers) {
  return s.integers ? static_cast<const void*>(static_cast<int32_t*>(integers)) : static_cast<const void*>(static_cast<float*>(floats));
}

void check(const Shape& s, int32_t most_threads) {
  const uint64_t seed = static_cast<uint64_t>(s.size() * 3 + s.channels);
  Layer l;
  l.y = uniform_values(seed, s.size(), -3, 3);
  const Values mixed = mixed_values(seed + 1, s.size());
  // A channel with a NaN or an infinity is NaN in all outputs: a few channels have such values.
  for (size_t i = 5; i < l.y.size(); i += 211) l.y[i] = mixed[i];
  if (s.integers) {
    for (float& v : l.y) v = std::isfinite(v) ? std::round(std::fmin(std::fmax(v, -40.0f), 40.0f) * 100) : 7.0f;
    for (float v : l.y) l.integers.push_back(static_cast<int32_t>(v));
  }
  l.gamma = uniform_values(seed + 2, s.channels, -2, 2);
  l.beta = uniform_values(seed + 3, s.channels, -1, 1);
  l.mean = uniform_values(seed + 4, s.channels, -1, 1);
  l.inv = positive_values(seed + 5, s.channels);
  l.given_var = positive_values(seed + 6, s.channels);
  l.mean_running = uniform_values(seed + 7, s.channels, -1, 1);
  l.var_running = positive_values(seed + 8, s.channels);
  const Values dout = uniform_values(seed + 9, s.size(), -1, 1);
  const BitRows mask = random_bits(seed + 10, s.batch, s.channels * s.spatial);
  const bool running = s.values() > 1;
  const Expected f = forward(s, l), given = inference(s, l);
  const Gradients g = backward(s, l, dout, mask);

  for (int32_t tier : tiers()) {
    for (int32_t threads = 1; threads <= most_threads; ++threads) {
      const Context context(tier, threads);
      const bool at_end = seed % 2 == 0;
      const Values stale(at(s.size()), 55.0f), stale_channels(at(s.channels), 55.0f);
      const auto fail = [&](bool ok, const char* what) {
        expect(ok, "%s, %d threads, %lld x %lld x %lld%s: %s", tier_name(tier), threads, static_cast<long long>(s.batch),
               static_cast<long long>(s.channels), static_cast<long long>(s.spatial), s.integers ? " integers" : "", what);
      };
      GuardedArray<float> y(l.y, at_end), gamma(l.gamma, at_end), beta(l.beta, at_end), mean(stale_channels, at_end),
          inv(stale_channels, at_end), running_mean(l.mean_running, at_end), running_var(l.var_running, at_end), out(stale, at_end);
      GuardedArray<int32_t> integers(l.integers, at_end);
      GuardedArray<uint64_t> sign(stale_words(f.sign.words.size()), at_end), passes(stale_words(f.mask.words.size()), at_end);
      const int32_t type = s.integers ? int32_t{METAPLAST_I32} : int32_t{METAPLAST_F32};
      float* const pg = s.affine ? static_cast<float*>(gamma) : nullptr;
      float* const pb = s.affine ? static_cast<float*>(beta) : nullptr;
      fail(metaplast_batch_norm_forward(context, type, s.batch, s.channels, s.spatial, input_of(s, y, integers), pg, pb, kEps, mean, inv,
                                        kMomentum, running ? static_cast<float*>(running_mean) : nullptr,
                                        running ? static_cast<float*>(running_var) : nullptr, out, sign, passes) == METAPLAST_OK,
           "forward status");
      fail(equal_bits(mean.values(), f.mean) && equal_bits(inv.values(), f.inv), "statistics");
      fail(!running || (equal_bits(running_mean.values(), f.running_mean) && equal_bits(running_var.values(), f.running_var)),
           "running statistics");
      fail(equal_bits(out.values(), f.out), "outputs");
      fail(sign.holds(f.sign.words), "signs");
      fail(passes.holds(f.mask.words), "mask");
      fail(mean.gaps_intact() && inv.gaps_intact() && out.gaps_intact() && running_mean.gaps_intact() && running_var.gaps_intact(),
           "wrote outside of an operand");

      // Bits alone, from given statistics.
      GuardedArray<float> given_mean(l.mean, at_end), given_var(l.given_var, at_end), given_out(stale, at_end);
      GuardedArray<uint64_t> given_sign(stale_words(f.sign.words.size()), at_end);
      fail(metaplast_batch_norm_inference(context, type, s.batch, s.channels, s.spatial, input_of(s, y, integers), pg, pb, kEps, given_mean,
                                          given_var, s.masked ? static_cast<float*>(given_out) : nullptr, given_sign) == METAPLAST_OK,
           "inference status");
      fail(given_sign.holds(given.sign.words), "signs of inference");
      fail(equal_bits(given_out.values(), s.masked ? given.out : stale), "outputs of inference");

      GuardedArray<float> saved_inv(l.inv, at_end), in_place(dout, at_end), dgamma(stale_channels, at_end), dbeta(stale_channels, at_end);
      GuardedArray<uint64_t> stops(mask.words, at_end);
      fail(metaplast_batch_norm_backward(context, type, s.batch, s.channels, s.spatial, input_of(s, y, integers), pg, given_mean, saved_inv,
                                         in_place, s.masked ? static_cast<uint64_t*>(stops) : nullptr, in_place, dgamma,
                                         dbeta) == METAPLAST_OK,
           "backward status");
      fail(equal_bits(in_place.values(), g.dx), "input gradients");
      fail(equal_bits(dgamma.values(), g.dgamma) && equal_bits(dbeta.values(), g.dbeta), "gradients of gamma and beta");
      fail(in_place.gaps_intact() && dgamma.gaps_intact() && dbeta.gaps_intact() && stops.holds(mask.words) && given_mean.holds(l.mean) &&
               integers.holds(l.integers),
           "backward wrote outside of its outputs");
    }
  }
}

// No items: no statistics either.
void check_nothing_written() {
  const Context context(METAPLAST_TIER_SCALAR, 1);
  float mean = 5, inv = 6, dgamma = 7, dbeta = 8;
  const float none = 0;
  expect(metaplast_batch_norm_forward(context, METAPLAST_F32, 0, 1, 3, &none, nullptr, nullptr, kEps, &mean, &inv, kMomentum, nullptr, nullptr,
                                      nullptr, nullptr, nullptr) == METAPLAST_OK &&
             metaplast_batch_norm_backward(context, METAPLAST_F32, 0, 1, 3, &none, nullptr, &mean, &inv, &none, nullptr, nullptr, &dgamma,
                                           &dbeta) == METAPLAST_OK,
         "calls without items");
  expect(mean == 5 && inv == 6 && dgamma == 7 && dbeta == 8, "calls without items wrote something");
}

// Results as in the known answers of the specification.
void check_known_answers() {
  const auto words = [](const Values& v) {
    std::vector<uint32_t> w(v.size());
    std::memcpy(w.data(), v.data(), v.size() * 4);
    return w;
  };
  for (int32_t tier : tiers()) {
    const Context context(tier, 1);
    const int32_t y[] = {3, -1, 5, 7};
    const float gamma = 0.5f, beta = 0.1f;
    float mean, inv, dgamma, dbeta;
    Values out(4), dx(4);
    const Values dout = {0.1f, -0.2f, 0.3f, 0.05f};
    metaplast_batch_norm_forward(context, METAPLAST_I32, 4, 1, 1, y, &gamma, &beta, kEps, &mean, &inv, 0, nullptr, nullptr, out.data(), nullptr,
                                 nullptr);
    metaplast_batch_norm_backward(context, METAPLAST_I32, 4, 1, 1, y, &gamma, &mean, &inv, dout.data(), nullptr, dx.data(), &dgamma, &dbeta);
    expect(words(out) == std::vector<uint32_t>({0x3c7db338, 0xbf291f99, 0x3eb503ff, 0x3f310d33}), "%s: known outputs", tier_name(tier));
    expect(words(dx) == std::vector<uint32_t>({0x3c223528, 0xbc49c567, 0x3cf15563, 0xbcdd8d40}), "%s: known dx", tier_name(tier));
    expect(words({dgamma, dbeta}) == std::vector<uint32_t>({0x3eff4dd7, 0x3e800000}), "%s: known dgamma, dbeta", tier_name(tier));
    Values floats(4);
    const uint32_t bits[] = {0xbf847c54, 0x40a75b9e, 0xbfee4230, 0xbf57f271};
    std::memcpy(floats.data(), bits, sizeof bits);
    metaplast_batch_norm_forward(context, METAPLAST_F32, 4, 1, 1, floats.data(), &gamma, &beta, kEps, &mean, &inv, 0, nullptr, nullptr,
                                 out.data(), nullptr, nullptr);
    expect(words({mean, inv}) == std::vector<uint32_t>({0x3ebeb6bc, 0x3eb4e474}), "%s: known statistics", tier_name(tier));
    expect(words(out) == std::vector<uint32_t>({0xbe18363c, 0x3f7544cd, 0xbe96d8a2, 0xbdeb243d}), "%s: known outputs of floats",
           tier_name(tier));
  }
}

}  // namespace

int main() {
  int64_t variant = 0;
  const auto next = [&](int64_t batch, int64_t channels, int64_t spatial, int32_t threads) {
    for (bool integers : {false, true}) {
      check({batch, channels, spatial, integers, variant % 3 != 0, variant % 2 == 0}, threads);
      ++variant;
    }
  };
  for (int64_t batch = 1; batch <= 35; ++batch) next(batch, 1 + batch * 5 % 67, 1, 1);
  for (int64_t channels : {1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 300, 511, 513, 1030}) next(3 + channels % 20, channels, 1, 1);
  for (int64_t spatial : {2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 49, 63, 64, 65, 100, 196}) {
    next(3, 1 + spatial * 7 % 70, spatial, 1);
    next(5, 3, spatial, 1);
  }
  next(4097, 3, 1, 1);
  next(9000, 17, 1, 1);
  next(5, 2, 1000, 1);
  next(100, 500, 1, 4);
  next(8, 130, 49, 4);
  next(4, 36, 64, 4);
  check_nothing_written();
  check_known_answers();
  return finish("batch_norm_test");
}
