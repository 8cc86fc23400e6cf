# METAPLAST_SANITIZE=address,undefined (or thread) instruments everything, for the native tests. Use clang: the AddressSanitizer of
# gcc 12 does not see over-reads of AVX-512 masked loads.
set(METAPLAST_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, empty for none")

if(METAPLAST_SANITIZE)
  add_compile_options(-fsanitize=${METAPLAST_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${METAPLAST_SANITIZE})
endif()
