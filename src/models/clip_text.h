// The CLIP-style text tower of MedImageInsight and BiomedParse (microsoft/UniCL's transformer;
// openai/CLIP's blocks): QuickGELU, LayerNorm with eps 1e-12, pooled at the end-of-text token.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/weights.h"
#include "nn/attention.h"
#include "nn/layers.h"

namespace vesalius::models {

struct ClipTextConfig {
  int64_t vocabulary = 49408, context = 77, width = 1024, heads = 16, layers = 16;
  bool autoregressive = false;  // a token sees those before it alone: BiomedParse's
};

/// x += attn(ln_1(x)); x += mlp(ln_2(x)), on a packed batch of sequences.
struct ClipTextBlock {
  std::string name;
  int64_t heads;
  bool autoregressive;
  nn::LayerNorm ln_1;
  nn::Linear in_proj, out_proj;
  nn::LayerNorm ln_2;
  nn::Linear c_fc, c_proj;

  ClipTextBlock(const Weights& w, const ClipTextConfig& config);
  /// [rows, width] -> the same
  at::Tensor operator()(at::Tensor x, const std::vector<nn::Sequences>& groups) const;
};

struct ClipText {
  ClipTextConfig config;
  at::Tensor token_embedding, positional_embedding;
  std::vector<ClipTextBlock> resblocks;
  nn::LayerNorm ln_final;

  ClipText(const Weights& w, const ClipTextConfig& config);
  /// Ragged ids -> [texts, width]: the hidden state at each first end-of-text token (the largest
  /// id). Padding is never run: with masked keys it changes nothing. Texts are sorted by length and
  /// packed, a few thousand tokens at a time. Error kUnsupported for an empty or too long text, or
  /// an unknown id.
  at::Tensor operator()(const std::vector<std::vector<int32_t>>& ids) const;
  /// The hidden states of all tokens instead: [length, width] of each text.
  std::vector<at::Tensor> tokens(const std::vector<std::vector<int32_t>>& ids) const;
};

}  // namespace vesalius::models
