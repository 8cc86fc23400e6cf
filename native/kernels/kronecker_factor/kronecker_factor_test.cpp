// Factor statistics against double: shapes around tiles, panels, blocks and waves, every kind, fp32 and bf16, exact integers, both triangles, the place
// of what is not finite, bits that depend on two columns only, image patches against a plain restatement and closed cases, guard pages, bad arguments.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "metaplast/kfac.h"
#include "testing/matrices.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

using Values = std::vector<float>;
using Doubles = std::vector<double>;
using ll = long long;
constexpr float kStale = 4711.0f;
constexpr double kUnit = 0x1p-24;

size_t at(int64_t i) { return static_cast<size_t>(i); }

Values integers(uint64_t seed, int64_t n) {
  Values v = uniform_values(seed, n, -8.49f, 8.49f);
  for (float& x : v) x = std::round(x);
  return v;
}

uint16_t bf16_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return static_cast<uint16_t>(bits >> 16);
}

float truncated(float x) {
  const uint32_t bits = static_cast<uint32_t>(bf16_of(x)) << 16;
  std::memcpy(&x, &bits, 4);
  return x;
}

// A factor [d][d] in memory [d][ld]: the lower triangle `lower`, or NaN where beta is 0; NaN above the diagonal; a pattern between rows.
Values factor_memory(int64_t d, int64_t ld, const Values& lower, float beta) {
  Values f(d == 0 ? 0 : matrix_size(d, d, ld), kStale);
  for (int64_t i = 0; i < d; ++i) {
    for (int64_t j = 0; j < d; ++j) f[at(i * ld + j)] = beta == 0 || j > i ? std::nanf("") : lower[at(i * d + j)];
  }
  return f;
}

// The factor [d][d] after the call; symmetric to the bit, gaps untouched.
Values factor_result(int64_t d, int64_t ld, const Values& memory) {
  Values f(at(d * d));
  for (int64_t i = 0; i < d; ++i) {
    for (int64_t j = 0; j < d; ++j) f[at(i * d + j)] = memory[at(i * ld + j)];
    for (int64_t j = d; j < ld && i + 1 < d; ++j) expect(memory[at(i * ld + j)] == kStale, "the gap between rows was written");
  }
  for (int64_t i = 0; i < d; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      if (std::memcmp(&f[at(i * d + j)], &f[at(j * d + i)], 4) != 0) {
        expect(false, "not symmetric at (%lld, %lld) of %lld", ll{i}, ll{j}, ll{d});
        return f;
      }
    }
  }
  return f;
}

struct Case {
  int32_t kind;
  int64_t rows, cols;
  bool bias, bf16;
  float alpha, beta;
  int64_t gap;
  int64_t d() const { return cols + (bias ? 1 : 0); }
};

// x [rows][cols], old [d][d].
Values update(const Context& context, const Case& c, const Values& x, const Values& old, bool at_end) {
  const int64_t d = c.d(), ldx = c.cols + c.gap, ldf = d + 2 * c.gap;
  Values wide(c.cols == 0 || c.rows == 0 ? 0 : matrix_size(c.rows, c.cols, ldx), std::nanf(""));
  for (int64_t r = 0; r < c.rows; ++r) std::copy_n(x.begin() + r * c.cols, c.cols, wide.begin() + r * ldx);
  std::vector<uint16_t> narrow(wide.size());
  std::transform(wide.begin(), wide.end(), narrow.begin(), bf16_of);
  const Values before = factor_memory(d, ldf, old, c.beta);
  GuardedArray<float> gx(c.bf16 ? Values() : wide, at_end), gf(before, at_end);
  GuardedArray<uint16_t> gn(c.bf16 ? narrow : std::vector<uint16_t>(), at_end);
  const int64_t bytes = metaplast_kronecker_factor_workspace_bytes(context, c.rows, c.cols, c.bias);
  expect(bytes % 64 == 0, "workspace of %lld bytes", ll{bytes});
  GuardedArray<unsigned char> memory(std::vector<unsigned char>(at(bytes), 0xFF), at_end);
  unsigned char* const workspace = memory;
  int64_t index = -7;
  const void* const data = c.bf16 ? static_cast<const void*>(static_cast<uint16_t*>(gn)) : static_cast<float*>(gx);
  const metaplast_status_t status =
      metaplast_kronecker_factor_update(context, c.kind, c.rows, c.cols, data, c.bf16 ? METAPLAST_BF16 : METAPLAST_F32, ldx, c.bias, c.alpha, c.beta,
                                        gf, ldf, &index, workspace, bytes);
  expect(status == METAPLAST_OK && index == -7, "status %d, index %lld", status, ll{index});
  expect((c.bf16 ? gn.holds(narrow) : gx.gaps_intact()) && gf.gaps_intact() && memory.gaps_intact(), "surroundings were written");
  return factor_result(d, ldf, gf.values());
}

