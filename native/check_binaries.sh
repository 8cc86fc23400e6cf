#!/usr/bin/env bash
# Checks what the build must not have let into the binaries. Each gate that fails is named with its file; exit status 1.
#
#   check_binaries.sh BUILD_DIR LIBRARY...
#
# BUILD_DIR is CMake's build folder with the object files, LIBRARY the shared libraries that ship.
set -euo pipefail

build_dir=$1
shift
native_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$native_dir")
build_dir=$(cd "$build_dir" && pwd)
# Folders of class B kernels, which may use fused multiply-add.
fused=$(sed -n 's/^set(METAPLAST_FUSED_KERNELS "\(.*\)")$/\1/p' "$root/cmake/Isa.cmake")
[ -n "$fused" ] || { echo "FAIL: no METAPLAST_FUSED_KERNELS in cmake/Isa.cmake"; exit 1; }
failures=0
checks=0

# gate DESCRIPTION FILE OUTPUT: fails when OUTPUT (the offending lines) is not empty.
gate() {
  checks=$((checks + 1))
  if [ -n "$3" ]; then
    failures=$((failures + 1))
    printf 'FAIL: %s: %s\n%s\n' "$2" "$1" "$(printf '%s\n' "$3" | head -n 5)"
  fi
}

# grep whose "nothing found" is no failure.
lines_with() { grep -E "$@" || true; }

objects=$(find "$build_dir" -name '*.cpp.o' -path '*metaplastCpuObjects.dir*' -o -name 'jniMetaplast*.cpp.o' | sort)
[ -n "$objects" ] || { echo "FAIL: no object files in $build_dir"; exit 1; }

for object in $objects; do
  name=${object##*/}
  code=$(objdump -d --no-show-raw-insn "$object")
  if [[ $object =~ /kernels/($fused)/ ]]; then
    gate "approximate instruction" "$name" "$(lines_with '[[:space:]]v?(rcp|rsqrt)[0-9a-z]*[[:space:]]' <<< "$code")"
  elif [[ $object == */kernels/* ]]; then
    # Class A: single rounded operations only. No fused multiply-add, no approximate reciprocals.
    gate "fused or approximate instruction in a class A kernel" "$name" \
      "$(lines_with '[[:space:]]v?(fn?m(add|sub)|rcp|rsqrt|fmaddsub|fmsubadd)[0-9a-z]*[[:space:]]' <<< "$code")"
  fi
  case $name in
    *_avx512_vpopcntdq.cpp.o) tier=avx512_vpopcntdq ;;
    *_avx512.cpp.o)
      tier=avx512
      gate "vpopcnt below its variant" "$name" "$(lines_with '[[:space:]]vpopcnt' <<< "$code")"
      ;;
    *_avx2.cpp.o)
      tier=avx2
      gate "zmm or mask register below the avx512 tier" "$name" "$(lines_with '%zmm|%k[0-7]|%[xy]mm(1[6-9]|2[0-9]|3[01])' <<< "$code")"
      ;;
    *)
      tier=""
      # Whatever runs before or beside the dispatcher must run on every x86-64 CPU.
      gate "AVX instruction outside of a tier file" "$name" \
        "$(lines_with '%[yz]mm|[[:space:]]v(mov|add|mul|sub|div|xor)[a-z]*[[:space:]]' <<< "$code")"
      ;;
  esac
  if [ -n "$tier" ]; then
    # The linker keeps one copy of a weak symbol: it must not be one that other files have too.
    gate "weak symbol that is not the tier's own" "$name" "$(nm "$object" | awk '$2 ~ /^[WVu]$/ { print $3 }' | lines_with -v "$tier")"
  fi
done

for library in "$@"; do
  name=${library##*/}
  gate "exports beyond the list" "$name" \
    "$(nm -D --defined-only "$library" | awk '{ print $3 }' | lines_with -v '^(metaplast_|Java_io_metaplast_|JNI_OnLoad|JNI_OnUnload)')"
  gate "no export at all" "$name" "$([ -n "$(nm -D --defined-only "$library" | lines_with ' metaplast_')" ] || echo none)"
  headers=$(readelf -lW "$library")
  dynamic=$(readelf -dW "$library")
  gate "no RELRO segment" "$name" "$(grep -q GNU_RELRO <<< "$headers" || echo missing)"
  gate "lazy binding" "$name" "$(grep -qE 'BIND_NOW|FLAGS.*NOW' <<< "$dynamic" || echo missing)"
  gate "executable stack" "$name" "$(grep GNU_STACK <<< "$headers" | lines_with 'RWE')"
  gate "segment both writable and executable" "$name" "$(grep LOAD <<< "$headers" | lines_with 'RWE')"
  gate "text relocations" "$name" "$(lines_with TEXTREL <<< "$dynamic")"
  gate "search path other than the library's own folder" "$name" \
    "$(lines_with 'RPATH|RUNPATH' <<< "$dynamic" | lines_with -v '\[\$ORIGIN\]')"
  gate "needs more than the C library and libgcc" "$name" \
    "$(lines_with NEEDED <<< "$dynamic" \
      | lines_with -v '\[(libc|libm|libdl|librt|libpthread|libgcc_s|ld-linux-x86-64|ld-linux-aarch64)\.so\.[0-9]+\]')"
  gate "newer glibc than 2.34" "$name" \
    "$(objdump -T "$library" | grep -oE 'GLIBC_[0-9.]+' | sort -Vu | awk -F_ '{ split($2, v, "."); if (v[1] > 2 || v[2] > 34) print }')"
  gate "start-up code that sets flush to zero" "$name" "$(nm "$library" 2> /dev/null | lines_with set_fast_math)"
  for path in "$root" "$build_dir" "${HOME:-/nonexistent}/"; do
    [ "$path" = / ] || gate "a path of the build machine" "$name" "$(strings -a "$library" | grep -F "$path" || true)"
  done
done

echo "check_binaries: $checks checks, $failures failures"
[ "$failures" = 0 ]
