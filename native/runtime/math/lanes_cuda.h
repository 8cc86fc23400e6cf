// One lane on the device: the arithmetic is spelled with explicit rounding, so that no compiler or driver may fuse it.
#ifndef METAPLAST_RUNTIME_MATH_LANES_CUDA_H_
#define METAPLAST_RUNTIME_MATH_LANES_CUDA_H_

#include <math.h>

namespace metaplast {
namespace cuda {

using F = float;
using I = uint32_t;
using M = bool;
constexpr int W = 1;

METAPLAST_HD F set(float x) { return x; }
METAPLAST_HD I iset(uint32_t x) { return x; }
#if defined(__CUDA_ARCH__)
METAPLAST_HD I as_int(F x) { return __float_as_uint(x); }
METAPLAST_HD F as_float(I x) { return __uint_as_float(x); }
METAPLAST_HD F add(F a, F b) { return __fadd_rn(a, b); }
METAPLAST_HD F sub(F a, F b) { return __fsub_rn(a, b); }
METAPLAST_HD F mul(F a, F b) { return __fmul_rn(a, b); }
METAPLAST_HD F div(F a, F b) { return __fdiv_rn(a, b); }
METAPLAST_HD F sqrt(F a) { return __fsqrt_rn(a); }
#else  // the host pass of nvcc only has to parse this
METAPLAST_HD I as_int(F x) {
  uint32_t b;
  memcpy(&b, &x, 4);
  return b;
}
METAPLAST_HD F as_float(I x) {
  float f;
  memcpy(&f, &x, 4);
  return f;
}
METAPLAST_HD F add(F a, F b) { return a + b; }
METAPLAST_HD F sub(F a, F b) { return a - b; }
METAPLAST_HD F mul(F a, F b) { return a * b; }
METAPLAST_HD F div(F a, F b) { return a / b; }
METAPLAST_HD F sqrt(F a) { return ::sqrtf(a); }
#endif

METAPLAST_HD I iadd(I a, I b) { return a + b; }
METAPLAST_HD I isub(I a, I b) { return a - b; }
METAPLAST_HD I iand(I a, I b) { return a & b; }
METAPLAST_HD I ior(I a, I b) { return a | b; }
METAPLAST_HD I ixor(I a, I b) { return a ^ b; }
template <int N>
METAPLAST_HD I shl(I a) {
  return a << N;
}
template <int N>
METAPLAST_HD I shr(I a) {
  return a >> N;
}
template <int N>
METAPLAST_HD I sar(I a) {
  return static_cast<uint32_t>(static_cast<int32_t>(a) >> N);
}
METAPLAST_HD I and_or(I a, I mask, I bits) { return (a & mask) | bits; }
METAPLAST_HD I xor_and(I a, I b, I mask) { return a ^ (b & mask); }
METAPLAST_HD F to_float(I a) { return static_cast<float>(static_cast<int32_t>(a)); }

METAPLAST_HD M gt(F a, F b) { return a > b; }
METAPLAST_HD M lt(F a, F b) { return a < b; }
METAPLAST_HD M ge(F a, F b) { return a >= b; }
METAPLAST_HD M is_nan(F a) { return a != a; }
METAPLAST_HD M test(I a, I bits) { return (a & bits) != 0; }
METAPLAST_HD F select(M m, F yes, F no) { return m ? yes : no; }
METAPLAST_HD F at_least(F x, F lo) { return x < lo ? lo : x; }
METAPLAST_HD F at_most(F x, F hi) { return x > hi ? hi : x; }
METAPLAST_HD int count(M m) { return m ? 1 : 0; }
METAPLAST_HD M mask_not(M m) { return !m; }
METAPLAST_HD M mask_and(M a, M b) { return a && b; }
METAPLAST_HD M mask_or(M a, M b) { return a || b; }

METAPLAST_HD F load_bf16(const uint16_t* p) { return as_float(static_cast<uint32_t>(*p) << 16); }

}  // namespace cuda
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MATH_LANES_CUDA_H_
