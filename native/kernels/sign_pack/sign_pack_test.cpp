#include <cmath>
#include <cstdio>

#include "testing/matrices.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

struct Shape {
  int64_t rows, cols, gap;  // gap = ld - cols
};

// Every operation on one shape, on one context.
class Case {
 public:
  Case(const Shape& shape, uint64_t seed)
      : rows(shape.rows), cols(shape.cols), ld(shape.cols + shape.gap), x(mixed_values(seed, static_cast<int64_t>(matrix_size(rows, cols, ld)))),
        bits(rows, cols), mask(rows, cols), transposed(cols, rows), unpacked(x.size(), kStale), unpacked16(x.size(), kStale16),
        passed(x.size(), kStale) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < cols; ++c) {
        const size_t i = static_cast<size_t>(r * ld + c);
        const bool positive = x[i] >= 0.0f;
        bits.set(r, c, positive);
        mask.set(r, c, !(std::fabs(x[i]) > 1.0f));
        transposed.set(c, r, positive);
        unpacked[i] = positive ? 1.0f : -1.0f;
        unpacked16[i] = positive ? 0x3f80 : 0xbf80;
        passed[i] = mask.get(r, c) ? x[i] : 0.0f;
      }
    }
  }

  void check(const metaplast_context_t* context, const char* where, bool at_end) const {
    const auto verify = [&](bool ok, metaplast_status_t status, const char* what) {
      expect(ok && status == METAPLAST_OK, "%s, %s, %lld x %lld, ld %lld: status %d", what, where, static_cast<long long>(rows),
             static_cast<long long>(cols), static_cast<long long>(ld), status);
    };
    GuardedArray<float> in(x, at_end);
    {
      GuardedArray<uint64_t> out(stale_words(bits.words.size()), at_end), out_mask(stale_words(bits.words.size()), at_end);
      const metaplast_status_t status = metaplast_sign_pack_f32(context, rows, cols, in, ld, out, out_mask);
      verify(out.holds(bits.words) && out_mask.holds(mask.words), status, "sign_pack with mask");
    }
    {
      GuardedArray<uint64_t> out(stale_words(bits.words.size()), at_end);
      const metaplast_status_t status = metaplast_sign_pack_f32(context, rows, cols, in, ld, out, nullptr);
      verify(out.holds(bits.words), status, "sign_pack");
    }
    {
      GuardedArray<uint64_t> out(stale_words(transposed.words.size()), at_end);
      const metaplast_status_t status = metaplast_sign_pack_transposed_f32(context, rows, cols, in, ld, out);
      verify(out.holds(transposed.words), status, "sign_pack_transposed");
    }
    verify(in.holds(x), METAPLAST_OK, "input of sign_pack");
    GuardedArray<uint64_t> packed(bits.words, at_end);
    {
      GuardedArray<uint64_t> out(stale_words(transposed.words.size()), at_end);
      const metaplast_status_t status = metaplast_bits_transpose(context, rows, cols, packed, out);
      verify(out.holds(transposed.words), status, "bits_transpose");
    }
    {
      GuardedArray<float> out(std::vector<float>(x.size(), kStale), at_end);
      const metaplast_status_t status = metaplast_sign_unpack(context, rows, cols, packed, METAPLAST_F32, out, ld);
      verify(out.holds(unpacked), status, "sign_unpack to fp32");
    }
    {
      GuardedArray<uint16_t> out(std::vector<uint16_t>(x.size(), kStale16), at_end);
      const metaplast_status_t status = metaplast_sign_unpack(context, rows, cols, packed, METAPLAST_BF16, out, ld);
      verify(out.holds(unpacked16), status, "sign_unpack to bf16");
    }
    verify(packed.holds(bits.words), METAPLAST_OK, "input of bits_transpose and sign_unpack");
    GuardedArray<uint64_t> passes(mask.words, at_end);
    {
      GuardedArray<float> out(std::vector<float>(x.size(), kStale), at_end);
      const metaplast_status_t status = metaplast_ste_backward_f32(context, rows, cols, passes, in, ld, out, ld);
      verify(out.holds(passed), status, "ste_backward");
      verify(passes.holds(mask.words) && in.holds(x), METAPLAST_OK, "inputs of ste_backward");
    }
    if (ld == cols) {
      GuardedArray<float> in_place(x, at_end);
      const metaplast_status_t status = metaplast_ste_backward_f32(context, rows, cols, passes, in_place, ld, in_place, ld);
      verify(in_place.holds(passed), status, "ste_backward in place");
    }
  }

 private:
  static constexpr float kStale = 12345.0f;
  static constexpr uint16_t kStale16 = 0x1234;
  int64_t rows, cols, ld;
  std::vector<float> x;
  BitRows bits, mask, transposed;
  std::vector<float> unpacked;
  std::vector<uint16_t> unpacked16;
  std::vector<float> passed;
};

