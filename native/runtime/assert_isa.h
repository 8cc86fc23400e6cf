// Included first by every tier file (<kernel>_scalar.cpp, _avx2.cpp, _avx512.cpp, _avx512_vpopcntdq.cpp), after defining METAPLAST_ASSERT_TIER_<TIER>:
// the compile fails when the build did not give the file the flags of its tier (cmake/Isa.cmake), or gave it too much. Files of class B
// kernels also define METAPLAST_ASSERT_FUSED: they get fused multiply-add.
#ifndef METAPLAST_RUNTIME_ASSERT_ISA_H_
#define METAPLAST_RUNTIME_ASSERT_ISA_H_

#if defined(__FAST_MATH__)
#error "class A kernels must not be compiled with -ffast-math"
#endif

#if defined(METAPLAST_ASSERT_TIER_AVX512_VPOPCNTDQ)
#if !defined(__AVX512VPOPCNTDQ__) || !defined(__AVX512BW__) || !defined(__AVX512DQ__) || !defined(__AVX512VL__)
#error "an _avx512_vpopcntdq file was compiled without the flags of its variant"
#endif
#elif defined(METAPLAST_ASSERT_TIER_AVX512)
#if !defined(__AVX512F__) || !defined(__AVX512BW__) || !defined(__AVX512DQ__) || !defined(__AVX512VL__)
#error "an _avx512 file was compiled without the flags of its tier"
#endif
#if defined(__AVX512VPOPCNTDQ__)
#error "an _avx512 file was compiled with flags beyond its tier"
#endif
#elif defined(METAPLAST_ASSERT_TIER_AVX2)
#if !defined(__AVX2__) || !defined(__BMI2__) || !defined(__LZCNT__) || !defined(__F16C__)
#error "an _avx2 file was compiled without the flags of its tier"
#endif
#if defined(__AVX512F__) || (defined(__FMA__) && !defined(METAPLAST_ASSERT_FUSED))
#error "an _avx2 file was compiled with flags beyond its tier"
#endif
#elif defined(METAPLAST_ASSERT_TIER_SCALAR)
#if defined(__AVX__)
#error "a _scalar file was compiled with flags beyond its tier"
#endif
#else
#error "define METAPLAST_ASSERT_TIER_SCALAR, _AVX2, _AVX512 or _AVX512_VPOPCNTDQ before including assert_isa.h"
#endif

#if defined(METAPLAST_ASSERT_FUSED) && !defined(METAPLAST_ASSERT_TIER_SCALAR) && !defined(__FMA__)
#error "a file of a class B kernel was compiled without fused multiply-add (METAPLAST_FUSED_KERNELS in cmake/Isa.cmake)"
#endif

#endif  // METAPLAST_RUNTIME_ASSERT_ISA_H_
