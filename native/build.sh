#!/usr/bin/env bash
# Builds the native libraries that can be built here and says in one line each what is left out and why.
#
#   METAPLAST_OUT      folder for the libraries            (default <METAPLAST_BUILD>/lib)
#   METAPLAST_GLUE     folder with jniMetaplastCpu.cpp and jniMetaplastCuda.cpp, written by JavaCPP; without it a plain library is built
#   METAPLAST_BUILD    CMake's build folder                (default target/native beside pom.xml)
#   METAPLAST_NATIVE   auto (default), required: fail when a tool is missing, off: build nothing
#   METAPLAST_CUDA     the same for the CUDA part
#   JAVA_HOME          JDK with include/jni.h              (default: the one that `javac` on PATH belongs to)
#   CXX, CUDACXX       compilers to use
# Further arguments go to CMake's configure step, for instance -DMETAPLAST_NATIVE_TESTS=ON.
set -euo pipefail

native_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build_dir=${METAPLAST_BUILD:-$native_dir/../target/native}
out_dir=${METAPLAST_OUT:-$build_dir/lib}
native_mode=${METAPLAST_NATIVE:-auto}
cuda_mode=${METAPLAST_CUDA:-auto}

notice() { echo "Metaplast native: $*"; }
fail() { echo "Metaplast native: error: $*" >&2; exit 1; }

for setting in "METAPLAST_NATIVE=$native_mode" "METAPLAST_CUDA=$cuda_mode"; do
  case ${setting#*=} in
    auto | required | off) ;;
    *) fail "$setting is not one of auto, required, off" ;;
  esac
done

# A library of an earlier build must not pass for one of this build.
drop() { rm -f "$out_dir/$1"; }

leave_native_out() {
  [ "$native_mode" = required ] && fail "METAPLAST_NATIVE=required, but $1"
  [ "$cuda_mode" = required ] && fail "METAPLAST_CUDA=required, but $1"
  drop libjniMetaplastCpu.so
  drop libjniMetaplastCuda.so
  notice "no native libraries ($1); the Java backend works without them"
  exit 0
}

# First of the given commands that exists; empty when none does.
first_of() {
  local name
  for name in "$@"; do
    if command -v "$name" 2> /dev/null; then
      return
    fi
  done
}

# ---- what is here ----

[ "$native_mode" = off ] && leave_native_out "METAPLAST_NATIVE=off"
[ "$(uname -s)" = Linux ] || leave_native_out "they are written for Linux, this is $(uname -s)"
cmake=$(first_of cmake)
[ -n "$cmake" ] || leave_native_out "no cmake on PATH"
cmake_version=$("$cmake" --version | sed -n '1s/[^0-9]*\([0-9.]*\).*/\1/p')
[ "$(printf '3.25\n%s\n' "$cmake_version" | sort -V | head -n 1)" = 3.25 ] \
  || leave_native_out "cmake $cmake_version is older than 3.25"
cxx=$(first_of ${CXX:-c++ g++ clang++})
[ -n "$cxx" ] || leave_native_out "no C++ compiler on PATH"

generator=()
if [ -n "$(first_of ninja)" ]; then
  generator=(-G Ninja)
elif [ -z "$(first_of make)" ]; then
  leave_native_out "neither ninja nor make on PATH"
fi

if [ ! -e "${JAVA_HOME:-}/include/jni.h" ]; then
  javac=$(first_of javac)
  if [ -n "$javac" ]; then
    JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$javac")")")
  fi
fi
if [ -n "${METAPLAST_GLUE:-}" ] && [ ! -e "${JAVA_HOME:-}/include/jni.h" ]; then
  leave_native_out "no jni.h in JAVA_HOME ('${JAVA_HOME:-}')"
fi
export JAVA_HOME=${JAVA_HOME:-}

cuda_options=(-DMETAPLAST_CUDA=OFF)
cuda=""
if [ "$cuda_mode" = off ]; then
  notice "no CUDA library (METAPLAST_CUDA=off)"
else
  nvcc=$(first_of ${CUDACXX:-nvcc /usr/local/cuda/bin/nvcc})
  if [ -n "$nvcc" ]; then
    cuda="CUDA by $("$nvcc" --version | sed -n 's/.*release \([0-9.]*\).*/nvcc \1/p')"
    # Named here because CMake remembers a failed search for as long as its cache lives.
    cuda_options=(-DMETAPLAST_CUDA=ON "-DCMAKE_CUDA_COMPILER=$nvcc" "-DCMAKE_CUDA_HOST_COMPILER=$cxx")
  elif [ "$cuda_mode" = required ]; then
    fail "METAPLAST_CUDA=required, but no nvcc on PATH or in /usr/local/cuda"
  else
    notice "no CUDA library (no nvcc on PATH or in /usr/local/cuda)"
  fi
fi
[ -n "$cuda" ] || drop libjniMetaplastCuda.so

# ---- build ----

notice "CPU by $("$cxx" --version | head -n 1)${cuda:+, $cuda}"
mkdir -p "$out_dir"
out_dir=$(cd "$out_dir" && pwd)
glue_dir=""
if [ -n "${METAPLAST_GLUE:-}" ]; then
  glue_dir=$(cd "$METAPLAST_GLUE" && pwd)
fi

configure() {
  "$cmake" -S "$native_dir" -B "$build_dir" "${generator[@]}" -DCMAKE_CXX_COMPILER="$cxx" -DMETAPLAST_OUT="$out_dir" \
    -DMETAPLAST_GLUE="$glue_dir" "${cuda_options[@]}" "$@" > "$build_dir/configure.log" 2>&1 \
    || { cat "$build_dir/configure.log" >&2; fail "cmake could not configure"; }
}

# A folder that was configured with other tools cannot be reused.
tools="$generator $cxx $cuda $native_dir"
if [ "$(cat "$build_dir/metaplast-tools" 2> /dev/null || true)" != "$tools" ]; then
  rm -rf "$build_dir/CMakeCache.txt" "$build_dir/CMakeFiles"
fi
mkdir -p "$build_dir"
echo "$tools" > "$build_dir/metaplast-tools"

configure "$@"
"$cmake" --build "$build_dir" --parallel "$(nproc)"
