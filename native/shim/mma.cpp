#include "shim/mma.h"

#include <algorithm>
#include <atomic>
#include <cmath>

namespace metaplast {
namespace shim {
namespace {

std::atomic<BitMma> g_instruction{BitMma::kAnd};
std::atomic<bool> g_broken{false};
std::atomic<float> g_tf32_factor{0.0f};
std::atomic<bool> g_tf32_flush{false};

// Hands in two registers, which other lanes then read as one published value.
void hand_in(uint32_t first, uint32_t second) { warp_rendezvous(0xffffffffu, first | static_cast<uint64_t>(second) << 32, __LINE__); }
uint32_t half(uint64_t pair, bool second) { return static_cast<uint32_t>(second ? pair >> 32 : pair); }

// What the elements of this lane's result take: four lanes hold a row of a, four a column of b.
struct Operands {
  uint32_t a[2][2][4];  // row lane/4 or that + 8; first or second half of k; lane of the four
  uint32_t b[2][2][4];  // column of the result; half of k; lane

  Operands(const uint32_t (&mine_a)[4], const uint32_t (&mine_b)[2]) {
    const int group = lane() / 4 * 4;
    for (int k = 0; k < 2; ++k) {
      hand_in(mine_a[2 * k], mine_a[2 * k + 1]);
      for (int q = 0; q < 4; ++q) {
        for (int row = 0; row < 2; ++row) a[row][k][q] = half(published(group + q), row == 1);
      }
    }
    hand_in(mine_b[0], mine_b[1]);
    for (int column = 0; column < 2; ++column) {
      for (int q = 0; q < 4; ++q) {
        for (int k = 0; k < 2; ++k) b[column][k][q] = half(published((lane() % 4 * 2 + column) * 4 + q), k == 1);
      }
    }
  }
};

float float_of(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, 4);
  return x;
}

float toward_zero(double x) {
  const float nearest = static_cast<float>(x);
  return std::fabs(static_cast<double>(nearest)) > std::fabs(x) ? std::nextafterf(nearest, 0.0f) : nearest;
}

// Terms are products of two numbers of eleven bits, or fp32: exact in double.
float coarse_sum(const double (&terms)[9]) {
  double plain = 0;
  int top = -126;
  for (const double term : terms) {
    plain += term;
    if (std::isfinite(term) && term != 0) top = std::max(top, std::ilogb(term));
  }
  if (!std::isfinite(plain)) return static_cast<float>(plain);
  const double unit = std::ldexp(1.0, top - 23);
  double units = 0;
  for (const double term : terms) units += std::trunc(term / unit);
  return toward_zero(units * unit);
}

int fault() { return g_broken && lane() == 13 ? 1 : 0; }

}  // namespace

void set_bit_mma(BitMma instruction) { g_instruction = instruction; }
BitMma bit_mma() { return g_instruction; }
void break_bit_mma(bool broken) { g_broken = broken; }

void mma_m16n8k256_and(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  const Operands o(a, b);
  for (int e = 0; e < 4; ++e) {
    for (int word = 0; word < 8; ++word) d[e] += __builtin_popcount(o.a[e / 2][word / 4][word % 4] & o.b[e % 2][word / 4][word % 4]);
  }
  d[0] += fault();
}

void mma_m8n8k128_xor(int (&d)[2], uint32_t a, uint32_t b) {
  const Operands o({a, 0, 0, 0}, {b, 0});
  for (int e = 0; e < 2; ++e) {
    for (int word = 0; word < 4; ++word) d[e] += __builtin_popcount(o.a[0][0][word] ^ o.b[e][0][word]);
  }
  d[0] += fault();
}

void mma_m16n8k32_s8(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  const Operands o(a, b);
  const auto byte = [](uint32_t word, int i) { return static_cast<int>(static_cast<int8_t>(word >> (8 * i))); };
  for (int e = 0; e < 4; ++e) {
    for (int k = 0; k < 32; ++k) d[e] += byte(o.a[e / 2][k / 16][k % 16 / 4], k % 4) * byte(o.b[e % 2][k / 16][k % 16 / 4], k % 4);
  }
  d[0] += fault();
}

uint32_t round_to_tf32(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  if (std::isnan(x)) return 0x7FFFFFFFu;
  return std::isinf(x) ? bits : (bits + 0x1000u) & ~0x1FFFu;
}

void mma_m16n8k8_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  for (const uint32_t bits : {a[0], a[1], a[2], a[3], b[0], b[1]}) {
    if ((bits & 0x1FFFu) != 0) fail("an operand is not TF32");
  }
  const Operands o(a, b);
  for (int e = 0; e < 4; ++e) {
    double terms[9] = {};
    for (int k = 0; k < 8; ++k) {
      terms[k] = static_cast<double>(float_of(o.a[e / 2][k / 4][k % 4])) * static_cast<double>(float_of(o.b[e % 2][k / 4][k % 4]));
    }
    terms[8] = static_cast<double>(d[e]);
    d[e] = coarse_sum(terms);
    if (g_tf32_flush && std::fabs(d[e]) < 0x1p-126f) d[e] = 0.0f;
  }
  if (lane() == 13) d[0] += d[0] * g_tf32_factor;
}

void break_tf32_mma(float factor, bool flush) {
  g_tf32_factor = factor;
  g_tf32_flush = flush;
}

}  // namespace shim
}  // namespace metaplast
