// Batch-1 Bayesian linear layer: forward, and backward with update. Contracts: metaplast/bayes.h.
#ifndef METAPLAST_KERNELS_LINEAR_BATCH1_SIMT_CUH_
#define METAPLAST_KERNELS_LINEAR_BATCH1_SIMT_CUH_

#include "kernels/gaussian_update/gaussian_update_simt.cuh"
#include "runtime/cuda/r16_simt.h"

namespace metaplast {
namespace simt {

// One warp an output (k, o). All its threads make random numbers, a Philox block each, and leave the products w*x in shared memory; then
// thread j adds up lane j of R16 (both halves of the warp do the same, so that nothing diverges).
struct LinearForward {
  static constexpr int kThreads = 128;
  static constexpr int kWarps = kThreads / 32;
  static constexpr int kProducts = 1024;  // of a warp at a time; divides a chunk of R16, a multiple of 16
  static constexpr size_t kSharedBytes = kWarps * kProducts * sizeof(float);

  struct Args {
    int64_t out, in;
    const float *mu, *sigma, *x;
    int64_t x_stride;
    uint64_t seed;
    uint32_t tensor, step;
    int32_t samples;
    int32_t relu;
    int32_t aligned;  // rows of mu, sigma, x and eps begin at multiples of 16 bytes
    float *eps, *y;
  };

  struct Row {
    const Args& a;
    RandomStream stream;
    int64_t row;  // element of the tensor where the row begins
    const float* x;
    float* eps;  // of this sample, or null

    // Products of elements i .. i+3 of the row, those of 0 <= i+j-begin < n to product[i+j-begin].
    METAPLAST_DEVICE void products(bool whole, uint64_t block, int64_t i, int64_t begin, int64_t n, float* product) const {
      const Four z = gaussians_of_block(stream, block);
      if (whole) {
        const Four mu = load4(a.mu + row + i), sigma = load4(a.sigma + row + i), in = load4(x + i);
        Four p;
        METAPLAST_UNROLL
        for (int j = 0; j < 4; ++j) p.v[j] = mul(add(mu.v[j], mul(sigma.v[j], z.v[j])), in.v[j]);
        store4(product + (i - begin), p);
        if (eps != nullptr) store4(eps + row + i, z);
        return;
      }
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) {
        const int64_t p = i + j - begin;
        if (p < 0 || p >= n) continue;
        const int64_t e = row + i + j;
        product[p] = mul(add(a.mu[e], mul(a.sigma[e], z.v[j])), x[i + j]);
        if (eps != nullptr) eps[e] = z.v[j];
      }
    }
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const int warp = static_cast<int>(threadIdx.x / 32), lane = static_cast<int>(threadIdx.x & 31);
    const int64_t output = static_cast<int64_t>(blockIdx.x) * kWarps + warp;
    if (output >= a.out * a.samples) return;  // a whole warp; there are no barriers of the block below
    float* product = shared_memory<float>() + warp * kProducts;
    const int64_t k = output / a.out, o = output - k * a.out;
    const Row row{a, RandomStream{a.seed, a.tensor * 256 + static_cast<uint32_t>(k), a.step}, o * a.in, a.x + k * a.x_stride,
                  a.eps == nullptr ? nullptr : a.eps + k * a.out * a.in};
    R16Sums sums;
    for (int64_t chunk = 0; chunk < a.in; chunk += kR16Chunk) {
      const int64_t length = a.in - chunk < kR16Chunk ? a.in - chunk : kR16Chunk;
      float sum = kR16Start;
      for (int64_t piece = 0; piece < length; piece += kProducts) {
        const int64_t begin = chunk + piece;
        const int64_t n = length - piece < kProducts ? length - piece : kProducts;
        const uint64_t first = static_cast<uint64_t>(row.row + begin);
        const int64_t skip = static_cast<int64_t>(first & 3);
        for (int64_t g = lane; g * 4 < skip + n; g += 32) {
          const int64_t i = begin + g * 4 - skip;
          row.products(a.aligned != 0 && g * 4 + 4 <= n, (first >> 2) + static_cast<uint64_t>(g), i, begin, n, product);
        }
        __syncwarp();
        for (int64_t p = r16_lane(); p < n; p += 16) sum = add(sum, product[p]);
        __syncwarp();
      }
      sums.push(r16_fold(sum, length));
    }
    const float y = sums.finish();
    if (lane == 0) a.y[output] = a.relu != 0 ? (y > 0.0f ? y : 0.0f) : y;
  }
};

// A block takes 32 columns and goes down the rows, blockDim.x/8 at a time; a thread has four columns of a row and all samples. Where dx is
// wanted the products delta*w of a few samples meet in shared memory, and one thread per (k, i) adds them up in ascending order of the
// rows.
struct LinearStep {
  static constexpr int kThreads = 256;
  static constexpr int kColumns = 32;
  static constexpr int kGroups = kColumns / 4;
  static constexpr int kSamples = 8;  // whose products are in shared memory at a time

  static constexpr size_t shared_bytes(int threads, bool dx) {
    return dx ? sizeof(float) * kSamples * static_cast<size_t>(threads / kGroups) * kColumns : 0;
  }

