// Which products of real matrices a context uses: those on tensor cores have to stay inside the error bounds of metaplast/kfac.h beside the portable ones.
#include <initializer_list>

#include "runtime/cuda/product_variant.cuh"

#include "kernels/kronecker_factor/kronecker_factor_simt.cuh"
#include "kernels/real_gemm/real_gemm_simt.cuh"
#include "runtime/cuda/row_groups.h"
#include "runtime/cuda/variants.h"

namespace {
namespace product_test {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::ceil_div;
using metaplast::cuda_runtime::Launcher;

// Sixteen products, every shape with both operands as they are and transposed, and four sums X'X. The second shape's results are not normal.
struct Shape {
  int64_t m, n, terms;
  int32_t exponent;
};
constexpr Shape kShapes[] = {{64, 64, 64, 0}, {33, 65, 70, -67}, {65, 32, 270, 3}, {40, 40, 130, 50}};
constexpr int64_t kMost = 65, kMostTerms = 270;
constexpr int64_t kMostTiles = 3;  // of the triangle of X'X

struct Memory {
  float *a, *b, *absolute_a, *absolute_b;
  float* y[3];  // portable, variant, absolute
  int64_t *different, *index;

  // Lays the parts out from `base` on; returns the bytes.
  size_t place(unsigned char* base) {
    size_t used = 0;
    const auto part = [&](int64_t elements, auto** p) {
      *p = reinterpret_cast<std::remove_reference_t<decltype(*p)>>(base + used);
      used += (static_cast<size_t>(elements) * sizeof(**p) + 255) / 256 * 256;
    };
    for (float** operand : {&a, &b, &absolute_a, &absolute_b}) part(kMost * kMostTerms, operand);
    for (float*& result : y) part(kMostTiles * simt::kTileFloats, &result);
    part(1, &different);
    part(1, &index);
    return used;
  }
};

void fill(Launcher* launcher, int64_t n, uint32_t seed, int32_t exponent, float* x, float* absolute) {
  using Kernel = simt::ProductTestFill;
  launcher->run<Kernel>(ceil_div(n, Kernel::kThreads), 1, Kernel::kThreads, 0, {n, seed, exponent, x, absolute});
}

// The bound of the contract, and one unit of the smallest numbers a term.
void compare(Launcher* launcher, int64_t n, int64_t terms, const Memory& t) {
  using Kernel = simt::ProductTestCompare;
  const float factor = static_cast<float>(terms + 4) * 0x1p-24f, least = static_cast<float>(terms) * 0x1p-149f;
  launcher->run<Kernel>(ceil_div(n, Kernel::kThreads), 1, Kernel::kThreads, 0, {n, t.y[0], t.y[1], t.y[2], factor, least, t.different});
}

// Queues everything; `different` counts elements outside of the bounds.
void queue(Launcher* launcher, const Memory& t) {
  launcher->clear(t.different, sizeof(int64_t));
  launcher->fill(t.index, 0xFF, sizeof(int64_t));
  uint32_t seed = 1;
  for (const Shape& s : kShapes) {
    fill(launcher, s.m * s.terms, seed++, s.exponent, t.a, t.absolute_a);
    fill(launcher, s.n * s.terms, seed++, s.exponent, t.b, t.absolute_b);
    for (int transposed = 0; transposed < 4; ++transposed) {
      const int32_t ta = transposed & 1, tb = transposed >> 1;
      for (int v = 0; v < 3; ++v) {
        const simt::RealProduct e = {s.m, s.n, s.terms, v == 2 ? t.absolute_a : t.a, nullptr, ta != 0 ? s.m : s.terms, 0, v == 2 ? t.absolute_b : t.b,
                                     tb != 0 ? s.terms : s.n, t.y[v], s.n, 1.0f, 0.0f, ta, tb};
        const int32_t variant = v == 1 ? METAPLAST_CUDA_PRODUCT_TF32X3 : METAPLAST_CUDA_PRODUCT_SIMT;
        metaplast::cuda_runtime::run_products(launcher, variant, 1, [&](int64_t) { return e; });
      }
      compare(launcher, s.m * s.n, s.terms, t);
    }
    const int64_t side = metaplast::cuda_runtime::tiles_of(s.m), tiles = side * (side + 1) / 2;
    for (int v = 0; v < 3; ++v) {
      const simt::FactorProduct::Args args = {{v == 2 ? t.absolute_a : t.a, s.m, s.m, nullptr, 0, 0.0f, s.m}, s.terms, s.terms, tiles, t.y[v], t.index};
      if (v == 1) {
        using Kernel = simt::FactorProductTf32;
        launcher->run<Kernel>(tiles, 1, Kernel::kThreads, Kernel::kSharedBytes, args);
      } else {
        using Kernel = simt::FactorProduct;
        launcher->run<Kernel>(tiles, 1, Kernel::kThreads, Kernel::kSharedBytes, args);
      }
    }
    compare(launcher, tiles * simt::kTileFloats, s.terms, t);
  }
}

metaplast_status_t passes(metaplast_cuda_context* context, const Memory& t, bool* result) {
  *result = false;
  Launcher launcher(context, "real_gemm self-test", nullptr);
  queue(&launcher, t);
  if (launcher.status() != METAPLAST_OK) return launcher.status();
  int64_t different = -1;
  const metaplast_status_t status = metaplast_cuda_copy(context, &different, t.different, sizeof(different), nullptr);
  if (status != METAPLAST_OK) return status;
  const metaplast_status_t waited = metaplast::cuda_runtime::check(context, cudaStreamSynchronize(nullptr));
  *result = waited == METAPLAST_OK && different == 0;
  return waited;
}

}  // namespace product_test
}  // namespace

metaplast_status_t metaplast::cuda_runtime::choose_product_variant(metaplast_cuda_context* context, int32_t major) noexcept {
  if (major < 8) return METAPLAST_OK;
  const Call call(context);
  if (call.status() != METAPLAST_OK) return call.status();
  product_test::Memory t = {};
  void* memory = nullptr;
  if (cudaMalloc(&memory, t.place(nullptr)) != cudaSuccess) {
    cudaGetLastError();
    return METAPLAST_OK;
  }
  t.place(static_cast<unsigned char*>(memory));
  bool good = false;
  const metaplast_status_t status = product_test::passes(context, t, &good);
  cudaFree(memory);
  (good ? context->product_variant : context->product_failed) = METAPLAST_CUDA_PRODUCT_TF32X3;
  return status == METAPLAST_E_CUDA_LOST ? status : METAPLAST_OK;
}

extern "C" int32_t metaplast_cuda_product_variant(const metaplast_cuda_context_t* context) { return context->product_variant.load(); }
extern "C" int32_t metaplast_cuda_product_failed_variant(const metaplast_cuda_context_t* context) { return context->product_failed.load(); }
