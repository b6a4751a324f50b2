// BiomedParse on seeded weights, as make_biomedparse_golden.py fills the published modules.
#pragma once

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/seeded.h"
#include "models/biomedparse.h"

namespace vesalius::testing {

using Tensors = std::map<std::string, at::Tensor>;

inline std::span<float> floats(const at::Tensor& x) {
  return {x.mutable_data_ptr<float>(), static_cast<size_t>(x.numel())};
}

/// What was stored under this name.
inline Tensors golden_of(const char* file) {
  return read_safetensors(fs::path(VESALIUS_SOURCE_DIR) / "tests/models/golden" / file);
}

/// The script's PROMPTS, for the tiny size.
inline std::vector<std::vector<int32_t>> tiny_prompts() {
  return {{510, 17, 44, 3, 511}, {510, 9, 511}, {510, 100, 211, 8, 9, 77, 5, 511}};
}

/// The script's TINY.
inline models::BiomedParseConfig tiny_biomedparse() {
  const models::TransformerConfig transformer{.dim = 64, .heads = 4, .feedforward = 96};
  models::BiomedParseConfig c;
  c.backbone.embed_dim = 16;
  c.backbone.depths = {1, 1, 2, 1};
  c.pixel_decoder = {.transformer = transformer, .encoder_layers = 2};
  c.text = {.vocabulary = 512,
            .context = 16,
            .width = 48,
            .heads = 4,
            .layers = 2,
            .autoregressive = true};
  c.seem = {.transformer = transformer, .queries = 7, .layers = 4};
  c.boltzformer = {.transformer = transformer, .queries = 6, .layers = 4};
  return c;
}

inline at::Tensor seeded_tensor(const std::string& name, at::IntArrayRef shape,
                                const Seeding& seeding) {
  const auto values = at::empty(shape, at::kFloat);
  for_seeded_chunks({.name = name, .shape = shape.vec()}, seeding,
                    [&](int64_t begin, std::span<const float> chunk) {
                      std::ranges::copy(chunk, floats(values).begin() + begin);
                    });
  return values;
}

/// Seeded values of every tensor that is used, the learned tables louder.
template <class Model>
Tensors seeded_biomedparse(const models::BiomedParseConfig& config) {
  const auto record = TensorStore::recording();
  const Model model(Weights(record), config);
  Seeding seeding;
  for (const auto* table : {"query_feat.weight", "query_embed.weight", "query_feat_.weight",
                            "query_embed_.weight", "level_embed.weight", "classifier_query.weight"})
    seeding.gains.push_back({table, 16});
  Tensors tensors;
  for (const auto& [name, like] : record->taken()) {
    tensors[name] = like;
    if (name.find("biomed_encoder") != std::string::npos) continue;  // stored and never used
    tensors[name] = seeded_tensor(name, like.sizes(), seeding);
  }
  return tensors;
}

/// Draw k is (unit("draw.k") + 1) / 2.
inline models::Uniforms seeded_draws() {
  return [k = 0](at::IntArrayRef shape) mutable {
    const auto drawn = at::empty(shape, at::kFloat);
    seeded_stream("draw." + std::to_string(k++), 7, 0, floats(drawn));
    return (drawn + 1) / 2;
  };
}

/// The script's: 512 values spread over a tensor, then its root mean square.
inline at::Tensor sample(const at::Tensor& x) {
  const auto flat = x.reshape(-1);
  const int64_t step = std::max<int64_t>(1, flat.numel() / 512);
  const auto rms = flat.to(at::kDouble).pow(2).mean().sqrt().to(at::kFloat).view(1);
  return at::cat({flat.slice(0, 0, std::nullopt, step).slice(0, 0, 512), rms});
}

/// Largest difference in units of the largest value.
inline double difference(const at::Tensor& a, const at::Tensor& reference) {
  return ((a - reference).abs().max() / reference.abs().max()).item<double>();
}

}  // namespace vesalius::testing
