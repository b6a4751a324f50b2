// Weighted sums of rows with AVX-512 VNNI: four taps at a time, weights in three 8-bit digits.
#include "media/resample_kernels.h"

#ifdef __x86_64__
#include <immintrin.h>

#include <algorithm>
#include <cstring>

// GCC 12's own headers set up "undefined" vectors in a way that its -Wuninitialized complains
// about.
#pragma GCC diagnostic ignored "-Wuninitialized"

namespace vesalius::media::kernels {

namespace {

#define VESALIUS_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

struct Sums {
  __m512i digit[3][4];  // four groups of 16 columns
};

VESALIUS_VNNI inline __m512i four_of(const std::vector<int8_t>& digits, size_t at) {
  int32_t four;
  std::memcpy(&four, digits.data() + at, sizeof(four));
  return _mm512_set1_epi32(four);
}

// Interleaves four rows so that each 32-bit lane holds the four taps of one column.
VESALIUS_VNNI inline void add_four(Sums& sums, const __m512i rows[4], const __m512i digits[3]) {
  const __m512i low_ab = _mm512_unpacklo_epi8(rows[0], rows[1]);
  const __m512i high_ab = _mm512_unpackhi_epi8(rows[0], rows[1]);
  const __m512i low_cd = _mm512_unpacklo_epi8(rows[2], rows[3]);
  const __m512i high_cd = _mm512_unpackhi_epi8(rows[2], rows[3]);
  const __m512i columns[4] = {
      _mm512_unpacklo_epi16(low_ab, low_cd), _mm512_unpackhi_epi16(low_ab, low_cd),
      _mm512_unpacklo_epi16(high_ab, high_cd), _mm512_unpackhi_epi16(high_ab, high_cd)};
#pragma GCC unroll 3
  for (int d = 0; d < 3; ++d) {
#pragma GCC unroll 4
    for (int g = 0; g < 4; ++g) {
      sums.digit[d][g] = _mm512_dpbusd_epi32(sums.digit[d][g], columns[g], digits[d]);
    }
  }
}

VESALIUS_VNNI inline __m512i rounded(const Sums& sums, int group) {
  const __m512i upper = _mm512_add_epi32(_mm512_slli_epi32(sums.digit[2][group], 16),
                                         _mm512_slli_epi32(sums.digit[1][group], 8));
  const __m512i half = _mm512_set1_epi32(1 << (kPrecisionBits - 1));
  const __m512i sum = _mm512_add_epi32(_mm512_add_epi32(upper, sums.digit[0][group]), half);
  return _mm512_srai_epi32(sum, kPrecisionBits);
}

// The interleaving stayed inside 128-bit lanes, and so do the packs: they undo each other.
VESALIUS_VNNI inline __m512i packed(const Sums& sums) {
  return _mm512_packus_epi16(_mm512_packs_epi32(rounded(sums, 0), rounded(sums, 1)),
                             _mm512_packs_epi32(rounded(sums, 2), rounded(sums, 3)));
}

VESALIUS_VNNI void sixty_four_columns(const FixedAxis& axis, const FixedTaps& taps,
                                      const uint8_t* first, size_t stride, __mmask64 mask,
                                      uint8_t* out) {
  Sums sums;
#pragma GCC unroll 3
  for (int d = 0; d < 3; ++d) {
#pragma GCC unroll 4
    for (int g = 0; g < 4; ++g) sums.digit[d][g] = _mm512_setzero_si512();
  }
  for (int t = 0; t < taps.count; t += 4) {
    __m512i rows[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      // Past the last tap the weight is zero; the row is read again rather than one beyond the
      // image.
      const size_t row = static_cast<size_t>(std::min(t + k, taps.count - 1));
      rows[k] = _mm512_maskz_loadu_epi8(mask, first + row * stride);
    }
    const size_t at = taps.offset + static_cast<size_t>(t);
    const __m512i digits[3] = {four_of(axis.digits[0], at), four_of(axis.digits[1], at),
                               four_of(axis.digits[2], at)};
    add_four(sums, rows, digits);
  }
  _mm512_mask_storeu_epi8(out, mask, packed(sums));
}

}  // namespace

VESALIUS_VNNI void avx512_vnni(const FixedAxis& axis, const FixedTaps& taps, const uint8_t* rows,
                               size_t stride, size_t width, uint8_t* out) {
  const uint8_t* first = rows + static_cast<size_t>(taps.first) * stride;
  for (size_t i = 0; i < width; i += 64) {
    const size_t left = width - i;
    const __mmask64 mask = left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
    sixty_four_columns(axis, taps, first + i, stride, mask, out + i);
  }
}

}  // namespace vesalius::media::kernels
#endif
