#include "models/medimageinsight.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "nn/trace.h"

namespace vesalius::models {
namespace {

constexpr int64_t kPassPixels = int64_t{512} * 1024;

/// In fp32 whatever the tower ran in: next to nothing to do, and the result is compared by angles.
at::Tensor project(const at::Tensor& features, const at::Tensor& projection) {
  return at::matmul(features.to(at::kFloat), projection.to(at::kFloat));
}

}  // namespace

MedImageInsight::MedImageInsight(const Weights& w, MedImageInsightConfig c)
    : config(std::move(c)),
      image_encoder(w / "image_encoder", config.image),
      lang_encoder(w / "lang_encoder", config.text),
      image_projection(w("image_projection", {config.image.dims.back(), config.projection})),
      lang_projection(w("lang_projection", {config.text.width, config.projection})),
      logit_scale(w("logit_scale", {})) {
  if (config.text.autoregressive)
    fail(ErrorCode::kModel, "{} asks for a causal text tower; use the released, bidirectional one.",
         w.store().source());
}

at::Tensor MedImageInsight::embed_images(const at::Tensor& pixels, const DropPath& drop) const {
  const auto& like = image_encoder.convs.front().proj.weight;
  nn::trace("input", pixels);
  const auto x = pixels.to(like.device(), like.scalar_type());
  std::vector<at::Tensor> parts{x};
  // A pass of few images bounds memory and is as fast on a CPU; traces and training see the whole
  // batch.
  if (x.is_cpu() && !drop && !nn::tracing() && !at::GradMode::is_enabled())
    parts = x.split(std::max<int64_t>(1, kPassPixels / (1 + x.size(2) * x.size(3))));
  for (auto& part : parts) part = image_encoder(part, drop);
  const auto features = parts.size() == 1 ? parts[0] : at::cat(parts);
  nn::trace("image_encoder.norms", features);
  auto projected = project(features, image_projection);
  nn::trace("image_features", projected);
  return projected;
}

at::Tensor MedImageInsight::embed_tokens(const std::vector<std::vector<int32_t>>& ids) const {
  const auto features = lang_encoder(ids);
  nn::trace("lang_encoder.ln_final", features);
  auto projected = project(features, lang_projection);
  nn::trace("text_features", projected);
  return projected;
}

at::Tensor l2_normalise(const at::Tensor& x) {
  return x / x.norm(2, -1, /*keepdim=*/true).clamp_min(1e-12);
}

}  // namespace vesalius::models
