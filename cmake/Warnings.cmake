# Warnings of our own code; generated glue is compiled without. (gcc counts sign conversions apart from -Wconversion, clang does not.)
option(METAPLAST_WERROR "Turn compiler warnings into errors" OFF)

function(metaplast_warnings target)
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wno-sign-conversion;-Wno-psabi>")
  if(METAPLAST_WERROR)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
  endif()
endfunction()