void check(const Case& c, bool exact, int32_t most_threads) {
  const int64_t d = c.d();
  const uint64_t seed = static_cast<uint64_t>(c.rows * 3 + c.cols);
  Values x = exact ? integers(seed, c.rows * c.cols) : uniform_values(seed, c.rows * c.cols, -1, 3);
  if (c.bf16) std::transform(x.begin(), x.end(), x.begin(), truncated);
  const Values old = exact ? integers(seed + 1, d * d) : uniform_values(seed + 1, d * d, -1, 1);
  Values mean(at(c.cols));
  for (int64_t j = 0; j < c.cols && c.kind != METAPLAST_FACTOR_SECOND_MOMENT; ++j) {
    double total = 0;
    for (int64_t r = 0; r < c.rows; r += 256) {
      double sum = 0;
      for (int64_t p = r; p < std::min(r + 256, c.rows); ++p) sum += static_cast<double>(x[at(p * c.cols + j)]);
      total += sum;
    }
    mean[at(j)] = static_cast<float>(total / static_cast<double>(c.rows));
  }
  Doubles rows(at(c.rows * d), 1.0);
  for (int64_t r = 0; r < c.rows; ++r) {
    for (int64_t j = 0; j < c.cols; ++j) {
      const float e = x[at(r * c.cols + j)];
      rows[at(r * d + j)] = c.kind == METAPLAST_FACTOR_SECOND_MOMENT ? e : e - mean[at(j)];
    }
  }
  Doubles sum(at(d * d)), absolute(at(d * d));
  for (int64_t r = 0; r < c.rows; ++r) {
    for (int64_t i = 0; i < d; ++i) {
      const double e = rows[at(r * d + i)];
      for (int64_t j = 0; j <= i; ++j) {
        const double t = e * rows[at(r * d + j)];
        sum[at(i * d + j)] += t;
        absolute[at(i * d + j)] += std::fabs(t);
      }
    }
  }
  const double n = static_cast<double>(c.rows);
  Doubles expected(at(d * d)), bound(at(d * d));
  for (int64_t i = 0; i < d; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      const size_t e = at(i * d + j);
      double s = sum[e], a = (n + 1) * absolute[e];
      if (c.kind != METAPLAST_FACTOR_SECOND_MOMENT) {
        s /= n;
        a = (n + 3) * absolute[e] / n;
        const double product = static_cast<double>(mean[at(i)]) * mean[at(j)];
        if (c.kind == METAPLAST_FACTOR_MEAN) {
          s = product;
          a = std::fabs(product);
        } else if (c.kind == METAPLAST_FACTOR_BETWEEN) {
          s = product - s / (n - 1);
          a = 2 * std::fabs(product) + (2 + (n + 3)) * absolute[e] / n / (n - 1);
        }
      }
      const double kept = c.beta == 0 ? 0 : static_cast<double>(c.beta) * old[e];
      expected[e] = c.alpha * s + kept;
      bound[e] = kUnit * (std::fabs(c.alpha) * (a + 2 * std::fabs(s)) + std::fabs(kept));
    }
  }
  for (int32_t tier : tiers()) {
    Values first;
    for (int32_t threads = 1; threads <= most_threads; ++threads) {
      const Context context(tier, threads);
      const Values f = update(context, c, x, old, (c.rows + c.cols + threads) % 2 == 0);
      if (threads > 1) {
        expect(equal_bits(f, first), "%s, kind %d, %lld x %lld: other bits with %d threads", tier_name(tier), c.kind, ll{c.rows}, ll{c.cols}, threads);
        continue;
      }
      first = f;
      for (int64_t i = 0; i < d; ++i) {
        for (int64_t j = 0; j <= i; ++j) {
          const size_t e = at(i * d + j);
          if (!(std::fabs(f[e] - expected[e]) <= (exact ? 0 : bound[e]))) {
            expect(false, "%s, kind %d, %lld x %lld, bias %d, bf16 %d, element (%lld, %lld): %.9g instead of %.17g", tier_name(tier), c.kind,
                   ll{c.rows}, ll{c.cols}, c.bias, c.bf16, ll{i}, ll{j}, f[e], expected[e]);
            return;
          }
        }
      }
    }
  }
}

