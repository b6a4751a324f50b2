// The parts that BiomedParse's pixel decoder and both of its mask decoders are made of
// (facebookresearch/Mask2Former, arXiv 2112.01527): norms behind each residual sum, positions added
// to queries and keys alone, ReLU.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/weights.h"
#include "nn/layers.h"

namespace vesalius::models {

struct TransformerConfig {
  int64_t dim = 512, heads = 8, feedforward = 2048;
};

/// torch.nn.MultiheadAttention with one weight for queries, keys and values.
class MultiheadAttention {
 public:
  MultiheadAttention(const Weights& w, const TransformerConfig& config);

  /// Keys and values of a memory, made once for all who attend to it.
  struct Memory {
    at::Tensor k, v;  // [batch, heads, keys, head_dim]
  };
  Memory memory(const at::Tensor& keys, const at::Tensor& values) const;
  /// [batch, queries, dim] -> the same. `blocked` [batch, heads or 1, queries, keys], true where a
  /// query does not see a key; undefined: it sees all.
  at::Tensor operator()(const at::Tensor& queries, const Memory& memory,
                        const at::Tensor& blocked = {}) const;

 private:
  enum Part { kQuery, kKey, kValue };
  nn::Linear project(Part part) const;
  at::Tensor heads_of(Part part, const at::Tensor& x) const;

  int64_t heads_;
  at::Tensor in_proj_weight_, in_proj_bias_;  // [3 * dim, dim], [3 * dim]
  nn::Linear query_, key_, value_;            // views of them
  nn::Linear out_proj_;
};

/// norm(x + attention(x + positions, x + positions, x))
struct SelfAttentionLayer {
  MultiheadAttention self_attn;
  nn::LayerNorm norm;

  SelfAttentionLayer(const Weights& w, const TransformerConfig& config);
  /// [batch, tokens, dim] twice -> the same
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& positions) const;
};

/// norm(x + attention(x + positions, memory))
struct CrossAttentionLayer {
  MultiheadAttention multihead_attn;
  nn::LayerNorm norm;

  CrossAttentionLayer(const Weights& w, const TransformerConfig& config);
  /// `positions` of the queries, or undefined.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& positions,
                        const MultiheadAttention::Memory& memory,
                        const at::Tensor& blocked = {}) const;
};

/// norm(x + linear2(relu(linear1(x))))
struct FeedforwardLayer {
  nn::Linear linear1, linear2;
  nn::LayerNorm norm;

  FeedforwardLayer(const Weights& w, const TransformerConfig& config);
  at::Tensor operator()(const at::Tensor& x) const;
};

/// Three linear layers with ReLU between: what a query becomes to be compared with pixels.
struct MaskEmbed {
  std::vector<nn::Linear> layers;

  MaskEmbed(const Weights& w, int64_t dim);
  at::Tensor operator()(at::Tensor x) const;
};

/// Sine positions of a grid (DETR's, normalised to 2 pi, counted from 1): [1, height * width, dim],
/// the first half of the channels for rows, the second for columns.
at::Tensor sine_positions(int64_t height, int64_t width, int64_t dim, const at::Tensor& like);

/// Mask logits [batch, masks, height, width] resized to a level's grid: bilinear, corners not
/// aligned.
at::Tensor resize_masks(const at::Tensor& masks, int64_t height, int64_t width);

/// Rows of a mask that block every key block none instead. [..., keys] of truth values
at::Tensor open_blocked_rows(const at::Tensor& blocked);

}  // namespace vesalius::models
