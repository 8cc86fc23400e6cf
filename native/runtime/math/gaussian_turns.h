// Gaussians of many streams at the same elements, scheduled by hand (AVX-512). A turn makes 64 consecutive elements of one stream. What two Philox
// rounds make of the block number is the same for all streams and is prepared once per 64 elements.
//
// gaussian_turns.inc is one turn, a loop body in which four turns are under way: the instructions of 32 values and those of the other 32, half a turn
// later, placed cycle by cycle after Zen 5's latencies and units. Compilers order it worse, and spill. Against gaussian_pairs the operations are
// fewer, the bits the same: f is halved and the factors 2 and 4 sit in the coefficients (exact), the exponent is read by vgetexpps, and the unsigned
// conversion takes word 0 without a shift. docs/tuning.md has the count.
#ifndef METAPLAST_RUNTIME_MATH_GAUSSIAN_TURNS_H_
#define METAPLAST_RUNTIME_MATH_GAUSSIAN_TURNS_H_

#include "philox.h"

namespace metaplast {
namespace avx512 {

constexpr int kTurnElements = 64;
constexpr int kTurnsUnderWay = 3;  // beside the one that starts

#include "gaussian_turns_constants.inc"

// Two half groups: the products of rounds 1 and 2, and the high words of the second.
struct alignas(64) TurnCounters {
  uint32_t words[2][3][16];
};

// Of one stream: what is xored to the low word of round 1, the high words of rounds 2 and 3.
struct TurnStream {
  uint32_t round2_low0, round2_high1, round3_high0;
};

// Round keys from round 3 on; those of the last round as one word.
struct TurnKeys {
  uint32_t k0[7], k1[6], unused;
  uint64_t last;
};

// Their offsets are part of gaussian_turns.inc.
struct Turn {
  const TurnCounters* counters;
  const TurnStream* stream;
  float* z;
};

inline TurnKeys turn_keys(const PhiloxSetup& s) {
  TurnKeys keys{};
  for (int i = 0; i < 7; ++i) keys.k0[i] = s.k0[2 + i];
  for (int i = 0; i < 6; ++i) keys.k1[i] = s.k1[3 + i];
  keys.last = s.k0[9] | static_cast<uint64_t>(s.k1[9]) << 32;
  return keys;
}

inline TurnStream turn_stream(const PhiloxSetup& s) { return {s.round2_low0, s.round2_high1, s.round3_high0}; }

// `block`: counter of the first of 16 blocks, whose low words do not wrap.
inline void turn_counters(const PhiloxSetup& s, uint32_t block, TurnCounters* counters) {
  for (int h = 0; h < 2; ++h) {
    const I product0 = philox_multiply(philox_counters(block + static_cast<uint32_t>(8 * h)), kPhiloxM0);
    const I product1 = philox_multiply(philox_xor(philox_high(product0), s.round1_high0), kPhiloxM1);
    istore(counters->words[h][0], product0);
    istore(counters->words[h][1], product1);
    istore(counters->words[h][2], philox_high(product1));
  }
}

// turn[0] .. turn[n-1]. The kTurnsUnderWay entries before turn[0] name 64 floats that may be overwritten; those after turn[n-1] name counters and a
// stream that may be read.
inline void gaussian_turns(const Turn* turn, int64_t n, const TurnKeys& keys) {
  alignas(1024) char slots[1024];  // values that wait for a later part of their turn
  const Turn* end = turn + n + kTurnsUnderWay;
  const void *counters, *stream, *z;
  char *store_slots = slots, *load_slots = slots + 512;
  asm volatile(
      // The loop's fixed registers: odd and even lanes, the multipliers, the bits kept of word 0 and of the angle.
      "movl $0xaaaa, %k[counters]\n\tkmovw %k[counters], %%k1\n\t"
      "movl $0x5555, %k[counters]\n\tkmovw %k[counters], %%k2\n\t"
      "movl $0xd2511f53, %k[counters]\n\tvpbroadcastq %q[counters], %%zmm31\n\t"
      "movl $0xcd9e8d57, %k[counters]\n\tvpbroadcastq %q[counters], %%zmm30\n\t"
      "movl $0xffffff00, %k[counters]\n\tvpbroadcastd %k[counters], %%zmm29\n\t"
      "movl $0x003ffffe, %k[counters]\n\tvpbroadcastd %k[counters], %%zmm28\n\t"
      ".p2align 6\n1:\n\t"
#include "gaussian_turns.inc"
      "add $24, %[turn]\n\tcmp %[end], %[turn]\n\tjne 1b\n\t"
      : [turn] "+r"(turn), [counters] "=&r"(counters), [stream] "=&r"(stream), [z] "=&r"(z), [q] "+r"(store_slots), [p] "+r"(load_slots)
      : [end] "r"(end), [k] "r"(&keys), [c] "r"(kTurnConstants)
      : "memory", "cc", "k1", "k2", "k3", "k4", "zmm0", "zmm1", "zmm2", "zmm3", "zmm4", "zmm5", "zmm6", "zmm7", "zmm8", "zmm9", "zmm10", "zmm11",
        "zmm12", "zmm13", "zmm14", "zmm15", "zmm16", "zmm17", "zmm18", "zmm19", "zmm20", "zmm21", "zmm22", "zmm23", "zmm24", "zmm25", "zmm26",
        "zmm27", "zmm28", "zmm29", "zmm30", "zmm31");
}

}  // namespace avx512
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MATH_GAUSSIAN_TURNS_H_