// An element has the bits that its two columns alone give.
void check_positions(int64_t rows, int64_t cols) {
  const Values x = uniform_values(5, rows * cols, -1, 1), old(at((cols + 1) * (cols + 1)), 0.5f);
  for (int32_t tier : tiers()) {
    const Context context(tier, 1);
    const Values whole = update(context, {METAPLAST_FACTOR_SECOND_MOMENT, rows, cols, true, false, 0.3f, 0.9f, 0}, x, old, true);
    for (int64_t i = 0; i < cols; i += 5) {
      for (int64_t j = 0; j <= i; j += 7) {
        Values two(at(rows * 2));
        for (int64_t r = 0; r < rows; ++r) {
          two[at(r * 2)] = x[at(r * cols + j)];
          two[at(r * 2 + 1)] = x[at(r * cols + i)];
        }
        const Values f = update(context, {METAPLAST_FACTOR_SECOND_MOMENT, rows, 2, true, false, 0.3f, 0.9f, 1}, two, old, false);
        const int64_t d = cols + 1;
        expect(same(f[3], whole[at(i * d + j)]) && same(f[0], whole[at(j * d + j)]) && same(f[6], whole[at(cols * d + j)]) &&
                   same(f[8], whole[at(d * d - 1)]),
               "%s: element (%lld, %lld) of %lld depends on its place", tier_name(tier), ll{i}, ll{j}, ll{d});
      }
    }
  }
}

void check_not_finite(int64_t rows, int64_t cols, int32_t kind, bool bf16) {
  const float bad[] = {std::nanf(""), INFINITY, -INFINITY};
  int turn = 0;
  for (int32_t tier : tiers()) {
    for (int64_t step = 0; step < 12; ++step, ++turn) {
      const Context context(tier, 1 + turn % 3);
      Values x = uniform_values(9, rows * cols, -1, 1);
      // Two of them; the first counts, although the second may lie in an earlier panel.
      const int64_t first = step * (rows * cols - 1) / 11, second = std::min(rows * cols - 1, (first / cols + 1) * cols + step % cols);
      x[at(first)] = bad[turn % 3];
      x[at(std::max(first, second))] = bad[(turn + 1) % 3];
      std::vector<uint16_t> narrow(x.size());
      std::transform(x.begin(), x.end(), narrow.begin(), bf16_of);
      for (size_t i = 0; i < x.size(); ++i) {
        if (std::isnan(x[i])) narrow[i] = 0x7fc1;
      }
      Values f(at(cols * cols), kStale);
      const int64_t bytes = metaplast_kronecker_factor_workspace_bytes(context, rows, cols, 0);
      void* const workspace = metaplast_alloc(bytes);
      int64_t index = -7;
      const void* const data = bf16 ? static_cast<const void*>(narrow.data()) : x.data();
      const metaplast_status_t status = metaplast_kronecker_factor_update(context, kind, rows, cols, data, bf16 ? METAPLAST_BF16 : METAPLAST_F32, cols,
                                                                          0, 1, 0, f.data(), cols, &index, workspace, bytes);
      expect(status == METAPLAST_E_NOT_FINITE && index == first, "%s, kind %d, %lld x %lld: status %d, index %lld instead of %lld", tier_name(tier),
             kind, ll{rows}, ll{cols}, status, ll{index}, ll{first});
      expect(f == Values(f.size(), kStale), "kind %d: the factor was written", kind);
      metaplast_free(workspace, bytes);
    }
  }
}

