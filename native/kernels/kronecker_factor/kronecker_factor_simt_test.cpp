#include <cmath>
#include <limits>

#include "metaplast/binary.h"
#include "metaplast/kfac.h"
#include "shim/matrix_testing.h"
#include "shim/simt_testing.h"
#include "shim/tensor_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::uniform_values;

namespace {

constexpr double kUnit = 1.0 / (1 << 24);

struct Shape {
  int64_t rows, cols;
};
// Around tiles, blocks of rows and chunks of them.
constexpr Shape kShapes[] = {{0, 3}, {1, 1}, {2, 5}, {3, 64}, {300, 7}, {40, 65}, {257, 130}, {2000, 3}};

std::vector<float> integers(uint64_t seed, int64_t n) {
  std::vector<float> values = uniform_values(seed, n + 1, -8.0f, 8.0f);
  for (float& v : values) v = std::nearbyint(v);
  return values;
}

bool lower(int64_t i, int64_t d, int64_t ld) { return i / ld < d && i % ld <= i / ld; }

}  // namespace

// With integers the sums are exact and the bits those of the CPU; with other values the bound of the contract holds against double.
METAPLAST_SIMT_TEST(kronecker_factor_update) {
  for (const Shape& s : kShapes) {
    for (int32_t kind = METAPLAST_FACTOR_SECOND_MOMENT; kind <= METAPLAST_FACTOR_BETWEEN; ++kind) {
      if (s.rows < (kind == METAPLAST_FACTOR_SECOND_MOMENT ? 0 : kind == METAPLAST_FACTOR_MEAN ? 1 : 2)) continue;
      for_orders([&](int order, int64_t offset) {
        if (s.rows * s.cols > 5000 && order > 3) return;
        const bool moment = kind == METAPLAST_FACTOR_SECOND_MOMENT, bias = moment && order % 2 == 1, narrow = order % 4 >= 2, whole = order % 3 == 0;
        const int64_t d = s.cols + (bias ? 1 : 0), ldx = s.cols + order % 2, ldf = d + order % 3;
        const float alpha = order % 5 == 4 ? -0.5f : 0.25f, beta = order % 2 == 0 ? 0.0f : 0.75f;
        const std::string at = format("factor_update %lld x %lld, kind %d, order %d", static_cast<long long>(s.rows), static_cast<long long>(s.cols), kind, order);
        std::vector<float> values = whole ? integers(1, s.rows * ldx) : uniform_values(1, s.rows * ldx + 1, -1.0f, 3.0f);
        const std::vector<uint16_t> halves = bf16_of(values);
        if (narrow) {
          for (size_t i = 0; i < values.size(); ++i) {
            const uint32_t bits = static_cast<uint32_t>(halves[i]) << 16;
            std::memcpy(&values[i], &bits, 4);
          }
        }
        Both<float> x(values, offset);
        Both<uint16_t> x16(halves, offset);
        std::vector<float> before = uniform_values(2, d * ldf + 1, -1.0f, 1.0f);
        for (int64_t i = 0; i < d * ldf; ++i) {
          if (beta == 0.0f || !lower(i, d, ldf)) before[static_cast<size_t>(i)] = std::numeric_limits<float>::quiet_NaN();  // not read
        }
        Both<float> f(before, offset);
        int64_t index = -5;
        Device<int64_t> seen({-5});
        const int64_t bytes = metaplast_kronecker_factor_workspace_bytes(cpu(), s.rows, s.cols, bias);
        const int64_t device_bytes = metaplast_kronecker_factor_workspace_bytes_cuda(s.rows, s.cols, bias);
        Device<char> host_space(std::vector<char>(static_cast<size_t>(bytes))), space(std::vector<char>(static_cast<size_t>(device_bytes), '\x7F'));
        const int32_t type = narrow ? METAPLAST_BF16 : METAPLAST_F32;
        check(metaplast_kronecker_factor_update(cpu(), kind, s.rows, s.cols, narrow ? static_cast<const void*>(x16.cpu()) : x.cpu(), type, ldx, bias, alpha,
                                                beta, f.cpu(), ldf, &index, host_space.data(), bytes) == METAPLAST_OK,
              "%s: CPU", at.c_str());
        check(metaplast_kronecker_factor_update_cuda(cuda(), kind, s.rows, s.cols, narrow ? static_cast<const void*>(x16.gpu()) : x.gpu(), type, ldx, bias,
                                                     alpha, beta, f.gpu(), ldf, seen.data(), space.data(), device_bytes, nullptr) == METAPLAST_OK,
              "%s: CUDA", at.c_str());
        check(seen.values()[0] == -1, "%s: index", at.c_str());
        if (whole && (moment || kind == METAPLAST_FACTOR_MEAN)) {
          f.expect_same_on_both("F", at);
          return;
        }
        // X'X and its absolute sums bound both backends.
        double largest = 1;
        for (const float v : values) largest = std::fmax(largest, std::fabs(static_cast<double>(v)));
        const double rows = static_cast<double>(s.rows);
        const double bound = 2 * (rows + 8) * kUnit * largest * largest * 4 * (moment ? rows : 1) * std::fabs(static_cast<double>(alpha)) + 2 * kUnit;
        const std::vector<float> have = f.device.values();
        for (int64_t i = 0; i < d * ldf; ++i) {
          const float want = f.host[static_cast<size_t>(i)], got = have[static_cast<size_t>(i)];
          const bool inside = i % ldf < d;
          check(inside ? std::fabs(static_cast<double>(got) - static_cast<double>(want)) <= bound : metaplast::testing::same(got, want),
                "%s: F[%lld] is %g, the CPU has %g", at.c_str(), static_cast<long long>(i), got, want);
          if (inside) check(got == have[static_cast<size_t>(i % ldf * ldf + i / ldf)], "%s: the triangles differ", at.c_str());
        }
      });
    }
  }
  // Something that is not finite, in several places: the first one is told and F keeps what it had.
  for (const float wrong : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    for_orders([&](int order, int64_t offset) {
      std::vector<float> values = uniform_values(4, 70 * 9, -1.0f, 1.0f);
      values[static_cast<size_t>(20 * 9 + 3)] = wrong;
      values[static_cast<size_t>(20 * 9 + 8)] = wrong;  // behind the columns
      values[static_cast<size_t>(60 * 9 + 1)] = wrong;
      Device<float> x(values, offset), f(std::vector<float>(64, 7.0f));
      Device<int64_t> index({-5});
      const int64_t bytes = metaplast_kronecker_factor_workspace_bytes_cuda(70, 8, 0);
      Device<char> space(std::vector<char>(static_cast<size_t>(bytes)));
      check(metaplast_kronecker_factor_update_cuda(cuda(), order % 4, 70, 8, x.data(), METAPLAST_F32, 9, 0, 1.0f, 0.5f, f.data(), 8, index.data(),
                                                   space.data(), bytes, nullptr) == METAPLAST_OK &&
                index.values()[0] == 20 * 8 + 3 && f.values() == std::vector<float>(64, 7.0f),
            "factor_update, kind %d: index %lld", order % 4, static_cast<long long>(index.values()[0]));
    });
  }
}

