#include "models/seem_decoder.h"

#include <fmt/format.h>

#include <utility>

#include "nn/trace.h"

namespace vesalius::models {
namespace {

constexpr int64_t kLevels = 3;

/// What one layer's queries say: masks, captions, and the keys that the next layer does not see.
struct Heads {
  SeemMasks out;
  at::Tensor blocked;  // [batch, 1, queries, positions of the next level]
};

Heads predict(const SeemDecoder& decoder, const at::Tensor& queries, const PixelFeatures& features,
              size_t next_level) {
  const auto x = decoder.decoder_norm(queries);
  const auto& pixels = features.mask_features;
  const auto masks = at::matmul(decoder.mask_embed(x), pixels.flatten(1, 2).transpose(1, 2))
                         .view({x.size(0), x.size(1), pixels.size(1), pixels.size(2)});
  const auto& map = features.levels[next_level];
  const auto outside =
      resize_masks(masks.detach(), map.size(1), map.size(2)).sigmoid().flatten(2) < 0.5;
  return {{masks, at::matmul(x, decoder.class_embed)}, open_blocked_rows(outside).unsqueeze(1)};
}

}  // namespace

SeemDecoder::SeemDecoder(const Weights& w, const SeemConfig& c)
    : name(w.name()),
      config(c),
      decoder_norm(w / "decoder_norm", c.transformer.dim),
      query_feat(w("query_feat.weight", {c.queries, c.transformer.dim})),
      query_embed(w("query_embed.weight", {c.queries, c.transformer.dim})),
      level_embed(w("level_embed.weight", {kLevels, c.transformer.dim})),
      mask_embed(w / "mask_embed", c.transformer.dim),
      class_embed(w("class_embed", {c.transformer.dim, c.transformer.dim})) {
  for (int64_t i = 0; i < c.layers; ++i) {
    cross_attention.emplace_back(w / "transformer_cross_attention_layers" / i, c.transformer);
    self_attention.emplace_back(w / "transformer_self_attention_layers" / i, c.transformer);
    feedforward.emplace_back(w / "transformer_ffn_layers" / i, c.transformer);
  }
}

void SeemDecoder::run(const PixelFeatures& features, const at::Tensor& tokens,
                      const std::function<void(SeemMasks)>& say) const {
  const int64_t batch = features.mask_features.size(0), dim = config.transformer.dim;
  const auto of_batch = [&](const at::Tensor& x) { return x.expand({batch, -1, dim}); };
  const auto levels = level_tokens(features, level_embed);
  auto queries = of_batch(query_feat.unsqueeze(0)), words = of_batch(tokens);
  const auto query_positions = of_batch(query_embed.unsqueeze(0));
  // A token's position is the token as it came in.
  const auto positions = at::cat({query_positions, of_batch(tokens.detach())}, 1);
  auto heads = predict(*this, queries, features, 0);
  for (size_t i = 0; i < cross_attention.size(); ++i) {
    say(std::move(heads.out));
    const auto& level = levels[i % kLevels];
    const auto memory = cross_attention[i].multihead_attn.memory(level.keys, level.values);
    queries = cross_attention[i](queries, query_positions, memory, heads.blocked);
    nn::trace(name, fmt::format("transformer_cross_attention_layers.{}", i), queries);
    const auto all = feedforward[i](self_attention[i](at::cat({queries, words}, 1), positions));
    nn::trace(name, fmt::format("transformer_ffn_layers.{}", i), all);
    queries = all.narrow(1, 0, config.queries);
    words = all.narrow(1, config.queries, words.size(1));
    heads = predict(*this, queries, features, (i + 1) % kLevels);
  }
  say(std::move(heads.out));
}

SeemMasks SeemDecoder::operator()(const PixelFeatures& features, const at::Tensor& tokens) const {
  SeemMasks last;
  run(features, tokens, [&](SeemMasks said) { last = std::move(said); });
  nn::trace(name, "masks", last.masks);
  nn::trace(name, "captions", last.captions);
  return last;
}

std::vector<SeemMasks> SeemDecoder::every_layer(const PixelFeatures& features,
                                                const at::Tensor& tokens) const {
  std::vector<SeemMasks> all;
  run(features, tokens, [&](SeemMasks said) { all.push_back(std::move(said)); });
  return all;
}

}  // namespace vesalius::models