// ---- image patches

struct Convolution {
  metaplast_conv2d_t shape;
  int32_t sharing;
  bool bias;
  float alpha, beta;
};

int64_t out_size(int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation) {
  const int64_t room = size + 2 * pad - dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

// Rows of all groups, [groups*rows][d], in double.
Doubles patch_rows(const Convolution& c, const Values& x, int64_t* rows, int64_t* d) {
  const metaplast_conv2d_t& s = c.shape;
  const int64_t oh = out_size(s.height, s.kernel_h, s.stride_h, s.pad_h, s.dilation_h), ow = out_size(s.width, s.kernel_w, s.stride_w, s.pad_w, s.dilation_w);
  const int64_t channels = s.channels / s.groups, cols = channels * s.kernel_h * s.kernel_w, positions = oh * ow;
  const bool expand = c.sharing == METAPLAST_SHARING_EXPAND;
  *d = cols + (c.bias ? 1 : 0);
  *rows = s.groups * s.batch * (expand ? positions : 1);
  Doubles out(at(*rows * *d));
  for (int64_t g = 0; g < s.groups; ++g) {
    for (int64_t n = 0; n < s.batch; ++n) {
      for (int64_t t = 0; t < positions; ++t) {
        double* const row = out.data() + ((g * s.batch + n) * (expand ? positions : 1) + (expand ? t : 0)) * *d;
        for (int64_t q = 0; q < cols; ++q) {
          const int64_t ch = q / (s.kernel_h * s.kernel_w), ky = q / s.kernel_w % s.kernel_h, kx = q % s.kernel_w;
          const int64_t iy = t / ow * s.stride_h - s.pad_h + ky * s.dilation_h, ix = t % ow * s.stride_w - s.pad_w + kx * s.dilation_w;
          if (iy < 0 || iy >= s.height || ix < 0 || ix >= s.width) continue;
          const double e = x[at(((n * s.channels + g * channels + ch) * s.height + iy) * s.width + ix)];
          row[q] += c.sharing == METAPLAST_SHARING_REDUCE_MEAN ? e / static_cast<double>(positions) : e;
        }
      }
    }
  }
  for (int64_t r = 0; r < *rows && c.bias; ++r) {
    out[at(r * *d + cols)] = c.sharing == METAPLAST_SHARING_REDUCE_SUM ? static_cast<double>(positions) : 1.0;
  }
  return out;
}

Values update_patches(const Context& context, const Convolution& c, const Values& x, const Values& old, int64_t d, bool at_end) {
  const int64_t ldf = d + 3;
  GuardedArray<float> gx(x, at_end), gf(factor_memory(d, ldf, old, c.beta), at_end);
  const int64_t bytes = metaplast_im2col_factor_workspace_bytes(context, &c.shape, c.sharing, c.bias);
  GuardedArray<unsigned char> memory(std::vector<unsigned char>(at(bytes), 0xFF), at_end);
  unsigned char* const workspace = memory;
  int64_t index = -7;
  const metaplast_status_t status =
      metaplast_im2col_factor_update_f32(context, &c.shape, c.sharing, gx, c.bias, c.alpha, c.beta, gf, ldf, &index, workspace, bytes);
  expect(status == METAPLAST_OK && index == -7, "status %d", status);
  expect(gx.holds(x) && gf.gaps_intact() && memory.gaps_intact(), "inputs or surroundings were written");
  return factor_result(d, ldf, gf.values());
}

void check_patches(const Convolution& c, bool exact, int32_t most_threads) {
  const metaplast_conv2d_t& s = c.shape;
  const int64_t elements = int64_t{s.batch} * s.channels * s.height * s.width;
  const Values x = exact ? integers(21, elements) : uniform_values(22, elements, -1, 2);
  int64_t rows = 0, d = 0;
  const Doubles patches = patch_rows(c, x, &rows, &d);
  const Values old = exact ? integers(23, d * d) : uniform_values(24, d * d, -1, 1);
  Doubles expected(at(d * d)), bound(at(d * d));
  for (int64_t i = 0; i < d; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      double sum = 0, absolute = 0;
      for (int64_t r = 0; r < rows; ++r) {
        const double t = patches[at(r * d + i)] * patches[at(r * d + j)];
        sum += t;
        absolute += std::fabs(t);
      }
      const double kept = c.beta == 0 ? 0 : static_cast<double>(c.beta) * old[at(i * d + j)];
      expected[at(i * d + j)] = c.alpha * sum + kept;
      // Reduced patches are rounded once more.
      bound[at(i * d + j)] = kUnit * (static_cast<double>(rows + 5) * std::fabs(c.alpha) * absolute + std::fabs(kept));
    }
  }
  for (int32_t tier : tiers()) {
    Values first;
    for (int32_t threads = 1; threads <= most_threads; ++threads) {
      const Context context(tier, threads);
      const Values f = update_patches(context, c, x, old, d, (d + threads) % 2 == 0);
      if (threads > 1) {
        expect(equal_bits(f, first), "%s, patches: other bits with %d threads", tier_name(tier), threads);
        continue;
      }
      first = f;
      for (int64_t i = 0; i < d; ++i) {
        for (int64_t j = 0; j <= i; ++j) {
          const size_t e = at(i * d + j);
          if (!(std::fabs(f[e] - expected[e]) <= (exact ? 0 : bound[e]))) {
            expect(false, "%s, patches, sharing %d, kernel %dx%d, stride %d, pad %d, groups %d, element (%lld, %lld) of %lld: %.9g instead of %.17g",
                   tier_name(tier), c.sharing, s.kernel_h, s.kernel_w, s.stride_h, s.pad_h, s.groups, ll{i}, ll{j}, ll{d}, f[e], expected[e]);
            return;
          }
        }
      }
    }
  }
}

