# JNI libraries: JavaCPP's generated source plus our objects.
#
# METAPLAST_GLUE names the folder with jniMetaplastCpu.cpp and jniMetaplastCuda.cpp, METAPLAST_OUT the folder for the libraries.
set(METAPLAST_GLUE "" CACHE PATH "Folder with the generated JNI sources; empty: no JNI library")
set(METAPLAST_OUT "" CACHE PATH "Folder for the JNI libraries; empty: the build folder")

# The glue for one library, or nothing when it was not generated.
function(metaplast_find_glue name result)
  set(${result} "" PARENT_SCOPE)
  if(METAPLAST_GLUE AND EXISTS "${METAPLAST_GLUE}/${name}.cpp")
    set(${result} "${METAPLAST_GLUE}/${name}.cpp" PARENT_SCOPE)
  endif()
endfunction()

# jni.h from the JDK that JAVA_HOME names. (CMake's FindJNI also wants AWT, which headless JDKs lack.)
function(metaplast_jni_includes target)
  set(jdk "$ENV{JAVA_HOME}")
  if(NOT EXISTS "${jdk}/include/jni.h")
    message(FATAL_ERROR "JAVA_HOME is '${jdk}', which has no include/jni.h; set it to a JDK")
  endif()
  target_include_directories(${target} SYSTEM PRIVATE "${jdk}/include" "${jdk}/include/linux")
endfunction()

# What every shared library of ours gets: exports by list, no writable relocations, no executable stack, C++ library inside.
function(metaplast_shared_library_options target)
  set_target_properties(${target} PROPERTIES BUILD_RPATH "" INSTALL_RPATH "\$ORIGIN" BUILD_WITH_INSTALL_RPATH ON
    LINK_DEPENDS "${METAPLAST_EXPORTS}")
  target_link_options(${target} PRIVATE
    "LINKER:--version-script=${METAPLAST_EXPORTS}" LINKER:--exclude-libs,ALL LINKER:--as-needed
    LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack LINKER:--gc-sections)
  if(NOT METAPLAST_SANITIZE)
    # With sanitizers the run-time functions come from the executable.
    target_link_options(${target} PRIVATE LINKER:--no-undefined LINKER:--strip-all)
    if(METAPLAST_STATIC_LIBSTDCXX)
      target_link_options(${target} PRIVATE -static-libstdc++)
    endif()
  endif()
  if(METAPLAST_OUT)
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${METAPLAST_OUT}")
  endif()
endfunction()

# metaplast_jni_library(<name> <glue.cpp> <object libraries...>)
function(metaplast_jni_library name glue)
  # jnijavacpp.cpp: the part of JavaCPP's glue that all of its libraries share.
  set(sources "${glue}" "${METAPLAST_GLUE}/jnijavacpp.cpp")
  add_library(${name} SHARED ${sources})
  # JavaCPP's sources cast and shadow freely and use exceptions.
  set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS "-w;-fexceptions;-frtti")
  target_link_libraries(${name} PRIVATE ${ARGN})
  target_include_directories(${name} PRIVATE "${METAPLAST_NATIVE_DIR}/include")
  metaplast_jni_includes(${name})
  metaplast_shared_library_options(${name})
endfunction()
