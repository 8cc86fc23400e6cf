#include "kernels/xnor_gemm/xnor_gemm_simt.cuh"

#include "kernels/xnor_gemm/xnor_gemm_mma.cuh"
#include "kernels/xnor_gemm/xnor_gemm_selftest.cuh"
#if !defined(METAPLAST_SHIM)
#include "kernels/xnor_gemm/xnor_gemm_sm90a.cuh"
#endif
#include "metaplast/binary.h"
#include "runtime/cuda/row_groups.h"
#include "runtime/cuda/variants.h"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::ceil_div;
using metaplast::cuda_runtime::Launcher;
using metaplast::cuda_runtime::valid_matrix;

struct Operands {
  int64_t m, n, k;
  const uint64_t *a, *b;
};

bool valid_operands(const Operands& o) {
  return o.k >= 0 && o.k <= 0x7fffffff && valid_matrix(o.a, o.m, o.k, o.k) && valid_matrix(o.b, o.n, o.k, o.k);
}

// Kernels with one tile a block; `columns` is what tiles have to cover.
template <class Kernel, class Epilogue>
void run_tiles(Launcher* launcher, const Operands& o, int64_t side, int64_t columns, const Epilogue& epilogue) {
  const int64_t column_tiles = ceil_div(columns, side);
  launcher->run<Kernel>(
      ceil_div(o.m, side) * column_tiles, 1, Kernel::kThreads, Kernel::kSharedBytes,
      typename Kernel::Args{o.m, o.n, static_cast<uint32_t>(o.k), static_cast<uint32_t>(column_tiles), o.a, o.b, epilogue});
}

#if !defined(METAPLAST_SHIM)

using EncodeTiled = decltype(&cuTensorMapEncodeTiled);

// The driver's function, asked for through the runtime: libcuda stays unlinked. Null with a driver that has none.
EncodeTiled encode_tiled() {
  static const EncodeTiled function = [] {
    void* found = nullptr;
    cudaDriverEntryPointQueryResult result = cudaDriverEntryPointSymbolNotFound;
    const cudaError_t code = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, 12000, cudaEnableDefault, &result);
    cudaGetLastError();
    return code == cudaSuccess && result == cudaDriverEntryPointSuccess ? reinterpret_cast<EncodeTiled>(found) : nullptr;
  }();
  return function;
}

