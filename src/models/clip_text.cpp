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

/// Numbers of the texts, the shortest first.
std::vector<int64_t> by_length(const std::vector<std::vector<int32_t>>& ids,
                               const ClipTextConfig& config) {
  for (const auto& text : ids) check(text, config);
  std::vector<int64_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int64_t i) { return ids[i].size(); });
  return order;
}

std::vector<int64_t> inverse(const std::vector<int64_t>& order) {
  std::vector<int64_t> back(order.size());
  for (size_t i = 0; i < order.size(); ++i) back[order[i]] = static_cast<int64_t>(i);
  return back;
}

/// take(hidden states, pack) of every pass over the texts in that order.
template <class Take>
void each_pass(const ClipText& tower, const std::vector<std::vector<int32_t>>& ids,
               const std::vector<int64_t>& order, const Take& take) {
  for (size_t next = 0; next < order.size();) {
    Packed pack;
    do pack.add(ids[order[next++]]);
    while (next < order.size() &&
           std::ssize(pack.ids) + std::ssize(ids[order[next]]) <= kPackedTokens);
    const auto& table = tower.token_embedding;
    auto x = at::embedding(table, numbers(pack.ids, table)) +
             at::embedding(tower.positional_embedding, numbers(pack.positions, table));
    for (const auto& block : tower.resblocks) x = block(std::move(x), pack.groups);
    take(x, pack);
  }
}
}  // namespace

ClipTextBlock::ClipTextBlock(const Weights& w, const ClipTextConfig& c)
    : name(w.name()),
      heads(c.heads),
      autoregressive(c.autoregressive),
      ln_1(w / "ln_1", c.width, kEps),
      in_proj((w / "attn")("in_proj_weight", {3 * c.width, c.width}),
              (w / "attn")("in_proj_bias", {3 * c.width})),
      out_proj(w / "attn.out_proj", c.width, c.width),
      ln_2(w / "ln_2", c.width, kEps),
      c_fc(w / "mlp.c_fc", c.width, 4 * c.width),
      c_proj(w / "mlp.c_proj", 4 * c.width, c.width) {}

at::Tensor ClipTextBlock::operator()(at::Tensor x, const std::vector<nn::Sequences>& groups) const {
  const auto qkv = in_proj(ln_1(x));
  x = out_proj.add(autoregressive ? nn::causal_attention(qkv, heads, groups)
                                  : nn::packed_attention(qkv, heads, groups),
                   x);
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
  for (int64_t i = 0; i < c.layers; ++i) resblocks.emplace_back(w / "resblocks" / i, c);
}

at::Tensor ClipText::operator()(const std::vector<std::vector<int32_t>>& ids) const {
  if (ids.empty()) return token_embedding.new_empty({0, config.width});
  std::vector<at::Tensor> pooled;
  const auto order = by_length(ids, config);
  each_pass(*this, ids, order, [&](const at::Tensor& x, const Packed& pack) {
    pooled.push_back(ln_final(at::embedding(x, numbers(pack.ends, x))));  // [texts, width]
  });
  return at::embedding(at::cat(pooled), numbers(inverse(order), token_embedding));
}

std::vector<at::Tensor> ClipText::tokens(const std::vector<std::vector<int32_t>>& ids) const {
  std::vector<at::Tensor> hidden(ids.size());
  const auto order = by_length(ids, config);
  size_t next = 0;
  each_pass(*this, ids, order, [&](const at::Tensor& x, const Packed& pack) {
    const auto rows = ln_final(x);
    int64_t row = 0;
    for (const auto& group : pack.groups)
      for (int64_t i = 0; i < group.count; ++i, row += group.length)
        hidden[order[next++]] = rows.narrow(0, row, group.length);
  });
  return hidden;
}

}  // namespace vesalius::models
