// Gaussians of many streams at the same elements, scheduled by hand (AVX-512). A turn makes 64 consecutive elements of one stream. What two Philox
// rounds make of the block number is the same for all streams and is prepared once per 64 elements.
//
// gaussian_turns.inc is one turn, a loop body in which four turns are under way: the instructions of 32 values and those of the other 32, half a turn
// later, placed cycle by cycle after Zen 5's latencies and units. Compilers order it worse, and spill. Against gaussian_pairs the operations are
// fewer, the bits the same: f is halved and the factors 2 and 4 sit in the coefficients (exact), the exponent is read by vgetexpps, and the unsigned
// conversion takes word 0 without a shift. docs/tuning.md has the count.
//
// gaussian_turns.py writes both .inc files: `python3 gaussian_turns.py .` in this folder gives the tracked ones, other keys other schedules.
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

// Their offsets are part of gaussian_turns.inc. z: offset from a base that each call gives.
struct Turn {
  const TurnCounters* counters;
  const TurnStream* stream;
  intptr_t z;
};

// The turns under way between two calls. Its offsets are part of gaussian_turns. Zero before the first call.
struct alignas(1024) TurnPipeline {
  char slots[2][512];  // values that wait for a later part of their turn; the sides change places each turn
  char vectors[28][64];
  uint64_t masks[2];
  int64_t turns;
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

// Starts turn[0] .. turn[n-1], n > 0; each turn finishes the one kTurnsUnderWay before it. Of the kTurnsUnderWay entries before turn[0] only z is
// read: where the turns started last go, or 64 floats that may be overwritten.
inline void gaussian_turns(const Turn* turn, int64_t n, const TurnKeys& keys, void* base, TurnPipeline* pipeline) {
  const Turn* end = turn + n;
  const void *counters, *stream, *z;
  char *store_slots = pipeline->slots[pipeline->turns & 1], *load_slots = pipeline->slots[~pipeline->turns & 1];
  pipeline->turns += n;
  asm volatile(
      // The loop's fixed registers: odd and even lanes, the multipliers, the bits kept of word 0 and of the angle.
      "movl $0xaaaa, %k[counters]\n\tkmovw %k[counters], %%k1\n\t"
      "movl $0x5555, %k[counters]\n\tkmovw %k[counters], %%k2\n\t"
      "movl $0xd2511f53, %k[counters]\n\tvpbroadcastq %q[counters], %%zmm31\n\t"
      "movl $0xcd9e8d57, %k[counters]\n\tvpbroadcastq %q[counters], %%zmm30\n\t"
      "movl $0xffffff00, %k[counters]\n\tvpbroadcastd %k[counters], %%zmm29\n\t"
      "movl $0x003ffffe, %k[counters]\n\tvpbroadcastd %k[counters], %%zmm28\n\t"
      "vmovaps 1024(%[state]), %%zmm0\n\tvmovaps 1088(%[state]), %%zmm1\n\tvmovaps 1152(%[state]), %%zmm2\n\tvmovaps 1216(%[state]), %%zmm3\n\t"
      "vmovaps 1280(%[state]), %%zmm4\n\tvmovaps 1344(%[state]), %%zmm5\n\tvmovaps 1408(%[state]), %%zmm6\n\tvmovaps 1472(%[state]), %%zmm7\n\t"
      "vmovaps 1536(%[state]), %%zmm8\n\tvmovaps 1600(%[state]), %%zmm9\n\tvmovaps 1664(%[state]), %%zmm10\n\tvmovaps 1728(%[state]), %%zmm11\n\t"
      "vmovaps 1792(%[state]), %%zmm12\n\tvmovaps 1856(%[state]), %%zmm13\n\tvmovaps 1920(%[state]), %%zmm14\n\tvmovaps 1984(%[state]), %%zmm15\n\t"
      "vmovaps 2048(%[state]), %%zmm16\n\tvmovaps 2112(%[state]), %%zmm17\n\tvmovaps 2176(%[state]), %%zmm18\n\tvmovaps 2240(%[state]), %%zmm19\n\t"
      "vmovaps 2304(%[state]), %%zmm20\n\tvmovaps 2368(%[state]), %%zmm21\n\tvmovaps 2432(%[state]), %%zmm22\n\tvmovaps 2496(%[state]), %%zmm23\n\t"
      "vmovaps 2560(%[state]), %%zmm24\n\tvmovaps 2624(%[state]), %%zmm25\n\tvmovaps 2688(%[state]), %%zmm26\n\tvmovaps 2752(%[state]), %%zmm27\n\t"
      "kmovq 2816(%[state]), %%k3\n\tkmovq 2824(%[state]), %%k4\n\t"
      ".p2align 6\n1:\n\t"
#include "gaussian_turns.inc"
      "add $24, %[turn]\n\tcmp %[end], %[turn]\n\tjne 1b\n\t"
      "vmovaps %%zmm0, 1024(%[state])\n\tvmovaps %%zmm1, 1088(%[state])\n\tvmovaps %%zmm2, 1152(%[state])\n\tvmovaps %%zmm3, 1216(%[state])\n\t"
      "vmovaps %%zmm4, 1280(%[state])\n\tvmovaps %%zmm5, 1344(%[state])\n\tvmovaps %%zmm6, 1408(%[state])\n\tvmovaps %%zmm7, 1472(%[state])\n\t"
      "vmovaps %%zmm8, 1536(%[state])\n\tvmovaps %%zmm9, 1600(%[state])\n\tvmovaps %%zmm10, 1664(%[state])\n\tvmovaps %%zmm11, 1728(%[state])\n\t"
      "vmovaps %%zmm12, 1792(%[state])\n\tvmovaps %%zmm13, 1856(%[state])\n\tvmovaps %%zmm14, 1920(%[state])\n\tvmovaps %%zmm15, 1984(%[state])\n\t"
      "vmovaps %%zmm16, 2048(%[state])\n\tvmovaps %%zmm17, 2112(%[state])\n\tvmovaps %%zmm18, 2176(%[state])\n\tvmovaps %%zmm19, 2240(%[state])\n\t"
      "vmovaps %%zmm20, 2304(%[state])\n\tvmovaps %%zmm21, 2368(%[state])\n\tvmovaps %%zmm22, 2432(%[state])\n\tvmovaps %%zmm23, 2496(%[state])\n\t"
      "vmovaps %%zmm24, 2560(%[state])\n\tvmovaps %%zmm25, 2624(%[state])\n\tvmovaps %%zmm26, 2688(%[state])\n\tvmovaps %%zmm27, 2752(%[state])\n\t"
      "kmovq %%k3, 2816(%[state])\n\tkmovq %%k4, 2824(%[state])\n\t"
      : [turn] "+r"(turn), [counters] "=&r"(counters), [stream] "=&r"(stream), [z] "=&r"(z), [q] "+r"(store_slots), [p] "+r"(load_slots)
      : [end] "r"(end), [k] "r"(&keys), [c] "r"(kTurnConstants), [base] "r"(base), [state] "r"(pipeline)
      : "memory", "cc", "k1", "k2", "k3", "k4", "zmm0", "zmm1", "zmm2", "zmm3", "zmm4", "zmm5", "zmm6", "zmm7", "zmm8", "zmm9", "zmm10", "zmm11",
        "zmm12", "zmm13", "zmm14", "zmm15", "zmm16", "zmm17", "zmm18", "zmm19", "zmm20", "zmm21", "zmm22", "zmm23", "zmm24", "zmm25", "zmm26",
        "zmm27", "zmm28", "zmm29", "zmm30", "zmm31");
}

}  // namespace avx512
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MATH_GAUSSIAN_TURNS_H_
