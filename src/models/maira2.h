// MAIRA-2 (arXiv 2406.04449) and CXRReportGen: image tokens of chest films among the words that a
// decoder reads. Names of the published files: vision_tower., multi_modal_projector.,
// language_model.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "checkpoint/weights.h"
#include "models/decoder.h"
#include "models/dinov2.h"
#include "models/generation.h"
#include "models/projector.h"

namespace vesalius::models {

/// Defaults are MAIRA-2's; CXRReportGen's differ in data alone.
struct Maira2Config {
  Dinov2Config vision;
  ProjectorConfig projector;
  DecoderConfig text;
  int32_t image_token = 32204;

  int64_t image_tokens() const { return vision.tokens(); }  // of one image
};

struct Maira2 {
  Maira2Config config;
  Dinov2 vision_tower;
  Projector multi_modal_projector;
  Decoder language_model;

  Maira2(const Weights& w, Maira2Config config);
  /// Normalised pixels [n, 3, S, S] -> [n, tokens, text.hidden], without CLS.
  at::Tensor features(const at::Tensor& pixels) const;
  /// Ids, every image token once for each of its rows; features [n, tokens, text.hidden] in the
  /// order of the images -> [ids, text.hidden]. Differentiable. Error kUnsupported if the number of
  /// image tokens is not that of the rows.
  at::Tensor embeds(std::span<const int32_t> ids, const at::Tensor& features) const;
  /// The same as a prompt; `images` are hashes of the images' content, in order.
  PromptInput prompt(std::vector<int32_t> ids, const at::Tensor& features,
                     std::span<const uint64_t> images) const;
};

}  // namespace vesalius::models
