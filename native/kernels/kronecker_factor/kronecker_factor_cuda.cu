#include <cmath>

#include "kernels/kronecker_factor/kronecker_factor_simt.cuh"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::is_aligned;
using metaplast::cuda_runtime::Launcher;
using metaplast::cuda_runtime::matrix_blocks;
using metaplast::cuda_runtime::tiles_of;

// Blocks that a product is cut into at least, where it has the rows.
constexpr int64_t kProductBlocks = 512;
// Floats of a panel of patches.
constexpr int64_t kPatchFloats = int64_t{1} << 24;

int64_t parts(int64_t n, int64_t part) { return (n + part - 1) / part; }
int64_t between(int64_t low, int64_t n, int64_t high) { return n < low ? low : n > high ? high : n; }
int64_t aligned256(int64_t bytes) { return parts(bytes, 256) * 256; }

// Shares of the workspace in bytes. Everything but the places follows from rows and d, so it does not depend on the device.
struct FactorShares {
  int64_t tiles, chunk_rows, chunks, wave_rows;
  int64_t partial, sums, mean, column_sums, patches;
  int64_t total() const { return partial + sums + mean + column_sums + patches; }

  FactorShares(int64_t rows, int64_t d, int64_t patch_cols) : tiles(tiles_of(d) * (tiles_of(d) + 1) / 2) {
    const int64_t row_blocks = parts(rows, simt::kRowBlock);
    wave_rows = rows;
    if (patch_cols > 0) wave_rows = simt::kRowBlock * between(1, kPatchFloats / (patch_cols * simt::kRowBlock), row_blocks < 1 ? 1 : row_blocks);
    const int64_t blocks = parts(wave_rows < rows ? wave_rows : rows, simt::kRowBlock);
    const int64_t wanted = between(1, parts(kProductBlocks, tiles < 1 ? 1 : tiles), blocks < 1 ? 1 : blocks);
    chunk_rows = simt::kRowBlock * parts(blocks < 1 ? 1 : blocks, wanted);
    chunks = parts(blocks * simt::kRowBlock, chunk_rows);
    partial = aligned256(chunks * tiles * simt::kTileFloats * 4);
    sums = aligned256(tiles * simt::kTileFloats * 4);
    mean = aligned256(d * 4);
    column_sums = patch_cols > 0 ? 0 : aligned256(row_blocks * d * 8);
    patches = patch_cols > 0 ? aligned256(wave_rows * patch_cols * 4) : 0;
  }
};

// Adds the products of a wave of rows, `all_rows` in all waves, to the sums.
void add_wave(Launcher* launcher, const FactorShares& plan, const simt::FactorRows& x, int64_t rows, int64_t all_rows, bool fresh, float* partial,
              float* sums, const int64_t* index) {
  const int64_t chunks = parts(rows, plan.chunk_rows), floats = plan.tiles * simt::kTileFloats;
  const simt::FactorProduct::Args args = {x, rows, plan.chunk_rows, plan.tiles, partial, index};
  if (launcher->product_variant() == METAPLAST_CUDA_PRODUCT_TF32X3 && simt::suits_tf32(x.extent, x.extent, all_rows)) {
    using Kernel = simt::FactorProductTf32;
    launcher->run<Kernel>(chunks * plan.tiles, 1, Kernel::kThreads, Kernel::kSharedBytes, args);
  } else {
    using Kernel = simt::FactorProduct;
    launcher->run<Kernel>(chunks * plan.tiles, 1, Kernel::kThreads, Kernel::kSharedBytes, args);
  }
  launcher->run<simt::FactorAdd>(parts(floats, simt::FactorAdd::kThreads), 1, simt::FactorAdd::kThreads, 0,
                                 {chunks, floats, fresh ? 1 : 0, partial, sums, index});
}

void finish(Launcher* launcher, const FactorShares& plan, const simt::FactorFinish::Args& args) {
  launcher->run<simt::FactorFinish>(plan.tiles, 1, simt::FactorFinish::kThreads, simt::FactorFinish::kSharedBytes, args);
}

