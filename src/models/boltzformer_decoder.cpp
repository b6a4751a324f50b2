#include "models/boltzformer_decoder.h"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include "nn/trace.h"

namespace vesalius::models {
namespace {

constexpr int64_t kLevels = 3;

/// One forward pass. Queries of all prompts of an image stand behind one another wherever they meet
/// its pixels, [batch, prompts * queries, dim], so that keys are made once an image.
class Pass {
 public:
  Pass(const BoltzFormerDecoder& decoder, const PixelFeatures& features, int64_t prompts,
       const Uniforms& uniforms)
      : d_(decoder),
        features_(features),
        uniforms_(uniforms),
        levels_(level_tokens(features, decoder.level_embed)),
        batch_(features.mask_features.size(0)),
        prompts_(prompts),
        dim_(decoder.config.transformer.dim) {}

  BoltzFormerMasks run(const at::Tensor& tokens) {
    const int64_t queries = d_.config.queries, words = tokens.size(2);
    const auto query_positions = of_all(d_.query_embed);
    text_ = tokens.expand({batch_, prompts_, words, dim_}).flatten(0, 1);
    const auto positions = at::cat({query_positions, text_.detach()}, 1);
    auto all = d_.initial_self_attention(at::cat({of_all(d_.query_feat), text_}, 1), positions);
    queries_ = d_.initial_feedforward(all.narrow(1, 0, queries));
    text_ = all.narrow(1, queries, words);
    nn::trace(d_.name, "initial_ffn_layer", queries_);
    predict(0, -1);
    auto existence = of_all(d_.existence_query);
    for (size_t i = 0; i < d_.cross_attention.size(); ++i) {
      attend(i, query_positions);
      all = d_.self_attention[i](at::cat({queries_, text_}, 1), positions);
      text_ = all.narrow(1, queries, words);
      queries_ = d_.feedforward[i](all.narrow(1, 0, queries));
      trace(i, "transformer_ffn_layers", queries_);
      predict((static_cast<int64_t>(i) + 1) % kLevels, static_cast<int64_t>(i));
      existence = look(i, existence, all.detach(), positions.detach());
    }
    nn::trace(d_.name, "masks", masks_);
    return {masks_, d_.classifier(existence).view({batch_, prompts_})};
  }

 private:
  void trace(size_t layer, const char* part, const at::Tensor& x) const {
    if (nn::tracing()) nn::trace(d_.name, fmt::format("{}.{}", part, layer), x);
  }

  /// A learned table [n, dim] for every prompt of every image: [batch * prompts, n, dim]
  at::Tensor of_all(const at::Tensor& table) const {
    return table.unsqueeze(0).expand({batch_ * prompts_, table.size(0), dim_});
  }
  at::Tensor by_image(const at::Tensor& x) const { return x.reshape({batch_, -1, dim_}); }
  at::Tensor by_prompt(const at::Tensor& x) const {
    return x.reshape({batch_ * prompts_, -1, dim_});
  }

  void attend(size_t layer, const at::Tensor& query_positions) {
    const auto& level = levels_[layer % kLevels];
    const auto& attention = d_.cross_attention[layer];
    const auto memory = attention.multihead_attn.memory(level.keys, level.values);
    queries_ =
        by_prompt(attention(by_image(queries_), by_image(query_positions), memory, blocked_));
    trace(layer, "transformer_cross_attention_layers", queries_);
  }

  at::Tensor look(size_t layer, const at::Tensor& existence, const at::Tensor& all,
                  const at::Tensor& positions) const {
    const auto& attention = d_.existence_attention[layer];
    const auto memory = attention.multihead_attn.memory(all + positions, all);
    const auto y = d_.existence_feedforward[layer](attention(existence, {}, memory));
    trace(layer, "classifier_ffn_layers", y);
    return y;
  }

