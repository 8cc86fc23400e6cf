// Products G W A and the quadratic penalty: bits against a plain restatement of the order of sums, bounds against double, differences of the value,
// and bits that depend on nothing but an item's own operands.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "metaplast/kfac.h"
#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

constexpr double kUnit = 0x1p-24;
constexpr float kUntouched = 12345.0f;

long long ll(int64_t n) { return static_cast<long long>(n); }

// A matrix whose gaps between rows hold a canary.
struct Matrix {
  Matrix(int64_t row_count, int64_t col_count, int64_t pitch)
      : rows(row_count), cols(col_count), ld(pitch), data(static_cast<size_t>(rows * ld), kUntouched) {}
  float& at(int64_t r, int64_t c) { return data[static_cast<size_t>(r * ld + c)]; }
  float at(int64_t r, int64_t c) const { return data[static_cast<size_t>(r * ld + c)]; }
  bool gaps_intact() const {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = cols; c < ld; ++c) {
        if (at(r, c) != kUntouched) return false;
      }
    }
    return true;
  }
  bool untouched() const {
    return std::all_of(data.begin(), data.end(), [](float x) { return x == kUntouched; });
  }
  bool same_bits(const Matrix& other) const {
    return data.size() == other.data.size() && (data.empty() || std::memcmp(data.data(), other.data.data(), data.size() * 4) == 0);
  }

  int64_t rows, cols, ld;
  std::vector<float> data;
};

Matrix random_matrix(std::mt19937_64* random, int64_t rows, int64_t cols, int64_t ld) {
  std::normal_distribution<float> normal;
  Matrix m(rows, cols, ld);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) m.at(r, c) = normal(*random);
  }
  return m;
}

Matrix random_symmetric(std::mt19937_64* random, int64_t n, int64_t ld) {
  Matrix m = random_matrix(random, n, n, ld);
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t c = 0; c < r; ++c) m.at(c, r) = m.at(r, c);
  }
  return m;
}

struct Layer {
  Layer(uint64_t seed, int64_t m, int64_t k, int64_t gap)
      : Layer(std::mt19937_64(seed), m, k, gap) {}
  Layer(std::mt19937_64 random, int64_t m, int64_t k, int64_t gap)
      : g(random_symmetric(&random, m, m + gap)), a(random_symmetric(&random, k, k + 2 * gap)), w(random_matrix(&random, m, k, k + gap)),
        anchor(random_matrix(&random, m, k, k + 3 * gap)), out(m, k, k + 4 * gap) {}
  metaplast_kronecker_item_t item() {
    return {w.rows, w.cols, g.data.data(), g.ld, w.data.data(), w.ld, a.data.data(), a.ld, out.data.data(), out.ld, nullptr, w.cols, 1.0};
  }
  metaplast_kronecker_item_t term(double weight, Matrix* gradient) {
    metaplast_kronecker_item_t term = item();
    term.anchor = anchor.data.data();
    term.ldanchor = anchor.ld;
    term.weight = weight;
    term.out = gradient == nullptr ? nullptr : gradient->data.data();
    term.ldo = gradient == nullptr ? term.k : gradient->ld;
    return term;
  }
  Matrix g, a, w, anchor, out;
};

using Items = std::vector<metaplast_kronecker_item_t>;

// Calls with a workspace of exactly the size that was asked for, between canaries.
template <class Call>
metaplast_status_t with_workspace(int64_t bytes, const Call& call) {
  char* const memory = static_cast<char*>(metaplast_alloc(bytes + 128));
  std::memset(memory, 0xA5, static_cast<size_t>(bytes + 128));
  const metaplast_status_t status = call(memory + 64, bytes);
  for (int64_t i = 0; i < 64; ++i) expect(memory[i] == '\xA5' && memory[64 + bytes + i] == '\xA5', "workspace overrun, %lld bytes", ll(bytes));
  metaplast_free(memory, bytes + 128);
  return status;
}

metaplast_status_t products(const metaplast_context_t* context, const Items& items) {
  const int64_t count = static_cast<int64_t>(items.size());
  return with_workspace(metaplast_kronecker_products_workspace_bytes(context, count, items.data()), [&](void* workspace, int64_t bytes) {
    return metaplast_kronecker_products_f32(context, count, items.data(), workspace, bytes);
  });
}