void scan(Launcher* launcher, const simt::FactorRows& x, int64_t rows, int64_t* index) {
  launcher->fill(index, 0xFF, sizeof(int64_t));
  if (rows == 0 || x.cols == 0) return;
  const simt::MatrixBlocks shape = matrix_blocks(rows, x.cols);
  launcher->run<simt::FactorScan>(shape.blocks(), 1, simt::FactorScan::kThreads, 0, {shape, x, index});
}

bool valid_weights(float alpha, float beta) { return std::isfinite(alpha) && beta >= 0.0f && beta <= 1.0f; }

int64_t out_size(int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation) {
  const int64_t last = size + 2 * pad - dilation * (kernel - 1) - 1;
  return last < 0 ? 0 : last / stride + 1;
}

struct PatchShape {
  metaplast::FactorPatches p{};
  int64_t group_rows = 0, rows = 0, cols = 0, elements = 0;
  bool ok = false;

  PatchShape(const metaplast_conv2d_t* s, int32_t sharing) {
    if (s == nullptr || sharing < METAPLAST_SHARING_EXPAND || sharing > METAPLAST_SHARING_REDUCE_SUM || s->batch < 0 || s->channels < 0 ||
        s->height < 0 || s->width < 0 || s->kernel_h <= 0 || s->kernel_w <= 0 || s->stride_h <= 0 || s->stride_w <= 0 || s->pad_h < 0 ||
        s->pad_w < 0 || s->dilation_h <= 0 || s->dilation_w <= 0 || s->groups <= 0 || s->channels % s->groups != 0) {
      return;
    }
    p = {nullptr,     s->channels, s->height, s->width,      s->channels / s->groups, s->kernel_h, s->kernel_w, s->stride_h,
         s->stride_w, s->pad_h,    s->pad_w,  s->dilation_h, s->dilation_w,           0,           0,           sharing};
    p.out_h = out_size(s->height, s->kernel_h, s->stride_h, s->pad_h, s->dilation_h);
    p.out_w = out_size(s->width, s->kernel_w, s->stride_w, s->pad_w, s->dilation_w);
    group_rows = sharing == METAPLAST_SHARING_EXPAND ? s->batch * p.positions() : s->batch;
    rows = group_rows * s->groups;
    cols = p.group_channels * s->kernel_h * s->kernel_w;
    elements = static_cast<int64_t>(s->batch) * s->channels * s->height * s->width;
    ok = true;
  }
};

}  // namespace

extern "C" {

int64_t metaplast_kronecker_factor_workspace_bytes_cuda(int64_t rows, int64_t cols, int32_t bias) {
  return rows < 0 || cols < 0 ? 0 : FactorShares(rows, cols + (bias != 0 ? 1 : 0), 0).total();
}

metaplast_status_t metaplast_kronecker_factor_update_cuda(metaplast_cuda_context_t* context, int32_t kind, int64_t rows, int64_t cols,
                                                          const void* x, int32_t x_type, int64_t ldx, int32_t bias, float alpha, float beta,
                                                          float* f, int64_t ldf, int64_t* index, void* workspace, int64_t workspace_bytes,
                                                          void* stream) {
  const bool moment = kind == METAPLAST_FACTOR_SECOND_MOMENT;
  const int64_t d = cols + (bias != 0 ? 1 : 0), least_rows = moment ? 0 : kind == METAPLAST_FACTOR_MEAN ? 1 : 2;
  if (context == nullptr || kind < METAPLAST_FACTOR_SECOND_MOMENT || kind > METAPLAST_FACTOR_BETWEEN || rows < least_rows || cols < 0 ||
      ldx < cols || ldf < d || (bias != 0 && !moment) || (x_type != METAPLAST_F32 && x_type != METAPLAST_BF16) ||
      !valid_weights(alpha, beta) || index == nullptr) {
    return METAPLAST_E_ARGUMENT;
  }
  const FactorShares plan(rows, d, 0);
  if (d > 0 && (f == nullptr || (rows > 0 && cols > 0 && x == nullptr) || workspace == nullptr || !is_aligned(workspace, 64) ||
                workspace_bytes < plan.total())) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "kronecker_factor_update", stream);
  simt::FactorRows source = {x, ldx, cols, nullptr, x_type == METAPLAST_BF16 ? 1 : 0, 1.0f, d};
  scan(&launcher, source, rows, index);
  if (d == 0) return launcher.status();
  char* const memory = static_cast<char*>(workspace);
  float* const partial = reinterpret_cast<float*>(memory);
  float* const sums = reinterpret_cast<float*>(memory + plan.partial);
  float* const mean = reinterpret_cast<float*>(memory + plan.partial + plan.sums);
  double* const column_sums = reinterpret_cast<double*>(memory + plan.partial + plan.sums + plan.mean);
  if (!moment) {
    const int64_t column_blocks = parts(cols, simt::FactorColumnSums::kColumns);
    launcher.run<simt::FactorColumnSums>(parts(rows, simt::kRowBlock) * column_blocks, 1, simt::FactorColumnSums::kThreads,
                                         simt::FactorColumnSums::kSharedBytes, {source, rows, column_blocks, column_sums});
    launcher.run<simt::FactorMeans>(parts(cols, simt::FactorMeans::kThreads), 1, simt::FactorMeans::kThreads, 0,
                                    {rows, cols, column_sums, mean});
    source.mean = mean;
  }
  const bool product = kind != METAPLAST_FACTOR_MEAN;
  if (product) add_wave(&launcher, plan, source, rows, rows, true, partial, sums, index);
  finish(&launcher, plan, {kind, rows, d, product ? sums : nullptr, moment ? nullptr : mean, alpha, beta, f, ldf, index});
  return launcher.status();
}

