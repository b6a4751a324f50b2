// How weights of 8 or 4 bits lie in memory, and the arithmetic of rounding, in plain loops that
// each kind of CPU's compiler options make fast. For quantised.cpp and kernels_*.cpp.
//
// A panel is 32 columns of y (rows of W). It goes through k in groups of 32: 32 scales in bf16, one
// a column, then lines of 4 bytes a column. A byte is one number of 8 bits, or two of 4: the lower
// one belongs to k, the higher one to k + 4. Numbers are unsigned, with 128 or 8 for zero, so that
// a thread reads one stream and multiplies it as it comes.
#pragma once

#include <cstdint>

#include "nn/kernels.h"

namespace vesalius::nn {
namespace {

constexpr int64_t kQuantPanel = 32, kQuantGroup = 32;

constexpr int64_t quant_block_bytes(int64_t bits) {
  return 2 * kQuantPanel + kQuantPanel * kQuantGroup * bits / 8;
}

inline float of_bf16(uint16_t x) {
  const uint32_t bits = static_cast<uint32_t>(x) << 16;
  float value;
  __builtin_memcpy(&value, &bits, 4);
  return value;
}

inline uint16_t to_bf16(float x) {  // of finite numbers, to the nearest even
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

/// To the nearest even, of numbers below 2^22.
inline float nearest(float x) {
  constexpr float kShift = 12582912;  // 1.5 * 2^23
  return (x + kShift) - kShift;
}

inline float clamp(float x, float low, float high) {
  const float y = x > low ? x : low;
  return y < high ? y : high;
}

/// The sum of squared errors of a group of numbers rounded to low, low + 1, …, high times a scale.
inline float rounding_error(const float* x, float scale, float low, float high) {
  const float inverse = scale != 0 ? 1 / scale : 0;
  float sums[8] = {};  // lanes of a vector
  for (int64_t i = 0; i < kQuantGroup; i += 8)
    for (int64_t j = 0; j < 8; ++j) {
      const float error = x[i + j] - scale * clamp(nearest(x[i + j] * inverse), low, high);
      sums[j] += error * error;
    }
  float sum = 0;
  for (const float one : sums) sum += one;
  return sum;
}

/// The number of the largest magnitude.
inline float extreme(const float* x) {
  float low = 0, high = 0;
  for (int64_t i = 0; i < kQuantGroup; ++i) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  return -low > high ? low : high;
}

/// 8 bits: the extreme becomes 127. 4 bits: it becomes -8, or less of it is cut off, whichever of a
/// few scales loses least.
inline uint16_t group_scale(const float* x, int64_t bits) {
  const float most = extreme(x);
  if (bits == 8) return to_bf16(most / 127);
  uint16_t best = 0;
  float least = 3e38F;
  constexpr float kDivisors[] = {-8.0F, -8.6F, -7.4F, 7.4F};
  for (const float divisor : kDivisors) {
    const uint16_t scale = to_bf16(most / divisor);
    const float error = rounding_error(x, of_bf16(scale), -8, 7);
    best = error < least ? scale : best;
    least = error < least ? error : least;
  }
  return best;
}

/// One group of one column of a panel: `x` of 32 numbers into its block.
inline void quantise_column(const float* x, int64_t bits, int64_t column, uint8_t* block) {
  const uint16_t scale = group_scale(x, bits);
  __builtin_memcpy(block + 2 * column, &scale, 2);
  const float value = of_bf16(scale), inverse = value != 0 ? 1 / value : 0;
  const float zero = bits == 8 ? 128 : 8;
  uint8_t numbers[kQuantGroup];
  for (int64_t i = 0; i < kQuantGroup; ++i)
    numbers[i] = static_cast<uint8_t>(static_cast<int32_t>(
        clamp(nearest(x[i] * inverse), bits == 8 ? -127 : -8, zero - 1) + zero));
  uint8_t* line = block + 2 * kQuantPanel + 4 * column;
  if (bits == 8)
    for (int64_t i = 0; i < kQuantGroup; ++i) line[i / 4 * 4 * kQuantPanel + i % 4] = numbers[i];
  else
    for (int64_t i = 0; i < kQuantGroup; i += 8)
      for (int64_t j = 0; j < 4; ++j)
        line[i / 8 * 4 * kQuantPanel + j] =
            static_cast<uint8_t>(numbers[i + j] | (numbers[i + 4 + j] << 4));
}

/// The numbers of one group of all columns of a panel, each column's behind one another: [32, 32].
inline void dequantise_block(const uint8_t* block, int64_t bits, float* x) {
  constexpr int64_t kLine = 4 * kQuantPanel;
  float scales[kLine], values[kLine];
  for (int64_t column = 0; column < kQuantPanel; ++column) {
    uint16_t bf16;
    __builtin_memcpy(&bf16, block + 2 * column, 2);
    for (int64_t j = 0; j < 4; ++j) scales[4 * column + j] = of_bf16(bf16);
  }
  const uint8_t* from = block + 2 * kQuantPanel;
  const int32_t mask = bits == 8 ? 255 : 15, zero = bits == 8 ? 128 : 8;
  for (int64_t step = 0; step < kQuantGroup / 4; ++step) {
    const uint8_t* line = from + step * bits / 8 * kLine;
    const int64_t shift = bits == 4 && step % 2 == 1 ? 4 : 0;
    for (int64_t i = 0; i < kLine; ++i)
      values[i] = scales[i] * static_cast<float>(((line[i] >> shift) & mask) - zero);
    for (int64_t column = 0; column < kQuantPanel; ++column)
      __builtin_memcpy(x + column * kQuantGroup + 4 * step, values + 4 * column, 16);
  }
}

/// A group of 32 numbers of x in 8 bits.
inline void quantise_group(const float* x, int8_t* numbers, QuantGroup& group) {
  const float most = extreme(x), magnitude = most < 0 ? -most : most;
  group.scale = magnitude / 127;
  const float inverse = magnitude > 0 ? 127 / magnitude : 0;
  int32_t sum = 0;
  for (int64_t i = 0; i < kQuantGroup; ++i) {
    const auto number = static_cast<int32_t>(nearest(x[i] * inverse));
    numbers[i] = static_cast<int8_t>(number);
    sum += number;
  }
  group.offset[0] = 8 * sum;
  group.offset[1] = 128 * sum;
}

/// A row of `in` numbers, zeros behind it up to a whole group.
inline void quantise_row(const float* x, int64_t in, int8_t* numbers, QuantGroup* groups) {
  int64_t i = 0;
  for (; i + kQuantGroup <= in; i += kQuantGroup)
    quantise_group(x + i, numbers + i, groups[i / kQuantGroup]);
  if (i == in) return;
  float rest[kQuantGroup] = {};
  for (int64_t j = i; j < in; ++j) rest[j - i] = x[j];
  quantise_group(rest, numbers + i, groups[i / kQuantGroup]);
}

/// One panel of W: `rows` rows of `in` numbers, those beyond them zero.
inline void quantise_panel(const float* weight, int64_t in, int64_t rows, int64_t bits,
                           uint8_t* panel) {
  const int64_t bytes = quant_block_bytes(bits);
  for (int64_t k = 0; k < in; k += kQuantGroup, panel += bytes)
    for (int64_t column = 0; column < kQuantPanel; ++column) {
      float x[kQuantGroup] = {};
      const int64_t count = in - k < kQuantGroup ? in - k : kQuantGroup;
      if (column < rows)
        for (int64_t i = 0; i < count; ++i) x[i] = weight[column * in + k + i];
      quantise_column(x, bits, column, panel);
    }
}

/// The other way: [32, in].
inline void dequantise_panel(const uint8_t* panel, int64_t in, int64_t bits, float* weight) {
  const int64_t bytes = quant_block_bytes(bits);
  for (int64_t k = 0; k < in; k += kQuantGroup, panel += bytes) {
    float x[kQuantPanel * kQuantGroup];
    dequantise_block(panel, bits, x);
    const int64_t count = in - k < kQuantGroup ? in - k : kQuantGroup;
    for (int64_t column = 0; column < kQuantPanel; ++column) {
      const float* from = x + column * kQuantGroup;
      float* to = weight + column * in + k;
      if (count == kQuantGroup)  // of a length that the compiler knows
        __builtin_memcpy(to, from, kQuantGroup * sizeof(float));
      else
        for (int64_t i = 0; i < count; ++i) to[i] = from[i];
    }
  }
}

/// Sums of a panel and what follows them, into y.
inline void finish_quantised(const QuantProduct& p, int64_t panel, int64_t row, const float* sums) {
  const int64_t first = panel * kQuantPanel, rest = p.out - first;
  const int64_t count = rest < kQuantPanel ? rest : kQuantPanel;
  float* y = p.y + row * p.out + first;
  const float* residual = p.residual != nullptr ? p.residual + row * p.out + first : nullptr;
  for (int64_t i = 0; i < count; ++i) {
    const float sum = p.bias != nullptr ? sums[i] + p.bias[first + i] : sums[i];
    y[i] = residual != nullptr ? residual[i] + sum : sum;
  }
}

}  // namespace
}  // namespace vesalius::nn