struct Sums {
  double value = -1, absolute = -1;
};

metaplast_status_t penalty(const metaplast_context_t* context, const Items& items, Sums* sums) {
  const int64_t count = static_cast<int64_t>(items.size());
  return with_workspace(metaplast_kronecker_penalty_workspace_bytes(context, count, items.data()), [&](void* workspace, int64_t bytes) {
    return metaplast_kronecker_penalty_f32(context, count, items.data(), &sums->value, &sums->absolute, workspace, bytes);
  });
}

// x*y + z, fused but for the scalar tier.
float multiply_add(int32_t tier, float x, float y, float z) {
  if (tier != METAPLAST_TIER_SCALAR) return std::fma(x, y, z);
  const volatile float product = x * y;
  return product + z;
}

// x y in the order of the contract.
Matrix ordered_product(int32_t tier, const Matrix& x, const Matrix& y) {
  Matrix z(x.rows, y.cols, y.cols);
  for (int64_t r = 0; r < x.rows; ++r) {
    for (int64_t c = 0; c < y.cols; ++c) {
      float total = 0;
      for (int64_t k = 0; k < x.cols; k += 256) {
        float sum = 0;
        for (int64_t p = k; p < std::min(k + 256, x.cols); ++p) sum = multiply_add(tier, x.at(r, p), y.at(p, c), sum);
        total = k == 0 ? sum : total + sum;
      }
      z.at(r, c) = total;
    }
  }
  return z;
}

Matrix difference(const Matrix& x, const Matrix& y) {
  Matrix d(x.rows, x.cols, x.cols);
  for (int64_t r = 0; r < x.rows; ++r) {
    for (int64_t c = 0; c < x.cols; ++c) d.at(r, c) = x.at(r, c) - y.at(r, c);
  }
  return d;
}

// G D A and |G| |D| |A| in double.
struct Exact {
  Exact(const Matrix& g, const Matrix& d, const Matrix& a) : m(d.rows), k(d.cols), p(static_cast<size_t>(m * k)), bound(p) {
    std::vector<double> t(p.size()), s(p.size());
    for (int64_t r = 0; r < m; ++r) {
      for (int64_t i = 0; i < k; ++i) {
        const double f = d.at(r, i);
        for (int64_t c = 0; c < k; ++c) {
          t[r * k + c] += f * a.at(i, c);
          s[r * k + c] += std::fabs(f * a.at(i, c));
        }
      }
    }
    for (int64_t r = 0; r < m; ++r) {
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t c = 0; c < k; ++c) {
          p[r * k + c] += g.at(r, i) * t[i * k + c];
          bound[r * k + c] += std::fabs(g.at(r, i)) * s[i * k + c];
        }
      }
    }
    for (double& b : bound) b *= static_cast<double>(m + k + 4) * kUnit;
  }
  int64_t m, k;
  std::vector<double> p, bound;
};

struct Shape {
  int64_t m, k;
};

std::vector<Shape> shapes() {
  std::vector<Shape> shapes = {{1, 1}, {2, 3}, {5, 1}, {1, 33}, {7, 16}, {14, 32}, {15, 48}, {13, 17}, {29, 64}, {10, 101}, {100, 100}};
  if (!sparse()) {
    shapes.insert(shapes.end(), {{100, 257}, {257, 100}, {113, 400}, {300, 31}, {64, 520}, {20, 1018}});
    for (int64_t m = 1; m <= 30; ++m) shapes.push_back({m, 3 * m % 50 + 1});
  }
  return shapes;
}

void check_bits_and_bounds() {
  for (const Shape& shape : shapes()) {
    Layer layer(static_cast<uint64_t>(shape.m * 1000 + shape.k), shape.m, shape.k, 3);
    const Exact exact(layer.g, layer.w, layer.a);
    for (int32_t tier : tiers()) {
      const Context context(tier, 1);
      layer.out = Matrix(shape.m, shape.k, layer.out.ld);
      expect(products(context, {layer.item()}) == METAPLAST_OK, "call");
      expect(layer.out.gaps_intact(), "%s, %lld x %lld: written between rows", tier_name(tier), ll(shape.m), ll(shape.k));
      const Matrix expected = ordered_product(tier, layer.g, ordered_product(tier, layer.w, layer.a));
      int64_t wrong = 0, beyond = 0;
      for (int64_t r = 0; r < shape.m; ++r) {
        for (int64_t c = 0; c < shape.k; ++c) {
          wrong += !same(layer.out.at(r, c), expected.at(r, c));
          beyond += !(std::fabs(layer.out.at(r, c) - exact.p[r * shape.k + c]) <= exact.bound[r * shape.k + c]);
        }
      }
      expect(wrong == 0, "%s, %lld x %lld: %lld elements of other bits", tier_name(tier), ll(shape.m), ll(shape.k), ll(wrong));
      expect(beyond == 0, "%s, %lld x %lld: %lld elements beyond the bound", tier_name(tier), ll(shape.m), ll(shape.k), ll(beyond));
    }
  }
}