void check_all_patches() {
  // batch, channels, height, width, outs, kernel, stride, pad, dilation, groups
  const metaplast_conv2d_t shapes[] = {
      {2, 1, 3, 3, 7, 2, 2, 1, 1, 0, 0, 1, 1, 1},    {3, 6, 9, 11, 0, 3, 3, 1, 1, 1, 1, 1, 1, 1},  {2, 4, 12, 10, 8, 3, 2, 2, 3, 1, 0, 1, 2, 1},
      {2, 6, 8, 20, 6, 3, 5, 1, 2, 2, 4, 2, 1, 2},   {4, 10, 5, 5, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1},  {3, 8, 7, 7, 4, 1, 1, 2, 2, 0, 0, 1, 1, 4},
      {1, 3, 40, 37, 16, 7, 7, 2, 2, 3, 3, 1, 1, 1}, {5, 49, 4, 4, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1},  {2, 2, 4, 5, 1, 2, 3, 1, 1, 5, 6, 1, 1, 1},
      {300, 3, 2, 2, 1, 2, 2, 1, 1, 1, 1, 1, 1, 3},  {0, 3, 5, 5, 1, 3, 3, 1, 1, 1, 1, 1, 1, 1},
      {2, 2, 1, 4, 1, 2, 2, 1, 1, 0, 0, 1, 1, 1}};
  for (const metaplast_conv2d_t& shape : shapes) {
    for (int32_t sharing : {METAPLAST_SHARING_EXPAND, METAPLAST_SHARING_REDUCE_MEAN, METAPLAST_SHARING_REDUCE_SUM}) {
      for (int bias = 0; bias < 2; ++bias) {
        check_patches({shape, sharing, bias != 0, 0.125f, bias != 0 ? 0.75f : 0.0f}, false, 4);
        // Sums of integers stay exact below 2^24, which those of sums over positions need not.
        if (sharing == METAPLAST_SHARING_EXPAND) check_patches({shape, sharing, bias != 0, 1, bias != 0 ? 1.0f : 0.0f}, true, 1);
      }
    }
  }
}

