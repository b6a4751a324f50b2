// Weighted sums of rows with AVX2: two taps at a time through 16-bit multiply-add, weights in two
// halves.
#include "media/resample_kernels.h"

#ifdef __x86_64__
#include <immintrin.h>

#include <algorithm>
#include <cstring>

namespace vesalius::media::kernels {

namespace {

#define VESALIUS_AVX2 __attribute__((target("avx2")))

struct Sums {
  __m256i high[2], low[2];  // columns 0-7 and 8-15
};

VESALIUS_AVX2 inline __m256i pair_of(const std::vector<int16_t>& weights, size_t at) {
  int32_t pair;
  std::memcpy(&pair, weights.data() + at, sizeof(pair));
  return _mm256_set1_epi32(pair);
}

VESALIUS_AVX2 inline void add_pair(Sums& sums, __m128i first, __m128i second, __m256i high,
                                   __m256i low) {
  const __m256i left = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(first, second));
  const __m256i right = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(first, second));
  sums.high[0] = _mm256_add_epi32(sums.high[0], _mm256_madd_epi16(left, high));
  sums.high[1] = _mm256_add_epi32(sums.high[1], _mm256_madd_epi16(right, high));
  sums.low[0] = _mm256_add_epi32(sums.low[0], _mm256_madd_epi16(left, low));
  sums.low[1] = _mm256_add_epi32(sums.low[1], _mm256_madd_epi16(right, low));
}

VESALIUS_AVX2 inline __m256i rounded(__m256i high, __m256i low) {
  const __m256i half = _mm256_set1_epi32(1 << (kPrecisionBits - 1));
  const __m256i sum = _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(high, 8), low), half);
  return _mm256_srai_epi32(sum, kPrecisionBits);
}

VESALIUS_AVX2 inline void store(const Sums& sums, uint8_t* out) {
  const __m256i words =
      _mm256_packs_epi32(rounded(sums.high[0], sums.low[0]), rounded(sums.high[1], sums.low[1]));
  const __m256i ordered = _mm256_permute4x64_epi64(words, 0xD8);
  const __m128i bytes =
      _mm_packus_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
}

VESALIUS_AVX2 inline __m128i load(const uint8_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

VESALIUS_AVX2 void sixteen_columns(const FixedAxis& axis, const FixedTaps& taps,
                                   const uint8_t* first, size_t stride, uint8_t* out) {
  const __m256i zero = _mm256_setzero_si256();
  Sums sums{{zero, zero}, {zero, zero}};
  int t = 0;
  for (; t + 1 < taps.count; t += 2, first += 2 * stride) {
    add_pair(sums, load(first), load(first + stride), pair_of(axis.high, taps.offset + t),
             pair_of(axis.low, taps.offset + t));
  }
  if (t < taps.count) {
    add_pair(sums, load(first), _mm_setzero_si128(), pair_of(axis.high, taps.offset + t),
             pair_of(axis.low, taps.offset + t));
  }
  store(sums, out);
}

}  // namespace

VESALIUS_AVX2 void avx2(const FixedAxis& axis, const FixedTaps& taps, const uint8_t* rows,
                        size_t stride, size_t width, uint8_t* out) {
  const uint8_t* first = rows + static_cast<size_t>(taps.first) * stride;
  for (size_t i = 0; i < width; i += 16) {
    // The last block reaches back over columns that are done already, and gives them the same
    // values.
    const size_t at = std::min(i, width - 16);
    sixteen_columns(axis, taps, first + at, stride, out + at);
  }
}

}  // namespace vesalius::media::kernels
#endif