void check_closed_forms() {
  for (int32_t tier : tiers()) {
    const Context context(tier, 2);
    // G and A diagonal: element (r, c) times g_r a_c. Small integers: exact.
    Layer layer(1, 9, 70, 0);
    for (int64_t r = 0; r < 9; ++r) {
      for (int64_t c = 0; c < 9; ++c) layer.g.at(r, c) = r == c ? static_cast<float>(r + 1) : 0.0f;
    }
    for (int64_t r = 0; r < 70; ++r) {
      for (int64_t c = 0; c < 70; ++c) layer.a.at(r, c) = r == c ? static_cast<float>(c - 20) : 0.0f;
    }
    for (size_t i = 0; i < layer.w.data.size(); ++i) layer.w.data[i] = static_cast<float>(i % 17) - 8.0f;
    expect(products(context, {layer.item()}) == METAPLAST_OK, "call");
    bool equal = true;
    for (int64_t r = 0; r < 9; ++r) {
      for (int64_t c = 0; c < 70; ++c) equal &= layer.out.at(r, c) == layer.w.at(r, c) * static_cast<float>((r + 1) * (c - 20));
    }
    expect(equal, "%s: diagonal factors", tier_name(tier));

    // Integers: equal to the bit in any order. (G (x) A) rvec(W) = rvec(G W A).
    Layer integers(2, 21, 43, 1);
    std::mt19937_64 random(3);
    for (Matrix* m : {&integers.g, &integers.a, &integers.w}) {
      for (int64_t r = 0; r < m->rows; ++r) {
        for (int64_t c = 0; c < m->cols; ++c) m->at(r, c) = static_cast<float>(static_cast<int64_t>(random() % 9) - 4);
      }
    }
    expect(products(context, {integers.item()}) == METAPLAST_OK, "call");
    const Exact exact(integers.g, integers.w, integers.a);
    equal = true;
    for (int64_t r = 0; r < 21; ++r) {
      for (int64_t c = 0; c < 43; ++c) equal &= static_cast<double>(integers.out.at(r, c)) == exact.p[r * 43 + c];
    }
    expect(equal, "%s: integers", tier_name(tier));

    // NaN reaches all that it is a part of, and nothing else.
    Layer poisoned(4, 6, 50, 0);
    poisoned.a.at(7, 40) = std::numeric_limits<float>::quiet_NaN();
    expect(products(context, {poisoned.item()}) == METAPLAST_OK, "call");
    for (int64_t r = 0; r < 6; ++r) {
      for (int64_t c = 0; c < 50; ++c) expect(std::isnan(poisoned.out.at(r, c)) == (c == 40), "%s: NaN at %lld, %lld", tier_name(tier), ll(r), ll(c));
    }
  }
}