void expect_values(const char* name, const Values& f, const Values& expected) {
  bool ok = f.size() == expected.size();
  for (size_t i = 0; ok && i < f.size(); ++i) ok = std::fabs(f[i] - expected[i]) <= 1e-6f;
  expect(ok, "%s", name);
}

void check_closed_cases() {
  const Values x = {1, 2, 0, -1, 3, 1, 2, 0, -2, 0, 1, 1, 2, -1, 0, 1, 1, 3}, dy = {1, -1, 0, 2, 0.5f, 0, 1, -1, 0, 1, 1, -2, -1, 1, 0, 0.5f};
  const metaplast_conv2d_t inputs = {2, 1, 3, 3, 2, 2, 2, 1, 1, 0, 0, 1, 1, 1}, gradients = {2, 2, 2, 2, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1};
  for (int32_t tier : tiers()) {
    const Context context(tier, 1);
    const Values none(25, 0.0f);
    expect_values("expand, inputs", update_patches(context, {inputs, METAPLAST_SHARING_EXPAND, true, 0.125f, 0}, x, none, 5, true),
                  {2.625f, 0.125f, 0.375f, -0.25f, 0.875f, 0.125f, 2.125f, 0.5f,  0.25f,  0.875f, 0.375f, 0.5f, 2.625f,
                   0.25f,  0.875f, -0.25f, 0.25f,  0.25f,  3.125f, 0.625f, 0.875f, 0.875f, 0.875f, 0.625f, 1});
    expect_values("expand, gradients", update_patches(context, {gradients, METAPLAST_SHARING_EXPAND, false, 0.125f, 0}, dy, none, 2, true),
                  {1.5f, -0.1875f, -0.1875f, 0.5625f});
    expect_values("reduce, inputs", update_patches(context, {inputs, METAPLAST_SHARING_REDUCE_MEAN, true, 0.5f, 0}, x, none, 5, true),
                  {0.90625f, 1,        0.8125f, 0.5f,     0.875f,   1,        1.15625f, 0.84375f, 0.46875f, 0.875f, 0.8125f, 0.84375f, 0.78125f,
                   0.53125f, 0.875f,   0.5f,    0.46875f, 0.53125f, 0.40625f, 0.625f,   0.875f,   0.875f,   0.875f, 0.625f,  1});
    expect_values("reduce, gradients", update_patches(context, {gradients, METAPLAST_SHARING_REDUCE_SUM, false, 0.5f, 0}, dy, none, 2, true),
                  {2, 0.5f, 0.5f, 0.25f});
    // [[1, 2], [3, 6], [5, 1]]: column means 3 and 3, centred rows (-2, -1), (0, 3), (2, -2).
    const Values rows = {1, 2, 3, 6, 5, 1};
    const auto of_kind = [&](int32_t kind) { return update(context, {kind, 3, 2, false, false, 1, 0, 0}, rows, none, true); };
    expect_values("centred", of_kind(METAPLAST_FACTOR_CENTRED), {8 / 3.0f, -2 / 3.0f, -2 / 3.0f, 14 / 3.0f});
    expect_values("mean", of_kind(METAPLAST_FACTOR_MEAN), {9, 9, 9, 9});
    expect_values("between", of_kind(METAPLAST_FACTOR_BETWEEN), {23 / 3.0f, 28 / 3.0f, 28 / 3.0f, 20 / 3.0f});
  }
}

void check_patch_scan() {
  const metaplast_conv2d_t shape = {3, 4, 9, 7, 1, 3, 3, 2, 2, 1, 1, 1, 1, 2};
  const int64_t elements = 3 * 4 * 9 * 7, d = 18;
  for (int32_t tier : tiers()) {
    const Context context(tier, 2);
    const int64_t bytes = metaplast_im2col_factor_workspace_bytes(context, &shape, METAPLAST_SHARING_EXPAND, 0);
    void* const workspace = metaplast_alloc(bytes);
    for (int64_t i = 0; i < elements; i += 5) {
      Values x = uniform_values(3, elements, -1, 1), f(at(d * d), kStale);
      x[at(i)] = i % 2 == 0 ? INFINITY : std::nanf("");
      x[at(elements - 1)] = -INFINITY;
      int64_t index = -7;
      const metaplast_status_t status = metaplast_im2col_factor_update_f32(context, &shape, METAPLAST_SHARING_EXPAND, x.data(), 0, 1, 0, f.data(), d,
                                                                           &index, workspace, bytes);
      expect(status == METAPLAST_E_NOT_FINITE && index == i && f == Values(f.size(), kStale), "%s, patches: status %d, index %lld instead of %lld",
             tier_name(tier), status, ll{index}, ll{i});
    }
    metaplast_free(workspace, bytes);
  }
}

