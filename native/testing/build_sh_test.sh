#!/usr/bin/env bash
# build.sh where tools are missing: one line and success, or an error where the tool is required; libraries of an earlier build go away.
set -euo pipefail

native_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
checks=0

# A PATH of links to the given tools and to what every script needs.
path_with() {
  rm -rf "$work/bin"
  mkdir -p "$work/bin"
  local tool
  for tool in bash cat cp dirname env grep head mkdir mv nproc readlink rm sed sort uname "$@"; do
    ln -s "$(command -v "$tool" || echo /bin/true)" "$work/bin/$tool"  # where it is missing, being there is all that counts
  done
}

# expect STATUS TEXT [VARIABLE=VALUE...]: build.sh under these variables ends with STATUS and says TEXT.
expect() {
  local status=$1 text=$2 seen=0
  shift 2
  mkdir -p "$work/out"
  touch "$work/out/libjniMetaplastCpu.so" "$work/out/libjniMetaplastCuda.so"
  env -i PATH="$work/bin" METAPLAST_OUT="$work/out" METAPLAST_BUILD="$work/build" "$@" bash "$native_dir/build.sh" \
    > "$work/log" 2>&1 || seen=$?
  checks=$((checks + 1))
  if [ "$seen" != "$status" ] || ! grep -qF "$text" "$work/log"; then
    failures=$((failures + 1))
    echo "FAIL: $*: status $seen, expected $status and '$text'; output:"
    cat "$work/log"
  fi
  # Where nothing was built nothing may lie, as if it had been.
  if [ "$status" = 0 ] && [ -n "$(find "$work/out" -name '*.so')" ]; then
    failures=$((failures + 1))
    echo "FAIL: $*: libraries of an earlier build are still there"
  fi
}

path_with cmake
expect 0 "no native libraries (no C++ compiler on PATH); the Java backend works without them"
expect 1 "METAPLAST_NATIVE=required, but no C++ compiler on PATH" METAPLAST_NATIVE=required
expect 1 "METAPLAST_CUDA=required, but no C++ compiler on PATH" METAPLAST_CUDA=required
expect 1 "METAPLAST_NATIVE=maybe is not one of auto, required, off" METAPLAST_NATIVE=maybe
expect 1 "METAPLAST_CUDA=1 is not one of auto, required, off" METAPLAST_CUDA=1

path_with c++
expect 0 "no native libraries (no cmake on PATH)"
expect 1 "METAPLAST_NATIVE=required, but no cmake on PATH" METAPLAST_NATIVE=required

path_with c++ cmake
expect 0 "no native libraries (neither ninja nor make on PATH)"
expect 0 "no native libraries (METAPLAST_NATIVE=off)" METAPLAST_NATIVE=off

path_with c++ cmake ninja
expect 0 "no native libraries (no jni.h in JAVA_HOME ('/nonexistent'))" METAPLAST_GLUE="$work" JAVA_HOME=/nonexistent
expect 1 "METAPLAST_CUDA=required, but no nvcc" METAPLAST_CUDA=required CUDACXX=/nonexistent/nvcc

echo "build_sh_test: $checks checks, $failures failures"
[ "$failures" = 0 ]
