#include "models/kv_cache.h"

#include <algorithm>

#include "base/error.h"

namespace vesalius::models {

KvCache::KvCache(int64_t layers, int64_t kv_heads, int64_t head_dim, at::TensorOptions options)
    : layers_(static_cast<size_t>(layers)),
      kv_heads_(kv_heads),
      head_dim_(head_dim),
      options_(options) {}

void KvCache::reserve(int64_t tokens) {
  constexpr int64_t kSome = 256;
  if (tokens <= capacity_) return;
  capacity_ = (tokens + kSome - 1) / kSome * kSome;
  const auto moved = [&](const at::Tensor& old) {
    auto room = at::empty({kv_heads_, capacity_, head_dim_}, options_);
    if (length_ > 0) room.narrow(1, 0, length_).copy_(old.narrow(1, 0, length_));
    return room;
  };
  for (auto& layer : layers_) layer = {moved(layer.keys), moved(layer.values)};
}

void KvCache::cut(int64_t length) {
  if (length < 0 || length > length_)
    fail(ErrorCode::kFailed, "The cache holds {} tokens and can't be cut to {}.", length_, length);
  length_ = length;
  short_tokens_ = std::min(short_tokens_, length);
}

KvCache::Layer KvCache::append(int64_t number, const at::Tensor& keys, const at::Tensor& values) {
  const int64_t tokens = keys.size(0);
  reserve(length_ + tokens);
  auto& layer = layers_[static_cast<size_t>(number)];
  layer.keys.narrow(1, length_, tokens).copy_(keys.transpose(0, 1));
  layer.values.narrow(1, length_, tokens).copy_(values.transpose(0, 1));
  return {layer.keys.narrow(1, 0, length_ + tokens), layer.values.narrow(1, 0, length_ + tokens)};
}

void KvCache::advance(int64_t tokens, bool long_rope) {
  if (!long_rope && short_tokens_ == length_) short_tokens_ += tokens;
  length_ += tokens;
}

}  // namespace vesalius::models
