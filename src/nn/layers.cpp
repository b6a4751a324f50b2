#include "nn/layers.h"

#include <algorithm>
#include <utility>

#include "nn/convolution_kernels.h"
#include "nn/pages.h"
#include "nn/plan.h"
#include "nn/quantised.h"

namespace vesalius::nn {
namespace {

/// True if autograd may need this value again, so that it must not be overwritten.
bool kept_by_autograd(const at::Tensor& x) { return x.requires_grad(); }

/// The kernels, if they may take x and this weight: one that is being trained changes with every
/// step.
const KernelTable* kernels_for(const at::Tensor& x, const at::Tensor& weight) {
  const bool fits = fits_kernels(x) && weight.is_cpu() && !weight.requires_grad();
  return fits ? planned_kernels() : nullptr;
}

}  // namespace

at::Tensor gelu(at::Tensor x) {
  if (kept_by_autograd(x)) return at::gelu(x);
  at::gelu_(x);
  return x;
}

at::Tensor quick_gelu(const at::Tensor& x) {
  if (kept_by_autograd(x)) return x * at::sigmoid(1.702 * x);
  return at::mul(x, 1.702).sigmoid_().mul_(x);
}

at::Tensor relu(at::Tensor x) {
  if (kept_by_autograd(x)) return at::relu(x);
  at::relu_(x);
  return x;
}

at::Tensor multiply(at::Tensor x, const at::Tensor& y) {
  if (kept_by_autograd(x) || kept_by_autograd(y)) return x * y;
  return x.mul_(y);
}

at::Tensor silu_multiply(const at::Tensor& gate, const at::Tensor& up) {
  if (const auto* kernels = fits_kernels(gate) && fits_kernels(up) ? planned_kernels() : nullptr)
    if (gate.stride(-1) == 1 && up.stride(-1) == 1 && gate.dim() == 2)
      return kernel_silu_multiply(*kernels, gate, up);
  return nn::multiply(at::silu(gate), up);
}

at::Tensor add_product(at::Tensor sum, const at::Tensor& x, const at::Tensor& y) {
  if (kept_by_autograd(sum) || kept_by_autograd(x) || kept_by_autograd(y))
    return at::addcmul(sum, x, y);
  return sum.addcmul_(x, y);
}

Linear::Linear(const Weights& w, int64_t in, int64_t out, bool with_bias, Role role)
    : Linear(w("weight", {out, in}), with_bias ? w("bias", {out}) : at::Tensor(), role) {}

Linear::Linear(at::Tensor weight, at::Tensor bias, Role role)
    : weight(std::move(weight)),
      bias(std::move(bias)),
      role_(role),
      packed_(std::make_shared<PackedWeight>()),
      quantised_(role == Role::kDecoder ? std::make_shared<QuantisedWeight>() : nullptr) {}

at::Tensor Linear::fast(const at::Tensor& x, Activation activation,
                        const at::Tensor& residual) const {
  if (!fits_kernels(x) || !weight.is_cpu() || weight.requires_grad()) return {};
  if (residual.defined() && !fits_kernels(residual)) return {};
  const int64_t in = weight.size(1), out = weight.size(0);
  auto shape = x.sizes().vec();
  shape.back() = out;
  const auto before = residual.defined() ? residual.contiguous().view({-1, out}) : residual;
  const auto rows = x.contiguous().view({-1, in});
  if (const int64_t bits = planned_bits(); quantised_ && bits > 0) {
    if (activation != Activation::kNone) return {};
    return quantised_product(*quantised_->get(weight, bits), rows, bias, before).view(shape);
  }
  const auto* kernels = planned_kernels();
  if (kernels == nullptr) return {};
  const auto keep = role_ == Role::kDecoder ? Keep::kAlways : Keep::kFromSecondCall;
  const auto packed = packed_->get(*kernels, weight, bias, keep);
  return packed_product(*packed, rows, activation, before).view(shape);
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  if (auto y = fast(x, Activation::kNone, {}); y.defined()) return y;
  return at::linear(x.to(weight.scalar_type()), weight, bias);
}

at::Tensor Linear::gelu(const at::Tensor& x) const {
  if (auto y = fast(x, Activation::kGelu, {}); y.defined()) return y;
  return nn::gelu((*this)(x));
}

at::Tensor Linear::quick_gelu(const at::Tensor& x) const {
  if (auto y = fast(x, Activation::kQuickGelu, {}); y.defined()) return y;
  return nn::quick_gelu((*this)(x));
}

at::Tensor Linear::add(const at::Tensor& x, const at::Tensor& residual) const {
  if (auto y = fast(x, Activation::kNone, residual); y.defined()) return y;
  auto y = (*this)(x);
  return kept_by_autograd(y) ? residual + y : y.add_(residual);
}

at::Tensor gelu_mlp(const Linear& fc1, const Linear& fc2, const at::Tensor& x) {
  constexpr int64_t kHidden = int64_t{8} << 20;  // numbers of the hidden layer at once
  const auto rows = x.contiguous().view({-1, x.size(-1)});
  const int64_t band = std::max<int64_t>(kHidden / fc1.weight.size(0), 1);
  const auto* kernels = kernels_for(rows, fc1.weight);
  if (kernels == nullptr || kernels_for(rows, fc2.weight) == nullptr || rows.size(0) <= band)
    return fc2(fc1.gelu(x));
  const auto in = fc1.packed_->get(*kernels, fc1.weight, fc1.bias);
  const auto out = fc2.packed_->get(*kernels, fc2.weight, fc2.bias);
  auto y = pooled_empty({rows.size(0), out->out});
  for (int64_t first = 0; first < rows.size(0); first += band) {
    const int64_t count = std::min(band, rows.size(0) - first);
    const auto hidden = packed_product(*in, rows.narrow(0, first, count), Activation::kGelu);
    packed_product_into(*out, hidden, Activation::kNone, {}, y.narrow(0, first, count));
  }
  auto shape = x.sizes().vec();
  shape.back() = out->out;
  return y.view(shape);
}

LayerNorm::LayerNorm(const Weights& w, int64_t dim, double eps)
    : weight(w("weight", {dim})), bias(w("bias", {dim})), eps(eps) {}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  if (const auto* kernels = kernels_for(x, weight))
    return kernel_layer_norm(*kernels, x.contiguous(), weight, bias, eps);
  return at::layer_norm(x, weight.sizes(), weight, bias, eps);
}

