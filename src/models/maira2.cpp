#include "models/maira2.h"

#include <algorithm>
#include <utility>

#include "nn/trace.h"

namespace vesalius::models {
namespace {

/// Of one row of an image; the top bit tells it from a token's number.
uint64_t image_key(uint64_t image, int64_t row) {
  uint64_t z = image + (static_cast<uint64_t>(row) + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return (z ^ (z >> 31)) | (uint64_t{1} << 63);
}

}  // namespace

Maira2::Maira2(const Weights& w, Maira2Config c)
    : config(std::move(c)),
      vision_tower(w / "vision_tower", config.vision),
      multi_modal_projector(w / "multi_modal_projector", config.projector),
      language_model(w / "language_model", config.text) {
  if (config.projector.in != config.vision.hidden || config.projector.out != config.text.hidden)
    fail(ErrorCode::kModel,
         "The projector goes from {} to {} channels, but the image encoder gives {} and the "
         "language model reads {}; the package's config.json does not fit together.",
         config.projector.in, config.projector.out, config.vision.hidden, config.text.hidden);
}

at::Tensor Maira2::features(const at::Tensor& pixels) const {
  nn::trace("pixels", pixels);
  const auto& like = vision_tower.cls_token;
  const auto hidden = vision_tower(pixels.to(like.device(), like.scalar_type()));
  const auto patches = hidden.narrow(1, 1, config.image_tokens());  // without CLS
  nn::trace("features", patches);
  auto projected = multi_modal_projector(patches);
  nn::trace("projected", projected);
  return projected;
}

at::Tensor Maira2::embeds(std::span<const int32_t> ids, const at::Tensor& features) const {
  std::vector<int64_t> places;
  for (size_t i = 0; i < ids.size(); ++i)
    if (ids[i] == config.image_token) places.push_back(static_cast<int64_t>(i));
  const auto rows = features.flatten(0, 1);
  if (std::ssize(places) != rows.size(0))
    fail(ErrorCode::kUnsupported,
         "The prompt has room for {} image tokens, but {} images give {}; every image needs {}.",
         places.size(), features.size(0), rows.size(0), config.image_tokens());
  auto x = language_model.embed(ids);
  if (!places.empty())
    x = x.index_copy(0, at::tensor(places, at::kLong).to(x.device()), rows.to(x.scalar_type()));
  nn::trace("embeds", x);
  return x;
}

PromptInput Maira2::prompt(std::vector<int32_t> ids, const at::Tensor& features,
                           std::span<const uint64_t> images) const {
  if (std::ssize(images) != features.size(0))
    fail(ErrorCode::kUsage, "{} hashes were given for {} images.", images.size(), features.size(0));
  PromptInput prompt{.embeds = embeds(ids, features)};
  int64_t row = 0;
  for (const int32_t id : ids) {
    const bool is_image = id == config.image_token;
    prompt.keys.push_back(is_image ? image_key(images[static_cast<size_t>(row / features.size(1))],
                                               row % features.size(1))
                                   : static_cast<uint64_t>(id));
    row += is_image;
  }
  prompt.ids = std::move(ids);
  return prompt;
}

}  // namespace vesalius::models
