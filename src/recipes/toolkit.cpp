// The clients' toolkit (github.com/microsoft/healthcareai-examples, MedImageInsightClient with its
// defaults).
#include <algorithm>
#include <cmath>

#include "recipes/percentile.h"
#include "recipes/spline_resize.h"
#include "recipes/steps.h"

namespace vesalius::recipes {

namespace {

using media::DicomInfo;
using media::Image;
using media::Mode;

constexpr int kToolkitSize = 480;

// Cut at the percentiles, scale to 0…255 in the type of the values, drop the fraction. A constant
// image divides nothing by nothing there, which numpy turns into 0.
template <class T, class Limit>
std::vector<uint8_t> scaled(const std::vector<T>& values, const Json& fractions) {
  const Limit low = percentile(values, fractions[0].get<double>());
  const Limit high = percentile(values, fractions[1].get<double>());
  std::vector<uint8_t> out(values.size(), 0);
  if (!(high > low)) return out;
  const Limit range = high - low;
  for (size_t i = 0; i < values.size(); ++i) {
    const Limit held = std::min(std::max(static_cast<Limit>(values[i]), low), high);
    const Limit unit = (held - low) / range;
    out[i] = static_cast<uint8_t>(unit * Limit{255});
  }
  return out;
}

// [height, width, channels] u8, each channel on its own.
std::vector<uint8_t> resized(const std::vector<uint8_t>& pixels, int width, int height,
                             int channels) {
  std::vector<uint8_t> out(static_cast<size_t>(kToolkitSize) * kToolkitSize * channels);
  for (int c = 0; c < channels; ++c) {
    Plane plane{width, height, {}};
    for (size_t i = c; i < pixels.size(); i += channels) plane.values.push_back(pixels[i]);
    const Plane made = spline_resize(plane, kToolkitSize, kToolkitSize);
    for (size_t i = 0; i < made.values.size(); ++i) {
      out[i * channels + c] = static_cast<uint8_t>(std::clamp(made.values[i], 0.0, 255.0));
    }
  }
  return out;
}

// What the client sends: an 8-bit PNG, grey as RGB.
Image sent(const std::vector<uint8_t>& pixels, int width, int height, int channels) {
  Image image;
  image.width = image.height = kToolkitSize;
  image.data = resized(pixels, width, height, channels);
  image.mode = channels == 2 ? Mode::kGrayAlpha : Mode::kRgb;
  if (channels == 1) {
    std::vector<uint8_t> rgb;
    rgb.reserve(3 * image.data.size());
    for (const uint8_t value : image.data) rgb.insert(rgb.end(), 3, value);
    image.data = std::move(rgb);
  }
  return image;
}

Image answered(const Recipe& recipe, const ModelInput& input, const Image& image,
               const std::string& where) {
  if (recipe.parameters.at("then") == "community") return community(recipe, input, image, where);
  return azure_endpoint(recipe, input, image);
}

// MONOCHROME1 as ITK reads it: stored values are turned over before they are rescaled.
double upright(int32_t stored, const DicomInfo& info) {
  const double value = info.is_signed ? stored : static_cast<double>(static_cast<uint32_t>(stored));
  if (info.photometric != "MONOCHROME1") return value;
  return info.is_signed ? -1 - value : std::ldexp(1.0, info.bits_stored) - 1 - value;
}

// What SimpleITK reads, as float32.
std::vector<float> itk_values(const media::DicomFrame& frame, const DicomInfo& info) {
  std::vector<float> values(frame.values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(upright(frame.values[i], info) * info.rescale_slope +
                                   info.rescale_intercept);
  }
  return values;
}

std::vector<float> itk_palette(const media::DicomFrame& frame, const DicomInfo& info,
                               const std::string& where) {
  std::vector<float> values;
  for (const auto& lut : info.palette) {
    if (!lut || lut->values.empty()) {
      fail(ErrorCode::kUnsupported,
           "{}: a palette image without red, green and blue tables; convert it to RGB", where);
    }
  }
  for (const int32_t index : frame.values) {
    for (const auto& lut : info.palette) {
      const int64_t last = static_cast<int64_t>(lut->values.size()) - 1;
      values.push_back(lut->values[std::clamp<int64_t>(int64_t{index} - lut->first, 0, last)]);
    }
  }
  return values;
}

}  // namespace

Image toolkit(const Recipe& recipe, const ModelInput& input, const Image& image,
              const std::string& where) {
  const Json& fractions = recipe.parameters.at("percentiles");
  const auto finish = [&](const std::vector<uint8_t>& pixels, int channels) {
    return answered(recipe, input, sent(pixels, image.width, image.height, channels), where);
  };
  const auto wide = image.pixels<uint16_t>();
  const auto real = image.pixels<float>();
  std::vector<uint8_t> high_bytes;
  switch (image.mode) {
    case Mode::kGray:
    case Mode::kPalette:  // its indices, taken for grey
      return finish(image.data, 1);
    case Mode::kGrayAlpha:
      return finish(image.data, 2);
    case Mode::kRgb:
      return finish(image.data, 3);
    case Mode::kRgb16:
      for (const uint16_t sample : wide) high_bytes.push_back(static_cast<uint8_t>(sample >> 8));
      return finish(high_bytes, 3);
    case Mode::kGray16:
      return finish(scaled<uint16_t, double>({wide.begin(), wide.end()}, fractions), 1);
    case Mode::kGrayFloat:
      return finish(scaled<float, float>({real.begin(), real.end()}, fractions), 1);
    default:
      fail(ErrorCode::kUnsupported,
           "{} has the mode {}, which the reference of recipe 'toolkit' cannot take; use recipe "
           "'vesalius' or "
           "'azure-endpoint', or convert the file to RGB",
           where, media::mode_name(image.mode));
  }
}

Image toolkit(const Recipe& recipe, const ModelInput& input, const media::DicomFile& file,
              int frame, const std::string& where) {
  const DicomInfo& info = file.info();
  const media::DicomFrame stored = file.frame(frame);
  const bool palette = info.photometric == "PALETTE COLOR";
  const std::vector<float> values =
      palette ? itk_palette(stored, info, where) : itk_values(stored, info);
  const int channels = palette ? 3 : stored.samples;
  if (channels != 1 && channels != 3) {
    fail(ErrorCode::kUnsupported, "{}: {} samples a pixel; recipe 'toolkit' takes 1 or 3", where,
         channels);
  }
  const std::vector<uint8_t> pixels =
      scaled<float, float>(values, recipe.parameters.at("percentiles"));
  return answered(recipe, input, sent(pixels, stored.columns, stored.rows, channels), where);
}

}  // namespace vesalius::recipes
