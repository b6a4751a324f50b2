// BiomedParse (microsoft/BiomedParse; Nature Methods 2024): segmentation from words. Version 1 and
// version 2, which MedImageParse and MedImageParse 3D also are, share the backbone, the pixel
// decoder and the causal text tower. Names and shapes: the published checkpoints (1,131 and 1,050
// tensors); see docs/models.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "checkpoint/weights.h"
#include "models/boltzformer_decoder.h"
#include "models/clip_text.h"
#include "models/focalnet.h"
#include "models/output_head.h"
#include "models/pixel_decoder.h"
#include "models/seem_decoder.h"

namespace vesalius::models {

/// Sizes of BiomedBERT, which version 1 holds and never calls.
struct BiomedBertConfig {
  int64_t width = 768, layers = 12, vocabulary = 30522;
};

/// Defaults are the released models'.
struct BiomedParseConfig {
  FocalNetConfig backbone;
  PixelDecoderConfig pixel_decoder;
  ClipTextConfig text{.vocabulary = 49408,
                      .context = 77,
                      .width = 512,
                      .heads = 8,
                      .layers = 12,
                      .autoregressive = true};
  SeemConfig seem;                // of version 1
  BiomedBertConfig biomed;        // of version 1
  BoltzFormerConfig boltzformer;  // of version 2
  /// Of version 2's queries, the last ones, whose mean is the object's edge. 0: none.
  int64_t edge_queries = 4;
  /// Of version 2's output head; 0: there is none, as in the released models.
  int64_t output_channels = 0;
};

/// Prompts as the decoders want them.
struct Prompts {
  std::vector<at::Tensor> tokens;  // [length, dim] of each prompt, projected
  at::Tensor classes;              // [prompts, dim]: each prompt's last token
};

/// The text tower and its projection.
struct PromptEncoder {
  ClipText transformer;
  at::Tensor lang_proj, logit_scale;  // [width, dim], []

  /// `inner` is the tower's name under the scope: it differs between the versions.
  PromptEncoder(const Weights& w, const char* inner, const BiomedParseConfig& config);
  /// Ragged token ids, each with begin and one end.
  Prompts operator()(const std::vector<std::vector<int32_t>>& ids) const;
};

/// What all queries say of one image.
struct QueryMasks {
  at::Tensor masks;   // [queries, height / 4, width / 4], logits
  at::Tensor scores;  // [prompts, queries], scaled cosines by which queries are chosen
};

/// The mask of each prompt among those of all queries.
struct GroundedMasks {
  at::Tensor masks;    // [prompts, height / 4, width / 4], logits
  at::Tensor queries;  // [prompts], numbers of the queries that were chosen
  at::Tensor scores;   // [prompts, queries], scaled cosines by which they were
};

struct BiomedParseV1 {
  BiomedParseConfig config;
  FocalNet backbone;
  PixelDecoder pixel_decoder;
  SeemDecoder predictor;
  PromptEncoder lang_encoder;

  BiomedParseV1(const Weights& w, const BiomedParseConfig& config);
  /// Normalised pixels [1, 3, height, width], sides multiples of 32. Prompts of one call see each
  /// other.
  GroundedMasks operator()(const at::Tensor& pixels, const Prompts& prompts) const;
  PixelFeatures features(const at::Tensor& pixels, const DropPath& drop = {}) const;
  /// The rest of the call, for several sets of prompts on one image.
  GroundedMasks ground(const PixelFeatures& features, const Prompts& prompts) const;
  /// For training: what each image's queries say before the decoder's first layer and behind each.
  /// `prompts` of its own for every image.
  std::vector<std::vector<QueryMasks>> every_layer(const PixelFeatures& features,
                                                   const std::vector<Prompts>& prompts) const;
  /// Pixels 0 to 255 [batch, 3, height, width] by ImageNet's red, green and blue, which the file
  /// does not hold.
  static at::Tensor normalised(const at::Tensor& pixels);
  /// Whether a tensor of its file is for strokes, or BiomedBERT's, which no pass here asks for.
  static bool is_unused(std::string_view name);

 private:
  QueryMasks of_prompts(const SeemMasks& decoded, const Prompts& prompts) const;
};

struct ParsedMasks {
  at::Tensor masks;      // [batch, prompts, height / 4, width / 4], logits; / 2 with an output head
  at::Tensor edges;      // [batch, prompts, height / 4, width / 4]; undefined without edge queries
  at::Tensor existence;  // [batch, prompts], logits
};

struct BiomedParseV2 {
  BiomedParseConfig config;
  at::Tensor pixel_mean, pixel_std;  // [1, 3, 1, 1], of values 0 to 255
  FocalNet backbone;
  PixelDecoder pixel_decoder;
  BoltzFormerDecoder predictor;
  PromptEncoder language_encoder;
  at::Tensor class_embed;  // [dim, dim]; stored, of no use here
  std::optional<OutputHead> output_head;

  BiomedParseV2(const Weights& w, const BiomedParseConfig& config);
  /// Normalised pixels [batch, 3, height, width].
  ParsedMasks operator()(const at::Tensor& pixels, const Prompts& prompts,
                         const Uniforms& uniforms) const;
  PixelFeatures features(const at::Tensor& pixels, const DropPath& drop = {}) const;
  at::Tensor normalised(const at::Tensor& pixels) const;
  /// The rest of the call, for several sets of prompts on the same pixels.
  ParsedMasks parse(const at::Tensor& pixels, const PixelFeatures& features, const Prompts& prompts,
                    const Uniforms& uniforms) const;
  /// The same with prompts of its own for every image, as many for each, one image's behind
  /// another's.
  ParsedMasks parse_each(const at::Tensor& pixels, const PixelFeatures& features,
                         const Prompts& prompts, const Uniforms& uniforms) const;

 private:
  ParsedMasks decode(const at::Tensor& pixels, const PixelFeatures& features,
                     const at::Tensor& tokens, const Uniforms& uniforms) const;
};

}  // namespace vesalius::models
