# METAPLAST_SANITIZE=address,undefined (or thread) instruments everything, for the native tests. Use clang: the AddressSanitizer of
# gcc 12 does not see over-reads of AVX-512 masked loads.
set(METAPLAST_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, empty for none")

if(METAPLAST_SANITIZE)
  # -O1 comes after the -O3 of the build type, and three checks of every single access are left to the AddressSanitizer and the guard pages
  # of the tests: otherwise a file of vector code takes minutes to compile.
  add_compile_options(-O1 -fsanitize=${METAPLAST_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -gline-tables-only)
  if(METAPLAST_SANITIZE MATCHES undefined)
    add_compile_options(-fno-sanitize=null,object-size,pointer-overflow)
  endif()
  add_link_options(-fsanitize=${METAPLAST_SANITIZE})
endif()
