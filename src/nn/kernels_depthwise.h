// Depth-wise 3x3 convolution, channels last. Only for kernels_*.cpp, as kernels_tile.h.
#pragma once

#include "nn/kernels.h"
#include "nn/kernels_tile.h"

namespace vesalius::nn {
namespace {

/// One vector of channels along one row: the three columns that an output needs stay in registers
/// while it moves to the right.
template <class V>
void depthwise_channels(const Depthwise& d, int64_t row, int64_t channel) {
  const int64_t line = d.width * d.channels;
  typename V::Reg w[9], left[3], middle[3], right[3];
#pragma GCC unroll 9
  for (int i = 0; i < 9; ++i) w[i] = V::load(d.weight + i * d.channels + channel);
  const auto bias = V::load(d.bias + channel);
  const float* x = d.x + (row - 1) * line + channel;
  const bool inside[3] = {row > 0, true, row + 1 < d.height};
#pragma GCC unroll 3
  for (int i = 0; i < 3; ++i) {
    left[i] = V::zero();
    middle[i] = inside[i] ? V::load(x + i * line) : V::zero();
  }
  float* y = d.y + row * line + channel;
  for (int64_t column = 0; column < d.width; ++column, y += d.channels) {
    x += d.channels;
    auto sum = d.residual ? V::add(bias, middle[1]) : bias;
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) {
      right[i] = inside[i] && column + 1 < d.width ? V::load(x + i * line) : V::zero();
      sum = V::fma(w[3 * i], left[i], sum);
      sum = V::fma(w[3 * i + 1], middle[i], sum);
      sum = V::fma(w[3 * i + 2], right[i], sum);
      left[i] = middle[i];
      middle[i] = right[i];
    }
    V::store(y, sum);
  }
}

/// The channels behind the last whole vector, one by one.
inline void depthwise_rest(const Depthwise& d, int64_t row, int64_t channel) {
  for (int64_t column = 0; column < d.width; ++column) {
    const int64_t at = (row * d.width + column) * d.channels + channel;
    float sum = d.bias[channel] + (d.residual ? d.x[at] : 0);
    for (int64_t i = 0; i < 9; ++i) {
      const int64_t r = row + i / 3 - 1, c = column + i % 3 - 1;
      if (r >= 0 && r < d.height && c >= 0 && c < d.width)
        sum += d.weight[i * d.channels + channel] * d.x[(r * d.width + c) * d.channels + channel];
    }
    d.y[at] = sum;
  }
}

template <class V>
void depthwise(const Depthwise& d, int64_t row) {
  int64_t channel = 0;
  for (; channel + V::kWidth <= d.channels; channel += V::kWidth)
    depthwise_channels<V>(d, row, channel);
  for (; channel < d.channels; ++channel) depthwise_rest(d, row, channel);
}

}  // namespace
}  // namespace vesalius::nn
