// Attention helpers: packed sequences, windows of a token grid, and attention between channels.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace vesalius::nn {

/// `count` sequences of `length` rows each, one behind another.
struct Sequences {
  int64_t count, length;
};

/// Keys that a sequence shorter than `length` also sees: all alike, as the zero padding of a window
/// gives them, with the key and value that `qkv` [3 * dim] holds. Undefined: none.
struct PadKeys {
  at::Tensor qkv;
  int64_t length = 0;
};

/// Softmax attention inside each sequence of a packed batch, nothing padded: rows of all groups
/// stand behind one another. Equal pad keys enter as one key with the logarithm of their number
/// added to its score, which is the same sum. [rows, 3 * dim] -> [rows, dim]
at::Tensor packed_attention(const at::Tensor& qkv, int64_t heads,
                            const std::vector<Sequences>& groups, const PadKeys& pads = {});

/// Queries, keys and values that don't lie in one tensor, [rows, dim] each.
struct Qkv {
  at::Tensor q, k, v;
};
at::Tensor packed_attention(const Qkv& x, int64_t heads, const std::vector<Sequences>& groups);

/// The same where a token sees those before it and itself.
at::Tensor causal_attention(const at::Tensor& qkv, int64_t heads,
                            const std::vector<Sequences>& groups);

/// Causal attention of the last tokens of texts, whose heads share keys and values in groups: q
/// [batch, tokens, heads, head_dim], keys and values [batch, kv_heads, length, head_dim] of the
/// whole texts -> [batch, tokens, heads * head_dim]. With a window a token sees itself and so many
/// less one before it; 0: all.
at::Tensor text_attention(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values,
                          int64_t window = 0);

/// What keys and values of a decoder are kept as, beside its weights: on the CPU as planned.
at::TensorOptions cache_options(const at::Tensor& weight);

/// How a grid of tokens falls into square windows from the top left, those at the right and bottom
/// edge smaller. Windows of one shape stand together, so that they run as one batch.
class Windows {
 public:
  Windows(int64_t batch, int64_t height, int64_t width, int64_t window, at::Device device);
  /// [batch, height, width, dim] -> [rows, dim] in the order of the windows, and back.
  at::Tensor partition(const at::Tensor& x) const;
  at::Tensor reverse(const at::Tensor& rows) const;
  const std::vector<Sequences>& groups() const { return groups_; }
  int64_t area() const { return window_ * window_; }

 private:
  int64_t batch_, height_, width_, window_;
  std::vector<Sequences> groups_;
  at::Tensor order_, inverse_;  // row numbers
};

/// Attention between the channels of a group, scaled by the number of tokens (DaViT as in
/// Florence-2: softmax((q / sqrt(n))^T k) applied to v). [batch, tokens, 3 * dim] -> [batch,
/// tokens, dim]
at::Tensor channel_attention(const at::Tensor& qkv, int64_t groups);

}  // namespace vesalius::nn
