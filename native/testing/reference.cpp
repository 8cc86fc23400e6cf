#include "testing/reference.h"

#include <cmath>
#include <cstring>

namespace metaplast {
namespace testing {
namespace {

uint32_t bits(float x) {
  uint32_t b;
  std::memcpy(&b, &x, 4);
  return b;
}

float from_bits(uint32_t b) {
  float x;
  std::memcpy(&x, &b, 4);
  return x;
}

// Horner, highest coefficient first.
template <int N>
float horner(const uint32_t (&coefficients)[N], float x) {
  float p = from_bits(coefficients[0]);
  for (int i = 1; i < N; ++i) {
    p = p * x;
    p = p + from_bits(coefficients[i]);
  }
  return p;
}

float clip(float x, float c) { return x > c ? c : x < -c ? -c : x; }
float range(float x, float low, float high) { return x < low ? low : x > high ? high : x; }

}  // namespace

uint32_t ref_philox(uint64_t seed, uint32_t stream, uint32_t step, uint64_t element) {
  const uint64_t block = element / 4;
  uint32_t c[4] = {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), stream, step};
  uint32_t a = static_cast<uint32_t>(seed);
  uint32_t d = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * c[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57u} * c[2];
    const uint32_t next[4] = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ a, static_cast<uint32_t>(p1),
                              static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ d, static_cast<uint32_t>(p0)};
    std::memcpy(c, next, sizeof c);
    a += 0x9E3779B9u;
    d += 0xBB67AE85u;
  }
  return c[element % 4];
}

float ref_uniform(uint32_t word) { return static_cast<float>(1u | (word >> 8)) * 0x1p-24f; }

float ref_ln32(float x) {
  const int32_t i = static_cast<int32_t>(bits(x));
  const int32_t t = i - 0x3F3504F3;
  const int32_t e = t >> 23;
  const float m = from_bits(static_cast<uint32_t>(i) - (static_cast<uint32_t>(e) << 23));
  const float f = m - 1.0f;
  const float z = f * f;
  const float p = horner(
      {0x3D5A0998u, 0xBDDF9EB1u, 0x3DF8066Au, 0xBE0080A8u, 0x3E1181B7u, 0xBE2A978Cu, 0x3E4CD2A0u, 0xBE800038u, 0x3EAAAAA4u}, f);
  float y = f * z;
  y = y * p;
  const float low = static_cast<float>(e) * from_bits(0xB95E8083u);
  y = y + low;
  const float half = 0.5f * z;
  y = y - half;
  const float r = f + y;
  const float high = static_cast<float>(e) * from_bits(0x3F318000u);
  return r + high;
}

float ref_exp32(float x) {
  if (x != x) {
    return x;
  }
  if (x < -87.0f) {
    return 0.0f;
  }
  float n = x * from_bits(0x3FB8AA3Bu);
  n = n + 12582912.0f;
  n = n - 12582912.0f;
  const float high = n * from_bits(0x3F318000u);
  const float low = n * from_bits(0xB95E8083u);
  float r = x - high;
  r = r - low;
  const float z = r * r;
  float p = horner({0x3AB55BC0u, 0x3C091EAEu, 0x3D2AAC2Du, 0x3E2AAA46u, 0x3EFFFFFEu}, r);
  p = p * z;
  p = p + r;
  p = p + 1.0f;
  return p * from_bits(static_cast<uint32_t>(static_cast<int32_t>(n) + 127) << 23);
}

float ref_tanh32(float x) {
  const float a = std::fabs(x);
  if (a < 0.625f) {
    const float y = x * x;
    const float p = horner({0xBBBA8672u, 0x3CA8FC67u, 0xBD5C1AD2u, 0x3E08837Bu, 0xBEAAAA99u}, y);
    const float xy = x * y;
    const float t = xy * p;
    return x + t;
  }
  const float e = ref_exp32(-2.0f * a);
  const float numerator = 1.0f - e;
  const float denominator = 1.0f + e;
  return std::copysign(numerator / denominator, x);
}

