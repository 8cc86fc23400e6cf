#include "kernels/sign_pack/sign_pack_words.h"
#include "runtime/kernel_table.h"
#include "runtime/math/bit_words.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

// The block's transposed bits from tile[row word][row in word][column word], of whose row words the first `row_words` are filled.
void store_transposed(uint64_t (*tile)[64][8], int64_t row_words, int64_t cols, uint64_t* out, int64_t out_stride) noexcept {
  for (int64_t rw = 0; rw < row_words; ++rw) transpose_bit_blocks(&tile[rw][0][0]);
  if (row_words < 8) memset(&tile[row_words][0][0], 0, static_cast<size_t>(8 - row_words) * sizeof tile[0]);
  for (int64_t c = 0; c < 64 && c < cols; ++c) {
    transpose_words(&tile[0][c][0], 64 * 8, out + c * out_stride, 64 * out_stride, static_cast<int>((cols - c + 63) / 64));
  }
}

}  // namespace

void sign_pack(int64_t rows, int64_t cols, const float* x, int64_t ldx, uint64_t* bits, uint64_t* mask, int64_t stride) noexcept {
  for (int64_t r = 0; r < rows; ++r) {
    if (mask == nullptr) {
      pack_row<false>(cols, x + r * ldx, bits + r * stride, nullptr);
    } else {
      pack_row<true>(cols, x + r * ldx, bits + r * stride, mask + r * stride);
    }
  }
}

void sign_pack_transposed(int64_t rows, int64_t cols, const float* x, int64_t ldx, uint64_t* bits, int64_t stride) noexcept {
  alignas(64) uint64_t tile[8][64][8];
  const int64_t row_words = (rows + 63) / 64;
  const int64_t words = metaplast_bit_row_words(cols);
  for (int64_t r = 0; r < row_words * 64; ++r) {
    uint64_t* row = &tile[r / 64][r % 64][0];
    if (r < rows) {
      pack_row<false>(cols, x + r * ldx, row, nullptr);
    } else {
      for (int64_t w = 0; w < words; ++w) row[w] = 0;
    }
  }
  store_transposed(tile, row_words, cols, bits, stride);
}

void bits_transpose(int64_t rows, int64_t cols, const uint64_t* bits, int64_t stride, uint64_t* out, int64_t out_stride) noexcept {
  alignas(64) uint64_t tile[8][64][8];
  const int64_t row_words = (rows + 63) / 64;
  for (int64_t r = 0; r < row_words * 64; ++r) {
    uint64_t* row = &tile[r / 64][r % 64][0];
    if (r < rows) {
      memcpy(row, bits + r * stride, 64);
    } else {
      memset(row, 0, 64);
    }
  }
  store_transposed(tile, row_words, cols, out, out_stride);
}

void sign_unpack(int64_t rows, int64_t cols, const uint64_t* bits, int64_t stride, int32_t type, void* x, int64_t ldx) noexcept {
  for (int64_t r = 0; r < rows; ++r) {
    const uint64_t* row = bits + r * stride;
    if (type == METAPLAST_F32) {
      float* out = static_cast<float*>(x) + r * ldx;
      for_vectors(cols, [=](int64_t i, int64_t lanes) {
        const uint32_t word = static_cast<uint32_t>(row[i / 64] >> (i % 64));
        if (W == 1) {
          store_lanes(out + i, set_bits(0xbf800000u ^ word << 31), lanes);  // without a branch that random bits mispredict
        } else {
          store_lanes(out + i, select(mask_of_bits(word), set(1.0f), set(-1.0f)), lanes);
        }
      });
    } else {
      // bf16: 0x3f80 is 1, the sign in bit 15.
      uint16_t* out = static_cast<uint16_t*>(x) + r * ldx;
      int64_t i = 0;
#if defined(__AVX512BW__)
      const __m512i one = _mm512_set1_epi16(0x3f80);
      const __m512i minus_one = _mm512_set1_epi16(static_cast<int16_t>(0xbf80));
      for (; i + 32 <= cols; i += 32) {
        const __mmask32 positive = static_cast<__mmask32>(row[i / 64] >> (i % 64));
        _mm512_storeu_si512(out + i, _mm512_mask_blend_epi16(positive, minus_one, one));
      }
#elif defined(__AVX2__)
      const __m256i lane_bit = _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, -32768);
      const __m256i minus_one = _mm256_set1_epi16(static_cast<int16_t>(0xbf80));
      const __m256i sign = _mm256_set1_epi16(-32768);
      for (; i + 16 <= cols; i += 16) {
        const __m256i word = _mm256_set1_epi16(static_cast<int16_t>(row[i / 64] >> (i % 64)));
        const __m256i positive = _mm256_cmpeq_epi16(_mm256_and_si256(word, lane_bit), lane_bit);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_xor_si256(minus_one, _mm256_and_si256(positive, sign)));
      }
#endif
      for (; i < cols; ++i) out[i] = static_cast<uint16_t>(0xbf80u ^ (row[i / 64] >> (i % 64) << 15));
    }
  }
}

void ste_backward(int64_t rows, int64_t cols, const uint64_t* mask, int64_t stride, const float* dout, int64_t ldout, float* da,
                  int64_t lda) noexcept {
  for (int64_t r = 0; r < rows; ++r) {
    const uint64_t* row = mask + r * stride;
    const float* in = dout + r * ldout;
    float* out = da + r * lda;
    for_vectors(cols, [=](int64_t i, int64_t lanes) {
      const uint32_t word = static_cast<uint32_t>(row[i / 64] >> (i % 64));
      const F v = load_lanes(in + i, lanes);
      if (W == 1) {
        store_lanes(out + i, as_float(iand(as_int(v), iset(0u - (word & 1u)))), lanes);
      } else {
        store_lanes(out + i, select(mask_of_bits(word), v, set(0.0f)), lanes);
      }
    });
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
