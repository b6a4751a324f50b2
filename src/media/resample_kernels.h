// The inner loop of resampling: a weighted sum of rows of bytes, in 22-bit fixed point, for each
// kind of CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vesalius::media {

/// Which instructions the inner loop may use; each gives the same bytes.
enum class CpuLevel { kPlain, kAvx2, kAvx512Vnni };
CpuLevel best_cpu_level();

/// Pillow's precision: 32 bits less 8 of the sample and 2 of head room for overshoot.
inline constexpr int kPrecisionBits = 32 - 8 - 2;

/// Fixed-point weights of one output row, and the same numbers cut up for the vector units. Every
/// group of four taps is padded with zeros.
struct FixedTaps {
  int first = 0, count = 0;
  size_t offset = 0;  // into the arrays of FixedAxis
};

/// One axis in fixed point. `vectorizable` is false when a weight does not fit the digits below.
struct FixedAxis {
  std::vector<FixedTaps> taps;
  std::vector<int32_t> weights;  // weight · 2^22, rounded half away from zero
  std::vector<int16_t> high,
      low;  // weight = 256 · high + low, low in [0, 255]; one an entry of weights
  std::vector<int8_t> digits[3];  // weight = 65536 · d2 + 256 · d1 + d0, each in [-128, 127]
  bool vectorizable = true;
};

/// out[i] = clip((2^21 + Σ weights[t] · rows[(first + t) · stride + i]) >> 22) for i in [0, width),
/// where the taps are those of `axis.taps[index]`.
void weighted_rows(CpuLevel level, const FixedAxis& axis, size_t index, const uint8_t* rows,
                   size_t stride, size_t width, uint8_t* out);

namespace kernels {
// One implementation each; `width` is at least one vector (32 bytes for AVX2, any for the others).
void plain(const FixedAxis& axis, const FixedTaps& taps, const uint8_t* rows, size_t stride,
           size_t begin, size_t end, uint8_t* out);
#ifdef __x86_64__
void avx2(const FixedAxis& axis, const FixedTaps& taps, const uint8_t* rows, size_t stride,
          size_t width, uint8_t* out);
void avx512_vnni(const FixedAxis& axis, const FixedTaps& taps, const uint8_t* rows, size_t stride,
                 size_t width, uint8_t* out);
#endif
}  // namespace kernels

/// out[c · out_stride + r] = in[r · in_stride + c]: bytes turned over the diagonal, so that the
/// pass across runs as a pass down.
void transpose_bytes(const uint8_t* in, size_t in_stride, size_t rows, size_t columns, uint8_t* out,
                     size_t out_stride);

}  // namespace vesalius::media
