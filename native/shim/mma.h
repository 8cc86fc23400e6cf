// Tensor-core instructions on bits and on TF32, for kernels on the host shim: the lanes of a warp hand in their registers and get theirs of the result, with
// the fragment layouts of the PTX ISA written out element by element.
#ifndef METAPLAST_SHIM_MMA_H_
#define METAPLAST_SHIM_MMA_H_

#include "shim/shim.h"

namespace metaplast {
namespace shim {

// Which instruction a kernel finds: what devices of compute capability 8.x and 9.0, 10 and newer, and 7.5 have.
enum class BitMma { kAnd, kBytes, kXor };
void set_bit_mma(BitMma instruction);
BitMma bit_mma();
// The result of the next instruction is wrong in one element (a broken device).
void break_bit_mma(bool broken);

// d += a*b, where the product of two bits is their and.
void mma_m16n8k256_and(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
// ... their exclusive or.
void mma_m8n8k128_xor(int (&d)[2], uint32_t a, uint32_t b);
// Signed bytes.
void mma_m16n8k32_s8(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);

// cvt.rna.tf32.f32: the bits of x rounded to ten bits behind the point, ties away from zero. NaN becomes 7FFFFFFF.
uint32_t round_to_tf32(float x);
// d += a*b in fp32 of operands that are TF32: bits below them are a fault of the kernel. How a device adds is not documented; this is coarser than any that
// was ever measured: d and the eight products lose what lies below the last bit of the largest, and so does their sum.
void mma_m16n8k8_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
// Every product of TF32 is wrong by this factor in one element (0: none), or flushes results that are not normal (a broken device).
void break_tf32_mma(float factor, bool flush);

}  // namespace shim
}  // namespace metaplast

#endif  // METAPLAST_SHIM_MMA_H_
