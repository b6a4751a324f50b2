#include <algorithm>

#include "media/resize.h"

namespace vesalius::media {

namespace {

// One source pixel to three bytes, for each mode, as Pillow's convert.c has it.
void bilevel(const Image& image, uint8_t* out) {
  for (const uint8_t value : image.data) {
    out = std::fill_n(out, 3, static_cast<uint8_t>(value != 0 ? 255 : 0));
  }
}

void gray(const Image& image, uint8_t* out) {
  const size_t step = mode_channels(image.mode);  // alpha, where there is one, is dropped
  for (size_t i = 0; i < image.data.size(); i += step) out = std::fill_n(out, 3, image.data[i]);
}

void palette(const Image& image, uint8_t* out) {
  for (const uint8_t index : image.data) {
    for (size_t c = 0; c < 3; ++c) {
      const size_t at = size_t{index} * 3 + c;
      *out++ = at < image.palette.size() ? image.palette[at] : 0;
    }
  }
}

void rgba(const Image& image, uint8_t* out) {
  for (size_t i = 0; i + 4 <= image.data.size(); i += 4) {
    out = std::copy_n(image.data.begin() + static_cast<ptrdiff_t>(i), 3, out);
  }
}

void cmyk(const Image& image, uint8_t* out) {
  for (size_t i = 0; i + 4 <= image.data.size(); i += 4) {
    const int light = 255 - image.data[i + 3];
    for (size_t c = 0; c < 3; ++c) {
      const int product = image.data[i + c] * light + 128;
      *out++ = static_cast<uint8_t>(std::clamp(light - ((product + (product >> 8)) >> 8), 0, 255));
    }
  }
}

// 16-bit grey saturates: Pillow goes through "L" and does not scale.
void gray16(const Image& image, uint8_t* out) {
  for (const uint16_t value : image.pixels<uint16_t>()) {
    out = std::fill_n(out, 3, static_cast<uint8_t>(std::min<int>(value, 255)));
  }
}

void gray_float(const Image& image, uint8_t* out) {
  for (const float value : image.pixels<float>()) {
    const float held = value > 0.0F ? std::min(value, 255.0F) : 0.0F;  // not-a-number becomes 0 too
    out = std::fill_n(out, 3, static_cast<uint8_t>(held));
  }
}

// Pillow opens 16-bit colour by its high bytes.
void colour16(const Image& image, uint8_t* out) {
  const auto samples = image.pixels<uint16_t>();
  const size_t step = mode_channels(image.mode);
  for (size_t i = 0; i + step <= samples.size(); i += step) {
    for (size_t c = 0; c < 3; ++c) *out++ = static_cast<uint8_t>(samples[i + c] >> 8);
  }
}

using Converter = void (*)(const Image&, uint8_t*);
Converter converter(Mode mode) {
  switch (mode) {
    case Mode::kBilevel:
      return bilevel;
    case Mode::kGray:
    case Mode::kGrayAlpha:
      return gray;
    case Mode::kPalette:
      return palette;
    case Mode::kRgb:
      return nullptr;
    case Mode::kRgba:
      return rgba;
    case Mode::kGray16:
      return gray16;
    case Mode::kCmyk:
      return cmyk;
    case Mode::kRgb16:
    case Mode::kRgba16:
      return colour16;
    case Mode::kGrayFloat:
      return gray_float;
  }
  fail(ErrorCode::kFailed, "image mode {} has no conversion to RGB", static_cast<int>(mode));
}

}  // namespace

Image to_rgb(const Image& image) {
  const Converter convert = converter(image.mode);
  if (convert == nullptr) return image;
  Image out;
  out.width = image.width;
  out.height = image.height;
  out.mode = Mode::kRgb;
  out.orientation = image.orientation;
  out.data.resize(static_cast<size_t>(image.width) * image.height * 3);
  convert(image, out.data.data());
  return out;
}

}  // namespace vesalius::media
