// The mask decoder of BiomedParse v2 and MedImageParse: BoltzFormer with an existence branch
// (microsoft/BoltzFormer, arXiv 2412.04668; BiomedParse v2, boltzformer_cls_decoder.py). Each query
// attends to pixels that are drawn at random, likelier where its last mask is, and ever more so
// from layer to layer. The draws happen in inference too.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "checkpoint/weights.h"
#include "models/mask_transformer.h"
#include "models/pixel_decoder.h"

namespace vesalius::models {

struct BoltzFormerConfig {
  TransformerConfig transformer;
  int64_t queries = 16, layers = 9;
  double sample_ratio = 0.1, base_temperature = 1;
};

/// Uniform numbers in [0, 1) of a shape: [images * prompts * heads, queries, positions], in the
/// order image, prompt, head. Asked for once a layer, and once before the first.
using Uniforms = std::function<at::Tensor(at::IntArrayRef shape)>;
/// Draws of LibTorch's generator on the CPU.
Uniforms generated_uniforms(uint64_t seed);

struct BoltzFormerMasks {
  at::Tensor masks;      // [batch, prompts, queries, height, width], logits at stride 4
  at::Tensor existence;  // [batch, prompts], logits of "is there at all"
};

struct BoltzFormerDecoder {
  std::string name;
  BoltzFormerConfig config;
  SelfAttentionLayer initial_self_attention;
  FeedforwardLayer initial_feedforward;
  std::vector<CrossAttentionLayer> cross_attention, existence_attention;
  std::vector<SelfAttentionLayer> self_attention;
  std::vector<FeedforwardLayer> feedforward, existence_feedforward;
  nn::LayerNorm decoder_norm;
  at::Tensor query_feat, query_embed;  // [queries, dim]
  at::Tensor existence_query;          // [1, dim]
  at::Tensor level_embed;              // [3, dim]
  MaskEmbed mask_embed;
  nn::Linear classifier;

  BoltzFormerDecoder(const Weights& w, const BoltzFormerConfig& config);
  /// Features of a batch of images and the tokens [batch, prompts, tokens, dim] of each, or [1, …]
  /// of all alike; shorter prompts filled up with zeros, which are attended to as in the reference.
  /// Prompts don't see each other.
  BoltzFormerMasks operator()(const PixelFeatures& features, const at::Tensor& tokens,
                              const Uniforms& uniforms) const;
};

/// Keys that a query does not see: those not drawn in `sample_ratio` of as many draws as there are
/// keys from exp(p / temperature), p the mask's probability. `uniforms` and the result [...,
/// keys] broadcast against masks [..., keys].
at::Tensor boltzmann_blocked(const at::Tensor& mask_logits, const at::Tensor& uniforms,
                             double temperature, double sample_ratio);

}  // namespace vesalius::models