int64_t metaplast_im2col_factor_workspace_bytes_cuda(const metaplast_conv2d_t* shape, int32_t sharing, int32_t bias) {
  const PatchShape s(shape, sharing);
  return s.ok ? FactorShares(s.rows, s.cols + (bias != 0 ? 1 : 0), s.cols < 1 ? 1 : s.cols).total() : 0;
}

metaplast_status_t metaplast_im2col_factor_update_f32_cuda(metaplast_cuda_context_t* context, const metaplast_conv2d_t* shape, int32_t sharing,
                                                           const float* x, int32_t bias, float alpha, float beta, float* f, int64_t ldf,
                                                           int64_t* index, void* workspace, int64_t workspace_bytes, void* stream) {
  PatchShape s(shape, sharing);
  const int64_t d = s.cols + (bias != 0 ? 1 : 0);
  if (context == nullptr || !s.ok || ldf < d || !valid_weights(alpha, beta) || index == nullptr) return METAPLAST_E_ARGUMENT;
  const FactorShares plan(s.rows, d, s.cols < 1 ? 1 : s.cols);
  if (d > 0 && (f == nullptr || (s.elements > 0 && x == nullptr) || workspace == nullptr || !is_aligned(workspace, 64) ||
                workspace_bytes < plan.total())) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "im2col_factor_update", stream);
  scan(&launcher, {x, s.elements, s.elements, nullptr, 0, 0.0f, s.elements}, s.elements > 0 ? 1 : 0, index);
  if (d == 0) return launcher.status();
  char* const memory = static_cast<char*>(workspace);
  float* const partial = reinterpret_cast<float*>(memory);
  float* const sums = reinterpret_cast<float*>(memory + plan.partial);
  float* const patches = reinterpret_cast<float*>(memory + plan.partial + plan.sums + plan.mean);
  s.p.x = x;
  const float bias_value = sharing == METAPLAST_SHARING_REDUCE_SUM ? static_cast<float>(s.p.positions()) : 1.0f;
  const simt::FactorRows source = {patches, s.cols, s.cols, nullptr, 0, bias_value, d};
  int64_t first = 0;
  do {
    const int64_t rows = s.rows - first < plan.wave_rows ? s.rows - first : plan.wave_rows;
    if (rows > 0 && s.cols > 0) {
      const simt::MatrixBlocks blocks = matrix_blocks(rows, s.cols);
      launcher.run<simt::FactorPatchRows>(blocks.blocks(), 1, simt::FactorPatchRows::kThreads, 0,
                                          {blocks, s.p, first, s.group_rows, patches, index});
    }
    add_wave(&launcher, plan, source, rows, s.rows, first == 0, partial, sums, index);
    first += plan.wave_rows;
  } while (first < s.rows);
  finish(&launcher, plan, {METAPLAST_FACTOR_SECOND_MOMENT, s.rows, d, sums, nullptr, alpha, beta, f, ldf, index});
  return launcher.status();
}

}  // extern "C"
