// BiomedParse's pixel decoder: a feature pyramid whose coarsest map passes six transformer encoder
// layers (facebookresearch/MaskFormer's TransformerEncoderPixelDecoder, arXiv 2107.06278).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/weights.h"
#include "models/mask_transformer.h"
#include "nn/layers.h"

namespace vesalius::models {

struct PixelDecoderConfig {
  TransformerConfig transformer;
  int64_t encoder_layers = 6, groups = 32;
};

/// A convolution without bias, then a group norm.
struct NormedConv {
  std::string name;
  nn::Conv2d conv;
  nn::GroupNorm norm;

  NormedConv(const Weights& w, int64_t in, int64_t out, int64_t kernel, int64_t groups);
  at::Tensor operator()(const at::Tensor& x) const;
};

struct EncoderLayer {
  std::string name;
  MultiheadAttention self_attn;
  nn::LayerNorm norm1;
  nn::Linear linear1, linear2;
  nn::LayerNorm norm2;

  EncoderLayer(const Weights& w, const TransformerConfig& config);
  /// [batch, tokens, dim] and [1, tokens, dim] -> [batch, tokens, dim]
  at::Tensor operator()(at::Tensor x, const at::Tensor& positions) const;
};

/// What mask decoders read, all channels last.
struct PixelFeatures {
  at::Tensor mask_features;        // [batch, height / 4, width / 4, dim]
  std::vector<at::Tensor> levels;  // of strides 32, 16, 8: [batch, h, w, dim]
};

/// What queries attend to of one level: [batch, positions, dim] each.
struct LevelTokens {
  at::Tensor keys, values;  // keys carry the sine positions as well
};

/// Of every level, told apart by a learned row of `level_embed` [levels, dim].
std::vector<LevelTokens> level_tokens(const PixelFeatures& features, const at::Tensor& level_embed);

struct PixelDecoder {
  std::string name;
  int64_t dim;
  nn::Conv2d input_proj;
  std::vector<EncoderLayer> encoder;
  std::vector<NormedConv> adapters;  // of res2 to res4
  std::vector<NormedConv> layers;    // of res2 to res5
  nn::Conv2d mask_features;

  /// `channels` of res2 to res5.
  PixelDecoder(const Weights& w, const std::vector<int64_t>& channels,
               const PixelDecoderConfig& config);
  /// res2 to res5 as FocalNet gives them.
  PixelFeatures operator()(const std::vector<at::Tensor>& features) const;

 private:
  at::Tensor encode(const at::Tensor& coarsest) const;
};

}  // namespace vesalius::models