METAPLAST_SIMT_TEST(im2col_factor_update_f32) {
  const metaplast_conv2d_t shapes[] = {{2, 3, 5, 4, 0, 3, 3, 1, 1, 1, 1, 1, 1, 1}, {3, 4, 7, 6, 0, 2, 3, 2, 1, 0, 2, 1, 2, 2},
                                       {1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1}, {0, 2, 3, 3, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1},
                                       {20, 2, 6, 6, 0, 3, 3, 1, 1, 1, 1, 1, 1, 1}, {2, 8, 4, 4, 0, 3, 3, 1, 1, 1, 1, 1, 1, 1}};
  for (const metaplast_conv2d_t& shape : shapes) {
    for (int32_t sharing = METAPLAST_SHARING_EXPAND; sharing <= METAPLAST_SHARING_REDUCE_SUM; ++sharing) {
      for_orders([&](int order, int64_t offset) {
        const bool bias = order % 2 == 1, whole = sharing != METAPLAST_SHARING_REDUCE_MEAN;
        const int64_t d = shape.channels / shape.groups * shape.kernel_h * shape.kernel_w + (bias ? 1 : 0), ldf = d + order % 2;
        const int64_t elements = static_cast<int64_t>(shape.batch) * shape.channels * shape.height * shape.width;
        const std::string at = format("im2col_factor of %d images, %d channels, sharing %d, order %d", shape.batch, shape.channels, sharing, order);
        std::vector<float> values = integers(5, elements);
        for (float& v : values) v = std::nearbyint(v / 4);  // sums over positions stay small integers
        Both<float> x(values, offset), f(uniform_values(6, d * ldf + 1, -1.0f, 1.0f), offset);
        int64_t index = -5;
        Device<int64_t> seen({-5});
        const int64_t bytes = metaplast_im2col_factor_workspace_bytes(cpu(), &shape, sharing, bias);
        const int64_t device_bytes = metaplast_im2col_factor_workspace_bytes_cuda(&shape, sharing, bias);
        Device<char> host_space(std::vector<char>(static_cast<size_t>(bytes))), space(std::vector<char>(static_cast<size_t>(device_bytes), '\x7F'));
        check(metaplast_im2col_factor_update_f32(cpu(), &shape, sharing, x.cpu(), bias, 0.5f, 0.25f, f.cpu(), ldf, &index, host_space.data(), bytes) ==
                  METAPLAST_OK,
              "%s: CPU", at.c_str());
        check(metaplast_im2col_factor_update_f32_cuda(cuda(), &shape, sharing, x.gpu(), bias, 0.5f, 0.25f, f.gpu(), ldf, seen.data(), space.data(),
                                                      device_bytes, nullptr) == METAPLAST_OK &&
                  seen.values()[0] == -1,
              "%s: CUDA", at.c_str());
        const std::vector<float> have = f.device.values();
        for (size_t i = 0; i < have.size(); ++i) {
          // Exact sums; with beta the last step of the scalar tier is rounded twice.
          const double slack = (whole ? 4 : 200) * kUnit * (1 + std::fabs(static_cast<double>(f.host[i])));
          check(std::fabs(static_cast<double>(have[i]) - static_cast<double>(f.host[i])) <= slack, "%s: F[%zu] is %g, the CPU has %g", at.c_str(), i,
                have[i], f.host[i]);
        }
      });
    }
  }
  // A wrong element that no patch touches counts too.
  const metaplast_conv2d_t shape = {2, 2, 4, 4, 0, 1, 1, 2, 2, 0, 0, 1, 1, 1};
  std::vector<float> values = uniform_values(7, 64, -1.0f, 1.0f);
  values[37] = std::numeric_limits<float>::infinity();
  values[50] = std::numeric_limits<float>::quiet_NaN();
  Device<float> x(values), f(std::vector<float>(4, 7.0f));
  Device<int64_t> index({-5});
  const int64_t bytes = metaplast_im2col_factor_workspace_bytes_cuda(&shape, METAPLAST_SHARING_EXPAND, 0);
  Device<char> space(std::vector<char>(static_cast<size_t>(bytes)));
  check(metaplast_im2col_factor_update_f32_cuda(cuda(), &shape, METAPLAST_SHARING_EXPAND, x.data(), 0, 1.0f, 0.0f, f.data(), 2, index.data(), space.data(),
                                                bytes, nullptr) == METAPLAST_OK &&
            index.values()[0] == 37 && f.values() == std::vector<float>(4, 7.0f),
        "im2col_factor with infinity: index %lld", static_cast<long long>(index.values()[0]));
}

