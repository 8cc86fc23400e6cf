#include <cmath>

#include "metaplast/kfac.h"
#include "shim/matrix_testing.h"
#include "shim/simt_testing.h"

using namespace metaplast::simt_testing;  // NOLINT: a test of these names
using metaplast::testing::uniform_values;

namespace {

// Layers on the host and on the device; more than a table of a launch holds in the long list.
struct Layers {
  struct Layer {
    int64_t m, k;
    Both<float> g, w, a, out, anchor;
    Layer(int64_t rows, int64_t cols, int seed, int64_t offset)
        : m(rows), k(cols), g(values(seed, m * (m + 1)), offset), w(values(seed + 1, m * (k + 2)), offset), a(values(seed + 2, k * (k + 1)), offset),
          out(values(seed + 3, m * (k + 3)), offset), anchor(values(seed + 4, m * (k + 1)), offset) {}
    static std::vector<float> values(int seed, int64_t n) { return uniform_values(static_cast<uint64_t>(seed), n + 1, -1.0f, 1.0f); }
  };

  Layers(const std::vector<std::pair<int64_t, int64_t>>& shapes, int64_t offset) {
    int seed = 10;
    for (const auto& s : shapes) layers.emplace_back(new Layer(s.first, s.second, seed += 5, offset));
  }

  // sharing: items of equal shape add to one gradient.
  std::vector<metaplast_kronecker_item_t> items(bool device, bool in_place, bool sharing, bool anchors) {
    std::vector<metaplast_kronecker_item_t> list;
    const auto p = [=](Both<float>& x) { return device ? x.gpu() : x.cpu(); };
    for (size_t i = 0; i < layers.size(); ++i) {
      Layer& l = *layers[i];
      Layer& target = sharing && i > 0 && layers[i - 1]->m == l.m && layers[i - 1]->k == l.k ? *layers[i - 1] : l;
      metaplast_kronecker_item_t item = {};
      item.m = l.m;
      item.k = l.k;
      item.g = p(l.g);
      item.ldg = l.m + 1;
      item.w = p(l.w);
      item.ldw = l.k + 2;
      item.a = p(l.a);
      item.lda = l.k + 1;
      item.out = in_place ? p(l.w) : p(target.out);
      item.ldo = in_place ? l.k + 2 : l.k + 3;
      item.anchor = anchors && i % 3 != 2 ? p(l.anchor) : nullptr;
      item.ldanchor = l.k + 1;
      item.weight = 0.75 - 0.5 * static_cast<double>(i % 4);
      list.push_back(item);
    }
    return list;
  }
  void expect_same(const std::string& at) {
    for (auto& l : layers) {
      l->out.expect_same_on_both("out", at);
      l->w.expect_same_on_both("w", at);
    }
  }

  std::vector<std::unique_ptr<Layer>> layers;
};

// G ((W - anchor) A) in the order of the contract; d: W - anchor.
std::vector<float> product(const metaplast_kronecker_item_t& item, bool penalty, std::vector<float>* d) {
  *d = packed(item.m, item.k, item.ldw, item.w);
  if (penalty && item.anchor != nullptr) {
    const std::vector<float> anchor = packed(item.m, item.k, item.ldanchor, item.anchor);
    for (size_t i = 0; i < d->size(); ++i) (*d)[i] -= anchor[i];
  }
  const std::vector<float> t = ordered_product(item.m, item.k, item.k, *d, packed(item.k, item.k, item.lda, item.a));
  return ordered_product(item.m, item.k, item.m, packed(item.m, item.m, item.ldg, item.g), t);
}

std::vector<std::vector<std::pair<int64_t, int64_t>>> lists() {
  std::vector<std::vector<std::pair<int64_t, int64_t>>> all = {{}, {{1, 1}}, {{3, 0}, {5, 7}}, {{65, 70}, {10, 101}, {10, 101}, {2, 260}}};
  all.emplace_back();
  for (int i = 0; i < 67; ++i) all.back().push_back({1 + i % 3, 2});
  return all;
}

}  // namespace

