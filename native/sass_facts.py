#!/usr/bin/env python3
"""Facts about the machine code of the CUDA kernels, without a disassembler and without a GPU.

  sass_facts.py ARCHITECTURE CUBIN...      for example: sass_facts.py 90a unit_binary.cubin unit_kfac.cubin, with unit_binary.ptx and unit_kfac.ptx beside them

From compute capability 7.5 on an instruction has 16 bytes, its operation in the low twelve bits (low nine without the form of the operands). Which number is
which instruction is not looked up but found: probes with 4 and with 12 copies of one instruction are compiled for the architecture with nvcc (environment
CUDACXX), and the operation that occurs 8 times more often is the one. Where there is no such operation, or several, the instruction is emulated.

Checked: the tensor-core kernels of the bit products and of the real products have the one tensor-core instruction that they are meant to have, not emulated and
as often as in their PTX (emulation is a call); all other kernels have none; these and the real products store nothing to local memory (spills); the portable bit
products have the population count. (AND and
XOR are one operation with a modifier: the PTX tells them apart, cuda_report.sh looks there.) Exit status 1 when one of these does not hold.
"""
import collections
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

FEW, MANY = 4, 12
NO_OPERATION = 0x918

FOUR = '"+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])'
A_AND_B = '"r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(x[4]), "r"(x[5])'
FRAGMENTS = "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"

# Instruction: statement that is repeated. d: accumulators, x: inputs.
PROBES = {
    "population count": "d[0] = __popc(d[0]);",
    "local store": "words[8 * i + 1] = d[0];",
    "mma b1 xor": f'asm volatile("mma.sync.aligned.m8n8k128.row.col.s32.b1.b1.s32.xor.popc {{%0, %1}}, {{%4}}, {{%5}}, {{%0, %1}};" : {FOUR} : "r"(x[0]), "r"(x[1]));',
    "mma b1 and": f'asm volatile("mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.and.popc {FRAGMENTS}" : {FOUR} : {A_AND_B});',
    "mma s8": f'asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {FRAGMENTS}" : {FOUR} : {A_AND_B});',
    "mma tf32": f'asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {FRAGMENTS}" : {FOUR.replace("+r", "+f").replace("d[", "f[")} : {A_AND_B});',
    "wgmma b1 and": 'asm volatile("{.reg .pred adds; setp.eq.b64 adds, %4, %4; wgmma.mma_async.sync.aligned.m64n8k256.s32.b1.b1.and.popc '
                    f'{{%0, %1, %2, %3}}, %4, %5, adds;}}" : {FOUR} : "l"(a + i), "l"(b + i));',
}

PROBE = """
template <int kCopies>
__global__ void probe_NUMBER(const uint32_t* in, uint32_t* out, uint64_t a, uint64_t b) {
  uint32_t words[8 * kCopies], d[4], x[6];
  float f[4];
  for (int i = 0; i < 4; ++i) {
    d[i] = in[32 * i + threadIdx.x];
    f[i] = d[i];
  }
  for (int i = 0; i < 6; ++i) x[i] = in[32 * (i + 4) + threadIdx.x];
  BEFORE
#pragma unroll
  for (int i = 0; i < kCopies; ++i) {
    STATEMENT
  }
  AFTER
  for (int i = 0; i < 4; ++i) out[32 * i + threadIdx.x] = d[i] + f[i] + x[i];
}
template __global__ void probe_NUMBER<FEW>(const uint32_t*, uint32_t*, uint64_t, uint64_t);
template __global__ void probe_NUMBER<MANY>(const uint32_t*, uint32_t*, uint64_t, uint64_t);
"""
# What has to stand around some of the statements.
AROUND = {
    "local store": ("words[a] = d[0];", "out[a] = words[b];"),
    "wgmma b1 and": ('asm volatile("wgmma.fence.sync.aligned;" ::: "memory");',
                     'asm volatile("wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;" ::: "memory");'),
}

# Kernels for tensor cores; all others are portable.
TENSOR_KERNELS = ("XnorGemmMma", "XnorGemmSm90a", "RealGemmTf32", "FactorProductTf32")


def kernels(path):
  """(mangled name, how often each operation occurs) of every kernel of a cubin, which is an ELF file with a section .text.NAME for each."""
  with open(path, "rb") as file:
    image = file.read()
  if image[:4] != b"\x7fELF":
    raise ValueError(f"{path} is no ELF file")
  sections_at, = struct.unpack_from("<Q", image, 0x28)
  size, count, names_index = struct.unpack_from("<HHH", image, 0x3A)
  sections = [struct.unpack_from("<IIQQQQ", image, sections_at + i * size) for i in range(count)]
  names_at = sections[names_index][4]
  for name_at, _, _, _, start, length in sections:
    name = image[names_at + name_at:image.index(b"\0", names_at + name_at)].decode()
    if name.startswith(".text."):
      operations = (struct.unpack_from("<Q", image, at)[0] & 0xFFF for at in range(start, start + length, 16))
      yield name[len(".text."):], collections.Counter(operations)


def ptx_counts(path):
  """{mangled name: how many tensor-core instructions its PTX has}."""
  counts, name = {}, None
  with open(path) as file:
    for line in file:
      entry = re.match(r"\.visible \.entry (\w+)", line)
      if entry:
        name = entry.group(1)
        counts[name] = 0
      elif name and re.search(r"\b(wgmma\.mma_async|mma)\.sync\.", line):
        counts[name] += 1
  return counts


