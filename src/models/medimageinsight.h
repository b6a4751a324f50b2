// MedImageInsight: DaViT image tower and bidirectional CLIP text tower with a shared embedding
// space. Layout and names: the published checkpoint (601 tensors); see docs/models.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/weights.h"
#include "models/clip_text.h"
#include "models/davit.h"

namespace vesalius::models {

/// What the published config.yaml decides. Defaults are the released model's.
struct MedImageInsightConfig {
  int64_t image_size = 480;
  float mean[3] = {0.485F, 0.456F, 0.406F};
  float std[3] = {0.229F, 0.224F, 0.225F};
  DaVitConfig image;
  ClipTextConfig text;
  int64_t projection = 1024;
};

struct MedImageInsight {
  MedImageInsightConfig config;
  DaVit image_encoder;
  ClipText lang_encoder;
  at::Tensor image_projection, lang_projection, logit_scale;

  MedImageInsight(const Weights& w, MedImageInsightConfig config);

  /// [n, 3, S, S] normalised pixels -> [n, projection], projected, not L2-normalised.
  at::Tensor embed_images(const at::Tensor& pixels, const DropPath& drop = {}) const;
  /// Ragged token ids, each with begin and end -> [n, projection], projected, not L2-normalised.
  at::Tensor embed_tokens(const std::vector<std::vector<int32_t>>& ids) const;
};

/// Rows scaled to length one (eps as torch's F.normalize).
at::Tensor l2_normalise(const at::Tensor& x);

}  // namespace vesalius::models
