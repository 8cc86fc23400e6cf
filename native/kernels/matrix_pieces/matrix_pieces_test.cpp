// Traces, inner products, linear combinations and element-wise operations against plain restatements.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "metaplast/kfac.h"
#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

constexpr float kUntouched = 12345.0f;

long long ll(int64_t n) { return static_cast<long long>(n); }

// rows x cols of `values` at pitch ld, canaries between the rows.
std::vector<float> pitched(const std::vector<float>& values, int64_t rows, int64_t cols, int64_t ld) {
  std::vector<float> m(static_cast<size_t>(rows * ld), kUntouched);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) m[static_cast<size_t>(r * ld + c)] = values[static_cast<size_t>(r * cols + c)];
  }
  return m;
}

bool equal(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!same(a[i], b[i])) return false;
  }
  return true;
}

// Nothing between the operations is contracted: every result passes through memory.
float rounded(float x) {
  const volatile float y = x;
  return y;
}

void check_combine() {
  const int64_t rows = 173, cols = 501, n = std::max(kMostElements, rows * cols);
  const float a = 0.3f, b = -1.7f;
  const std::vector<float> x = mixed_values(1, n), y = mixed_values(2, n);
  std::vector<float> sum, scaled;
  for (int64_t i = 0; i < n; ++i) {
    scaled.push_back(rounded(a * x[i]));
    sum.push_back(rounded(a * x[i]) + rounded(b * y[i]));
  }
  check_elementwise("matrix_combine", {input("x", x), input("y", y), output("out", sum)},
                    [=](const metaplast_context_t* context, int64_t count, void* const* data) {
                      return metaplast_matrix_combine_f32(context, 1, count, a, static_cast<const float*>(data[0]), count, b,
                                                          static_cast<const float*>(data[1]), count, static_cast<float*>(data[2]), count);
                    });
  check_elementwise("matrix_combine, one operand", {in_place("x", x, scaled)},
                    [=](const metaplast_context_t* context, int64_t count, void* const* data) {
                      float* const m = static_cast<float*>(data[0]);
                      return metaplast_matrix_combine_f32(context, count, 1, a, m, 1, 0, nullptr, 0, m, 1);
                    });
  for (int32_t tier : tiers()) {
    for (int32_t threads = 1; threads <= 4; ++threads) {
      const Context context(tier, threads);
      std::vector<float> out = pitched(y, rows, cols, cols + 7);
      const std::vector<float> p = pitched(x, rows, cols, cols + 2);
      expect(metaplast_matrix_combine_f32(context, rows, cols, a, p.data(), cols + 2, b, out.data(), cols + 7, out.data(), cols + 7) ==
                     METAPLAST_OK &&
                 equal(out, pitched(sum, rows, cols, cols + 7)),
             "%s, %d threads: pitched, out = y", tier_name(tier), threads);
    }
  }
}

float element(int32_t operation, float t, float row, float column, float s, float shift, bool* positive) {
  switch (operation) {
    case METAPLAST_ELEMENT_SQUARE:
      return t * t;
    case METAPLAST_ELEMENT_SCALE_ROWS:
      return t * row;
    case METAPLAST_ELEMENT_SCALE_COLUMNS:
      return t * column;
    default: {
      const float d = operation == METAPLAST_ELEMENT_DIVIDE_OUTER ? rounded(row * column) + shift : s + shift;
      *positive = d > 0;
      return t / d;
    }
  }
}

