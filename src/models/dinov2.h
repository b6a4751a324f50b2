// DINOv2's vision transformer (arXiv 2304.07193; names of transformers' Dinov2Model), the image
// encoder of RAD-DINO, MAIRA-2 and, as far as is known, CXRReportGen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/weights.h"
#include "nn/layers.h"

namespace vesalius::models {

struct Dinov2Config {
  int64_t image_size = 518, patch_size = 14, hidden = 768, layers = 12, heads = 12, mlp_ratio = 4;
  double eps = 1e-6;
  bool qkv_bias = true;
  bool mask_token = true;  // the file has one; only pre-training uses it
  /// Which hidden state is given: 0 is what enters the first block, i what block i gives, counted
  /// from 1; negative ones count from the last block, -1. Blocks behind it are not run.
  int64_t tap = -1;
  bool final_norm = true;  // the last LayerNorm on it

  int64_t grid() const { return image_size / patch_size; }
  int64_t tokens() const { return grid() * grid(); }  // of an image, without CLS
  /// Blocks to run for `tap`. Error kModel for a layer that there is not.
  int64_t depth() const;
};

/// x += layer_scale1 * attention(norm1(x)); x += layer_scale2 * mlp(norm2(x))
struct Dinov2Block {
  std::string name;
  int64_t heads;
  nn::LayerNorm norm1;
  nn::Linear query, key, value, dense;
  at::Tensor layer_scale1;  // [hidden]
  nn::LayerNorm norm2;
  nn::Linear fc1, fc2;
  at::Tensor layer_scale2;

  Dinov2Block(const Weights& w, const Dinov2Config& config);
  /// [batch, tokens, hidden] -> the same
  at::Tensor operator()(at::Tensor x) const;
};

struct Dinov2 {
  std::string name;
  Dinov2Config config;
  at::Tensor cls_token, position_embeddings;  // [1, 1, hidden], [1, 1 + tokens, hidden]
  nn::Conv2d projection;
  std::vector<Dinov2Block> layer;
  nn::LayerNorm layernorm;

  Dinov2(const Weights& w, const Dinov2Config& config);
  /// Normalised pixels [n, 3, S, S], S = image_size -> [n, 1 + tokens, hidden], CLS first. Error
  /// kUnsupported for another size: positions are not interpolated.
  at::Tensor operator()(const at::Tensor& pixels) const;
};

}  // namespace vesalius::models
