#include "models/decoder.h"

#include <algorithm>
#include <utility>

#include "nn/attention.h"
#include "nn/trace.h"

namespace vesalius::models {
namespace {

constexpr bool kNoBias = false;

/// One Linear of all widths, called `joint`, or one for each.
std::vector<nn::Linear> linears(const Weights& w, bool fused, std::string_view joint,
                                const std::vector<std::pair<std::string_view, int64_t>>& parts,
                                int64_t in) {
  std::vector<nn::Linear> all;
  int64_t total = 0;
  for (const auto& [name, out] : parts) {
    total += out;
    if (!fused) all.emplace_back(w / name, in, out, kNoBias, nn::Role::kDecoder);
  }
  if (fused) all.emplace_back(w / joint, in, total, kNoBias, nn::Role::kDecoder);
  return all;
}

/// What they make of x: a tensor for each width.
std::vector<at::Tensor> project(const std::vector<nn::Linear>& parts, const at::Tensor& x,
                                at::IntArrayRef widths) {
  if (parts.size() == 1) return parts[0](x).split_with_sizes(widths, -1);
  std::vector<at::Tensor> all;
  for (const auto& part : parts) all.push_back(part(x));
  return all;
}

}  // namespace

DecoderBlock::DecoderBlock(const Weights& w, const DecoderConfig& c)
    : name(w.name()),
      config(c),
      input_layernorm(w / "input_layernorm", c.hidden, c.eps),
      qkv(linears(w / "self_attn", c.fused, "qkv_proj",
                  {{"q_proj", c.heads * c.head_dim},
                   {"k_proj", c.kv_heads * c.head_dim},
                   {"v_proj", c.kv_heads * c.head_dim}},
                  c.hidden)),
      o_proj(w / "self_attn.o_proj", c.heads * c.head_dim, c.hidden, kNoBias, nn::Role::kDecoder),
      post_attention_layernorm(w / "post_attention_layernorm", c.hidden, c.eps),
      gate_up(linears(w / "mlp", c.fused, "gate_up_proj",
                      {{"gate_proj", c.intermediate}, {"up_proj", c.intermediate}}, c.hidden)),
      down_proj(w / "mlp.down_proj", c.intermediate, c.hidden, kNoBias, nn::Role::kDecoder) {}

at::Tensor DecoderBlock::operator()(at::Tensor x, const nn::Rotation& rotation,
                                    const Attention& attend) const {
  const int64_t own = config.heads * config.head_dim, shared = config.kv_heads * config.head_dim;
  const auto heads = [&](const at::Tensor& y) { return y.unflatten(-1, {-1, config.head_dim}); };
  const auto parts = project(qkv, input_layernorm(x), {own, shared, shared});
  const auto q = nn::rotate(heads(parts[0]), rotation), k = nn::rotate(heads(parts[1]), rotation);
  x = o_proj.add(attend(q, k, heads(parts[2])), x);
  nn::trace(name, "self_attn", x);
  const int64_t hidden = config.intermediate;
  const auto mlp = project(gate_up, post_attention_layernorm(x), {hidden, hidden});
  x = down_proj.add(nn::silu_multiply(mlp[0], mlp[1]), x);
  nn::trace(name, x);
  return x;
}

Decoder::Decoder(const Weights& w, const DecoderConfig& c)
    : config(c),
      embed_tokens((w / "model.embed_tokens")("weight", {c.vocabulary, c.hidden})),
      norm(w / "model.norm", c.hidden, c.eps),
      lm_head(c.tied_head ? nn::Linear(embed_tokens, {})
                          : nn::Linear(w / "lm_head", c.hidden, c.vocabulary, kNoBias)) {
  for (int64_t i = 0; i < c.layers; ++i) layers.emplace_back(w / "model.layers" / i, c);
}

void Decoder::check(std::span<const int32_t> ids) const {
  for (const int32_t id : ids)
    if (id < 0 || id >= config.vocabulary)
      fail(ErrorCode::kModel, "Token {} is not among the model's {}; use its own tokenizer.", id,
           config.vocabulary);
}

at::Tensor Decoder::embed(std::span<const int32_t> ids) const {
  check(ids);
  const std::vector<int64_t> rows(ids.begin(), ids.end());
  return at::embedding(embed_tokens, at::tensor(rows, at::kLong).to(embed_tokens.device()));
}

at::Tensor Decoder::forward(const at::Tensor& embeds, KvCache& cache, int64_t whole) const {
  const int64_t tokens = embeds.size(0), length = cache.length() + tokens;
  const nn::Positions positions{cache.length(), tokens, std::max(length, whole)};
  const auto rotation = nn::rotation(config.rope, config.head_dim, positions, embeds.device());
  const int64_t window = config.sliding_window.value_or(0);
  auto x = embeds;
  for (int64_t i = 0; i < config.layers; ++i) {
    const auto attend = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
      const auto all = cache.append(i, k, v);
      return nn::text_attention(q.unsqueeze(0), all.keys.unsqueeze(0), all.values.unsqueeze(0),
                                window)
          .squeeze(0);
    };
    x = layers[static_cast<size_t>(i)](std::move(x), rotation, attend);
  }
  cache.advance(tokens, config.rope.is_long(positions.length));
  return norm(x);
}

at::Tensor Decoder::forward(const at::Tensor& embeds) const {
  const int64_t tokens = embeds.size(1), window = config.sliding_window.value_or(0);
  const auto rotation =
      nn::rotation(config.rope, config.head_dim, {0, tokens, tokens}, embeds.device());
  auto x = embeds;
  for (const auto& layer : layers)
    x = layer(std::move(x), rotation,
              [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
                return nn::text_attention(q, k.transpose(1, 2), v.transpose(1, 2), window);
              });
  return norm(x);
}

at::Tensor Decoder::logits(const at::Tensor& hidden) const { return lm_head(hidden); }

KvCache Decoder::cache() const {
  return {config.layers, config.kv_heads, config.head_dim, nn::cache_options(embed_tokens)};
}

}  // namespace vesalius::models