def exists(instruction, architecture):
  """Whether PTX has the instruction for the architecture, in hardware or emulated."""
  if instruction.startswith("wgmma"):
    return architecture == "90a"
  return architecture != "75" or instruction not in ("mma b1 and", "mma s8", "mma tf32")


def wanted(kernel, architecture):
  """The instruction that a tensor-core kernel has to consist of, None where it must be empty."""
  if kernel == "XnorGemmSm90a":
    return "wgmma b1 and" if architecture == "90a" else None
  generation = int(architecture.rstrip("af")) // 10
  if kernel.endswith("Tf32"):
    return "mma tf32" if generation >= 8 else None
  return "mma b1 xor" if generation == 7 else "mma b1 and" if generation < 10 else "mma s8"


def find_operations(nvcc, architecture, work):
  """{instruction: its operation, or None where it is emulated}."""
  instructions = [i for i in PROBES if exists(i, architecture)]
  source = "#include <cstdint>\n"
  for number, instruction in enumerate(instructions):
    before, after = AROUND.get(instruction, ("", ""))
    probe = PROBE
    for word, text in (("BEFORE", before), ("AFTER", after), ("STATEMENT", PROBES[instruction]), ("NUMBER", str(number)), ("FEW", str(FEW)), ("MANY", str(MANY))):
      probe = probe.replace(word, text)
    source += probe
  path, cubin = os.path.join(work, "probes.cu"), os.path.join(work, "probes.cubin")
  with open(path, "w") as file:
    file.write(source)
  subprocess.run([nvcc, "-std=c++17", "-O3", "-gencode", f"arch=compute_{architecture},code=sm_{architecture}", "-cubin", "-o", cubin, path],
                 check=True, stderr=subprocess.DEVNULL)
  code = dict(kernels(cubin))
  operations = {}
  for number, instruction in enumerate(instructions):
    few, many = (next(c for name, c in code.items() if f"probe_{number}ILi{n}E" in name) for n in (FEW, MANY))
    as_often = [o for o in many if many[o] - few[o] == MANY - FEW and o != NO_OPERATION]
    operations[instruction] = as_often[0] if len(as_often) == 1 else None
  return operations


def main():
  if len(sys.argv) < 3:
    sys.exit(__doc__)
  architecture, cubins = sys.argv[1], sys.argv[2:]
  nvcc = os.environ.get("CUDACXX") or shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
  with tempfile.TemporaryDirectory() as work:
    operations = find_operations(nvcc, architecture, work)
  for instruction in ("population count", "local store"):
    if operations[instruction] is None:
      sys.exit(f"FAIL: sm_{architecture}: the probe does not show the {instruction}")
  tensor = {o for i, o in operations.items() if "mma" in i and o is not None}

  failures = []
  portable = counting = 0
  found = {}
  for cubin in cubins:
    in_ptx = ptx_counts(os.path.splitext(cubin)[0] + ".ptx")
    for name, code in kernels(cubin):
      if name not in in_ptx:
        continue  # a function that kernels call
      counts = {hex(o): code[o] for o in tensor if code[o]}
      kernel = next((k for k in TENSOR_KERNELS if k in name), None)
      # A store by another form of address is the same operation but for the upper three bits.
      stores = sum(c for o, c in code.items() if o & 0x1FF == operations["local store"] & 0x1FF)
      if stores and (kernel is None or kernel.endswith("Tf32")):
        failures.append(f"{name} stores {stores} times to local memory")
      if kernel is None:
        portable += 1
        counting += code[operations["population count"]] > 0
        if counts:
          failures.append(f"{name} is portable and has {counts}")
        if "XnorGemm" in name and not code[operations["population count"]]:
          failures.append(f"{name} has no population count")
        continue
      instruction = wanted(kernel, architecture)
      if instruction and operations[instruction] is None:
        failures.append(f"{instruction} is emulated")
      elif set(counts) != ({hex(operations[instruction])} if instruction else set()):
        failures.append(f"{name} has {counts or 'no tensor-core instruction'}, not {instruction}")
      if sum(counts.values()) != in_ptx[name]:
        failures.append(f"{name} has {in_ptx[name]} tensor-core instructions in the PTX and {sum(counts.values())} in the machine code")
      found.setdefault(kernel, []).append(f"{sum(counts.values())} x {instruction}" if instruction else "empty")
  if not portable or set(found) != set(TENSOR_KERNELS):
    failures.append(f"found {portable} portable kernels and {sorted(found)}")

  named = ", ".join(f"{i} {'emulated' if o is None else hex(o)}" for i, o in operations.items())
  print(f"sm_{architecture}: {named}")
  for kernel, counts in sorted(found.items()):
    print(f"sm_{architecture}: {kernel}: {'; '.join(counts)}")
  print(f"sm_{architecture}: {portable} portable kernels without tensor-core instruction and local store, {counting} count bits: {'no' if failures else 'yes'}")
  for failure in failures:
    print(f"FAIL: sm_{architecture}: {failure}")
  return 1 if failures else 0


if __name__ == "__main__":
  sys.exit(main())
