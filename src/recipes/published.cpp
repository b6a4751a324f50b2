#include "recipes/steps.h"

namespace vesalius::recipes {

namespace {

using media::Image;
using media::Mode;

// Pillow opens 16-bit colour as 8 bits: its modes are those of the reference.
const char* pillow_mode(Mode mode) {
  if (mode == Mode::kRgb16) return media::mode_name(Mode::kRgb);
  if (mode == Mode::kRgba16) return media::mode_name(Mode::kRgba);
  return media::mode_name(mode);
}

Image as_pillow_opens(const Image& image) {
  const bool alpha = image.mode == Mode::kRgba16;
  if (image.mode != Mode::kRgb16 && !alpha) return image;
  Image out = image;
  out.mode = alpha ? Mode::kRgba : Mode::kRgb;
  out.data.clear();
  for (const uint16_t sample : image.pixels<uint16_t>()) {
    out.data.push_back(static_cast<uint8_t>(sample >> 8));
  }
  return out;
}

Image bicubic(const Recipe& recipe, const Image& image, int size) {
  return media::resize(image, size, size, media::Filter::kBicubic, pass_order(recipe));
}

}  // namespace

media::PassOrder pass_order(const Recipe& recipe) {
  return recipe.parameters.at("pillow") == 12 ? media::PassOrder::kAcrossFirst
                                              : media::PassOrder::kPillow13;
}

Image community(const Recipe& recipe, const ModelInput& input, const Image& image,
                const std::string& where) {
  switch (image.mode) {
    case Mode::kGray:
    case Mode::kGrayAlpha:
    case Mode::kRgb:
    case Mode::kRgb16:
      return bicubic(recipe, media::to_rgb(image), input.size);
    default:
      fail(ErrorCode::kUnsupported,
           "{} has the mode {}, which the reference of recipe '{}' cannot take (only L, LA and "
           "RGB); use recipe "
           "'vesalius' or 'azure-endpoint', or convert the file to RGB",
           where, pillow_mode(image.mode), recipe.name);
  }
}

Image azure_endpoint(const Recipe& recipe, const ModelInput& input, const Image& image) {
  const int size = recipe.parameters.at("image_standardization_image_size");
  const int quality = recipe.parameters.at("image_standardization_jpeg_compression_ratio");
  const Image standard = media::to_rgb(bicubic(recipe, as_pillow_opens(image), size));
  return bicubic(recipe, media::jpeg_round_trip(standard, quality), input.size);
}

}  // namespace vesalius::recipes
