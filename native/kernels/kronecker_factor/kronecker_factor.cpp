// Entry points: factor statistics of matrices and of image patches. Contract: metaplast/kfac.h; scheme: kronecker_factor.h.
#include "kernels/kronecker_factor/kronecker_factor.h"

#include <cmath>
#include <limits>

#include "metaplast/binary.h"
#include "metaplast/kfac.h"
#include "runtime/entry.h"

namespace metaplast {
namespace {

constexpr int64_t kAlign = 16;                // floats of a cache line
constexpr int64_t kWaveFloats = 512 << 10;    // of a packed wave, unless one block is more
constexpr int64_t kBlocksPerThread = 4;       // of a wave whose threads take blocks instead of tiles
constexpr int64_t kTilesPerThread = 4;        // from which threads take tiles
constexpr int64_t kGrain = 1 << 19;           // products from which a thread of its own pays
constexpr int64_t kNone = std::numeric_limits<int64_t>::max();

int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
int64_t parts(int64_t n, int64_t part) { return (n + part - 1) / part; }

// Shares of the workspace in floats, for `rows` rows of a group and d coordinates.
struct FactorPlan {
  int64_t panels, tiles, wave_rows;
  bool by_blocks;  // threads take blocks of rows, whose sums are added in order afterwards
  int64_t packed, sums, block_sums, mean;
  int64_t total() const { return packed + sums + block_sums + mean; }

  FactorPlan(int64_t rows, int64_t d, int64_t threads) : panels(parts(d, kRealPanel)), tiles(factor_tiles(panels)) {
    const int64_t blocks = parts(rows, kRealBlock);
    by_blocks = threads > 1 && tiles < kTilesPerThread * threads && blocks > 1;
    const int64_t fitting = by_blocks ? threads * kBlocksPerThread : kWaveFloats / most(1, panels * kRealPanel * kRealBlock);
    const int64_t wave_blocks = least(most(fitting, 1), most(blocks, 1));
    wave_rows = wave_blocks * kRealBlock;
    packed = panels * wave_rows * kRealPanel;
    sums = tiles * kFactorTile;
    block_sums = by_blocks ? wave_blocks * sums : 0;
    mean = panels * kRealPanel;
  }
};

int64_t factor_workspace(const metaplast_context_t* context, int64_t rows, int64_t d) {
  return 4 * FactorPlan(rows, d, context->pool->threads()).total();
}

// Runs all waves of all groups and writes F; false where something not finite was met, *first then being its index.
bool run_factor(const metaplast_context_t* context, FactorWork* work, int64_t groups, float* workspace, int64_t* first) noexcept {
  const KernelTable& kernels = context->kernels;
  const FactorPlan plan(work->rows, work->d, context->pool->threads());
  work->panels = plan.panels;
  work->packed = workspace;
  work->panel_rows = plan.wave_rows;
  float* const sums = workspace + plan.packed;
  float* const block_sums = sums + plan.sums;
  float* const mean = block_sums + plan.block_sums;
  const bool parallel = context->pool->threads() > 1 && work->rows * groups * work->d * work->d >= 2 * kGrain;
  // body(begin, end) on ranges of 0..n-1.
  const auto over = [&](int64_t n, const auto& body) {
    const int64_t ranges = parallel ? least(n, context->pool->threads() * kRangesPerThread) : 1;
    if (ranges <= 1) return body(int64_t{0}, n);
    parallel_chunks(context, ranges, [&](int64_t chunk) { body(n * chunk / ranges, n * (chunk + 1) / ranges); });
  };

  if (work->kind != METAPLAST_FACTOR_SECOND_MOMENT) {
    int64_t not_finite_sums = 0;
    over(plan.panels, [&](int64_t begin, int64_t end) { kernels.factor_means(work, begin, end, mean, &not_finite_sums); });
    if (work->kind == METAPLAST_FACTOR_MEAN && not_finite_sums == 0) {
      work->mean = mean;
      over(plan.tiles, [&](int64_t begin, int64_t end) { kernels.factor_finish(work, begin, end, sums); });
      return true;
    }
    // With something not finite, packing says where it is.
    work->mean = mean;
  }
  bool assign = true;
  for (int64_t group = 0; group < groups; ++group) {
    for (int64_t row = 0; row < work->rows; row += plan.wave_rows, assign = false) {
      const FactorWave wave = {group, row, least(plan.wave_rows, work->rows - row)};
      const int64_t blocks = wave.blocks();
      *first = kNone;
      over(plan.panels * blocks, [&](int64_t begin, int64_t end) { kernels.factor_pack(work, &wave, begin, end, first); });
      if (*first != kNone) return false;
      if (plan.by_blocks) {
        over(blocks, [&](int64_t begin, int64_t end) {
          for (int64_t block = begin; block < end; ++block) {
            kernels.factor_multiply(work, &wave, block, block + 1, true, false, 0, plan.tiles, block_sums + block * plan.sums);
          }
        });
        for (int64_t block = 0; block < blocks; ++block) {
          const float* const from = block_sums + block * plan.sums;
          if (assign && block == 0) {
            for (int64_t i = 0; i < plan.sums; ++i) sums[i] = from[i];
          } else {
            kernels.factor_add(plan.sums, from, sums);
          }
        }
      } else {
        const bool last = group + 1 == groups && row + wave.rows == work->rows;
        over(plan.tiles,
             [&](int64_t begin, int64_t end) { kernels.factor_multiply(work, &wave, 0, blocks, assign, last, begin, end, sums); });
        if (last) return true;
      }
    }
  }
  if (assign) {
    for (int64_t i = 0; i < plan.sums; ++i) sums[i] = 0.0f;
  }
  over(plan.tiles, [&](int64_t begin, int64_t end) { kernels.factor_finish(work, begin, end, sums); });
  return true;
}

bool valid_weights(float alpha, float beta) { return std::isfinite(alpha) && beta >= 0.0f && beta <= 1.0f; }

bool valid_workspace(const void* workspace, int64_t bytes, int64_t needed) {
  return workspace != nullptr && reinterpret_cast<uintptr_t>(workspace) % 64 == 0 && bytes >= needed;
}

int64_t out_size(int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation) {
  const int64_t last = size + 2 * pad - dilation * (kernel - 1) - 1;
  return last < 0 ? 0 : last / stride + 1;
}

// Patches and sizes of a call; ok is false where the geometry is wrong.
struct PatchCall {
  FactorPatches patches{};
  int64_t rows = 0, cols = 0, groups = 0, elements = 0;
  bool ok = false;

