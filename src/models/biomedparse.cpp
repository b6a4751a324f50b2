#include "models/biomedparse.h"

#include <algorithm>
#include <array>

#include "nn/trace.h"

namespace vesalius::models {
namespace {

const char* const kDecoder = "sem_seg_head.pixel_decoder";
const char* const kPredictor = "sem_seg_head.predictor";

std::vector<int64_t> channels(const FocalNetConfig& c) {
  std::vector<int64_t> dims;
  for (size_t stage = 0; stage < c.depths.size(); ++stage) dims.push_back(c.dim(stage));
  return dims;
}

/// weight and bias of a layer that nobody calls.
void take_affine(const Weights& w, at::IntArrayRef weight) {
  w("weight", weight);
  w("bias", {weight[0]});
}

/// BiomedBERT, which version 1 was published with and never calls: its tokenizer setting decides
/// for the tower above.
void take_biomed_encoder(const Weights& w, const BiomedBertConfig& c) {
  constexpr int64_t kPositions = 512, kKinds = 2;
  const int64_t dim = c.width;
  const auto embeddings = w / "embeddings";
  embeddings("word_embeddings.weight", {c.vocabulary, dim});
  embeddings("position_embeddings.weight", {kPositions, dim});
  embeddings("token_type_embeddings.weight", {kKinds, dim});
  take_affine(embeddings / "LayerNorm", {dim});
  for (int64_t i = 0; i < c.layers; ++i) {
    const auto layer = w / "encoder.layer" / i;
    for (const auto* part : {"query", "key", "value"})
      take_affine(layer / "attention.self" / part, {dim, dim});
    take_affine(layer / "attention.output.dense", {dim, dim});
    take_affine(layer / "attention.output.LayerNorm", {dim});
    take_affine(layer / "intermediate.dense", {4 * dim, dim});
    take_affine(layer / "output.dense", {dim, 4 * dim});
    take_affine(layer / "output.LayerNorm", {dim});
  }
  take_affine(w / "pooler.dense", {dim, dim});
}

/// Parts of the names that take_unused() asks for.
constexpr std::array<std::string_view, 5> kUnused{".biomed_encoder.", ".pn_indicator.",
                                                  ".mask_sptial_embed.", ".spatial_embed.",
                                                  ".spatial_featured."};

/// What version 1's file holds for strokes and other prompts than words.
void take_unused(const Weights& w, const BiomedParseConfig& c) {
  constexpr int64_t kMemories = 32;
  const int64_t dim = c.seem.transformer.dim;
  w("dilation_kernel", {1, 1, 3, 3});
  const auto predictor = w / kPredictor;
  predictor("pn_indicator.weight", {2, dim});
  for (int64_t i = 0; i < 3; ++i)
    predictor("mask_sptial_embed." + std::to_string(i), {dim, dim});  // as published
  predictor("spatial_embed.weight", {kMemories, dim});
  predictor("spatial_featured.weight", {kMemories, dim});
  take_biomed_encoder(predictor / "lang_encoder.biomed_encoder", c.biomed);
}

/// Rows scaled to length one as the reference has it.
at::Tensor normalise(const at::Tensor& x) { return x / (x.norm(2, -1, /*keepdim=*/true) + 1e-7); }

PixelFeatures image_of(const PixelFeatures& features, int64_t i) {
  PixelFeatures one{features.mask_features.narrow(0, i, 1), {}};
  for (const auto& level : features.levels) one.levels.push_back(level.narrow(0, i, 1));
  return one;
}

/// [prompts, longest, dim], shorter ones filled up with zeros.
at::Tensor pad(const std::vector<at::Tensor>& tokens) {
  int64_t longest = 0;
  for (const auto& one : tokens) longest = std::max(longest, one.size(0));
  std::vector<at::Tensor> rows;
  for (const auto& one : tokens)
    rows.push_back(at::constant_pad_nd(one, {0, 0, 0, longest - one.size(0)}));
  return at::stack(rows);
}

}  // namespace

PromptEncoder::PromptEncoder(const Weights& w, const char* inner, const BiomedParseConfig& c)
    : transformer(w / inner, c.text),
      lang_proj(w("lang_proj", {c.text.width, c.pixel_decoder.transformer.dim})),
      logit_scale(w("logit_scale", {})) {}

Prompts PromptEncoder::operator()(const std::vector<std::vector<int32_t>>& ids) const {
  Prompts prompts;
  std::vector<at::Tensor> ends;
  for (const auto& hidden : transformer.tokens(ids)) {
    prompts.tokens.push_back(at::matmul(hidden, lang_proj));
    ends.push_back(prompts.tokens.back()[-1]);
  }
  prompts.classes = at::stack(ends);
  nn::trace("prompts.classes", prompts.classes);
  return prompts;
}

BiomedParseV1::BiomedParseV1(const Weights& w, const BiomedParseConfig& c)
    : config(c),
      backbone(w / "backbone", c.backbone),
      pixel_decoder(w / kDecoder, channels(c.backbone), c.pixel_decoder),
      predictor(w / kPredictor, c.seem),
      lang_encoder(w / kPredictor / "lang_encoder", "lang_encoder", c) {
  take_unused(w, c);
}

PixelFeatures BiomedParseV1::features(const at::Tensor& pixels, const DropPath& drop) const {
  return pixel_decoder(backbone(pixels, drop));
}

QueryMasks BiomedParseV1::of_prompts(const SeemMasks& decoded, const Prompts& prompts) const {
  const auto scale = lang_encoder.logit_scale.exp().clamp_max(100);
  return {decoded.masks[0],
          scale * at::matmul(normalise(prompts.classes), normalise(decoded.captions[0]).t())};
}

GroundedMasks BiomedParseV1::ground(const PixelFeatures& features, const Prompts& prompts) const {
  const auto all = of_prompts(predictor(features, at::cat(prompts.tokens).unsqueeze(0)), prompts);
  const auto chosen = all.scores.argmax(-1);  // [prompts]
  return {all.masks.index_select(0, chosen), chosen, all.scores};
}

std::vector<std::vector<QueryMasks>> BiomedParseV1::every_layer(
    const PixelFeatures& features, const std::vector<Prompts>& prompts) const {
  std::vector<std::vector<QueryMasks>> images(prompts.size());
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto own = image_of(features, static_cast<int64_t>(i));
    for (const auto& said : predictor.every_layer(own, at::cat(prompts[i].tokens).unsqueeze(0)))
      images[i].push_back(of_prompts(said, prompts[i]));
  }
  return images;
}