void check_elements() {
  struct Shape {
    int64_t rows, cols;
  };
  for (const Shape& shape : {Shape{1, 1}, {3, 5}, {2, 16}, {7, 33}, {150, 700}}) {
    const int64_t rows = shape.rows, cols = shape.cols, n = rows * cols;
    const std::vector<float> t = mixed_values(3, n), row = mixed_values(4, rows), column = mixed_values(5, cols), any = mixed_values(6, n);
    const std::vector<float> sound = positive_values(7, n), row_sound = positive_values(8, rows), column_sound = positive_values(9, cols);
    for (int32_t operation = 0; operation <= METAPLAST_ELEMENT_DIVIDE; ++operation) {
      for (bool positive : {true, false}) {
        const std::vector<float>&r = positive ? row_sound : row, &c = positive ? column_sound : column, &s = positive ? sound : any;
        const float shift = 0.01f;
        std::vector<float> expected;
        int64_t bad = 0;
        for (int64_t i = 0; i < n; ++i) {
          bool ok = true;
          expected.push_back(element(operation, t[i], r[i / cols], c[i % cols], s[i], shift, &ok));
          bad += !ok;
        }
        if (bad > 0) expected = t;
        expect(!positive || bad == 0, "sound denominators");
        for (int32_t tier : tiers()) {
          for (int32_t threads = 1; threads <= 4; ++threads) {
            const Context context(tier, threads);
            std::vector<float> m = pitched(t, rows, cols, cols + 3);
            const std::vector<float> denominators = pitched(s, rows, cols, cols + 1);
            int64_t not_positive = -1;
            const bool by_row = operation == METAPLAST_ELEMENT_SCALE_ROWS || operation == METAPLAST_ELEMENT_DIVIDE_OUTER;
            const bool by_column = operation == METAPLAST_ELEMENT_SCALE_COLUMNS || operation == METAPLAST_ELEMENT_DIVIDE_OUTER;
            const bool by_element = operation == METAPLAST_ELEMENT_DIVIDE;
            expect(metaplast_matrix_elements_f32(context, operation, rows, cols, by_row ? r.data() : nullptr, by_column ? c.data() : nullptr,
                                                 by_element ? denominators.data() : nullptr, cols + 1, shift, m.data(), cols + 3,
                                                 &not_positive) == METAPLAST_OK,
                   "call");
            expect(not_positive == bad && equal(m, pitched(expected, rows, cols, cols + 3)), "%s, %d threads, operation %d, %lld x %lld, %lld bad",
                   tier_name(tier), threads, operation, ll(rows), ll(cols), ll(bad));
          }
        }
      }
    }
  }
  const Context context(METAPLAST_TIER_SCALAR, 1);
  float t = kUntouched;
  int64_t not_positive = -1;
  const auto refused = [&](int32_t operation, const float* row, const float* column, const float* s, int64_t lds, int64_t ldt) {
    return metaplast_matrix_elements_f32(context, operation, 1, 1, row, column, s, lds, 0, &t, ldt, &not_positive) == METAPLAST_E_ARGUMENT &&
           t == kUntouched && not_positive == -1;
  };
  expect(refused(-1, &t, &t, &t, 1, 1) && refused(5, &t, &t, &t, 1, 1) && refused(METAPLAST_ELEMENT_SCALE_ROWS, nullptr, &t, &t, 1, 1) &&
             refused(METAPLAST_ELEMENT_SCALE_COLUMNS, &t, nullptr, &t, 1, 1) && refused(METAPLAST_ELEMENT_DIVIDE_OUTER, &t, nullptr, &t, 1, 1) &&
             refused(METAPLAST_ELEMENT_DIVIDE, &t, &t, nullptr, 1, 1) && refused(METAPLAST_ELEMENT_DIVIDE, &t, &t, &t, 0, 1) &&
             refused(METAPLAST_ELEMENT_SQUARE, &t, &t, &t, 1, 0),
         "bad arguments of elements");
}

