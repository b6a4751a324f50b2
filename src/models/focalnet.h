// FocalNet with focal modulation (microsoft/FocalNet, arXiv 2203.11926) as the backbone of
// BiomedParse (microsoft/BiomedParse, modeling/vision/backbone/focal.py): overlapping patch
// embeddings, norms behind the branches, layer scale, modulators divided by their number.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/weights.h"
#include "models/drop_path.h"
#include "nn/layers.h"

namespace vesalius::models {

/// Defaults are FocalNet-L's with four focal levels.
struct FocalNetConfig {
  int64_t embed_dim = 192;  // doubles from stage to stage
  std::vector<int64_t> depths{2, 2, 18, 2};
  int64_t focal_levels = 4, focal_window = 3, mlp_ratio = 4;
  double drop_path = 0.3;

  int64_t dim(size_t stage) const { return embed_dim << stage; }
};

/// A convolution that strides, then a norm: 7x7 by 4 with padding 2 at the stem, else 3x3 by 2.
struct FocalPatchEmbed {
  std::string name;
  int64_t multiple;  // of which the grid's sides must be; zeros are added right and below
  nn::Conv2d proj;
  nn::LayerNorm norm;

  FocalPatchEmbed(const Weights& w, int64_t in, int64_t out, bool is_stem);
  /// [batch, height, width, in] -> [batch, height', width', out]
  at::Tensor operator()(at::Tensor x) const;
};

/// proj(q * h(sum of gated contexts)): contexts are ever wider depth-wise convolutions, and the
/// mean of the widest.
struct FocalModulation {
  int64_t dim;
  nn::Linear f;  // query, context and one gate a level
  std::vector<nn::Conv2d> focal_layers;
  nn::Conv2d h;
  nn::Linear proj;

  FocalModulation(const Weights& w, int64_t dim, const FocalNetConfig& config);
  /// [batch, height, width, dim] -> the same
  at::Tensor operator()(const at::Tensor& x) const;
};

/// x += gamma_1 * norm1(modulation(x)); x += gamma_2 * norm2(mlp(x)).
struct FocalBlock {
  std::string name;
  double rate;  // of DropPath
  FocalModulation modulation;
  nn::LayerNorm norm1, norm2;
  nn::Linear fc1, fc2;
  at::Tensor gamma_1, gamma_2;  // [dim]

  FocalBlock(const Weights& w, int64_t dim, const FocalNetConfig& config, double rate);
  at::Tensor operator()(const at::Tensor& x, const DropPath& drop = {}) const;
};

struct FocalNet {
  std::string name;
  FocalPatchEmbed patch_embed;
  std::vector<std::vector<FocalBlock>> layers;
  std::vector<FocalPatchEmbed> downsamples;  // behind all stages but the last
  std::vector<nn::LayerNorm> norms;          // of the outputs

  FocalNet(const Weights& w, const FocalNetConfig& config);
  /// [batch, 3, height, width] -> res2 to res5: [batch, height / stride, width / stride, dim] of
  /// each stage, strides 4, 8, 16, 32.
  std::vector<at::Tensor> operator()(const at::Tensor& pixels, const DropPath& drop = {}) const;
};

}  // namespace vesalius::models
