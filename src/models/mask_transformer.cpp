#include "models/mask_transformer.h"

#include <numbers>
#include <optional>

namespace vesalius::models {
namespace {

at::Tensor with(const at::Tensor& x, const at::Tensor& positions) {
  return positions.defined() ? x + positions : x;
}

/// Sines and cosines of one axis: [length, dim], even channels sines.
at::Tensor axis_positions(int64_t length, int64_t dim) {
  constexpr double kTemperature = 10000, kEps = 1e-6, kScale = 2 * std::numbers::pi;
  const auto steps = at::arange(1, length + 1, at::kFloat);
  const auto angle = steps / (static_cast<double>(length) + kEps) * kScale;
  const auto channel = at::arange(dim, at::kFloat);
  const auto power = 2 * at::floor_divide(channel, 2) / dim;
  const auto phase = angle.unsqueeze(1) / at::pow(kTemperature, power);  // [length, dim]
  const auto pairs = phase.view({length, dim / 2, 2});
  return at::stack({pairs.select(2, 0).sin(), pairs.select(2, 1).cos()}, 2).view({length, dim});
}

}  // namespace

MultiheadAttention::MultiheadAttention(const Weights& w, const TransformerConfig& c)
    : heads_(c.heads),
      in_proj_weight_(w("in_proj_weight", {3 * c.dim, c.dim})),
      in_proj_bias_(w("in_proj_bias", {3 * c.dim})),
      query_(project(kQuery)),
      key_(project(kKey)),
      value_(project(kValue)),
      out_proj_(w / "out_proj", c.dim, c.dim) {}

nn::Linear MultiheadAttention::project(Part part) const {
  const int64_t dim = in_proj_weight_.size(1);
  return {in_proj_weight_.narrow(0, part * dim, dim), in_proj_bias_.narrow(0, part * dim, dim)};
}

at::Tensor MultiheadAttention::heads_of(Part part, const at::Tensor& x) const {
  // A view made before the weight asked for gradients would not pass them on.
  const auto y = in_proj_weight_.requires_grad() ? project(part)(x)
                                                 : (part == kQuery ? query_
                                                    : part == kKey ? key_
                                                                   : value_)(x);
  return y.view({y.size(0), y.size(1), heads_, -1}).transpose(1, 2);
}

MultiheadAttention::Memory MultiheadAttention::memory(const at::Tensor& keys,
                                                      const at::Tensor& values) const {
  return {heads_of(kKey, keys), heads_of(kValue, values)};
}

at::Tensor MultiheadAttention::operator()(const at::Tensor& queries, const Memory& memory,
                                          const at::Tensor& blocked) const {
  const auto q = heads_of(kQuery, queries);  // [batch, heads, queries, head_dim]
  std::optional<at::Tensor> seen;
  if (blocked.defined()) seen = blocked.logical_not();
  const auto y = at::scaled_dot_product_attention(q, memory.k, memory.v, seen);
  return out_proj_(y.transpose(1, 2).reshape(queries.sizes()));
}

SelfAttentionLayer::SelfAttentionLayer(const Weights& w, const TransformerConfig& c)
    : self_attn(w / "self_attn", c), norm(w / "norm", c.dim) {}

at::Tensor SelfAttentionLayer::operator()(const at::Tensor& x, const at::Tensor& positions) const {
  const auto placed = x + positions;
  return norm(x + self_attn(placed, self_attn.memory(placed, x)));
}

CrossAttentionLayer::CrossAttentionLayer(const Weights& w, const TransformerConfig& c)
    : multihead_attn(w / "multihead_attn", c), norm(w / "norm", c.dim) {}

at::Tensor CrossAttentionLayer::operator()(const at::Tensor& x, const at::Tensor& positions,
                                           const MultiheadAttention::Memory& memory,
                                           const at::Tensor& blocked) const {
  return norm(x + multihead_attn(with(x, positions), memory, blocked));
}

FeedforwardLayer::FeedforwardLayer(const Weights& w, const TransformerConfig& c)
    : linear1(w / "linear1", c.dim, c.feedforward),
      linear2(w / "linear2", c.feedforward, c.dim),
      norm(w / "norm", c.dim) {}

at::Tensor FeedforwardLayer::operator()(const at::Tensor& x) const {
  return norm(linear2.add(nn::relu(linear1(x)), x));
}

MaskEmbed::MaskEmbed(const Weights& w, int64_t dim) {
  for (int64_t i = 0; i < 3; ++i) layers.emplace_back(w / "layers" / i, dim, dim);
}

at::Tensor MaskEmbed::operator()(at::Tensor x) const {
  return layers[2](nn::relu(layers[1](nn::relu(layers[0](x)))));
}

at::Tensor sine_positions(int64_t height, int64_t width, int64_t dim, const at::Tensor& like) {
  const auto rows = axis_positions(height, dim / 2).unsqueeze(1).expand({height, width, dim / 2});
  const auto columns = axis_positions(width, dim / 2).unsqueeze(0).expand({height, width, dim / 2});
  return at::cat({rows, columns}, 2).view({1, height * width, dim}).to(like.options());
}

at::Tensor resize_masks(const at::Tensor& masks, int64_t height, int64_t width) {
  return at::upsample_bilinear2d(masks, {height, width}, /*align_corners=*/false);
}

at::Tensor open_blocked_rows(const at::Tensor& blocked) {
  return blocked.logical_and(blocked.all(-1, /*keepdim=*/true).logical_not());
}

}  // namespace vesalius::models
