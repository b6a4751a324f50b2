#include "media/resize.h"

#include <algorithm>
#include <cstring>

#include "media/resample.h"

namespace vesalius::media {

namespace {

// Pillow steps the source coordinate by addition, where rounding errors add up; only for 16-bit
// samples, which take another way through it, does it multiply.
std::vector<int> nearest_sources(int in, int out, bool by_addition) {
  const double step = static_cast<double>(in) / out;
  double at = step * 0.5;
  std::vector<int> sources(out);
  for (int i = 0; i < out; ++i, at += step) {
    sources[i] = std::min(static_cast<int>(by_addition ? at : (i + 0.5) * step), in - 1);
  }
  return sources;
}

std::vector<uint8_t> nearest(const Image& image, int width, int height) {
  const size_t pixel = static_cast<size_t>(mode_channels(image.mode)) * mode_bytes(image.mode);
  const size_t row = pixel * image.width;
  const bool by_addition = image.mode != Mode::kGray16;
  const std::vector<int> columns = nearest_sources(image.width, width, by_addition);
  std::vector<uint8_t> out(pixel * width * height);
  uint8_t* to = out.data();
  for (const int y : nearest_sources(image.height, height, by_addition)) {
    const uint8_t* from = image.data.data() + y * row;
    for (const int x : columns) {
      std::memcpy(to, from + x * pixel, pixel);
      to += pixel;
    }
  }
  return out;
}

uint8_t times(int value, int alpha) {  // value · alpha / 255, rounded
  const int product = value * alpha + 128;
  return static_cast<uint8_t>((product + (product >> 8)) >> 8);
}

uint8_t divided(int value, int alpha) {
  if (alpha == 0 || alpha == 255) return static_cast<uint8_t>(value);
  return static_cast<uint8_t>(std::min(255 * value / alpha, 255));
}

template <class Operation>
void with_alpha(std::vector<uint8_t>& pixels, int channels, Operation operation) {
  for (size_t i = 0; i + channels <= pixels.size(); i += channels) {
    const uint8_t alpha = pixels[i + channels - 1];
    for (int c = 0; c + 1 < channels; ++c) pixels[i + c] = operation(pixels[i + c], alpha);
  }
}

std::vector<uint8_t> resample_alpha(const Image& image, const Scaling& scaling,
                                    const Resampler& filter) {
  const int channels = mode_channels(image.mode);
  std::vector<uint8_t> pixels = image.data;
  with_alpha(pixels, channels, times);
  pixels = resample_u8(pixels.data(), channels, scaling, filter);
  with_alpha(pixels, channels, divided);
  return pixels;
}

std::vector<uint8_t> resampled(const Image& image, const Scaling& scaling,
                               const Resampler& filter) {
  switch (image.mode) {
    case Mode::kGray16:
      return resample_u16(image.pixels<uint16_t>().data(), scaling, filter);
    case Mode::kGrayFloat:
      return resample_f32(image.pixels<float>().data(), scaling, filter);
    case Mode::kGrayAlpha:
    case Mode::kRgba:
      return resample_alpha(image, scaling, filter);
    case Mode::kRgb16:
    case Mode::kRgba16:
      fail(ErrorCode::kUnsupported,
           "a {} image cannot be resized: Pillow has no 16-bit colour; reduce it to 8 bits first",
           mode_name(image.mode));
    default:
      return resample_u8(image.data.data(), mode_channels(image.mode), scaling, filter);
  }
}

void check(const Image& image, int width, int height) {
  if (width < 1 || height < 1 || image.width < 1 || image.height < 1) {
    fail(ErrorCode::kUsage, "cannot resize {}x{} pixels to {}x{}: every side must be at least 1",
         image.width, image.height, width, height);
  }
  // The image between the passes has one old side and one new one.
  const int64_t widest = std::max(image.width, width), tallest = std::max(image.height, height);
  if (widest * tallest > kMaxSamples / mode_channels(image.mode)) {
    fail(ErrorCode::kUsage,
         "cannot resize {}x{} pixels to {}x{}: that takes more than {} samples on the way",
         image.width, image.height, width, height, kMaxSamples);
  }
}

}  // namespace

Image resize(const Image& image, int width, int height, Filter filter, PassOrder order) {
  check(image, width, height);
  if (width == image.width && height == image.height) return image;
  const bool indexed = image.mode == Mode::kPalette || image.mode == Mode::kBilevel;
  Image out;
  out.width = width;
  out.height = height;
  out.mode = image.mode;
  out.palette = image.palette;
  out.palette_alpha = image.palette_alpha;
  out.orientation = image.orientation;
  if (filter == Filter::kNearest || indexed) {
    out.data = nearest(image, width, height);
  } else {
    const Scaling scaling = {image.width, image.height, width, height, order};
    out.data = resampled(image, scaling,
                         filter == Filter::kBicubic ? kBicubicResampler : kBilinearResampler);
  }
  return out;
}

}  // namespace vesalius::media
