#include "models/pixel_decoder.h"

#include <fmt/format.h>

#include "nn/trace.h"

namespace vesalius::models {
namespace {

/// Each pixel repeated, [batch, h, w, dim] -> [batch, height, width, dim].
at::Tensor upsample_nearest(const at::Tensor& x, int64_t height, int64_t width) {
  return at::upsample_nearest2d(x.permute({0, 3, 1, 2}), {height, width}).permute({0, 2, 3, 1});
}

}  // namespace

std::vector<LevelTokens> level_tokens(const PixelFeatures& features,
                                      const at::Tensor& level_embed) {
  std::vector<LevelTokens> tokens;
  for (const auto& map : features.levels) {
    const auto values = map.flatten(1, 2) + level_embed[std::ssize(tokens)];
    const auto positions = sine_positions(map.size(1), map.size(2), map.size(3), map);
    tokens.push_back({values + positions, values});
  }
  return tokens;
}

NormedConv::NormedConv(const Weights& w, int64_t in, int64_t out, int64_t kernel, int64_t groups)
    : name(w.name()),
      conv(w, {.in = in,
               .out = out,
               .kernel = kernel,
               .padding = kernel / 2,
               .groups = 1,
               .bias = nn::Bias::kNo}),
      norm(w / "norm", out, groups) {}

at::Tensor NormedConv::operator()(const at::Tensor& x) const {
  auto y = norm(conv(x));
  nn::trace(name, y);
  return y;
}

EncoderLayer::EncoderLayer(const Weights& w, const TransformerConfig& c)
    : name(w.name()),
      self_attn(w / "self_attn", c),
      norm1(w / "norm1", c.dim),
      linear1(w / "linear1", c.dim, c.feedforward),
      linear2(w / "linear2", c.feedforward, c.dim),
      norm2(w / "norm2", c.dim) {}

at::Tensor EncoderLayer::operator()(at::Tensor x, const at::Tensor& positions) const {
  const auto placed = x + positions;
  x = norm1(x + self_attn(placed, self_attn.memory(placed, x)));
  x = norm2(linear2.add(nn::relu(linear1(x)), x));
  nn::trace(name, x);
  return x;
}

PixelDecoder::PixelDecoder(const Weights& w, const std::vector<int64_t>& channels,
                           const PixelDecoderConfig& c)
    : name(w.name()),
      dim(c.transformer.dim),
      input_proj(w / "input_proj", {channels.back(), dim, 1}),
      mask_features(w / "mask_features", {dim, dim, 3, 1, 1}) {
  for (int64_t i = 0; i < c.encoder_layers; ++i)
    encoder.emplace_back(w / "transformer.encoder.layers" / i, c.transformer);
  for (size_t i = 0; i < channels.size(); ++i) {
    if (i + 1 < channels.size())
      adapters.emplace_back(w / fmt::format("adapter_{}", i + 1), channels[i], dim, 1, c.groups);
    layers.emplace_back(w / fmt::format("layer_{}", i + 1), dim, dim, 3, c.groups);
  }
}

at::Tensor PixelDecoder::encode(const at::Tensor& coarsest) const {
  const auto x = input_proj(coarsest);
  const auto positions = sine_positions(x.size(1), x.size(2), dim, x);
  auto tokens = x.flatten(1, 2);  // [batch, tokens, dim]
  for (const auto& layer : encoder) tokens = layer(tokens, positions);
  return tokens.view_as(x);
}

PixelFeatures PixelDecoder::operator()(const std::vector<at::Tensor>& features) const {
  PixelFeatures result;
  auto y = nn::relu(layers.back()(encode(features.back())));
  result.levels.push_back(y);
  for (size_t i = adapters.size(); i-- > 0;) {
    const auto lateral = adapters[i](features[i]);
    y = nn::relu(layers[i](lateral + upsample_nearest(y, lateral.size(1), lateral.size(2))));
    if (i > 0) result.levels.push_back(y);
  }
  result.mask_features = mask_features(y);
  nn::trace(name, "mask_features", result.mask_features);
  return result;
}

}  // namespace vesalius::models