  PatchCall(const metaplast_conv2d_t* s, int32_t sharing) {
    if (s == nullptr || sharing < METAPLAST_SHARING_EXPAND || sharing > METAPLAST_SHARING_REDUCE_SUM || s->batch < 0 || s->channels < 0 ||
        s->height < 0 || s->width < 0 || s->kernel_h <= 0 || s->kernel_w <= 0 || s->stride_h <= 0 || s->stride_w <= 0 || s->pad_h < 0 ||
        s->pad_w < 0 || s->dilation_h <= 0 || s->dilation_w <= 0 || s->groups <= 0 || s->channels % s->groups != 0) {
      return;
    }
    patches = {nullptr,     s->channels, s->height, s->width,      s->channels / s->groups, s->kernel_h, s->kernel_w, s->stride_h,
               s->stride_w, s->pad_h,    s->pad_w,  s->dilation_h, s->dilation_w,           0,           0,           sharing};
    patches.out_h = out_size(s->height, s->kernel_h, s->stride_h, s->pad_h, s->dilation_h);
    patches.out_w = out_size(s->width, s->kernel_w, s->stride_w, s->pad_w, s->dilation_w);
    groups = s->groups;
    rows = sharing == METAPLAST_SHARING_EXPAND ? s->batch * patches.positions() : s->batch;
    cols = patches.group_channels * s->kernel_h * s->kernel_w;
    elements = static_cast<int64_t>(s->batch) * s->channels * s->height * s->width;
    if (cols == patches.group_channels && patches.out_h == s->height && patches.out_w == s->width && s->pad_h == 0 && s->pad_w == 0) {
      // Patches are pixels: an image is one long row.
      patches.width *= patches.height;
      patches.out_w *= patches.out_h;
      patches.height = patches.out_h = 1;
    }
    ok = true;
  }
};

}  // namespace
}  // namespace metaplast

extern "C" int64_t metaplast_kronecker_factor_workspace_bytes(const metaplast_context_t* context, int64_t rows, int64_t cols, int32_t bias) {
  if (context == nullptr || rows < 0 || cols < 0) return 0;
  return metaplast::factor_workspace(context, rows, cols + (bias != 0 ? 1 : 0));
}

