// Layer and RMS normalisation. Only for kernels_*.cpp, as kernels_tile.h.
#pragma once

#include "nn/kernels.h"
#include "nn/kernels_tile.h"

namespace vesalius::nn {
namespace {

/// f(vector) summed over a row; the channels behind the last whole vector are filled up with
/// `fill`, whose f is zero.
template <class V, class F>
float row_sum(const float* x, int64_t dim, float fill, F f) {
  auto sum = V::zero();
  int64_t i = 0;
  for (; i + V::kWidth <= dim; i += V::kWidth) sum = V::add(sum, f(V::load(x + i)));
  float lanes[V::kWidth], total = 0;
  if (i < dim) {
    for (float& lane : lanes) lane = fill;
    for (int64_t j = i; j < dim; ++j) lanes[j - i] = x[j];
    sum = V::add(sum, f(V::load(lanes)));
  }
  V::store(lanes, sum);
  for (const float lane : lanes) total += lane;
  return total;
}

template <class V>
void normalise(const Normalisation& n, int64_t row) {
  const float* x = n.x + row * n.dim;
  float* y = n.y + row * n.dim;
  const auto count = static_cast<float>(n.dim);
  const float mean =
      n.bias != nullptr ? row_sum<V>(x, n.dim, 0, [](auto v) { return v; }) / count : 0;
  const auto centre = V::set(mean);
  const float squares = row_sum<V>(x, n.dim, mean, [=](auto v) {
    const auto d = V::sub(v, centre);
    return V::mul(d, d);
  });
  const float scale = 1 / __builtin_sqrtf(squares / count + n.eps);
  const float* residual = n.residual ? n.residual + row * n.dim : nullptr;
  int64_t i = 0;
  for (; i + V::kWidth <= n.dim; i += V::kWidth) {
    const auto d = V::mul(V::sub(V::load(x + i), centre), V::set(scale));
    const auto bias = n.bias != nullptr ? V::load(n.bias + i) : V::zero();
    const auto sum = V::fma(d, V::load(n.weight + i), bias);
    V::store(y + i, residual ? V::add(sum, V::load(residual + i)) : sum);
  }
  for (; i < n.dim; ++i)
    y[i] = (x[i] - mean) * scale * n.weight[i] + (n.bias ? n.bias[i] : 0) +
           (residual ? residual[i] : 0);
}

}  // namespace
}  // namespace vesalius::nn