at::Tensor LayerNorm::add(const at::Tensor& x, const at::Tensor& scale,
                          const at::Tensor& residual) const {
  if (const auto* kernels = kernels_for(x, weight); kernels != nullptr && fits_kernels(residual))
    return kernel_layer_norm(*kernels, x.contiguous(), weight * scale, bias * scale, eps, residual);
  return residual + scale * (*this)(x);
}

RmsNorm::RmsNorm(const Weights& w, int64_t dim, double eps)
    : weight(w("weight", {dim})), eps(eps) {}

at::Tensor RmsNorm::operator()(const at::Tensor& x) const {
  if (const auto* kernels = kernels_for(x, weight))
    return kernel_layer_norm(*kernels, x.contiguous(), weight, {}, eps);
  const auto y = x.to(at::kFloat);
  const auto scale = at::rsqrt(y.square().mean(-1, /*keepdim=*/true) + eps);
  return weight * (y * scale).to(x.scalar_type());
}

GroupNorm::GroupNorm(const Weights& w, int64_t dim, int64_t groups)
    : weight(w("weight", {dim})), bias(w("bias", {dim})), groups(groups) {}

at::Tensor GroupNorm::operator()(const at::Tensor& x) const {
  const auto y = at::group_norm(x.permute({0, 3, 1, 2}), groups, weight, bias);
  return y.permute({0, 2, 3, 1}).contiguous();
}

Conv2d::Conv2d(const Weights& w, ConvShape shape)
    : weight(w("weight", {shape.out, shape.in / shape.groups, shape.kernel, shape.kernel})),
      bias(shape.bias == Bias::kYes ? w("bias", {shape.out}) : at::Tensor()),
      shape(shape),
      packed_(std::make_shared<PackedConvolution>()) {}

at::Tensor Conv2d::fast(const at::Tensor& x, ConvEpilogue& epilogue) const {
  const auto* kernels = kernels_for(x, weight);
  return kernels ? packed_->run(*kernels, x, *this, epilogue) : at::Tensor();
}

at::Tensor Conv2d::operator()(const at::Tensor& x) const {
  ConvEpilogue nothing;
  if (auto y = fast(x, nothing); y.defined()) return y;
  auto y = at::conv2d(x.permute({0, 3, 1, 2}), weight, bias, shape.stride, shape.padding,
                      /*dilation=*/1, shape.groups);
  return y.permute({0, 2, 3, 1}).contiguous();  // a view when the convolution ran channels-last
}

at::Tensor Conv2d::add_to(const at::Tensor& x) const {
  ConvEpilogue residual{.residual = true};
  if (auto y = fast(x, residual); y.defined()) return y;
  auto y = (*this)(x);
  return kept_by_autograd(y) ? x + y : y.add_(x);
}

at::Tensor Conv2d::gelu_gated(const at::Tensor& x, const at::Tensor& gate, at::Tensor& sum) const {
  if (fits_kernels(gate)) {
    ConvEpilogue epilogue{.gelu = true, .gate = gate, .gated = sum};
    if (auto y = fast(x, epilogue); y.defined()) {
      sum = epilogue.gated;
      return y;
    }
  }
  auto y = nn::gelu((*this)(x));
  sum = sum.defined() ? sum + y * gate : y * gate;
  return y;
}

}  // namespace vesalius::nn
