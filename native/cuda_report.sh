#!/usr/bin/env bash
# What nvcc makes of the CUDA kernels: registers, stack and spills of every kernel and architecture as a table, and gates on the
# PTX: no flush to zero, no approximate instruction, and no fused multiply-add outside of the Kronecker family (class B, spelled out there); every architecture has the tensor-core instruction
# for bits that it has hardware for, and sass_facts.py finds it in the machine code, not emulated, with nothing stored to local memory by the portable kernels of the
# binarized and the Kronecker family. (SASS is not checked for fused operations: exact division uses FFMA inside.) Needs nvcc (and python3 for the machine code), no GPU.
#
#   cuda_report.sh [ARCHITECTURE...]      default: 75 80 86 89 90a 100 120
#
# Exit status 1 when the gate finds something or nothing was compiled.
set -euo pipefail

native_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nvcc=${CUDACXX:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
[ "$#" -gt 0 ] || set -- 75 80 86 89 90a 100 120
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$native_dir"
# The flags of cmake/Cuda.cmake that decide about arithmetic.
flags=(-std=c++17 -O3 -DNDEBUG -I. -Iinclude -fmad=false -ftz=false -prec-div=true -prec-sqrt=true -Xcompiler=-Wno-unknown-pragmas)

status=0
kernels=0
for unit in runtime/cuda/unit_*.cu; do
  "$nvcc" "${flags[@]}" -arch=compute_90 -ptx -o "$work/unit.ptx" "$unit"
  kernels=$((kernels + $(grep -c '\.entry' "$work/unit.ptx")))
  forbidden='fma\.|\.ftz|\.approx'
  case $unit in *unit_kfac*) forbidden='\.ftz|\.approx' ;; esac
  if grep -nE "^[[:space:]]*(@!?%p[0-9]+ )?[a-z0-9._]*($forbidden)" "$work/unit.ptx" > "$work/found"; then
    echo "FAIL: $unit: PTX that its class forbids:"
    head -n 5 "$work/found"
    status=1
  fi
done
[ "$kernels" -gt 0 ] || { echo "FAIL: no kernels"; exit 1; }
echo "PTX of $kernels kernels: no .ftz, no .approx, no fma but in the Kronecker family: $([ "$status" = 0 ] && echo yes || echo no)"

# bits ARCHITECTURE WANTED UNWANTED: instructions of the bit products.
bits() {
  "$nvcc" "${flags[@]}" -arch="compute_$1" -ptx -o "$work/bits.ptx" runtime/cuda/unit_binary.cu
  if ! grep -qF "$2" "$work/bits.ptx" || grep -qE "$3" "$work/bits.ptx"; then
    echo "FAIL: PTX of the bit products for compute_$1: wants $2 and none of $3"
    status=1
  fi
}
bits 75 mma.sync.aligned.m8n8k128.row.col.s32.b1.b1.s32.xor.popc 'and\.popc|wgmma|s32\.s8'
bits 80 mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.and.popc 'xor\.popc|wgmma|s32\.s8'
bits 90a wgmma.mma_async.sync.aligned.m64n128k256.s32.b1.b1.and.popc 'xor\.popc|s32\.s8'  # exclusive or is emulated there
bits 100 mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 '\.popc|wgmma'                   # 1-bit instructions are
echo "PTX of the bit products: one 1-bit instruction each on 7.5, 8.x and 9.0, bytes from 10.0 on: $([ "$status" = 0 ] && echo yes || echo no)"
echo
echo "| kernel | architecture | registers | stack bytes | spill stores | spill loads |"
echo "|---|---|---|---|---|---|"
for architecture in "$@"; do
  for unit in runtime/cuda/unit_*.cu; do
    "$nvcc" "${flags[@]}" -gencode "arch=compute_$architecture,code=sm_$architecture" -Xptxas -v --keep --keep-dir "$work" -cubin -o "$work/$(basename "$unit" .cu).cubin" "$unit" 2> "$work/log"
    c++filt < "$work/log" | awk -v architecture="$architecture" '
      /Compiling entry function/ {
        name = $0
        sub(/.*Compiling entry function ./, "", name)
        sub(/. for .sm_.*/, "", name)
        sub(/void metaplast::cuda_runtime::metaplast_kernel</, "", name)
        sub(/>\(metaplast::.*/, "", name)
        gsub(/metaplast::simt::/, "", name)
        sub(/^MultiTensor</, "", name)
        while (gsub(/</, "<", name) > gsub(/>/, ">", name)) name = name ">"
        while (gsub(/</, "<", name) < gsub(/>/, ">", name)) sub(/ *> *$/, "", name)
      }
      /bytes stack frame/ { stack = $1; stores = $5; loads = $9 }
      /Used [0-9]+ registers/ {
        for (i = 1; i < NF; ++i) if ($i == "Used") registers = $(i + 1)
        printf "| %s | sm_%s | %s | %s | %s | %s |\n", name, architecture, registers, stack, stores, loads
      }'
  done
  if command -v python3 > /dev/null; then
    CUDACXX=$nvcc python3 sass_facts.py "$architecture" "$work"/unit_{binary,binary_training,kfac,kfac_inverse}.cubin >> "$work/facts" || status=1
  else
    echo "SKIP: machine code for sm_$architecture: there is no python3" >> "$work/facts"
  fi
done
echo
cat "$work/facts"
exit "$status"
