#include "nn/layers.h"

#include <utility>

namespace vesalius::nn {
namespace {

/// True if autograd may need this value again, so that it must not be overwritten.
bool kept_by_autograd(const at::Tensor& x) { return x.requires_grad(); }

}  // namespace

at::Tensor gelu(at::Tensor x) {
  if (kept_by_autograd(x)) return at::gelu(x);
  at::gelu_(x);
  return x;
}

at::Tensor quick_gelu(at::Tensor x) {
  if (kept_by_autograd(x)) return x * at::sigmoid(1.702 * x);
  return at::mul(x, 1.702).sigmoid_().mul_(x);
}

Linear::Linear(const Weights& w, int64_t in, int64_t out, bool with_bias)
    : Linear(w("weight", {out, in}), with_bias ? w("bias", {out}) : at::Tensor()) {}

Linear::Linear(at::Tensor weight, at::Tensor bias)
    : weight(std::move(weight)), bias(std::move(bias)) {}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return at::linear(x.to(weight.scalar_type()), weight, bias);
}

at::Tensor Linear::gelu(const at::Tensor& x) const { return nn::gelu((*this)(x)); }

at::Tensor Linear::quick_gelu(const at::Tensor& x) const { return nn::quick_gelu((*this)(x)); }

at::Tensor Linear::add(const at::Tensor& x, const at::Tensor& residual) const {
  auto y = (*this)(x);
  return kept_by_autograd(y) ? residual + y : y.add_(residual);
}

LayerNorm::LayerNorm(const Weights& w, int64_t dim, double eps)
    : weight(w("weight", {dim})), bias(w("bias", {dim})), eps(eps) {}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return at::layer_norm(x, weight.sizes(), weight, bias, eps);
}

Conv2d::Conv2d(const Weights& w, ConvShape shape)
    : weight(w("weight", {shape.out, shape.in / shape.groups, shape.kernel, shape.kernel})),
      bias(w("bias", {shape.out})),
      shape(shape) {}

at::Tensor Conv2d::operator()(const at::Tensor& x) const {
  auto y = at::conv2d(x.permute({0, 3, 1, 2}), weight, bias, shape.stride, shape.padding,
                      /*dilation=*/1, shape.groups);
  return y.permute({0, 2, 3, 1}).contiguous();  // a view when the convolution ran channels-last
}

at::Tensor Conv2d::add_to(const at::Tensor& x) const {
  auto y = (*this)(x);
  return kept_by_autograd(y) ? x + y : y.add_(x);
}

}  // namespace vesalius::nn
