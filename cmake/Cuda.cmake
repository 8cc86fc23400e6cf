# The CUDA part: built when CMake finds nvcc and CUDA sources exist, left out with one line otherwise.
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  message(STATUS "Metaplast: no nvcc, the CUDA library is left out")
  return()
endif()