void check_arguments() {
  const Context context(tiers().back(), 2);
  const Values x = uniform_values(1, 60, -1, 1);
  const Values stale(at(60), kStale);
  Values f = stale;
  int64_t index = -7;
  const int64_t bytes = metaplast_kronecker_factor_workspace_bytes(context, 10, 6, 1);
  char* const memory = static_cast<char*>(metaplast_alloc(bytes + 64));
  struct Arguments {
    const metaplast_context_t* context;
    int32_t kind = METAPLAST_FACTOR_SECOND_MOMENT;
    int64_t rows = 10, cols = 6;
    const void* x;
    int32_t type = METAPLAST_F32;
    int64_t ldx = 6;
    int32_t bias = 1;
    float alpha = 1, beta = 0.5f;
    float* f;
    int64_t ldf = 7;
    int64_t* index;
    void* workspace;
    int64_t bytes;
  };
  Arguments good;
  good.context = context;
  good.x = x.data();
  good.f = f.data();
  good.index = &index;
  good.workspace = memory;
  good.bytes = bytes;
  const auto call = [&](void (*change)(Arguments&)) {
    Arguments a = good;
    change(a);
    return metaplast_kronecker_factor_update(a.context, a.kind, a.rows, a.cols, a.x, a.type, a.ldx, a.bias, a.alpha, a.beta, a.f, a.ldf, a.index,
                                             a.workspace, a.bytes);
  };
  void (*const wrong[])(Arguments&) = {
      [](Arguments& a) { a.context = nullptr; },
      [](Arguments& a) { a.kind = -1; },
      [](Arguments& a) { a.kind = 4; },
      [](Arguments& a) { a.rows = -1; },
      [](Arguments& a) { a.cols = -1; },
      [](Arguments& a) { a.x = nullptr; },
      [](Arguments& a) { a.type = 2; },
      [](Arguments& a) { a.ldx = 5; },
      [](Arguments& a) { a.kind = METAPLAST_FACTOR_CENTRED; },
      [](Arguments& a) { a.alpha = INFINITY; },
      [](Arguments& a) { a.alpha = std::nanf(""); },
      [](Arguments& a) { a.beta = -0.25f; },
      [](Arguments& a) { a.beta = 1.25f; },
      [](Arguments& a) { a.beta = std::nanf(""); },
      [](Arguments& a) { a.f = nullptr; },
      [](Arguments& a) { a.ldf = 6; },
      [](Arguments& a) { a.index = nullptr; },
      [](Arguments& a) { a.workspace = nullptr; },
      [](Arguments& a) { a.workspace = static_cast<char*>(a.workspace) + 4; },
      [](Arguments& a) { a.bytes -= 1; },
      [](Arguments& a) { a.bias = 0, a.rows = 1, a.kind = METAPLAST_FACTOR_CENTRED; },
      [](Arguments& a) { a.bias = 0, a.rows = 1, a.kind = METAPLAST_FACTOR_BETWEEN; },
      [](Arguments& a) { a.bias = 0, a.rows = 0, a.kind = METAPLAST_FACTOR_MEAN; },
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) expect(call(wrong[i]) == METAPLAST_E_ARGUMENT, "bad call %zu", i);

  const metaplast_conv2d_t shape = {1, 2, 4, 4, 0, 2, 2, 1, 1, 0, 0, 1, 1, 2};
  const int64_t patch_bytes = metaplast_im2col_factor_workspace_bytes(context, &shape, METAPLAST_SHARING_EXPAND, 1);
  expect(patch_bytes <= bytes, "workspace of the test");
  const auto patches = [&](const metaplast_conv2d_t& s, int32_t sharing, int64_t ldf, float beta, int64_t size) {
    return metaplast_im2col_factor_update_f32(context, &s, sharing, x.data(), 1, 1, beta, f.data(), ldf, &index, memory, size);
  };
  const auto changed = [&](int32_t metaplast_conv2d_t::*field, int32_t value) {
    metaplast_conv2d_t s = shape;
    s.*field = value;
    return patches(s, METAPLAST_SHARING_EXPAND, 20, 0, bytes);
  };
  using S = metaplast_conv2d_t;
  const metaplast_status_t bad[] = {
      changed(&S::batch, -1), changed(&S::channels, 3), changed(&S::height, -4), changed(&S::width, -1), changed(&S::kernel_h, 0),
      changed(&S::kernel_w, -1), changed(&S::stride_w, 0), changed(&S::pad_h, -1), changed(&S::dilation_h, 0), changed(&S::groups, 0),
      patches(shape, 3, 5, 0, bytes), patches(shape, -1, 5, 0, bytes), patches(shape, 0, 4, 0, bytes), patches(shape, 0, 5, 2, bytes),
      patches(shape, 0, 5, 0, patch_bytes - 1)};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) expect(bad[i] == METAPLAST_E_ARGUMENT, "bad call %zu on patches", i);
  expect(index == -7 && equal_bits(f, stale), "a bad call wrote something");
  expect(call([](Arguments& a) { a.bias = 0, a.cols = 0, a.f = nullptr, a.workspace = nullptr; }) == METAPLAST_OK, "no columns");
  metaplast_free(memory, bytes + 64);
}

}  // namespace