METAPLAST_SIMT_TEST(kronecker_products_f32) {
  for (const auto& shapes : lists()) {
    for_orders([&](int order, int64_t offset) {
      if (order > 4 && shapes.size() > 10) return;
      const std::string at = format("kronecker_products of %zu layers, order %d", shapes.size(), order);
      Layers layers(shapes, offset);
      const auto host = layers.items(false, order % 2 == 1, false, false), device = layers.items(true, order % 2 == 1, false, false);
      const int64_t count = static_cast<int64_t>(host.size());
      const int64_t device_bytes = metaplast_kronecker_products_workspace_bytes_cuda(count, device.data());
      Device<char> space(std::vector<char>(static_cast<size_t>(device_bytes)));
      for (const metaplast_kronecker_item_t& item : host) {
        std::vector<float> d;
        const std::vector<float> p = product(item, false, &d);
        for (int64_t i = 0; i < item.m * item.k; ++i) item.out[i / item.k * item.ldo + i % item.k] = p[static_cast<size_t>(i)];
      }
      check(metaplast_kronecker_products_f32_cuda(cuda(), count, device.data(), space.data(), device_bytes, nullptr) == METAPLAST_OK, "%s: CUDA",
            at.c_str());
      layers.expect_same(at);
      check(device_bytes == 0 || metaplast_kronecker_products_f32_cuda(cuda(), count, device.data(), space.data(), device_bytes - 1, nullptr) ==
                                     METAPLAST_E_ARGUMENT,
            "%s: small workspace", at.c_str());
    });
  }
}

// Gradients to the bit; the two sums, whose order is the backend's own, to rounding in double.
METAPLAST_SIMT_TEST(kronecker_penalty_f32) {
  for (const auto& shapes : lists()) {
    for_orders([&](int order, int64_t offset) {
      if (order > 4 && shapes.size() > 10) return;
      const std::string at = format("kronecker_penalty of %zu terms, order %d", shapes.size(), order);
      Layers layers(shapes, offset);
      auto host = layers.items(false, false, true, order % 3 != 1), device = layers.items(true, false, true, order % 3 != 1);
      const int64_t count = static_cast<int64_t>(host.size());
      if (order == 2) {
        for (auto& item : host) item.out = nullptr;
        for (auto& item : device) item.out = nullptr;
      }
      const int64_t device_bytes = metaplast_kronecker_penalty_workspace_bytes_cuda(count, device.data());
      Device<char> space(std::vector<char>(static_cast<size_t>(device_bytes)));
      double value = 0, absolute = 0;
      for (const metaplast_kronecker_item_t& item : host) {
        std::vector<float> d;
        const std::vector<float> p = product(item, true, &d);
        double form = 0;
        for (size_t i = 0; i < p.size(); ++i) form += static_cast<double>(d[i]) * static_cast<double>(p[i]);
        value += item.weight / 2 * form;
        absolute += std::fabs(item.weight / 2) * std::fabs(form);
        for (int64_t i = 0; item.out != nullptr && i < item.m * item.k; ++i) {
          float* const g = item.out + i / item.k * item.ldo + i % item.k;
          *g = std::fma(static_cast<float>(item.weight), p[static_cast<size_t>(i)], *g);
        }
      }
      Device<double> sums({-1.0, -1.0});
      check(metaplast_kronecker_penalty_f32_cuda(cuda(), count, device.data(), sums.data(), sums.data() + 1, space.data(), device_bytes, nullptr) ==
                METAPLAST_OK,
            "%s: CUDA", at.c_str());
      layers.expect_same(at);
      const std::vector<double> seen = sums.values();
      const double slack = 1e-12 * (1 + static_cast<double>(count)) * (absolute + 1);
      check(std::fabs(seen[0] - value) <= slack && std::fabs(seen[1] - absolute) <= slack, "%s: %.17g and %.17g, expected %.17g and %.17g", at.c_str(),
            seen[0], seen[1], value, absolute);
    });
  }
}

