# ISA flags by file suffix; nothing else in the build gets any. The tiers are chosen at run time (native/runtime/dispatch.cpp), so the
# flags here must match kAvx2TierFeatures and kAvx512TierFeatures in native/runtime/cpu_features.h. No -mfma but for the folders of class B
# kernels, which write it as intrinsics: class A kernels have no fused multiply-add, and what the compiler does not know it cannot emit.
# (-mavx512f knows the 512-bit forms without it; -ffp-contract=off and check_binaries.sh stand against those.)
set(METAPLAST_AVX2_FLAGS -mavx2 -mbmi -mbmi2 -mlzcnt -mf16c)
set(METAPLAST_AVX512_FLAGS ${METAPLAST_AVX2_FLAGS} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)

set(METAPLAST_AVX512_VPOPCNTDQ_FLAGS -mavx512vpopcntdq)  # beyond those of avx512

# Folders of kernels/ that may use fused multiply-add, one regular expression. native/check_binaries.sh reads this line.
set(METAPLAST_FUSED_KERNELS "cholesky_pieces|kronecker_factor|kronecker_products|real_gemm|spd_inverse")

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 warns about the undefined operands inside its own intrinsics headers (GCC bug 105593).
  list(APPEND METAPLAST_AVX512_FLAGS -Wno-maybe-uninitialized -Wno-uninitialized)
  # Scheduling before register allocation, which GCC leaves off on x86, interleaves the long chains of the random-number generator.
  list(APPEND METAPLAST_AVX512_FLAGS -fschedule-insns -fsched-pressure)
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(METAPLAST_X86_TIERS ON)
else()
  set(METAPLAST_X86_TIERS OFF)
endif()

# Gives the sources of a kernel folder their flags, and leaves the files of tiers out that this processor family does not have.
function(metaplast_apply_isa sources_variable)
  set(kept "")
  foreach(source IN LISTS ${sources_variable})
    set(flags "")
    if(source MATCHES "_avx512_vpopcntdq\\.cpp$")
      set(flags ${METAPLAST_AVX512_FLAGS} ${METAPLAST_AVX512_VPOPCNTDQ_FLAGS})
    elseif(source MATCHES "_avx512\\.cpp$")
      set(flags ${METAPLAST_AVX512_FLAGS})
    elseif(source MATCHES "_avx2\\.cpp$")
      set(flags ${METAPLAST_AVX2_FLAGS})
    endif()
    if(flags AND NOT METAPLAST_X86_TIERS)
      continue()
    endif()
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND source MATCHES "linear_batch1_avx512\\.cpp$")
      # Scheduled for Ice Lake the training step takes 1 to 2 % less (docs/tuning.md); the bits stay.
      list(APPEND flags -mtune=icelake-server)
    endif()
    if(source MATCHES "kernels/(${METAPLAST_FUSED_KERNELS})/")
      if(flags)
        list(APPEND flags -mfma)
      endif()
      if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # With it GCC 12 gave wrong results in the scalar and avx2 tiers: it gathers the neighbouring scalars that a register tile broadcasts
        # into one vector. Taken for a fault of the compiler, but not reduced to a small case; the tests fail without this line.
        list(APPEND flags -fno-tree-slp-vectorize)
      endif()
    endif()
    if(flags)
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${flags}")
    endif()
    list(APPEND kept ${source})
  endforeach()
  set(${sources_variable} ${kept} PARENT_SCOPE)
endfunction()
