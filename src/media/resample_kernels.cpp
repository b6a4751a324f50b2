#include "media/resample_kernels.h"

#include <algorithm>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace vesalius::media {

namespace {

uint8_t clip(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

CpuLevel detect() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni")) {
    return CpuLevel::kAvx512Vnni;
  }
  if (__builtin_cpu_supports("avx2")) return CpuLevel::kAvx2;
#endif
  return CpuLevel::kPlain;
}

}  // namespace

CpuLevel best_cpu_level() {
  static const CpuLevel level = detect();
  return level;
}

void kernels::plain(const FixedAxis& axis, const FixedTaps& taps, const uint8_t* rows,
                    size_t stride, size_t begin, size_t end, uint8_t* out) {
  constexpr size_t kBlock = 64;
  const int32_t* weights = axis.weights.data() + taps.offset;
  const uint8_t* first = rows + static_cast<size_t>(taps.first) * stride;
  for (size_t start = begin; start < end; start += kBlock) {
    const size_t width = std::min(kBlock, end - start);
    int32_t sums[kBlock];
    std::fill_n(sums, width, 1 << (kPrecisionBits - 1));
    for (int t = 0; t < taps.count; ++t) {
      const uint8_t* row = first + static_cast<size_t>(t) * stride + start;
      for (size_t i = 0; i < width; ++i) sums[i] += row[i] * weights[t];
    }
    for (size_t i = 0; i < width; ++i) out[start + i] = clip(sums[i]);
  }
}

void weighted_rows(CpuLevel level, const FixedAxis& axis, size_t index, const uint8_t* rows,
                   size_t stride, size_t width, uint8_t* out) {
  const FixedTaps& taps = axis.taps[index];
#ifdef __x86_64__
  if (axis.vectorizable && level == CpuLevel::kAvx512Vnni) {
    return kernels::avx512_vnni(axis, taps, rows, stride, width, out);
  }
  if (axis.vectorizable && level == CpuLevel::kAvx2 && width >= 16) {
    return kernels::avx2(axis, taps, rows, stride, width, out);
  }
#endif
  kernels::plain(axis, taps, rows, stride, 0, width, out);
}

#ifdef __SSE2__
namespace {

// One round: 16 registers interleaved byte by byte, each with the one eight places behind it.
inline void interleave(const __m128i (&in)[16], __m128i (&out)[16]) {
#pragma GCC unroll 8
  for (size_t i = 0; i < 8; ++i) {
    out[2 * i] = _mm_unpacklo_epi8(in[i], in[i + 8]);
    out[2 * i + 1] = _mm_unpackhi_epi8(in[i], in[i + 8]);
  }
}

// Four rounds turn 16 rows of 16 bytes over the diagonal. Unrolled, so that the rows stay in
// registers.
void transpose_16x16(const uint8_t* in, size_t in_stride, uint8_t* out, size_t out_stride) {
  __m128i a[16], b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    a[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i * in_stride));
  }
  interleave(a, b);
  interleave(b, a);
  interleave(a, b);
  interleave(b, a);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i * out_stride), a[i]);
  }
}

}  // namespace
#endif

void transpose_bytes(const uint8_t* in, size_t in_stride, size_t rows, size_t columns, uint8_t* out,
                     size_t out_stride) {
  size_t whole_rows = 0, whole_columns = 0;
#ifdef __SSE2__
  whole_rows = rows / 16 * 16;
  whole_columns = columns / 16 * 16;
  for (size_t c = 0; c < whole_columns; c += 16) {
    for (size_t r = 0; r < whole_rows; r += 16) {
      transpose_16x16(in + r * in_stride + c, in_stride, out + c * out_stride + r, out_stride);
    }
  }
#endif
  for (size_t r = 0; r < rows; ++r) {
    const size_t begin = r < whole_rows ? whole_columns : 0;
    for (size_t c = begin; c < columns; ++c) out[c * out_stride + r] = in[r * in_stride + c];
  }
}

}  // namespace vesalius::media
