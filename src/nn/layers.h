// Layers shared by models: plain structs bound to their weights by scope, with const calls.
// How a layer runs (library, packing, fusion) is its own affair; models never mention it.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>

#include "checkpoint/weights.h"

namespace vesalius::nn {

class PackedWeight;
class PackedConvolution;
class QuantisedWeight;
struct ConvEpilogue;
enum class Activation;

/// The exact (erf) GELU; in place when `x` is a temporary of no interest to autograd.
at::Tensor gelu(at::Tensor x);
/// x * sigmoid(1.702 x), CLIP's approximation (openai/CLIP).
at::Tensor quick_gelu(const at::Tensor& x);
/// max(x, 0); in place as gelu().
at::Tensor relu(at::Tensor x);

/// x * y; in place of x as gelu().
at::Tensor multiply(at::Tensor x, const at::Tensor& y);
/// silu(gate) * up, SwiGLU's hidden layer (arXiv 2002.05202).
at::Tensor silu_multiply(const at::Tensor& gate, const at::Tensor& up);
/// sum + x * y; in place of the sum as gelu().
at::Tensor add_product(at::Tensor sum, const at::Tensor& x, const at::Tensor& y);

/// What a weight is for. A decoder block's is read once a token, and may be held in few bits where
/// the plan says so.
enum class Role { kGeneral, kDecoder };

/// y = x W^T + b over the last dimension.
struct Linear {
  at::Tensor weight, bias;  // [out, in]; [out] or undefined

  Linear(const Weights& w, int64_t in, int64_t out, bool with_bias = true,
         Role role = Role::kGeneral);
  Linear(at::Tensor weight, at::Tensor bias, Role role = Role::kGeneral);

  /// [..., in] -> [..., out]
  at::Tensor operator()(const at::Tensor& x) const;
  /// gelu(fc(x)) and quick_gelu(fc(x)).
  at::Tensor gelu(const at::Tensor& x) const;
  at::Tensor quick_gelu(const at::Tensor& x) const;
  /// residual + fc(x)
  at::Tensor add(const at::Tensor& x, const at::Tensor& residual) const;

 private:
  friend at::Tensor gelu_mlp(const Linear& fc1, const Linear& fc2, const at::Tensor& x);
  at::Tensor fast(const at::Tensor& x, Activation activation, const at::Tensor& residual) const;

  Role role_;
  std::shared_ptr<PackedWeight> packed_;        // shared by copies
  std::shared_ptr<QuantisedWeight> quantised_;  // of decoder blocks
};

/// fc2(gelu(fc1(x))), a band of rows after another where the hidden layer would leave the cache.
at::Tensor gelu_mlp(const Linear& fc1, const Linear& fc2, const at::Tensor& x);

/// Normalises the last dimension; statistics in fp32 whatever the input's type, eps inside the
/// root.
struct LayerNorm {
  at::Tensor weight, bias;  // [dim]
  double eps;

  LayerNorm(const Weights& w, int64_t dim, double eps = 1e-5);
  at::Tensor operator()(const at::Tensor& x) const;
  /// residual + scale * norm(x), scale [dim]
  at::Tensor add(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& residual) const;
};

/// x / sqrt(mean(x^2) + eps) * weight over the last dimension, in fp32 whatever the input's type
/// (arXiv 1910.07467).
struct RmsNorm {
  at::Tensor weight;  // [dim]
  double eps;

  RmsNorm(const Weights& w, int64_t dim, double eps);
  at::Tensor operator()(const at::Tensor& x) const;
};

/// Normalises groups of channels of a channels-last map over all its positions.
struct GroupNorm {
  at::Tensor weight, bias;  // [dim]
  int64_t groups;

  GroupNorm(const Weights& w, int64_t dim, int64_t groups);
  /// [batch, height, width, dim] -> the same, contiguous
  at::Tensor operator()(const at::Tensor& x) const;
};

enum class Bias { kYes, kNo };

struct ConvShape {
  int64_t in, out, kernel, stride = 1, padding = 0, groups = 1;
  Bias bias = Bias::kYes;
  /// Depth-wise, of an odd kernel, that keeps the grid.
  static ConvShape depthwise(int64_t dim, int64_t kernel = 3, Bias bias = Bias::kYes) {
    return {dim, dim, kernel, 1, kernel / 2, dim, bias};
  }
};

/// Convolution over channels-last maps.
struct Conv2d {
  at::Tensor weight, bias;  // [out, in / groups, kernel, kernel]; [out] or undefined
  ConvShape shape;

  Conv2d(const Weights& w, ConvShape shape);
  /// [batch, height, width, in] -> [batch, height', width', out], contiguous
  at::Tensor operator()(const at::Tensor& x) const;
  /// x + conv(x), for convolutions that keep the shape.
  at::Tensor add_to(const at::Tensor& x) const;
  /// y = gelu(conv(x)); y * gate is added to `sum`, which may be undefined: nothing yet. For
  /// convolutions that keep the shape; gate [batch, height, width, 1].
  at::Tensor gelu_gated(const at::Tensor& x, const at::Tensor& gate, at::Tensor& sum) const;

 private:
  at::Tensor fast(const at::Tensor& x, ConvEpilogue& epilogue) const;

  std::shared_ptr<PackedConvolution> packed_;  // shared by copies
};

}  // namespace vesalius::nn