  struct Args {
    int64_t out, in;
    int64_t rows_per_block;  // blockIdx.y takes its share of the rows; all of them where dx is wanted
    float *mu, *sigma, *low;
    const float* x;
    int64_t x_stride;
    const float *delta, *active, *eps;
    uint64_t seed;
    uint32_t tensor, step;
    int32_t samples;
    int32_t rule;
    int32_t aligned;  // rows begin at multiples of 16 bytes in every array
    float* dx;
    int64_t* report;
    metaplast_rule_row_t row;
  };

  // delta of a sample and row, +0 where the row was cut off by the activation.
  static METAPLAST_DEVICE float delta_of(const Args& a, int64_t k, int64_t o) {
    const float d = a.delta[k * a.out + o];
    return a.active != nullptr && !(a.active[k * a.out + o] > 0.0f) ? 0.0f : d;
  }

  static METAPLAST_DEVICE void run(const Args& a) {
    float* products = shared_memory<float>();  // [kSamples][rows][kColumns]
    const RuleLanes r = rule_of(a.row);
    const int rows = static_cast<int>(blockDim.x) / kGroups;
    const int row_in_block = static_cast<int>(threadIdx.x) / kGroups;
    const int column = static_cast<int>(threadIdx.x) % kGroups * 4;
    const int64_t first_column = static_cast<int64_t>(blockIdx.x) * kColumns;
    const int64_t i = first_column + column;
    const int64_t rest = a.in - i;
    const int columns_valid = rest >= 4 ? 4 : rest > 0 ? static_cast<int>(rest) : 0;
    const int64_t begin = static_cast<int64_t>(blockIdx.y) * a.rows_per_block;
    const int64_t end = begin + a.rows_per_block < a.out ? begin + a.rows_per_block : a.out;
    int bad = 0;
    for (int64_t first_row = begin; first_row < end; first_row += rows) {
      const int64_t o = first_row + row_in_block;
      const int valid = o < end ? columns_valid : 0;
      const bool whole = a.aligned != 0 && valid == 4;
      const int64_t e = o * a.in + i;
      Four mu = {}, sigma = {}, low = {}, g_mu = {}, g_sigma = {};
      if (valid > 0) {
        mu = load_group(whole, a.mu + e, valid);
        sigma = load_group(whole, a.sigma + e, valid);
        if (a.low != nullptr) low = load_group(whole, a.low + e, valid);
      }
      for (int first_sample = 0; first_sample < a.samples; first_sample += kSamples) {
        const int samples = a.samples - first_sample < kSamples ? a.samples - first_sample : kSamples;
        for (int s = 0; s < samples; ++s) {
          const int64_t k = first_sample + s;
          const float d = valid > 0 ? delta_of(a, k, o) : 0.0f;
          Four product = {};  // a sample without delta adds +0, which changes no bit of a sum that began with +0
          if (d != 0.0f) {
            const Four x = load_group(whole, a.x + k * a.x_stride + i, valid);
            const Four z = a.eps != nullptr ? load_group(whole, a.eps + k * a.out * a.in + e, valid)
                                            : gaussians_at(RandomStream{a.seed, a.tensor * 256 + static_cast<uint32_t>(k), a.step},
                                                           static_cast<uint64_t>(e));
            METAPLAST_UNROLL
            for (int j = 0; j < 4; ++j) {
              const float g = mul(d, x.v[j]);
              g_mu.v[j] = add(g_mu.v[j], g);
              g_sigma.v[j] = add(g_sigma.v[j], mul(g, z.v[j]));
              product.v[j] = mul(d, add(mu.v[j], mul(sigma.v[j], z.v[j])));
            }
          }
          if (a.dx != nullptr) store4(products + (s * rows + row_in_block) * kColumns + column, product);
        }
        if (a.dx != nullptr) {
          __syncthreads();
          const int rows_here = static_cast<int>(end - first_row < rows ? end - first_row : rows);
          for (int q = static_cast<int>(threadIdx.x); q < samples * kColumns; q += static_cast<int>(blockDim.x)) {
            const int s = q / kColumns, c = q % kColumns;
            if (first_column + c >= a.in) continue;
            float* dx = a.dx + (first_sample + s) * a.in + first_column + c;
            float sum = first_row == 0 ? 0.0f : *dx;  // written by this thread
            for (int p = 0; p < rows_here; ++p) sum = add(sum, products[(s * rows + p) * kColumns + c]);
            *dx = sum;
          }
          __syncthreads();
        }
      }
      if (valid > 0) {
        bad += update_group(a.rule, r, a.low != nullptr, &mu, &sigma, &low, g_mu, g_sigma, valid);
        store_group(whole, a.mu + e, mu, valid);
        store_group(whole, a.sigma + e, sigma, valid);
        if (a.low != nullptr) store_group(whole, a.low + e, low, valid);
      }
    }
    if (a.report != nullptr) add_count(a.report + METAPLAST_REPORT_SIGMA_NOT_POSITIVE, static_cast<unsigned>(bad));
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_LINEAR_BATCH1_SIMT_CUH_