void check_sums() {
  struct Shape {
    int64_t rows, cols;
  };
  std::vector<Shape> shapes = {{1, 1}, {0, 4}, {4, 0}, {3, 50}, {17, 16}, {100, 785}, {300, 2000}, {2, 200000}};
  std::vector<std::vector<float>> xs, ys;
  std::vector<metaplast_matrix_t> x, y;
  std::vector<double> traces;
  double exact = 0, magnitude = 0, largest_count = 0;
  for (size_t i = 0; i < shapes.size(); ++i) {
    const int64_t rows = shapes[i].rows, cols = shapes[i].cols;
    const std::vector<float> a = uniform_values(2 * i, rows * cols, -1, 1), b = uniform_values(2 * i + 1, rows * cols, -1, 1);
    long double sum = 0;
    double trace = 0;
    for (size_t e = 0; e < a.size(); ++e) {
      sum += static_cast<long double>(a[e]) * b[e];
      magnitude += std::fabs(static_cast<double>(a[e]) * b[e]);
    }
    for (int64_t j = 0; j < std::min(rows, cols); ++j) trace += a[static_cast<size_t>(j * cols + j)];
    traces.push_back(trace);
    exact += static_cast<double>(sum);
    largest_count += static_cast<double>(rows * cols);
    xs.push_back(pitched(a, rows, cols, cols + 3));
    ys.push_back(pitched(b, rows, cols, cols + 1));
    x.push_back({xs.back().data(), rows, cols, cols + 3});
    y.push_back({ys.back().data(), rows, cols, cols + 1});
  }
  const int64_t count = static_cast<int64_t>(x.size());
  double first = 0;
  for (int32_t tier : tiers()) {
    for (int32_t threads = 1; threads <= 4; ++threads) {
      const Context context(tier, threads);
      std::vector<double> found(x.size(), -1);
      double sum = -1;
      expect(metaplast_matrix_traces_f32(context, count, x.data(), found.data()) == METAPLAST_OK &&
                 std::memcmp(found.data(), traces.data(), traces.size() * 8) == 0,
             "%s, %d threads: traces", tier_name(tier), threads);
      expect(metaplast_inner_products_f32(context, count, x.data(), y.data(), &sum) == METAPLAST_OK, "call");
      expect(std::fabs(sum - exact) <= largest_count * 0x1p-53 * magnitude, "%s: sum %.17g, expected %.17g", tier_name(tier), sum, exact);
      if (tier == tiers()[0] && threads == 1) first = sum;
      expect(std::memcmp(&sum, &first, 8) == 0, "%s, %d threads: sum of other bits", tier_name(tier), threads);
    }
  }
  const Context context(METAPLAST_TIER_SCALAR, 1);
  double sum = -1;
  metaplast_matrix_t narrow = x[3];
  narrow.ld = 49;
  expect(metaplast_inner_products_f32(context, 1, &x[3], &y[4], &sum) == METAPLAST_E_ARGUMENT &&
             metaplast_inner_products_f32(context, 1, &narrow, &y[3], &sum) == METAPLAST_E_ARGUMENT &&
             metaplast_inner_products_f32(context, -1, &x[3], &y[3], &sum) == METAPLAST_E_ARGUMENT &&
             metaplast_inner_products_f32(context, 1, nullptr, &y[3], &sum) == METAPLAST_E_ARGUMENT &&
             metaplast_matrix_traces_f32(context, 1, &narrow, &sum) == METAPLAST_E_ARGUMENT &&
             metaplast_matrix_traces_f32(context, -1, &x[3], &sum) == METAPLAST_E_ARGUMENT && sum == -1,
         "bad arguments of sums");
  expect(metaplast_inner_products_f32(context, 0, nullptr, nullptr, &sum) == METAPLAST_OK && sum == 0, "empty list");
  float out = kUntouched;
  const float one = 1;
  expect(metaplast_matrix_combine_f32(context, 1, 2, 1, &one, 1, 1, nullptr, 0, &out, 2) == METAPLAST_E_ARGUMENT &&
             metaplast_matrix_combine_f32(context, 1, 2, 1, &one, 2, 1, &one, 1, &out, 2) == METAPLAST_E_ARGUMENT &&
             metaplast_matrix_combine_f32(context, 1, 2, 1, &one, 2, 1, nullptr, 0, &out, 1) == METAPLAST_E_ARGUMENT &&
             metaplast_matrix_combine_f32(context, 1, 1, 1, nullptr, 1, 1, nullptr, 0, &out, 1) == METAPLAST_E_ARGUMENT &&
             metaplast_matrix_combine_f32(context, -1, 1, 1, &one, 1, 1, nullptr, 0, &out, 1) == METAPLAST_E_ARGUMENT && out == kUntouched,
         "bad arguments of combine");
}

}  // namespace

int main() {
  check_combine();
  check_elements();
  check_sums();
  return finish("matrix_pieces");
}