int main() {
  constexpr int32_t kMoment = METAPLAST_FACTOR_SECOND_MOMENT;
  for (int64_t n = 0; n <= 100; ++n) {
    const bool bias = n % 2 != 0, bf16 = n % 3 == 0;
    check({kMoment, 1 + n * 5 % 23, n, bias, bf16, 1, 0, n % 3}, false, 1);
    check({kMoment, n, 1 + n * 3 % 59, bias, bf16, -0.5f, 0.5f, n % 3}, false, 1);
    check({kMoment, n, 1 + n * 7 % 31, bias, bf16, 2, 1, n % 2}, true, 1);
    for (int32_t kind : {METAPLAST_FACTOR_CENTRED, METAPLAST_FACTOR_MEAN, METAPLAST_FACTOR_BETWEEN}) {
      check({kind, 2 + n, 1 + n * 3 % 61, false, bf16, 0.5f, n % 2 == 0 ? 0.0f : 0.25f, n % 3}, false, 1);
    }
  }
  check({METAPLAST_FACTOR_MEAN, 1, 50, false, false, 1, 0, 0}, false, 1);
  for (int64_t rows : {255, 256, 257, 513}) {
    for (int32_t kind = 0; kind < 4; ++kind) {
      check({kind, rows, 50, false, rows % 2 == 0, 0.25f, 0.75f, 1}, false, 3);
    }
    check({kMoment, rows, 96, true, false, 1, 0, 0}, true, 2);
  }
  // Several waves; many tiles, and few tiles whose threads take blocks of rows.
  check({kMoment, 700, 300, true, false, 0.125f, 0.5f, 1}, false, 4);
  check({kMoment, sparse() ? 3000 : 20000, 20, true, true, 0.125f, 0, 0}, false, 4);
  check({kMoment, sparse() ? 3000 : 20000, 64, false, false, 1, 0, 1}, true, 4);
  check({METAPLAST_FACTOR_CENTRED, 6000, 60, false, false, 1, 0, 0}, false, 4);
  check_positions(300, 101);
  for (int32_t kind = 0; kind < 4; ++kind) {
    check_not_finite(600, 50, kind, false);
    check_not_finite(37, 100, kind, true);
  }
  check_closed_cases();
  check_all_patches();
  check_patch_scan();
  check_arguments();
  return finish("kronecker_factor_test");
}
