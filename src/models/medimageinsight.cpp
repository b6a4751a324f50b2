#include "models/medimageinsight.h"

#include <utility>

#include "nn/trace.h"

namespace vesalius::models {
namespace {

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
      logit_scale(w("logit_scale", {})) {}

at::Tensor MedImageInsight::embed_images(const at::Tensor& pixels, const DropPath& drop) const {
  const auto& like = image_encoder.convs.front().proj.weight;
  nn::trace("input", pixels);
  const auto features = image_encoder(pixels.to(like.device(), like.scalar_type()), drop);
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
