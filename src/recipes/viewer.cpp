// Our own recipe: the picture that a viewer would show, then one resize.
#include <algorithm>
#include <cmath>
#include <optional>

#include "media/dicom_display.h"
#include "media/resize.h"
#include "recipes/orientation.h"
#include "recipes/parameters.h"
#include "recipes/percentile.h"
#include "recipes/steps.h"

namespace vesalius::recipes {

namespace {

using media::Image;
using media::Mode;

// From `low` (black) to `high` (white).
struct Range {
  double low = 0, high = 0;
};

// The range that the parameters ask for, if they ask for one.
std::optional<Range> asked_range(const Recipe& recipe, const std::vector<double>& values) {
  Json window = recipe.parameters.value("window", Json());
  if (window.is_string()) window = window_preset(window.get<std::string>());
  if (window.is_array()) {
    const double center = window[0], width = window[1];
    return Range{center - width / 2, center + width / 2};
  }
  const Json cuts = recipe.parameters.value("percentiles", Json());
  if (!cuts.is_array()) return std::nullopt;
  return Range{percentile(values, cuts[0].get<double>() / 100),
               percentile(values, cuts[1].get<double>() / 100)};
}

std::vector<uint8_t> to_bytes(const std::vector<double>& values, const Range& range) {
  std::vector<uint8_t> out(values.size(), 0);
  const double width = range.high - range.low;
  if (!(width > 0)) return out;
  for (size_t i = 0; i < values.size(); ++i) {
    const double part = (values[i] - range.low) / width;
    if (part > 0) out[i] = static_cast<uint8_t>(std::lround(std::min(part, 1.0) * 255));
  }
  return out;
}

// 16-bit and float grey have no agreed white: by default the image's own least and greatest value.
template <class T>
std::vector<uint8_t> ranged(const Recipe& recipe, std::span<const T> samples) {
  std::vector<double> finite;
  for (const T sample : samples) {
    if (std::isfinite(static_cast<double>(sample))) finite.push_back(static_cast<double>(sample));
  }
  if (finite.empty()) return std::vector<uint8_t>(samples.size(), 0);
  const auto [least, greatest] = std::minmax_element(finite.begin(), finite.end());
  const Range own{*least, *greatest};
  const Range range = asked_range(recipe, finite).value_or(own);
  return to_bytes({samples.begin(), samples.end()}, range);
}

// 16-bit colour: white is 65535.
std::vector<uint8_t> halved(std::span<const uint16_t> samples) {
  std::vector<uint8_t> out;
  out.reserve(samples.size());
  for (const uint16_t sample : samples) out.push_back(static_cast<uint8_t>((sample + 128) / 257));
  return out;
}

// How opaque a pixel is, 0 to 255.
int opacity(const Image& image, size_t pixel) {
  switch (image.mode) {
    case Mode::kGrayAlpha:
      return image.data[2 * pixel + 1];
    case Mode::kRgba:
      return image.data[4 * pixel + 3];
    case Mode::kPalette: {
      const size_t index = image.data[pixel];
      return index < image.palette_alpha.size() ? image.palette_alpha[index] : 255;
    }
    default:
      return 255;
  }
}

// What is transparent shows black behind it, the colour around a medical image.
Image on_black(const Image& image) {
  Image rgb = media::to_rgb(image);
  for (size_t i = 0; i < rgb.data.size(); ++i) {
    rgb.data[i] = static_cast<uint8_t>((rgb.data[i] * opacity(image, i / 3) + 127) / 255);
  }
  return rgb;
}

Image fitted(const Image& rgb, int size) {
  return media::resize(rgb, size, size, media::Filter::kBicubic);
}

bool is_gray(const media::DicomInfo& info) {
  return info.photometric == "MONOCHROME1" || info.photometric == "MONOCHROME2";
}

}  // namespace

Image eight_bit(const Recipe& recipe, Image image) {
  if (image.mode == Mode::kGray16) {
    image.data = ranged(recipe, image.pixels<uint16_t>());
    image.mode = Mode::kGray;
  } else if (image.mode == Mode::kGrayFloat) {
    image.data = ranged(recipe, image.pixels<float>());
    image.mode = Mode::kGray;
  } else if (image.mode == Mode::kRgb16 || image.mode == Mode::kRgba16) {
    const bool alpha = image.mode == Mode::kRgba16;
    image.data = halved(image.pixels<uint16_t>());
    image.mode = alpha ? Mode::kRgba : Mode::kRgb;
  }
  return image;
}

// A window or percentiles of the user's go before what the file says.
Image shown(const Recipe& recipe, const media::DicomFile& file, int frame,
            const std::string& where) {
  const media::DicomFrame stored = file.frame(frame);
  const media::DicomInfo info = file.frame_info(frame);
  if (!is_gray(info)) return media::display_frame(stored, info, where);
  std::vector<double> values(stored.values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const int32_t value = stored.values[i];
    values[i] = info.is_signed ? value : static_cast<double>(static_cast<uint32_t>(value));
  }
  values = media::modality_values(std::move(values), info);
  const std::optional<Range> range = asked_range(recipe, values);
  if (!range) return media::display_frame(stored, info, where);
  Image image;
  image.width = stored.columns;
  image.height = stored.rows;
  image.data = to_bytes(values, *range);
  if (info.photometric == "MONOCHROME1") {
    for (uint8_t& value : image.data) value = static_cast<uint8_t>(255 - value);
  }
  return image;
}

Image shown(const Recipe& recipe, const Image& image) {
  return on_black(upright(eight_bit(recipe, image)));
}

Image viewer(const Recipe& recipe, const ModelInput& input, const Image& image) {
  return fitted(shown(recipe, image), input.size);
}

Image viewer(const Recipe& recipe, const ModelInput& input, const media::DicomFile& file, int frame,
             const std::string& where) {
  return fitted(media::to_rgb(shown(recipe, file, frame, where)), input.size);
}

}  // namespace vesalius::recipes
