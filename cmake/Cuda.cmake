# The CUDA library: kernels/*/*_cuda.cu and runtime/cuda, for all architectures of METAPLAST_CUDA_ARCHITECTURES, with the CUDA runtime inside, so
# that it loads on machines without a driver too. Left out with one line when CMake finds no nvcc.
set(METAPLAST_CUDA_ARCHITECTURES 75-real 80-real 86-real 89-real 90a-real 100-real 120 CACHE STRING
  "Architectures; the last one also as PTX, for devices that are newer")

include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  message(STATUS "Metaplast: no nvcc, the CUDA library is left out")
  return()
endif()

set(CMAKE_CUDA_ARCHITECTURES ${METAPLAST_CUDA_ARCHITECTURES})
set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
set(CMAKE_CUDA_STANDARD 17)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_FLAGS_RELEASE "-O3 -DNDEBUG")
set(CMAKE_CUDA_VISIBILITY_PRESET hidden)

# Class A: single rounded operations, nothing contracted, flushed or approximated. cuda_report.sh checks the PTX.
set(METAPLAST_CUDA_NUMERICS -fmad=false -ftz=false -prec-div=true -prec-sqrt=true)
# Machine code of seven architectures: compressed, the library is a third of the size.
set(METAPLAST_CUDA_SIZE -Xfatbin=-compress-all --compress-mode=size)

# The units include every *_cuda.cu: nvcc spends seconds on the headers of a unit, once for every architecture.
file(GLOB cuda_kernels "kernels/*/*_cuda.cu" "runtime/cuda/*_cuda.cu")
file(GLOB cuda_units "runtime/cuda/unit_*.cu")
set(included "")
foreach(unit IN LISTS cuda_units)
  file(READ "${unit}" text)
  string(APPEND included "${text}")
endforeach()
foreach(kernel IN LISTS cuda_kernels)
  cmake_path(GET kernel FILENAME name)
  if(NOT included MATCHES "/${name}\"")
    message(FATAL_ERROR "${kernel} is in none of runtime/cuda/unit_*.cu")
  endif()
endforeach()
file(GLOB cuda_sources "runtime/cuda/*.cpp")
list(APPEND cuda_sources ${cuda_units})
add_library(metaplastCudaObjects OBJECT ${cuda_sources})
target_include_directories(metaplastCudaObjects PUBLIC "${METAPLAST_NATIVE_DIR}" "${METAPLAST_NATIVE_DIR}/include")
target_include_directories(metaplastCudaObjects SYSTEM PUBLIC ${CUDAToolkit_INCLUDE_DIRS})
target_compile_options(metaplastCudaObjects PRIVATE
  "$<$<COMPILE_LANGUAGE:CUDA>:${METAPLAST_CUDA_NUMERICS};${METAPLAST_CUDA_SIZE};-Xcompiler=-fno-exceptions,-fno-rtti,-ffp-contract=off,-Wno-unknown-pragmas>"
  "$<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions;-fno-rtti>")
list(JOIN METAPLAST_CUDA_ARCHITECTURES " " architectures)
set_source_files_properties(runtime/cuda/status.cpp PROPERTIES COMPILE_DEFINITIONS
  "METAPLAST_NVCC_VERSION=\"${CMAKE_CUDA_COMPILER_VERSION}\";METAPLAST_CUDA_ARCHITECTURES=\"${architectures}\"")
metaplast_warnings(metaplastCudaObjects)

metaplast_find_glue(jniMetaplastCuda cuda_glue)
if(cuda_glue)
  set(cuda_library jniMetaplastCuda)
  metaplast_jni_library(jniMetaplastCuda "${cuda_glue}" metaplastCudaObjects)
else()
  set(cuda_library metaplastCuda)
  add_library(metaplastCuda SHARED)
  target_link_libraries(metaplastCuda PRIVATE metaplastCudaObjects)
  metaplast_shared_library_options(metaplastCuda)
endif()
target_link_libraries(${cuda_library} PRIVATE CUDA::cudart_static)
set_target_properties(${cuda_library} PROPERTIES LINKER_LANGUAGE CXX)
