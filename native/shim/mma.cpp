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

// Registers that a lane hands in: a, then b. Two each in turn: when a lane is at its next but one instruction, all others have read.
struct Registers {
  uint32_t r[6];
};
constexpr unsigned kMostThreads = 1024;
thread_local Registers t_registers[2][kMostThreads];
thread_local uint8_t t_turn[kMostThreads];

// What the elements of this lane's result take: four lanes hold a row of a, four a column of b.
struct Operands {
  uint32_t a[2][2][4];  // row lane/4 or that + 8; first or second half of k; lane of the four
  uint32_t b[2][2][4];  // column of the result; half of k; lane

  Operands(const uint32_t (&mine_a)[4], const uint32_t (&mine_b)[2]) {
    const unsigned thread = position().thread.x;
    Registers& mine = t_registers[t_turn[thread] ^= 1][thread];
    std::copy(mine_a, mine_a + 4, mine.r);
    std::copy(mine_b, mine_b + 2, mine.r + 4);
    warp_rendezvous(0xffffffffu, reinterpret_cast<uintptr_t>(&mine), __LINE__);
    const int group = lane() / 4 * 4;
    for (int q = 0; q < 4; ++q) {
      const uint32_t* const row = of(group + q);
      for (int k = 0; k < 2; ++k) {
        for (int i = 0; i < 2; ++i) a[i][k][q] = row[2 * k + i];
      }
      for (int i = 0; i < 2; ++i) {
        const uint32_t* const column = of((lane() % 4 * 2 + i) * 4 + q);
        for (int k = 0; k < 2; ++k) b[i][k][q] = column[4 + k];
      }
    }
  }
  static const uint32_t* of(int lane) { return reinterpret_cast<const Registers*>(static_cast<uintptr_t>(published(lane)))->r; }
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
  double plain = 0, largest = 0x1p-126;
  for (const double term : terms) {
    plain += term;
    largest = std::max(largest, std::fabs(term));
  }
  if (!std::isfinite(plain)) return static_cast<float>(plain);
  const double units_of_one = std::ldexp(1.0, 23 - std::ilogb(largest));  // in units of the last bit of the largest; a power of two
  int64_t units = 0;
  for (const double term : terms) units += static_cast<int64_t>(term * units_of_one);  // toward zero
  return toward_zero(static_cast<double>(units) / units_of_one);
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