void check_shape(const Shape& shape, uint64_t seed, int32_t threads) {
  const Case expected(shape, seed);
  for (int32_t tier : tiers()) {
    for (int32_t t = 1; t <= threads; ++t) {
      const Context context(tier, t);
      char where[64];
      std::snprintf(where, sizeof where, "%s, %d threads", tier_name(tier), t);
      expected.check(context, where, false);
      expected.check(context, where, true);
    }
  }
}

void check_special_values() {
  const struct {
    float x;
    bool bit, mask;
  } cases[] = {{0.0f, true, true},          {-0.0f, true, true},          {0x1p-149f, true, true},      {-0x1p-149f, false, true},
               {1.0f, true, true},          {-1.0f, false, true},         {1.00000012f, true, false},   {-1.00000012f, false, false},
               {INFINITY, true, false},     {-INFINITY, false, false},    {NAN, false, true},           {-NAN, false, true},
               {0x1.fffffep127f, true, false}, {-0x1.fffffcp-127f, false, true}};
  for (int32_t tier : tiers()) {
    const Context context(tier, 1);
    for (const auto& c : cases) {
      for (int64_t n : {1, 15, 64, 100}) {
        const std::vector<float> x(static_cast<size_t>(n), c.x);
        uint64_t bits[8], mask[8];
        metaplast_sign_pack_f32(context, 1, n, x.data(), n, bits, mask);
        const uint64_t all = n >= 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1;
        expect(bits[0] == (c.bit ? all : 0) && mask[0] == (c.mask ? all : 0), "%s: sign and mask of %a", tier_name(tier),
               static_cast<double>(c.x));
      }
    }
  }
}

void check_arguments() {
  const Context context(METAPLAST_TIER_AVX512, 1);
  float x[4] = {};
  uint64_t bits[16] = {};
  expect(metaplast_sign_pack_f32(nullptr, 1, 1, x, 1, bits, nullptr) == METAPLAST_E_ARGUMENT, "no context");
  expect(metaplast_sign_pack_f32(context, -1, 1, x, 1, bits, nullptr) == METAPLAST_E_ARGUMENT, "negative rows");
  expect(metaplast_sign_pack_f32(context, 1, 2, x, 1, bits, nullptr) == METAPLAST_E_ARGUMENT, "ld below the columns");
  expect(metaplast_sign_pack_f32(context, 1, 1, x, 1, nullptr, nullptr) == METAPLAST_E_ARGUMENT, "no output");
  expect(metaplast_sign_pack_transposed_f32(context, 1, 1, nullptr, 1, bits) == METAPLAST_E_ARGUMENT, "no input");
  expect(metaplast_sign_unpack(context, 1, 1, bits, METAPLAST_I32, x, 1) == METAPLAST_E_ARGUMENT, "a type that cannot be unpacked to");
  expect(metaplast_bits_transpose(context, 1, -1, bits, bits) == METAPLAST_E_ARGUMENT, "negative columns");
  expect(metaplast_ste_backward_f32(context, 1, 2, bits, x, 2, x, 1) == METAPLAST_E_ARGUMENT, "output ld below the columns");
  expect(metaplast_sign_pack_f32(context, 0, 5, nullptr, 5, nullptr, nullptr) == METAPLAST_OK, "no rows");
  expect(metaplast_bits_transpose(context, 3, 0, nullptr, nullptr) == METAPLAST_OK, "no columns");
}

}  // namespace

int main() {
  for (int64_t cols = 0; cols <= 1030; ++cols) {
    if (sparse() && cols > 70 && cols % 97 != 0) continue;
    check_shape({1 + cols % 3, cols, cols % 4 == 0 ? 5 : 0}, static_cast<uint64_t>(cols), 1);
  }
  for (int64_t rows : {0, 1, 7, 63, 64, 65, 100, 511, 512, 513, 600, 1025}) {
    for (int64_t cols : {1, 64, 130, 511, 513}) {
      if (sparse() && rows > 100) continue;
      check_shape({rows, cols, rows % 2}, static_cast<uint64_t>(rows * 1000 + cols), 1);
    }
  }
  for (const Shape& shape : {Shape{2000, 785, 0}, Shape{1, 300001, 0}, Shape{2, 262144, 3}, Shape{1100, 1100, 1}}) {
    if (!sparse()) check_shape(shape, 7, 4);
  }
  check_special_values();
  check_arguments();
  return finish("sign_pack_test");
}
