// Keys and values of the tokens that a decoder has seen.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace vesalius::models {

/// One block of memory a layer, as long as was reserved; a prefix stays when the rest is cut off.
class KvCache {
 public:
  KvCache(int64_t layers, int64_t kv_heads, int64_t head_dim, at::TensorOptions options = {});

  int64_t length() const { return length_; }
  /// Makes room for `tokens` tokens in all; what is there stays.
  void reserve(int64_t tokens);
  /// Keeps the first `length` tokens. Error kFailed for more than there are.
  void cut(int64_t length);
  /// Writes keys and values [tokens, kv_heads, head_dim] of one layer behind what is there; gives
  /// that layer's keys and values [kv_heads, length + tokens, head_dim], views. All layers get the
  /// same number of tokens, then advance() counts them.
  struct Layer {
    at::Tensor keys, values;
  };
  Layer append(int64_t layer, const at::Tensor& keys, const at::Tensor& values);
  /// `long_rope`: these tokens were turned by LongRoPE's long factors.
  void advance(int64_t tokens, bool long_rope = false);
  /// How many tokens at the beginning were turned by short factors (all, without LongRoPE).
  int64_t short_tokens() const { return short_tokens_; }

 private:
  std::vector<Layer> layers_;  // [kv_heads, capacity, head_dim]
  int64_t kv_heads_, head_dim_, capacity_ = 0, length_ = 0, short_tokens_ = 0;
  at::TensorOptions options_;
};

}  // namespace vesalius::models