// A bit matrix as rows of bytes, read in boxes of 128 bytes x box_rows; what lies outside reads as 0.
bool describe(const uint64_t* bits, int64_t rows, int64_t row_words, uint32_t box_rows, CUtensorMap* map) {
  const EncodeTiled encode = encode_tiled();
  if (encode == nullptr) return false;
  const cuuint64_t size[2] = {static_cast<cuuint64_t>(8 * row_words), static_cast<cuuint64_t>(rows)}, pitch[1] = {size[0]};
  const cuuint32_t box[2] = {128, box_rows}, stride[2] = {1, 1};
  return encode(map, CU_TENSOR_MAP_DATA_TYPE_UINT8, 2, const_cast<uint64_t*>(bits), size, pitch, box, stride, CU_TENSOR_MAP_INTERLEAVE_NONE,
                CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS;
}

// False when the operands do not suit it.
template <class Epilogue>
bool run_sm90a(Launcher* launcher, int64_t most_blocks, const Operands& o, int64_t columns, const Epilogue& epilogue) {
  using Kernel = simt::XnorGemmSm90a<Epilogue>;
  const int64_t words = simt::bit_row_words(o.k);
  const int64_t row_tiles = ceil_div(o.m, Kernel::kRows), column_tiles = ceil_div(columns, Kernel::kColumns);
  if (words == 0 || row_tiles * column_tiles > 0x7fffffff || o.m > 0x7fffffff || o.n > 0x7fffffff ||
      !metaplast::cuda_runtime::is_aligned(o.a, 16) || !metaplast::cuda_runtime::is_aligned(o.b, 16)) {
    return false;
  }
  typename Kernel::Args args;
  if (!describe(o.a, o.m, words, Kernel::kRows, &args.a) || !describe(o.b, o.n, words, Kernel::kColumns, &args.b)) return false;
  args.m = o.m;
  args.n = o.n;
  args.k = static_cast<uint32_t>(o.k);
  args.steps = static_cast<uint32_t>(ceil_div(8 * words, Kernel::kRowBytes));
  args.column_tiles = static_cast<uint32_t>(column_tiles);
  args.tiles = static_cast<uint32_t>(row_tiles * column_tiles);
  args.epilogue = epilogue;
  launcher->run<Kernel>(args.tiles < most_blocks ? args.tiles : most_blocks, 1, Kernel::kThreads, Kernel::kSharedBytes, args);
  return true;
}

template <class Epilogue>
bool allow_sm90a() {
  using Kernel = simt::XnorGemmSm90a<Epilogue>;
  return metaplast::cuda_runtime::allow_shared_memory<Kernel>(Kernel::kSharedBytes) == cudaSuccess;
}

#endif

// most_blocks: for variants whose blocks take several tiles.
template <class Epilogue>
void run_variant(Launcher* launcher, int32_t variant, int64_t most_blocks, const Operands& o, const Epilogue& epilogue) {
  if (o.m == 0 || o.n == 0) return;
  // The words of bits that do not exist are written too.
  int64_t columns = o.n;
  if constexpr (Epilogue::kPacks) columns = 64 * epilogue.row_words;
#if defined(METAPLAST_SHIM)
  static_cast<void>(most_blocks);
#else
  if (variant == METAPLAST_CUDA_XNOR_WGMMA && run_sm90a(launcher, most_blocks, o, columns, epilogue)) return;
#endif
  if (variant == METAPLAST_CUDA_XNOR_SIMT) {
    run_tiles<simt::XnorGemm<Epilogue>>(launcher, o, simt::kTileSide, columns, epilogue);
  } else {
    using Kernel = simt::XnorGemmMma<Epilogue>;
    run_tiles<Kernel>(launcher, o, Kernel::kSide, columns, epilogue);
  }
}

template <class Epilogue>
metaplast_status_t xnor_gemm(metaplast_cuda_context_t* context, const char* name, void* stream, const Operands& o, const Epilogue& epilogue) {
  Launcher launcher(context, name, stream);
  if (launcher.status() != METAPLAST_OK) return launcher.status();
  // Products of a few rows would leave most of a large tile empty.
  constexpr int64_t kLeast = 32;
  const bool large = o.m >= kLeast && o.n >= kLeast;
  const int32_t variant = large ? context->xnor_variant.load() : static_cast<int32_t>(METAPLAST_CUDA_XNOR_SIMT);
  run_variant(&launcher, variant, launcher.multiprocessors(), o, epilogue);
  return launcher.status();
}

}  // namespace

extern "C" metaplast_status_t metaplast_xnor_gemm_i32_cuda(metaplast_cuda_context_t* context, int64_t m, int64_t n, int64_t k,
                                                           const uint64_t* a, const uint64_t* b, int32_t* y, int64_t ldy, void* stream) {
  const Operands o{m, n, k, a, b};
  if (!valid_operands(o) || !valid_matrix(y, m, n, ldy)) return METAPLAST_E_ARGUMENT;
  return xnor_gemm(context, "xnor_gemm_i32", stream, o, simt::XnorToI32{y, ldy});
}

extern "C" metaplast_status_t metaplast_xnor_gemm_f32_cuda(metaplast_cuda_context_t* context, int64_t m, int64_t n, int64_t k,
                                                           const uint64_t* a, const uint64_t* b, const float* scale, const float* bias,
                                                           float* y, int64_t ldy, void* stream) {
  const Operands o{m, n, k, a, b};
  if (!valid_operands(o) || k > (1 << 24) || !valid_matrix(y, m, n, ldy)) return METAPLAST_E_ARGUMENT;
  return xnor_gemm(context, "xnor_gemm_f32", stream, o, simt::XnorToF32{y, ldy, scale, bias});
}

