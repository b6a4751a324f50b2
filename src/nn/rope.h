// Rotary position embedding as Llama has it (arXiv 2104.09864): channels i and i + head_dim / 2 of
// a head turn together, by an angle that grows with the position.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace vesalius::nn {

struct Rope {
  double theta = 10000;
  double factor = 1;  // positions are divided by it: linear scaling (arXiv 2306.15595)
  /// LongRoPE (arXiv 2402.13753): what each pair's frequency is divided by, head_dim / 2 numbers
  /// each. The long ones are for every position of a text of more than `original_length` tokens.
  /// Empty: none.
  std::vector<double> short_factors, long_factors;
  int64_t original_length = 4096;
  double amplitude = 1;  // of cos and sin, see longrope_amplitude()

  bool is_long(int64_t length) const { return !long_factors.empty() && length > original_length; }
};

/// What LongRoPE multiplies cos and sin by, where a config does not say so: sqrt(1 + ln(most /
/// original) / ln(original)), 1 where `most` is not beyond `original`.
double longrope_amplitude(int64_t most, int64_t original);

/// Positions first, first + 1, … of a text that has `length` tokens by now.
struct Positions {
  int64_t first, count, length;
};

struct Rotation {
  at::Tensor cos, sin;  // [count, head_dim / 2], fp32
};
Rotation rotation(const Rope& rope, int64_t head_dim, const Positions& positions,
                  at::Device device = at::kCPU);

/// [..., count, heads, head_dim] -> the same, contiguous
at::Tensor rotate(const at::Tensor& x, const Rotation& rotation);

}  // namespace vesalius::nn
