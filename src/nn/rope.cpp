#include "nn/rope.h"

#include <cmath>

#include "nn/pages.h"
#include "nn/plan.h"

namespace vesalius::nn {
namespace {

/// Turns a position makes of each pair of channels. In fp32 and in the reference's order
/// (transformers' modeling_rope_utils): an angle at position 4,000 shows the last digit.
at::Tensor frequencies(const Rope& rope, int64_t head_dim, bool is_long) {
  const auto exponents = at::arange(0, head_dim, 2, at::kFloat) / static_cast<double>(head_dim);
  auto periods = at::pow(at::Scalar(rope.theta), exponents);
  if (!rope.long_factors.empty()) {
    const auto& factors = is_long ? rope.long_factors : rope.short_factors;
    periods = at::tensor(factors, at::kFloat) * periods;
  }
  return at::reciprocal(periods) / rope.factor;
}

/// [count, heads, head_dim] contiguous. `half` channels of a head turn with the other half.
void rotate_rows(const float* x, const float* cos, const float* sin, int64_t count, int64_t heads,
                 int64_t half, float* y) {
  run_tasks(count, 0, [&](int64_t row, float*) {
    const float *c = cos + row * half, *s = sin + row * half;
    for (int64_t head = row * heads; head < (row + 1) * heads; ++head) {
      const float *a = x + head * 2 * half, *b = a + half;
      float *to = y + head * 2 * half, *other = to + half;
      for (int64_t i = 0; i < half; ++i) {
        to[i] = a[i] * c[i] - b[i] * s[i];
        other[i] = b[i] * c[i] + a[i] * s[i];
      }
    }
  });
}

}  // namespace

double longrope_amplitude(int64_t most, int64_t original) {
  const double factor = static_cast<double>(most) / static_cast<double>(original);
  if (factor <= 1) return 1;
  return std::sqrt(1 + std::log(factor) / std::log(static_cast<double>(original)));
}

Rotation rotation(const Rope& rope, int64_t head_dim, const Positions& p, at::Device device) {
  const auto positions = at::arange(p.first, p.first + p.count, at::kFloat).unsqueeze(1);
  const auto angles = positions * frequencies(rope, head_dim, rope.is_long(p.length));
  return {(at::cos(angles) * rope.amplitude).to(device),
          (at::sin(angles) * rope.amplitude).to(device)};
}

at::Tensor rotate(const at::Tensor& x, const Rotation& r) {
  const int64_t half = x.size(-1) / 2;
  if (fits_kernels(x) && x.dim() == 3) {
    const auto from = x.contiguous();
    auto y = pooled_empty(x.sizes());
    rotate_rows(from.const_data_ptr<float>(), r.cos.const_data_ptr<float>(),
                r.sin.const_data_ptr<float>(), x.size(0), x.size(1), half,
                y.mutable_data_ptr<float>());
    return y;
  }
  const auto cos = r.cos.unsqueeze(1).to(x.scalar_type());  // [count, 1, head_dim / 2]
  const auto sin = r.sin.unsqueeze(1).to(x.scalar_type());
  const auto a = x.narrow(-1, 0, half), b = x.narrow(-1, half, half);
  return at::cat({a * cos - b * sin, b * cos + a * sin}, -1);
}

}  // namespace vesalius::nn