extern "C" metaplast_status_t metaplast_xnor_gemm_bits_cuda(metaplast_cuda_context_t* context, int64_t m, int64_t n, int64_t k,
                                                            const uint64_t* a, const uint64_t* b, const int32_t* limit,
                                                            const int32_t* invert, uint64_t* y, void* stream) {
  const Operands o{m, n, k, a, b};
  if (!valid_operands(o) || !valid_matrix(y, m, n, n) || (n > 0 && (limit == nullptr || invert == nullptr))) return METAPLAST_E_ARGUMENT;
  return xnor_gemm(context, "xnor_gemm_bits", stream, o, simt::XnorToBits{y, simt::bit_row_words(n), limit, invert});
}

// One call after the other: the stream keeps their order.
extern "C" metaplast_status_t metaplast_sign_pack_xnor_gemm_bits_cuda(metaplast_cuda_context_t* context, int64_t m, int64_t n, int64_t k,
                                                                      const float* x, int64_t ldx, uint64_t* a, const uint64_t* b,
                                                                      const int32_t* limit, const int32_t* invert, uint64_t* y, void* stream) {
  const Operands o{m, n, k, a, b};
  if (!valid_operands(o) || !valid_matrix(x, m, k, ldx) || !valid_matrix(y, m, n, n) ||
      (n > 0 && (limit == nullptr || invert == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast_status_t status = metaplast_sign_pack_f32_cuda(context, m, k, x, ldx, a, nullptr, stream);
  if (status != METAPLAST_OK) return status;
  return metaplast_xnor_gemm_bits_cuda(context, m, n, k, a, b, limit, invert, y, stream);
}

// ---- choice of the variant ---------------------------------------------------------------------------------------------------------

namespace {

// 64 shapes: all combinations. With wgmma a few blocks take all tiles of the largest, and stages are used again.
struct TestShapes {
  int64_t rows[4], columns[4], bits[4];  // ascending
};
constexpr TestShapes kMmaShapes = {{1, 37, 128, 150}, {3, 64, 128, 150}, {1, 256, 500, 700}};
constexpr TestShapes kWgmmaShapes = {{1, 37, 300, 700}, {3, 64, 130, 300}, {1, 700, 1100, 9000}};
constexpr int64_t kTestBlocks = 3;

// One allocation for a whole test.
struct TestMemory {
  uint64_t *a, *b, *bits[2];
  int32_t *y[2], *limit, *invert;
  int64_t* different;

  // Lays the parts out from `base` on; returns the bytes.
  size_t place(unsigned char* base) {
    constexpr const TestShapes& most = kWgmmaShapes;
    constexpr int64_t rows = most.rows[3], columns = most.columns[3];
    size_t used = 0;
    const auto part = [&](int64_t elements, auto** p) {
      *p = reinterpret_cast<std::remove_reference_t<decltype(*p)>>(base + used);
      used += (static_cast<size_t>(elements) * sizeof(**p) + 255) / 256 * 256;
    };
    const int64_t words = simt::bit_row_words(most.bits[3]);
    part(1, &different);
    part(rows * words, &a);
    part(columns * words, &b);
    for (int v = 0; v < 2; ++v) {
      part(rows * simt::bit_row_words(columns), &bits[v]);
      part(rows * columns, &y[v]);
    }
    part(columns, &limit);
    part(columns, &invert);
    return used;
  }
};

void run_flat(Launcher* launcher, int64_t n, const simt::XnorTestKernel::Args& args) {
  using Kernel = simt::XnorTestKernel;
  launcher->run<Kernel>(ceil_div(n, Kernel::kThreads), 1, Kernel::kThreads, 0, args);
}

// Queues all shapes for a variant and the portable one; `different` counts what is not equal.
void queue_test(Launcher* launcher, int32_t variant, const TestMemory& t) {
  launcher->clear(t.different, sizeof(int64_t));
  const TestShapes& shapes = variant == METAPLAST_CUDA_XNOR_WGMMA ? kWgmmaShapes : kMmaShapes;
  for (int64_t m : shapes.rows) {
    for (int64_t n : shapes.columns) {
      for (int64_t k : shapes.bits) {
        const int64_t words = simt::bit_row_words(k), out_words = simt::bit_row_words(n);
        run_flat(launcher, m * words, {simt::XnorTestKernel::kSigns, m * words, k, t.a, nullptr, nullptr});
        run_flat(launcher, n * words, {simt::XnorTestKernel::kSigns, n * words, k, t.b, nullptr, nullptr});
        run_flat(launcher, n, {simt::XnorTestKernel::kThresholds, n, k, nullptr, t.limit, t.invert});
        const Operands o{m, n, k, t.a, t.b};
        for (int v = 0; v < 2; ++v) {
          const int32_t which = v == 0 ? static_cast<int32_t>(METAPLAST_CUDA_XNOR_SIMT) : variant;
          run_variant(launcher, which, kTestBlocks, o, simt::XnorToI32{t.y[v], n});
          run_variant(launcher, which, kTestBlocks, o, simt::XnorToBits{t.bits[v], out_words, t.limit, t.invert});
        }
        using Compare = simt::XnorTestCompare;
        const int64_t numbers = m * n, packed = 2 * m * out_words;  // words of 32 bits
        launcher->run<Compare>(ceil_div(numbers, Compare::kThreads), 1, Compare::kThreads, 0, {numbers, t.y[0], t.y[1], t.different});
        launcher->run<Compare>(ceil_div(packed, Compare::kThreads), 1, Compare::kThreads, 0, {packed, t.bits[0], t.bits[1], t.different});
      }
    }
  }
}

// Whether the variant has the bits of the portable one.
metaplast_status_t passes(metaplast_cuda_context* context, int32_t variant, const TestMemory& t, bool* result) {
  *result = false;
  Launcher launcher(context, "xnor_gemm self-test", nullptr);
  queue_test(&launcher, variant, t);
  if (launcher.status() != METAPLAST_OK) return launcher.status();
  int64_t different = -1;
  const metaplast_status_t status = metaplast_cuda_copy(context, &different, t.different, sizeof(different), nullptr);
  if (status != METAPLAST_OK) return status;
  *result = different == 0;
  return metaplast::cuda_runtime::check(context, cudaStreamSynchronize(nullptr));
}

}  // namespace

metaplast_status_t metaplast::cuda_runtime::choose_xnor_variant(metaplast_cuda_context* context, int32_t major, int32_t minor) noexcept {
  int32_t candidates[2];
  int count = 0;
  const Call call(context);
  if (call.status() != METAPLAST_OK) return call.status();
#if !defined(METAPLAST_SHIM)
  if (major == 9 && minor == 0 && encode_tiled() != nullptr && allow_sm90a<simt::XnorToI32>() && allow_sm90a<simt::XnorToF32>() &&
      allow_sm90a<simt::XnorToBits>()) {
    candidates[count++] = METAPLAST_CUDA_XNOR_WGMMA;
  }
#endif
  if (10 * major + minor >= 75) candidates[count++] = METAPLAST_CUDA_XNOR_MMA;
  TestMemory t = {};
  void* memory = nullptr;
  if (cudaMalloc(&memory, t.place(nullptr)) != cudaSuccess) {
    cudaGetLastError();
    return METAPLAST_OK;
  }
  t.place(static_cast<unsigned char*>(memory));
  metaplast_status_t status = METAPLAST_OK;
  for (int c = 0; c < count && status != METAPLAST_E_CUDA_LOST; ++c) {
    bool good = false;
    status = passes(context, candidates[c], t, &good);
    if (good) {
      context->xnor_variant = candidates[c];
      break;
    }
    if (context->xnor_failed == 0) context->xnor_failed = candidates[c];
  }
  cudaFree(memory);
  return status == METAPLAST_E_CUDA_LOST ? status : METAPLAST_OK;
}

extern "C" int32_t metaplast_cuda_xnor_variant(const metaplast_cuda_context_t* context) { return context->xnor_variant.load(); }
extern "C" int32_t metaplast_cuda_xnor_failed_variant(const metaplast_cuda_context_t* context) { return context->xnor_failed.load(); }
