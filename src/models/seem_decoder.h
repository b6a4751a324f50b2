// The mask decoder of BiomedParse v1: SEEM's interface in its `demo` form (microsoft/BiomedParse,
// modeling/interface/seem_demo.py; arXiv 2304.06718). Queries attend to the pixels that their last
// masks hold, and together with the tokens of all prompts to each other.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "checkpoint/weights.h"
#include "models/mask_transformer.h"
#include "models/pixel_decoder.h"

namespace vesalius::models {

struct SeemConfig {
  TransformerConfig transformer;
  int64_t queries = 101, layers = 9;
};

struct SeemMasks {
  at::Tensor masks;     // [batch, queries, height, width], logits at stride 4
  at::Tensor captions;  // [batch, queries, dim], compared with texts
};

struct SeemDecoder {
  std::string name;
  SeemConfig config;
  std::vector<CrossAttentionLayer> cross_attention;
  std::vector<SelfAttentionLayer> self_attention;
  std::vector<FeedforwardLayer> feedforward;
  nn::LayerNorm decoder_norm;
  at::Tensor query_feat, query_embed;  // [queries, dim]
  at::Tensor level_embed;              // [3, dim]
  MaskEmbed mask_embed;
  at::Tensor class_embed;  // [dim, dim]

  SeemDecoder(const Weights& w, const SeemConfig& config);
  /// Features of a batch of images and the tokens [1, tokens, dim] of all prompts, which see each
  /// other.
  SeemMasks operator()(const PixelFeatures& features, const at::Tensor& tokens) const;
  /// The same before the first layer and behind each, `layers` + 1 in all: what training looks at.
  /// The training's own form (seem_v1) has further queries, for objects without words and for
  /// strokes, which these neither see nor are seen by.
  std::vector<SeemMasks> every_layer(const PixelFeatures& features, const at::Tensor& tokens) const;

 private:
  void run(const PixelFeatures& features, const at::Tensor& tokens,
           const std::function<void(SeemMasks)>& say) const;
};

}  // namespace vesalius::models