// On tensor cores, element by element within the bound of the contract; integers exactly; both triangles equal; the same bits in every order.
METAPLAST_SIMT_TEST(kronecker_factor_tensor_cores) {
  constexpr Shape kLarge[] = {{64, 32}, {65, 64}, {300, 40}, {600, 31}, {520, 70}};
  const ProductsOnTensorCores on;
  for (const Shape& s : kLarge) {
    for (int kind = 0; kind < 8; ++kind) {
      if (s.rows > 500 && kind % 2 == 0) continue;
      const bool bias = kind % 2 == 1 || s.cols == 31, narrow = kind % 4 >= 2, whole = kind >= 6, centred = !bias && kind == 4;
      const int64_t d = s.cols + (bias ? 1 : 0), ldx = s.cols + kind % 3, ldf = d + kind % 2;
      const float alpha = kind == 5 ? -0.5f : 0.25f;
      const std::string at = format("factor on tensor cores, %lld x %lld, kind %d", static_cast<long long>(s.rows), static_cast<long long>(s.cols), kind);
      std::vector<float> values = whole ? integers(31, s.rows * ldx) : uniform_values(31, s.rows * ldx + 1, kind == 0 ? 1.0f : -2.0f, 3.0f);
      const std::vector<uint16_t> halves = bf16_of(values);
      if (narrow) {
        for (size_t i = 0; i < values.size(); ++i) {
          const uint32_t bits = static_cast<uint32_t>(halves[i]) << 16;
          std::memcpy(&values[i], &bits, 4);
        }
      }
      const int64_t bytes = metaplast_kronecker_factor_workspace_bytes_cuda(s.rows, s.cols, bias);
      std::vector<float> first;
      for (int order = 0; order < (kind == 1 ? 3 : 1); ++order) {
        metaplast::shim::set_order(kind + order);
        Device<float> x(values, order), f(std::vector<float>(static_cast<size_t>(d * ldf), 7.0f), order);
        Device<uint16_t> x16(halves, order);
        Device<int64_t> index({-5});
        Device<char> space(std::vector<char>(static_cast<size_t>(bytes), '\x7F'));
        check(metaplast_kronecker_factor_update_cuda(cuda(), centred ? METAPLAST_FACTOR_CENTRED : METAPLAST_FACTOR_SECOND_MOMENT, s.rows, s.cols,
                                                     narrow ? static_cast<const void*>(x16.data()) : x.data(), narrow ? METAPLAST_BF16 : METAPLAST_F32, ldx, bias,
                                                     alpha, 0.0f, f.data(), ldf, index.data(), space.data(), bytes, nullptr) == METAPLAST_OK &&
                  index.values()[0] == -1,
              "%s: CUDA", at.c_str());
        const std::vector<float> seen = f.values();
        check(order == 0 || seen == first, "%s, order %d: other bits", at.c_str(), order);
        first = seen;
      }
      metaplast::shim::set_order(0);
      std::vector<double> mean(static_cast<size_t>(d), 0.0);
      for (int64_t c = 0; centred && c < d; ++c) {
        for (int64_t r = 0; r < s.rows; ++r) mean[static_cast<size_t>(c)] += static_cast<double>(values[static_cast<size_t>(r * ldx + c)]);
        mean[static_cast<size_t>(c)] = static_cast<double>(static_cast<float>(mean[static_cast<size_t>(c)] / static_cast<double>(s.rows)));
      }
      const auto element = [&](int64_t r, int64_t c) {
        return c >= s.cols ? 1.0 : static_cast<double>(values[static_cast<size_t>(r * ldx + c)]) - mean[static_cast<size_t>(c)];
      };
      for (int64_t i = 0; i < d; ++i) {
        for (int64_t j = 0; j <= i; ++j) {
          ExactSum exact;
          const double weight = static_cast<double>(alpha) / (centred ? static_cast<double>(s.rows) : 1.0);
          for (int64_t r = 0; r < s.rows; ++r) exact.add(element(r, i) * weight, element(r, j));
          const float seen = first[static_cast<size_t>(i * ldf + j)];
          // Means are rounded, and so are differences to them.
          check(whole ? static_cast<double>(seen) == exact.value : exact.allows(seen, static_cast<double>(s.rows) + (centred ? 8 : 3), s.rows), "%s: F[%lld][%lld] is %g, exactly %g", at.c_str(),
                static_cast<long long>(i), static_cast<long long>(j), seen, exact.value);
          check(seen == first[static_cast<size_t>(j * ldf + i)], "%s: the triangles differ", at.c_str());
        }
      }
    }
  }
  // Patches: integers exactly.
  const metaplast_conv2d_t shape = {3, 4, 6, 6, 0, 3, 3, 1, 1, 1, 1, 1, 1, 1};
  const int64_t d = 37;
  Both<float> x(integers(32, 3 * 4 * 36)), f(std::vector<float>(d * d));
  Device<int64_t> seen({-5});
  int64_t index = -5;
  const int64_t bytes = metaplast_im2col_factor_workspace_bytes(cpu(), &shape, METAPLAST_SHARING_EXPAND, 1);
  const int64_t device_bytes = metaplast_im2col_factor_workspace_bytes_cuda(&shape, METAPLAST_SHARING_EXPAND, 1);
  Device<char> host_space(std::vector<char>(static_cast<size_t>(bytes))), space(std::vector<char>(static_cast<size_t>(device_bytes)));
  const int64_t before = metaplast::shim::statistics().warp_operations;
  check(metaplast_im2col_factor_update_f32(cpu(), &shape, METAPLAST_SHARING_EXPAND, x.cpu(), 1, 0.5f, 0.0f, f.cpu(), d, &index, host_space.data(), bytes) ==
                METAPLAST_OK &&
            metaplast_im2col_factor_update_f32_cuda(cuda(), &shape, METAPLAST_SHARING_EXPAND, x.gpu(), 1, 0.5f, 0.0f, f.gpu(), d, seen.data(), space.data(),
                                                    device_bytes, nullptr) == METAPLAST_OK,
        "patches");
  check(metaplast::shim::statistics().warp_operations > before, "patches: tensor cores were used");
  f.expect_same_on_both("F", "patches");
}
