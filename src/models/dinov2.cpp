#include "models/dinov2.h"

#include <fmt/ranges.h>

#include <utility>

#include "nn/attention.h"
#include "nn/trace.h"

namespace vesalius::models {

int64_t Dinov2Config::depth() const {
  const int64_t wanted = tap < 0 ? layers + 1 + tap : tap;
  if (wanted < 0 || wanted > layers)
    fail(ErrorCode::kModel,
         "The image encoder has {} blocks, so there is no hidden state {} to give; use one from {} "
         "to {}.",
         layers, tap, -layers - 1, layers);
  return wanted;
}

Dinov2Block::Dinov2Block(const Weights& w, const Dinov2Config& c)
    : name(w.name()),
      heads(c.heads),
      norm1(w / "norm1", c.hidden, c.eps),
      query(w / "attention.attention.query", c.hidden, c.hidden, c.qkv_bias),
      key(w / "attention.attention.key", c.hidden, c.hidden, c.qkv_bias),
      value(w / "attention.attention.value", c.hidden, c.hidden, c.qkv_bias),
      dense(w / "attention.output.dense", c.hidden, c.hidden),
      layer_scale1((w / "layer_scale1")("lambda1", {c.hidden})),
      norm2(w / "norm2", c.hidden, c.eps),
      fc1(w / "mlp.fc1", c.hidden, c.mlp_ratio * c.hidden),
      fc2(w / "mlp.fc2", c.mlp_ratio * c.hidden, c.hidden),
      layer_scale2((w / "layer_scale2")("lambda1", {c.hidden})) {}

at::Tensor Dinov2Block::operator()(at::Tensor x) const {
  const auto shape = x.sizes().vec();
  const auto y = norm1(x).flatten(0, 1);  // [batch * tokens, hidden]
  const auto mixed =
      nn::packed_attention(nn::Qkv{query(y), key(y), value(y)}, heads, {{shape[0], shape[1]}});
  x = nn::add_product(std::move(x), dense(mixed).view(shape), layer_scale1);
  nn::trace(name, "attention", x);
  x = nn::add_product(std::move(x), nn::gelu_mlp(fc1, fc2, norm2(x)), layer_scale2);
  nn::trace(name, x);
  return x;
}

Dinov2::Dinov2(const Weights& w, const Dinov2Config& c)
    : name(w.name()),
      config(c),
      cls_token((w / "embeddings")("cls_token", {1, 1, c.hidden})),
      position_embeddings((w / "embeddings")("position_embeddings", {1, 1 + c.tokens(), c.hidden})),
      projection(w / "embeddings.patch_embeddings.projection",
                 {.in = 3, .out = c.hidden, .kernel = c.patch_size, .stride = c.patch_size}),
      layernorm(w / "layernorm", c.hidden, c.eps) {
  c.depth();  // refuses a layer that there is not
  if (c.mask_token) (w / "embeddings")("mask_token", {1, c.hidden});
  for (int64_t i = 0; i < c.layers; ++i) layer.emplace_back(w / "encoder.layer" / i, c);
}

at::Tensor Dinov2::operator()(const at::Tensor& pixels) const {
  const int64_t n = pixels.size(0), side = config.image_size;
  if (pixels.dim() != 4 || pixels.size(1) != 3 || pixels.size(2) != side || pixels.size(3) != side)
    fail(ErrorCode::kUnsupported, "The image encoder reads pixels [n, 3, {}, {}], not [{}].", side,
         side, fmt::join(pixels.sizes(), ", "));
  const auto patches = projection(pixels.permute({0, 2, 3, 1})).flatten(1, 2);
  auto x = at::cat({cls_token.expand({n, 1, config.hidden}), patches}, 1) + position_embeddings;
  if (nn::tracing()) nn::trace((name.empty() ? "" : name + ".") + "embeddings", x);
  const int64_t depth = config.depth();
  for (int64_t i = 0; i < depth; ++i) x = layer[i](std::move(x));  // [n, 1 + tokens, hidden]
  if (config.final_norm) x = layernorm(x);
  nn::trace(name.empty() ? "layernorm" : name, x);
  return x;
}

}  // namespace vesalius::models