// Lists: sizes as in networks; the results are those of calls of one item on one thread.
void check_lists_and_threads() {
  std::vector<Shape> shapes = {{10, 101}, {100, 784}, {100, 100}, {0, 5}, {5, 0}, {64, 129}, {300, 400}, {3, 1000}};
  if (sparse()) shapes = {{10, 101}, {40, 300}, {0, 5}, {5, 0}};
  for (int i = 0; i < 40; ++i) shapes.push_back({1 + i % 7, 20 + i});
  std::vector<Layer> layers;
  for (size_t i = 0; i < shapes.size(); ++i) layers.emplace_back(i, shapes[i].m, shapes[i].k, static_cast<int64_t>(i % 3));
  for (int32_t tier : tiers()) {
    std::vector<Matrix> alone, forms;
    std::vector<double> values;
    {
      const Context context(tier, 1);
      for (Layer& layer : layers) {
        layer.out = Matrix(layer.out.rows, layer.out.cols, layer.out.ld);
        expect(products(context, {layer.item()}) == METAPLAST_OK, "call");
        alone.push_back(layer.out);
        Matrix gradient = layer.w;
        Sums sums;
        expect(penalty(context, {layer.term(0.7, &gradient)}, &sums) == METAPLAST_OK, "call");
        forms.push_back(gradient);
        values.push_back(sums.value);
      }
    }
    for (int32_t threads = 1; threads <= 4; ++threads) {
      const Context context(tier, threads);
      for (int order = 0; order < 2; ++order) {
        Items items, in_place, terms;
        std::vector<Matrix> overwritten, gradients;
        for (const Layer& layer : layers) {
          overwritten.push_back(layer.w);
          gradients.push_back(layer.w);
        }
        double value = 0;
        for (size_t i = 0; i < layers.size(); ++i) {
          const size_t l = order == 0 ? i : layers.size() - 1 - i;
          layers[l].out = Matrix(layers[l].out.rows, layers[l].out.cols, layers[l].out.ld);
          items.push_back(layers[l].item());
          in_place.push_back(layers[l].item());
          in_place.back().w = in_place.back().out = overwritten[l].data.data();
          in_place.back().ldo = in_place.back().ldw;
          terms.push_back(layers[l].term(0.7, &gradients[l]));
          value += values[l];
        }
        Sums sums;
        expect(products(context, items) == METAPLAST_OK && products(context, in_place) == METAPLAST_OK, "call");
        expect(penalty(context, terms, &sums) == METAPLAST_OK, "call");
        for (size_t l = 0; l < layers.size(); ++l) {
          expect(layers[l].out.same_bits(alone[l]), "%s, %d threads, item %zu: other bits than alone", tier_name(tier), threads, l);
          bool equal = overwritten[l].gaps_intact();
          for (int64_t r = 0; r < alone[l].rows; ++r) {
            for (int64_t c = 0; c < alone[l].cols; ++c) equal &= same(overwritten[l].at(r, c), alone[l].at(r, c));
          }
          expect(equal, "%s, %d threads, item %zu: in place", tier_name(tier), threads, l);
          expect(gradients[l].same_bits(forms[l]), "%s, %d threads, item %zu: gradient", tier_name(tier), threads, l);
        }
        expect(sums.value == value, "%s, %d threads: value %.17g, expected %.17g", tier_name(tier), threads, sums.value, value);
      }
    }
  }
}

// Terms of several tasks on shared gradients, against the products of the same differences.
void check_penalty() {
  const std::vector<Shape> shapes = {{12, 40}, {33, 70}, {1, 1}, {20, sparse() ? 40 : 450}};
  for (int32_t tier : tiers()) {
    for (int32_t threads = 1; threads <= 4; ++threads) {
      const Context context(tier, threads);
      std::vector<Layer> tasks;  // three of every layer; the weights are those of the first
      std::vector<Matrix> gradients, expected;
      for (size_t l = 0; l < shapes.size(); ++l) {
        for (uint64_t t = 0; t < 3; ++t) tasks.emplace_back(10 * l + t, shapes[l].m, shapes[l].k, 2);
        std::mt19937_64 random(l);
        gradients.push_back(random_matrix(&random, shapes[l].m, shapes[l].k, shapes[l].k + 5));
        expected.push_back(gradients.back());
      }
      const double weights[3] = {0.3, 1.7, -0.4};
      Items terms, alone;
      double value = 0, absolute = 0;
      for (size_t t = 0; t < 3; ++t) {
        for (size_t l = 0; l < shapes.size(); ++l) {
          Layer& task = tasks[3 * l + t];
          const Matrix& w = tasks[3 * l].w;
          terms.push_back(task.term(weights[t], &gradients[l]));
          terms.back().w = w.data.data();
          terms.back().ldw = w.ld;
          const bool from_zero = l == 1 && t == 1;
          if (from_zero) terms.back().anchor = nullptr;
          alone.push_back(terms.back());
          alone.back().out = nullptr;
          const Matrix d = from_zero ? w : difference(w, task.anchor);
          Matrix p(d.rows, d.cols, d.cols);
          metaplast_kronecker_item_t item = task.item();
          item.w = d.data.data();
          item.ldw = d.ld;
          item.out = p.data.data();
          item.ldo = p.ld;
          expect(products(context, {item}) == METAPLAST_OK, "call");
          double form = 0;
          for (int64_t c = 0; c < d.cols; ++c) {
            double column = 0;
            for (int64_t r = 0; r < d.rows; ++r) {
              column += static_cast<double>(d.at(r, c)) * static_cast<double>(p.at(r, c));
              expected[l].at(r, c) = multiply_add(tier, static_cast<float>(weights[t]), p.at(r, c), expected[l].at(r, c));
            }
            form += column;
          }
          value += weights[t] / 2 * form;
          absolute += std::fabs(weights[t] / 2) * std::fabs(form);
        }
      }
      Sums sums, without;
      expect(penalty(context, terms, &sums) == METAPLAST_OK && penalty(context, alone, &without) == METAPLAST_OK, "call");
      for (size_t l = 0; l < shapes.size(); ++l) {
        expect(gradients[l].same_bits(expected[l]), "%s, %d threads, layer %zu: gradient", tier_name(tier), threads, l);
      }
      expect(sums.value == value && sums.absolute == absolute, "%s, %d threads: value %.17g %.17g, expected %.17g %.17g", tier_name(tier), threads,
             sums.value, sums.absolute, value, absolute);
      expect(without.value == value && without.absolute == absolute, "%s, %d threads: value without gradients", tier_name(tier), threads);
    }
  }
}