void ref_sincos2pi(uint32_t k, float* sine, float* cosine) {
  const uint32_t q = (k + (1u << 21)) >> 22;
  const float t = static_cast<float>(static_cast<int32_t>(k - (q << 22))) * 0x1p-24f;
  const float y = t * t;
  const float s = t * horner({0xC2998CC7u, 0x42A34052u, 0xC2255E12u, 0x40C90FDBu}, y);
  float c = horner({0x426A7BF7u, 0xC2AAD95Bu, 0x4281E0D8u, 0xC19DE9E6u}, y);
  c = c * y;
  c = c + 1.0f;
  switch (q & 3) {
    case 0:
      *cosine = c;
      *sine = s;
      break;
    case 1:
      *cosine = -s;
      *sine = c;
      break;
    case 2:
      *cosine = -c;
      *sine = -s;
      break;
    default:
      *cosine = s;
      *sine = -c;
  }
}

float ref_gaussian(uint64_t seed, uint32_t stream, uint32_t step, uint64_t element) {
  const uint64_t even = element & ~uint64_t{1};
  const float logarithm = ref_ln32(ref_uniform(ref_philox(seed, stream, step, even)));
  const float r = std::sqrt(-2.0f * logarithm);
  float sine, cosine;
  ref_sincos2pi(1u | (ref_philox(seed, stream, step, even + 1) >> 8), &sine, &cosine);
  return element % 2 == 0 ? r * cosine : r * sine;
}

float ref_sum(const std::vector<float>& x) {
  constexpr size_t kChunk = 4096;
  std::vector<float> sums;
  for (size_t begin = 0; begin < x.size(); begin += kChunk) {
    const size_t n = x.size() - begin < kChunk ? x.size() - begin : kChunk;
    float lane[16] = {};
    for (size_t i = 0; i < n; ++i) {
      lane[i % 16] = i < 16 ? x[begin + i] : lane[i % 16] + x[begin + i];
    }
    for (size_t h = 8; h > 0; h /= 2) {
      for (size_t j = 0; j < h; ++j) {
        lane[j] = lane[j] + lane[j + h];
      }
    }
    sums.push_back(lane[0]);
  }
  return sums.empty() ? 0.0f : sums.size() == 1 ? sums[0] : ref_sum(sums);
}

void ref_update(int32_t rule, const metaplast_rule_row_t& row, float* mu, float* sigma, float* low, float g_mu, float g_sigma) {
  const float s = *sigma;
  if (rule == METAPLAST_RULE_BGD) {
    float t = s * g_mu;
    t = s * t;
    t = row.rate_mean * t;
    *mu = *mu - t;
    float x = s * g_sigma;
    x = 0.5f * x;
    const float a = std::fabs(x);
    const float aa = a * a;
    const float h = a < 0x1p60f ? std::sqrt(1.0f + aa) : a;
    const float r = a + h;
    *sigma = x >= 0.0f ? s / r : s * r;
    return;
  }
  float a = row.prior_mean - *mu;
  a = a * row.prior_pull;
  a = s * a;
  float xm = s * g_mu;
  float xs = s * g_sigma;
  if (rule == METAPLAST_RULE_MESU && row.clamp > 0.0f) {
    xm = clip(xm, row.clamp);
    xs = clip(xs, row.clamp);
  }
  a = a - xm;
  a = s * a;
  const float ss = s * s;
  float q = row.prior_variance - ss;
  q = q * row.prior_pull;
  q = q - xs;
  q = s * q;
  float dm = row.rate_mean * a;
  float ds = row.rate_sigma * q;
  if (rule == METAPLAST_RULE_MESU) {
    *mu = *mu + dm;
    if (low != nullptr) {
      const float y = ds + *low;
      *sigma = s + y;
      const float moved = *sigma - s;
      *low = y - moved;
    } else {
      *sigma = s + ds;
    }
    if (row.sigma_min > 0.0f) {
      *sigma = *sigma < row.sigma_min ? row.sigma_min : *sigma;
    }
    return;
  }
  if (row.second_order > 0.0f) {
    const float scaled = row.second_order * std::fabs(xs);
    const float den = 1.0f + scaled;
    dm = dm / den;
    ds = ds / den;
  }
  const float limit = row.ratio_max * s;
  *mu = *mu + clip(dm, limit);
  *sigma = s + clip(ds, limit);
  if (row.sigma_min > 0.0f) {
    *sigma = range(*sigma, row.sigma_min, row.sigma_max);
  }
  if (row.mean_min < row.mean_max) {
    *mu = range(*mu, row.mean_min, row.mean_max);
  }
}

void Fnv::add(float x) { hash_ = (hash_ ^ bits(x)) * 0x100000001b3u; }

}  // namespace testing
}  // namespace metaplast