// On tensor cores: within (m+k+4) u (|G| |W| |A|), for a list the bits of single calls, and the penalty's sums and gradients from such products.
METAPLAST_SIMT_TEST(kronecker_products_tensor_cores) {
  const ProductsOnTensorCores on;
  const std::vector<std::pair<int64_t, int64_t>> shapes = {{64, 70}, {10, 101}, {40, 64}, {80, 65}, {65, 33}};
  for (int order = 0; order < 4; ++order) {
    metaplast::shim::set_order(order);
    Layers layers(shapes, order), single(shapes, 0), penalty(shapes, order);
    const auto host = layers.items(false, false, false, false), device = layers.items(true, false, false, false), alone = single.items(true, false, false, false);
    const auto host_terms = penalty.items(false, false, false, true), terms = penalty.items(true, false, false, true);
    const int64_t count = static_cast<int64_t>(host.size());
    Device<char> space(std::vector<char>(static_cast<size_t>(metaplast_kronecker_penalty_workspace_bytes_cuda(count, terms.data()))));
    const int64_t bytes = static_cast<int64_t>(space.values().size());
    Device<double> sums({-1.0, -1.0});
    check(metaplast_kronecker_products_f32_cuda(cuda(), count, device.data(), space.data(), bytes, nullptr) == METAPLAST_OK, "list");
    for (const metaplast_kronecker_item_t& item : alone) {
      check(metaplast_kronecker_products_f32_cuda(cuda(), 1, &item, space.data(), bytes, nullptr) == METAPLAST_OK, "one");
    }
    check(metaplast_kronecker_penalty_f32_cuda(cuda(), count, terms.data(), sums.data(), sums.data() + 1, space.data(), bytes, nullptr) == METAPLAST_OK, "penalty");
    double value = 0, bound = 0;
    int64_t different = 0;
    for (size_t l = 0; l < shapes.size(); ++l) {
      for (const bool with_anchor : {false, true}) {
        const metaplast_kronecker_item_t& item = (with_anchor ? host_terms : host)[l];
        const int64_t m = item.m, k = item.k;
        const double units = static_cast<double>(m + k + 4), weight = static_cast<double>(static_cast<float>(item.weight));
        // D A and |D| |A|, then G times them.
        std::vector<ExactSum> t(static_cast<size_t>(m * k));
        const auto d = [&](int64_t r, int64_t c) {
          const float w = item.w[r * item.ldw + c];
          return static_cast<double>(with_anchor && item.anchor != nullptr ? w - item.anchor[r * item.ldanchor + c] : w);
        };
        for (int64_t r = 0; r < m; ++r) {
          for (int64_t c = 0; c < k; ++c) {
            for (int64_t q = 0; q < k; ++q) t[static_cast<size_t>(r * k + c)].add(d(r, q), static_cast<double>(item.a[q * item.lda + c]));
          }
        }
        Layers::Layer& layer = *(with_anchor ? penalty : layers).layers[l];
        const std::vector<float> seen = layer.out.device.values(), one = single.layers[l]->out.device.values();
        std::vector<float> ordered, unused;
        if (!with_anchor) ordered = product(item, false, &unused);
        for (int64_t r = 0; r < m; ++r) {
          for (int64_t c = 0; c < k; ++c) {
            ExactSum p;
            for (int64_t q = 0; q < m; ++q) {
              const ExactSum& inner = t[static_cast<size_t>(q * k + c)];
              const double g = static_cast<double>(item.g[r * item.ldg + q]);
              p.value += g * inner.value;
              p.magnitude += std::fabs(g) * inner.magnitude;
            }
            const size_t place = static_cast<size_t>(r * item.ldo + c);
            if (with_anchor) {
              value += item.weight / 2 * d(r, c) * p.value;
              bound += std::fabs(item.weight / 2 * d(r, c)) * units * 0x1p-24 * p.magnitude;
              const double before = static_cast<double>(item.out[place]);
              p.value = before + weight * p.value;
              p.magnitude = std::fabs(before) / units + std::fabs(weight) * p.magnitude;
            } else {
              check(metaplast::testing::same(seen[place], one[place]), "layer %zu: a list has other bits than one call", l);
              different += metaplast::testing::same(seen[place], ordered[static_cast<size_t>(r * k + c)]) ? 0 : 1;
            }
            check(p.allows(seen[place], units, m + k), "layer %zu, %s [%lld][%lld] is %g, exactly %g", l, with_anchor ? "gradient" : "product",
                  static_cast<long long>(r), static_cast<long long>(c), seen[place], p.value);
          }
        }
      }
    }
    check(std::fabs(sums.values()[0] - value) <= bound + 1e-12, "penalty is %g, exactly %g", sums.values()[0], value);
    check(different > 1000, "tensor cores were used: %lld elements differ", static_cast<long long>(different));
    metaplast::shim::set_order(0);
  }
}