// The gradient against central differences of the value, both terms in double: exact for a quadratic form.
void check_differences() {
  const int64_t m = 11, k = 37;
  Layer layer(5, m, k, 0);
  const double weight = 1.3, step = 0.25;
  const auto value = [&](int64_t row, int64_t column, double h) {
    double sum = 0;
    std::vector<double> d(static_cast<size_t>(m * k));
    for (int64_t r = 0; r < m; ++r) {
      for (int64_t c = 0; c < k; ++c) {
        d[r * k + c] = static_cast<double>(layer.w.at(r, c) - layer.anchor.at(r, c)) + (r == row && c == column ? h : 0.0);
      }
    }
    for (int64_t r = 0; r < m; ++r) {
      for (int64_t c = 0; c < k; ++c) {
        double t = 0;
        for (int64_t i = 0; i < k; ++i) t += d[r * k + i] * layer.a.at(i, c);
        for (int64_t i = 0; i < m; ++i) sum += d[i * k + c] * layer.g.at(i, r) * t;
      }
    }
    return weight / 2 * sum;
  };
  const Exact exact(layer.g, difference(layer.w, layer.anchor), layer.a);
  for (int32_t tier : tiers()) {
    const Context context(tier, 2);
    Matrix gradient(m, k, k);
    std::fill(gradient.data.begin(), gradient.data.end(), 0.0f);
    Sums sums;
    expect(penalty(context, {layer.term(weight, &gradient)}, &sums) == METAPLAST_OK, "call");
    const double middle = value(0, 0, 0.0);
    expect(std::fabs(sums.value - middle) <= 1e-5 * std::fabs(sums.absolute), "%s: value %g, expected %g", tier_name(tier), sums.value, middle);
    for (int64_t i = 0; i < m * k; i += 7) {
      const double slope = (value(i / k, i % k, step) - value(i / k, i % k, -step)) / (2 * step);
      const double bound = weight * exact.bound[i] + 4 * kUnit * std::fabs(slope) + 1e-9;
      expect(std::fabs(gradient.data[i] - slope) <= bound, "%s, element %lld: %g, difference %g", tier_name(tier), ll(i),
             static_cast<double>(gradient.data[i]), slope);
    }
  }
}