  /// The masks as the queries have them now, and what the next layer will not see of its level.
  void predict(int64_t next_level, int64_t layer) {
    const auto& c = d_.config;
    const auto embedded = by_image(d_.mask_embed(d_.decoder_norm(queries_)));
    const auto& pixels = features_.mask_features;
    const auto masks = at::matmul(embedded, pixels.flatten(1, 2).transpose(1, 2))
                           .view({batch_, prompts_ * c.queries, pixels.size(1), pixels.size(2)});
    masks_ = masks.view({batch_, prompts_, c.queries, pixels.size(1), pixels.size(2)});
    const auto& map = features_.levels[next_level];
    const int64_t heads = c.transformer.heads, positions = map.size(1) * map.size(2);
    const auto drawn = uniforms_({batch_ * prompts_ * heads, c.queries, positions})
                           .view({batch_, prompts_, heads, c.queries, positions})
                           .transpose(1, 2);  // [batch, heads, prompts, queries, positions]
    const auto logits = resize_masks(masks.detach(), map.size(1), map.size(2))
                            .view({batch_, 1, prompts_, c.queries, positions});
    const double temperature = c.base_temperature / static_cast<double>(2 + layer);
    blocked_ = boltzmann_blocked(logits, drawn, temperature, c.sample_ratio).flatten(2, 3);
  }

  const BoltzFormerDecoder& d_;
  const PixelFeatures& features_;
  const Uniforms& uniforms_;
  std::vector<LevelTokens> levels_;
  int64_t batch_, prompts_, dim_;
  at::Tensor queries_, text_;  // [batch * prompts, queries or words, dim]
  at::Tensor masks_;           // [batch, prompts, queries, height, width]
  at::Tensor blocked_;         // [batch, heads, prompts * queries, positions]
};

}  // namespace

Uniforms generated_uniforms(uint64_t seed) {
  return [generator = at::detail::createCPUGenerator(seed)](at::IntArrayRef shape) {
    return at::empty(shape).uniform_(0, 1, generator);
  };
}

at::Tensor boltzmann_blocked(const at::Tensor& mask_logits, const at::Tensor& uniforms,
                             double temperature, double sample_ratio) {
  const auto weights = at::exp(mask_logits.sigmoid() / temperature);
  const auto probability = weights / weights.sum(-1, /*keepdim=*/true);
  const auto draws = static_cast<int64_t>(static_cast<double>(mask_logits.size(-1)) * sample_ratio);
  return open_blocked_rows(uniforms < at::pow(1 - probability, draws));
}

BoltzFormerDecoder::BoltzFormerDecoder(const Weights& w, const BoltzFormerConfig& c)
    : name(w.name()),
      config(c),
      initial_self_attention(w / "initial_self_attention_layer", c.transformer),
      initial_feedforward(w / "initial_ffn_layer", c.transformer),
      decoder_norm(w / "decoder_norm", c.transformer.dim),
      query_feat(w("query_feat_.weight", {c.queries, c.transformer.dim})),
      query_embed(w("query_embed_.weight", {c.queries, c.transformer.dim})),
      existence_query(w("classifier_query.weight", {1, c.transformer.dim})),
      level_embed(w("level_embed.weight", {kLevels, c.transformer.dim})),
      mask_embed(w / "mask_embed", c.transformer.dim),
      classifier(w / "classifier", c.transformer.dim, 1) {
  const auto& t = c.transformer;
  for (int64_t i = 0; i < c.layers; ++i) {
    cross_attention.emplace_back(w / "transformer_cross_attention_layers" / i, t);
    self_attention.emplace_back(w / "transformer_self_attention_layers" / i, t);
    feedforward.emplace_back(w / "transformer_ffn_layers" / i, t);
    existence_attention.emplace_back(w / "classifier_cross_attention_layers" / i, t);
    existence_feedforward.emplace_back(w / "classifier_ffn_layers" / i, t);
  }
}

BoltzFormerMasks BoltzFormerDecoder::operator()(const PixelFeatures& features,
                                                const at::Tensor& tokens,
                                                const Uniforms& uniforms) const {
  return Pass(*this, features, tokens.size(1), uniforms).run(tokens);
}

}  // namespace vesalius::models