at::Tensor BiomedParseV1::normalised(const at::Tensor& pixels) {
  const auto row = [&](float r, float g, float b) {
    return at::tensor({r, g, b}).view({1, 3, 1, 1}).to(pixels.device());
  };
  return (pixels - row(123.675F, 116.28F, 103.53F)) / row(58.395F, 57.12F, 57.375F);
}

bool BiomedParseV1::is_unused(std::string_view name) {
  return name == "dilation_kernel" || std::ranges::any_of(kUnused, [&](std::string_view part) {
           return name.find(part) != std::string_view::npos;
         });
}

GroundedMasks BiomedParseV1::operator()(const at::Tensor& pixels, const Prompts& prompts) const {
  return ground(features(pixels), prompts);
}

BiomedParseV2::BiomedParseV2(const Weights& w, const BiomedParseConfig& c)
    : config(c),
      pixel_mean(w("pixel_mean", {1, 3, 1, 1})),
      pixel_std(w("pixel_std", {1, 3, 1, 1})),
      backbone(w / "backbone", c.backbone),
      pixel_decoder(w / kDecoder, channels(c.backbone), c.pixel_decoder),
      predictor(w / kPredictor, c.boltzformer),
      language_encoder(w / kPredictor / "language_encoder", "encoder_transformer", c),
      class_embed((w / kPredictor)(
          "class_embed", {c.boltzformer.transformer.dim, c.boltzformer.transformer.dim})) {
  const int64_t objects = c.boltzformer.queries - c.edge_queries;
  if (c.output_channels > 0) output_head.emplace(w, objects, c.output_channels);
}

PixelFeatures BiomedParseV2::features(const at::Tensor& pixels, const DropPath& drop) const {
  return pixel_decoder(backbone(pixels, drop));
}

at::Tensor BiomedParseV2::normalised(const at::Tensor& pixels) const {
  return (pixels - pixel_mean) / pixel_std;
}

ParsedMasks BiomedParseV2::parse(const at::Tensor& pixels, const PixelFeatures& features,
                                 const Prompts& prompts, const Uniforms& uniforms) const {
  return decode(pixels, features, pad(prompts.tokens).unsqueeze(0), uniforms);
}

ParsedMasks BiomedParseV2::parse_each(const at::Tensor& pixels, const PixelFeatures& features,
                                      const Prompts& prompts, const Uniforms& uniforms) const {
  const auto tokens = pad(prompts.tokens);  // [batch * prompts, tokens, dim]
  return decode(pixels, features, tokens.unflatten(0, {pixels.size(0), -1}), uniforms);
}

ParsedMasks BiomedParseV2::decode(const at::Tensor& pixels, const PixelFeatures& features,
                                  const at::Tensor& tokens, const Uniforms& uniforms) const {
  const auto decoded = predictor(features, tokens, uniforms);
  const int64_t edges = config.edge_queries, objects = config.boltzformer.queries - edges;
  const auto masks = decoded.masks.narrow(2, 0, objects);
  ParsedMasks result{
      output_head ? (*output_head)(pixels, masks) : masks.mean(2), {}, decoded.existence};
  if (edges > 0) result.edges = decoded.masks.narrow(2, objects, edges).mean(2);
  return result;
}

ParsedMasks BiomedParseV2::operator()(const at::Tensor& pixels, const Prompts& prompts,
                                      const Uniforms& uniforms) const {
  return parse(pixels, features(pixels), prompts, uniforms);
}

}  // namespace vesalius::models