void check_arguments() {
  const Context context(METAPLAST_TIER_SCALAR, 2);
  const auto refused = [&](const char* what, const Items& items, Layer* layer) {
    Sums sums;
    expect(products(context, items) == METAPLAST_E_ARGUMENT, "%s: products", what);
    expect(penalty(context, items, &sums) == METAPLAST_E_ARGUMENT && sums.value == -1 && sums.absolute == -1, "%s: penalty", what);
    expect(layer->out.untouched(), "%s: written", what);
  };
  Layer layer(6, 4, 9, 1), other(7, 5, 9, 1);
  const metaplast_kronecker_item_t sound = layer.item();
  const auto with = [&](void (*change)(metaplast_kronecker_item_t*)) {
    Items items = {sound, sound};
    change(&items[1]);
    return items;
  };
  refused("m", with([](metaplast_kronecker_item_t* i) { i->m = -1; }), &layer);
  refused("k", with([](metaplast_kronecker_item_t* i) { i->k = -1; }), &layer);
  refused("g", with([](metaplast_kronecker_item_t* i) { i->g = nullptr; }), &layer);
  refused("w", with([](metaplast_kronecker_item_t* i) { i->w = nullptr; }), &layer);
  refused("a", with([](metaplast_kronecker_item_t* i) { i->a = nullptr; }), &layer);
  refused("ldg", with([](metaplast_kronecker_item_t* i) { i->ldg = 3; }), &layer);
  refused("ldw", with([](metaplast_kronecker_item_t* i) { i->ldw = 8; }), &layer);
  refused("lda", with([](metaplast_kronecker_item_t* i) { i->lda = 8; }), &layer);
  refused("ldo", with([](metaplast_kronecker_item_t* i) { i->ldo = 8; }), &layer);
  expect(products(context, with([](metaplast_kronecker_item_t* i) { i->out = nullptr; })) == METAPLAST_E_ARGUMENT && layer.out.untouched(), "out");

  Sums sums;
  expect(penalty(context, with([](metaplast_kronecker_item_t* i) { i->ldanchor = 8; }), &sums) == METAPLAST_E_ARGUMENT && layer.out.untouched(),
         "ldanchor");
  metaplast_kronecker_item_t misfit = other.item();
  misfit.out = sound.out;
  expect(penalty(context, {sound, misfit}, &sums) == METAPLAST_E_ARGUMENT && layer.out.untouched(), "shapes of one gradient");

  const int64_t bytes = std::max(metaplast_kronecker_products_workspace_bytes(context, 1, &sound),
                                 metaplast_kronecker_penalty_workspace_bytes(context, 1, &sound));
  char* const memory = static_cast<char*>(metaplast_alloc(bytes + 64));
  expect(metaplast_kronecker_products_f32(context, 1, &sound, memory, metaplast_kronecker_products_workspace_bytes(context, 1, &sound) - 1) ==
                 METAPLAST_E_ARGUMENT &&
             metaplast_kronecker_products_f32(context, 1, &sound, memory + 4, bytes) == METAPLAST_E_ARGUMENT &&
             metaplast_kronecker_products_f32(context, 1, &sound, nullptr, bytes) == METAPLAST_E_ARGUMENT &&
             metaplast_kronecker_products_f32(nullptr, 1, &sound, memory, bytes) == METAPLAST_E_ARGUMENT &&
             metaplast_kronecker_products_f32(context, -1, &sound, memory, bytes) == METAPLAST_E_ARGUMENT &&
             metaplast_kronecker_products_f32(context, 1, nullptr, memory, bytes) == METAPLAST_E_ARGUMENT,
         "arguments of the products");
  expect(metaplast_kronecker_penalty_f32(context, 1, &sound, nullptr, &sums.absolute, memory, bytes) == METAPLAST_E_ARGUMENT &&
             metaplast_kronecker_penalty_f32(context, 1, &sound, &sums.value, nullptr, memory, bytes) == METAPLAST_E_ARGUMENT &&
             metaplast_kronecker_penalty_f32(context, 1, &sound, &sums.value, &sums.absolute, memory,
                                             metaplast_kronecker_penalty_workspace_bytes(context, 1, &sound) - 1) == METAPLAST_E_ARGUMENT,
         "arguments of the penalty");
  expect(layer.out.untouched() && sums.value == -1 && sums.absolute == -1, "refused, but written");
  metaplast_free(memory, bytes + 64);
  expect(metaplast_kronecker_products_f32(context, 0, nullptr, nullptr, 0) == METAPLAST_OK, "no products");
  expect(metaplast_kronecker_penalty_f32(context, 0, nullptr, &sums.value, &sums.absolute, nullptr, 0) == METAPLAST_OK && sums.value == 0 &&
             sums.absolute == 0,
         "no terms");
}

}  // namespace

int main() {
  check_bits_and_bounds();
  check_closed_forms();
  check_lists_and_threads();
  check_penalty();
  check_differences();
  check_arguments();
  return finish("kronecker_products");
}