extern "C" metaplast_status_t metaplast_kronecker_factor_update(const metaplast_context_t* context, int32_t kind, int64_t rows, int64_t cols,
                                                                const void* x, int32_t x_type, int64_t ldx, int32_t bias, float alpha,
                                                                float beta, float* f, int64_t ldf, int64_t* index, void* workspace,
                                                                int64_t workspace_bytes) {
  const bool moment = kind == METAPLAST_FACTOR_SECOND_MOMENT;
  const int64_t d = cols + (bias != 0 ? 1 : 0), least_rows = moment ? 0 : kind == METAPLAST_FACTOR_MEAN ? 1 : 2;
  if (context == nullptr || kind < METAPLAST_FACTOR_SECOND_MOMENT || kind > METAPLAST_FACTOR_BETWEEN || rows < least_rows || cols < 0 ||
      ldx < cols || ldf < d || (bias != 0 && !moment) || (x_type != METAPLAST_F32 && x_type != METAPLAST_BF16) ||
      !metaplast::valid_weights(alpha, beta)) {
    return METAPLAST_E_ARGUMENT;
  }
  if (d == 0) return METAPLAST_OK;
  if (!metaplast::present(f, index) || (rows > 0 && cols > 0 && x == nullptr) ||
      !metaplast::valid_workspace(workspace, workspace_bytes, metaplast::factor_workspace(context, rows, d))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  metaplast::FactorWork work{};
  work.kind = kind;
  work.x = x;
  work.x_type = x_type;
  work.ldx = ldx;
  work.rows = rows;
  work.cols = cols;
  work.bias = bias != 0;
  work.bias_value = 1.0f;
  work.d = d;
  work.alpha = alpha;
  work.beta = beta;
  work.f = f;
  work.ldf = ldf;
  int64_t first = metaplast::kNone;
  if (metaplast::run_factor(context, &work, 1, static_cast<float*>(workspace), &first)) return METAPLAST_OK;
  *index = first;
  return METAPLAST_E_NOT_FINITE;
}

extern "C" int64_t metaplast_im2col_factor_workspace_bytes(const metaplast_context_t* context, const metaplast_conv2d_t* shape, int32_t sharing,
                                                           int32_t bias) {
  const metaplast::PatchCall call(shape, sharing);
  return context == nullptr || !call.ok ? 0 : metaplast::factor_workspace(context, call.rows, call.cols + (bias != 0 ? 1 : 0));
}

extern "C" metaplast_status_t metaplast_im2col_factor_update_f32(const metaplast_context_t* context, const metaplast_conv2d_t* shape,
                                                                 int32_t sharing, const float* x, int32_t bias, float alpha, float beta, float* f,
                                                                 int64_t ldf, int64_t* index, void* workspace, int64_t workspace_bytes) {
  metaplast::PatchCall call(shape, sharing);
  const int64_t d = call.cols + (bias != 0 ? 1 : 0);
  if (context == nullptr || !call.ok || ldf < d || !metaplast::valid_weights(alpha, beta)) return METAPLAST_E_ARGUMENT;
  if (d == 0) return METAPLAST_OK;
  if (!metaplast::present(f, index) || (call.elements > 0 && x == nullptr) ||
      !metaplast::valid_workspace(workspace, workspace_bytes, metaplast::factor_workspace(context, call.rows, d))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  int64_t first = metaplast::kNone;
  metaplast::parallel_range(context, call.elements, metaplast::kGrain,
                            [&](int64_t begin, int64_t end) { context->kernels.factor_scan(begin, end, x, &first); });
  if (first != metaplast::kNone) {
    *index = first;
    return METAPLAST_E_NOT_FINITE;
  }
  call.patches.x = x;
  metaplast::FactorWork work{};
  work.kind = METAPLAST_FACTOR_SECOND_MOMENT;
  work.patches = &call.patches;
  work.rows = call.rows;
  work.cols = call.cols;
  work.bias = bias != 0;
  work.bias_value = sharing == METAPLAST_SHARING_REDUCE_SUM ? static_cast<float>(call.patches.positions()) : 1.0f;
  work.d = d;
  work.alpha = alpha;
  work.beta = beta;
  work.f = f;
  work.ldf = ldf;
  metaplast::run_factor(context, &work, call.groups, static_cast<float*>(workspace), &first);
  return METAPLAST_OK;
}
