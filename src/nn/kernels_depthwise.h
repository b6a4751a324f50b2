// Depth-wise convolution that keeps the grid, channels last. Only for kernels_*.cpp, as
// kernels_tile.h.
#pragma once

#include "nn/kernels.h"
#include "nn/kernels_math.h"
#include "nn/kernels_tile.h"

namespace vesalius::nn {
namespace {

/// Output columns that are summed at once: the sums, one row of taps and a pixel fill the
/// registers.
template <class V>
constexpr int depthwise_columns(int kernel) {
  return V::kWidth == 16 ? 12 : smaller(8, 14 - kernel);
}

/// One vector of channels at columns [column, column + N): every pixel is loaded once a row and
/// meets all taps that reach it.
template <class V, int K, int N>
void depthwise_sums(const Depthwise& d, int64_t row, int64_t column, int64_t channel,
                    typename V::Reg (&sum)[N]) {
  for (int tap_row = 0; tap_row < K; ++tap_row) {
    const int64_t r = row + tap_row - K / 2;
    if (r < 0 || r >= d.height) continue;
    typename V::Reg taps[K];
#pragma GCC unroll 9
    for (int i = 0; i < K; ++i)
      taps[i] = V::load(d.weight + (tap_row * K + i) * d.channels + channel);
    const float* x = d.x + r * d.width * d.x_stride + channel;
#pragma GCC unroll 20
    for (int p = 0; p < N + K - 1; ++p) {
      const int64_t c = column + p - K / 2;
      if (c < 0 || c >= d.width) continue;
      const auto pixel = V::load(x + c * d.x_stride);
#pragma GCC unroll 12
      for (int n = 0; n < N; ++n)
        if (p - n >= 0 && p - n < K) sum[n] = V::fma(taps[p - n], pixel, sum[n]);
    }
  }
}

/// What is done with a sum at pixel `at` before it is stored.
template <class V>
void depthwise_store(const Depthwise& d, int64_t at, int64_t channel, typename V::Reg y) {
  const int64_t to = at * d.channels + channel;
  if (d.residual) y = V::add(y, V::load(d.x + at * d.x_stride + channel));
  if (d.gelu) y = gelu<V>(y);
  V::store(d.y + to, y);
  if (d.gate == nullptr) return;
  const auto gated = V::mul(y, V::set(d.gate[at * d.gate_stride]));
  V::store(d.gated + to, d.add_gated ? V::add(V::load(d.gated + to), gated) : gated);
}

template <class V, int K>
void depthwise_channels(const Depthwise& d, int64_t first, int64_t last, int64_t channel) {
  constexpr int N = depthwise_columns<V>(K);
  const auto bias = V::load(d.bias + channel);
  for (int64_t row = first; row < last; ++row)
    for (int64_t column = 0; column < d.width; column += N) {
      typename V::Reg sum[N];
#pragma GCC unroll 12
      for (int n = 0; n < N; ++n) sum[n] = bias;
      depthwise_sums<V, K, N>(d, row, column, channel, sum);
#pragma GCC unroll 12
      for (int n = 0; n < N; ++n)
        if (column + n < d.width)
          depthwise_store<V>(d, row * d.width + column + n, channel, sum[n]);
    }
}

/// The channels behind the last whole vector, one by one.
template <class V, int K>
void depthwise_rest(const Depthwise& d, int64_t row, int64_t channel) {
  for (int64_t column = 0; column < d.width; ++column) {
    const int64_t at = row * d.width + column, to = at * d.channels + channel;
    float sum = d.bias[channel] + (d.residual ? d.x[at * d.x_stride + channel] : 0);
    for (int64_t i = 0; i < K * K; ++i) {
      const int64_t r = row + i / K - K / 2, c = column + i % K - K / 2;
      if (r >= 0 && r < d.height && c >= 0 && c < d.width)
        sum += d.weight[i * d.channels + channel] * d.x[(r * d.width + c) * d.x_stride + channel];
    }
    if (d.gelu) {
      float lanes[V::kWidth];
      V::store(lanes, gelu<V>(V::set(sum)));
      sum = lanes[0];
    }
    d.y[to] = sum;
    if (d.gate != nullptr)
      d.gated[to] = (d.add_gated ? d.gated[to] : 0) + sum * d.gate[at * d.gate_stride];
  }
}

/// Channel by channel, so that the rows under the kernel stay in the second cache.
template <class V, int K>
void depthwise_rows(const Depthwise& d, int64_t first, int64_t last) {
  int64_t channel = 0;
  for (; channel + V::kWidth <= d.channels; channel += V::kWidth)
    depthwise_channels<V, K>(d, first, last, channel);
  for (; channel + Avx2::kWidth <= d.channels; channel += Avx2::kWidth)
    depthwise_channels<Avx2, K>(d, first, last, channel);
  for (; channel < d.channels; ++channel)
    for (int64_t row = first; row < last; ++row) depthwise_rest<V, K>(d, row, channel);
}

template <class V>
void depthwise(const Depthwise& d, int64_t first, int64_t last) {
  constexpr void (*kRows[])(const Depthwise&, int64_t, int64_t) = {
      depthwise_rows<V, 3>, depthwise_rows<V, 5>, depthwise_rows<V, 7>, depthwise_rows<V, 9>};
  kRows[(d.kernel - 3) / 2](d, first, last);
}

}  // namespace
}  // namespace vesalius::nn
