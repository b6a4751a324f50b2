#include "models/clip_text.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "nn/trace.h"

namespace vesalius::models {
namespace {
constexpr double kEps = 1e-12;
constexpr int64_t kPackedTokens = 4096;  // bounds memory; long before it products run at full speed

/// Texts of one pass behind one another: what each row is, and which row is each text's result.
struct Packed {
  std::vector<int64_t> ids, positions, ends;
  std::vector<nn::Sequences> groups;

  void add(const std::vector<int32_t>& text) {
    const auto end = std::ranges::max_element(text) - text.begin();  // the first of the largest
    ends.push_back(static_cast<int64_t>(ids.size()) + end);
    for (size_t i = 0; i < text.size(); ++i) positions.push_back(static_cast<int64_t>(i));
    ids.insert(ids.end(), text.begin(), text.end());
    const auto length = static_cast<int64_t>(text.size());
    if (groups.empty() || groups.back().length != length) groups.push_back({0, length});
    ++groups.back().count;
  }
};

void check(const std::vector<int32_t>& text, const ClipTextConfig& c) {
  const auto length = static_cast<int64_t>(text.size());
  if (length == 0 || length > c.context)
    fail(ErrorCode::kUnsupported, "A text of {} tokens does not fit; the model reads 1 to {}.",
         length, c.context);
  for (const int32_t id : text)
    if (id < 0 || id >= c.vocabulary)
      fail(ErrorCode::kModel, "Token {} is not among the model's {}; use its own tokenizer.", id,
           c.vocabulary);
}

at::Tensor numbers(const std::vector<int64_t>& values, const at::Tensor& like) {
  return at::tensor(values, at::kLong).to(like.device());
}
}  // namespace

ClipTextBlock::ClipTextBlock(const Weights& w, int64_t width, int64_t heads)
    : name(w.name()),
      heads(heads),
      ln_1(w / "ln_1", width, kEps),
      in_proj((w / "attn")("in_proj_weight", {3 * width, width}),
              (w / "attn")("in_proj_bias", {3 * width})),
      out_proj(w / "attn.out_proj", width, width),
      ln_2(w / "ln_2", width, kEps),
      c_fc(w / "mlp.c_fc", width, 4 * width),
      c_proj(w / "mlp.c_proj", 4 * width, width) {}

at::Tensor ClipTextBlock::operator()(at::Tensor x, const std::vector<nn::Sequences>& groups) const {
  x = out_proj.add(nn::packed_attention(in_proj(ln_1(x)), heads, groups), x);
  nn::trace(name, "attn", x);
  x = c_proj.add(c_fc.quick_gelu(ln_2(x)), x);
  nn::trace(name, x);
  return x;
}

ClipText::ClipText(const Weights& w, const ClipTextConfig& c)
    : config(c),
      token_embedding(w("token_embedding.weight", {c.vocabulary, c.width})),
      positional_embedding(w("positional_embedding", {c.context, c.width})),
      ln_final(w / "ln_final", c.width, kEps) {
  if (c.autoregressive)
    fail(ErrorCode::kModel, "{} asks for a causal text tower; use the released, bidirectional one.",
         w.store().source());
  for (int64_t i = 0; i < c.layers; ++i)
    resblocks.emplace_back(w / "resblocks" / i, c.width, c.heads);
}

at::Tensor ClipText::operator()(const std::vector<std::vector<int32_t>>& ids) const {
  for (const auto& text : ids) check(text, config);
  if (ids.empty()) return token_embedding.new_empty({0, config.width});
  std::vector<int64_t> order(ids.size()), back(ids.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int64_t i) { return ids[i].size(); });
  for (size_t i = 0; i < order.size(); ++i) back[order[i]] = static_cast<int64_t>(i);
  std::vector<at::Tensor> pooled;
  for (size_t next = 0; next < order.size();) {
    Packed pack;
    do pack.add(ids[order[next++]]);
    while (next < order.size() &&
           std::ssize(pack.ids) + std::ssize(ids[order[next]]) <= kPackedTokens);
    auto x = at::embedding(token_embedding, numbers(pack.ids, token_embedding)) +
             at::embedding(positional_embedding, numbers(pack.positions, token_embedding));
    for (const auto& block : resblocks) x = block(std::move(x), pack.groups);
    pooled.push_back(ln_final(at::embedding(x, numbers(pack.ends, x))));  // [texts, width]
  }
  return at::embedding(at::cat(pooled), numbers(back, token_embedding));
}

}  // namespace vesalius::models
