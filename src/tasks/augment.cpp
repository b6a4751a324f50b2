#include "tasks/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>

#include "base/error.h"
#include "media/resize.h"

namespace vesalius::tasks {
namespace {

using media::Image;

constexpr int kChannels = 3;
constexpr double kRadians = std::numbers::pi / 180;

uint8_t to_byte(double value) { return static_cast<uint8_t>(std::clamp(value, 0., 255.)); }

Image crop(const Image& image, int left, int top, int width, int height) {
  Image result{.width = width, .height = height, .mode = media::Mode::kRgb};
  result.data.resize(size_t(width) * height * kChannels);
  for (int y = 0; y < height; ++y)
    std::memcpy(&result.data[size_t(y) * width * kChannels],
                &image.data[(size_t(top + y) * image.width + left) * kChannels],
                size_t(width) * kChannels);
  return result;
}

/// torchvision's RandomResizedCrop: ten tries, then the whole image.
Image random_crop(const Image& image, const Augmentation& how, KeyedRandom& random) {
  const double area = double(image.width) * image.height;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target = area * random.uniform(how.scale_min, how.scale_max);
    const double ratio = std::exp(random.uniform(std::log(how.ratio_min), std::log(how.ratio_max)));
    const int width = static_cast<int>(std::lround(std::sqrt(target * ratio)));
    const int height = static_cast<int>(std::lround(std::sqrt(target / ratio)));
    if (width < 1 || height < 1 || width > image.width || height > image.height) continue;
    const auto left = static_cast<int>(random.below(image.width - width + 1));
    const auto top = static_cast<int>(random.below(image.height - height + 1));
    return crop(image, left, top, width, height);
  }
  return image;
}

void mirror(Image& image) {
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width / 2; ++x)
      for (int c = 0; c < kChannels; ++c)
        std::swap(image.data[(size_t(y) * image.width + x) * kChannels + c],
                  image.data[(size_t(y + 1) * image.width - 1 - x) * kChannels + c]);
}

/// Gamma, contrast about the middle, brightness: one look-up table.
void jitter_tones(Image& image, double strength, KeyedRandom& random) {
  const double gamma = std::exp(random.uniform(-0.35, 0.35) * strength);
  const double contrast = 1 + random.uniform(-0.3, 0.3) * strength;
  const double brightness = random.uniform(-0.1, 0.1) * strength;
  std::array<uint8_t, 256> table;
  for (int v = 0; v < 256; ++v)
    table[v] =
        to_byte(255 * ((std::pow(v / 255., gamma) - 0.5) * contrast + 0.5 + brightness) + 0.5);
  for (uint8_t& v : image.data) v = table[v];
}

/// torchvision's RandomErasing with value 0 before normalisation's mean: filled with mid-grey.
void erase(Image& image, KeyedRandom& random) {
  const double area = double(image.width) * image.height * random.uniform(0.02, 0.33);
  const double ratio = std::exp(random.uniform(std::log(0.3), std::log(3.3)));
  const int width = std::min(image.width, int(std::lround(std::sqrt(area * ratio))));
  const int height = std::min(image.height, int(std::lround(std::sqrt(area / ratio))));
  const auto left = random.below(image.width - width + 1),
             top = random.below(image.height - height + 1);
  constexpr uint8_t kGrey = 124;  // ImageNet's mean, zero after normalisation
  for (int64_t y = top; y < top + height; ++y)
    std::memset(&image.data[(y * image.width + left) * kChannels], kGrey,
                size_t(width) * kChannels);
}

/// The image at half to all of its size somewhere on black.
Image set_smaller(const Image& image, KeyedRandom& random) {
  const int width = std::max(1, int(image.width * random.uniform(0.5, 1)));
  const int height = std::max(1, int(image.height * random.uniform(0.5, 1)));
  const Image small = media::resize(image, width, height, media::Filter::kBilinear);
  const auto left = random.below(image.width - width + 1),
             top = random.below(image.height - height + 1);
  Image result{.width = image.width, .height = image.height, .mode = media::Mode::kRgb};
  result.data.assign(image.data.size(), 0);
  for (int64_t y = 0; y < height; ++y)
    std::memcpy(&result.data[((top + y) * image.width + left) * kChannels],
                &small.data[size_t(y) * width * kChannels], size_t(width) * kChannels);
  return result;
}

/// Colours turned about the grey axis (Rodrigues' formula) and drawn towards or away from it.
/// Grey stays grey.
void turn_colours(Image& image, double hue, KeyedRandom& random) {
  const double angle = random.uniform(-hue, hue) * std::numbers::pi;
  const double saturation = random.uniform(0.3, 1.3);
  const double cosine = std::cos(angle) * saturation;
  const double sine = std::sin(angle) * saturation / std::numbers::sqrt3;
  for (size_t i = 0; i + 2 < image.data.size(); i += kChannels) {
    uint8_t* rgb = &image.data[i];
    const double grey = (rgb[0] + rgb[1] + rgb[2]) / 3.;
    const double r = rgb[0] - grey, g = rgb[1] - grey, b = rgb[2] - grey;
    rgb[0] = to_byte(grey + cosine * r + sine * (b - g) + 0.5);
    rgb[1] = to_byte(grey + cosine * g + sine * (r - b) + 0.5);
    rgb[2] = to_byte(grey + cosine * b + sine * (g - r) + 0.5);
  }
}

}  // namespace

Augmentation hard_augmentation() {
  return {.scale_min = 0.15,
          .ratio_min = 0.6,
          .ratio_max = 1.67,
          .trivial = true,
          .erase = 0.25,
          .flip = 0.5,
          .rotate = 20,
          .tone = 1.5,
          .shrink = 0.4,
          .hue = 0.6};
}

Augmentation make_augmentation(const std::string& name) {
  if (name == "published") return {};
  if (name == "none")
    return {.scale_min = 1,
            .scale_max = 1,
            .ratio_min = 1,
            .ratio_max = 1,
            .trivial = false,
            .erase = 0};
  if (name == "gentle" || name == "varied")
    return {.scale_min = 0.6,
            .ratio_min = 0.8,
            .ratio_max = 1.25,
            .trivial = false,
            .erase = 0,
            .flip = 0.5,
            .rotate = 10,
            .tone = 1,
            .hard = name == "varied" ? 0.2 : 0};
  fail(ErrorCode::kUsage,
       "augmentation '{}' is not known; choose published, gentle, varied or none.", name);
}

Image transform(const Image& image, const Affine& m) {
  Image result{.width = image.width, .height = image.height, .mode = media::Mode::kRgb};
  result.data.assign(image.data.size(), 0);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const auto from_x = static_cast<int>(std::floor(m.a * (x + 0.5) + m.b * (y + 0.5) + m.c));
      const auto from_y = static_cast<int>(std::floor(m.d * (x + 0.5) + m.e * (y + 0.5) + m.f));
      if (from_x < 0 || from_y < 0 || from_x >= image.width || from_y >= image.height) continue;
      std::memcpy(&result.data[(size_t(y) * image.width + x) * kChannels],
                  &image.data[(size_t(from_y) * image.width + from_x) * kChannels], kChannels);
    }
  }
  return result;
}

Image rotate(const Image& image, double degrees) {
  const double cosine = std::cos(degrees * kRadians), sine = std::sin(degrees * kRadians);
  const double x = image.width / 2., y = image.height / 2.;
  return transform(image, {cosine, -sine, x - cosine * x + sine * y,  //
                           sine, cosine, y - sine * x - cosine * y});
}

Image augment(const Image& image, int size, const Augmentation& how, KeyedRandom& random) {
  if (random.chance(how.hard)) return augment(image, size, hard_augmentation(), random);
  Image result = random_crop(image, how, random);
  if (random.chance(how.shrink)) result = set_smaller(result, random);
  if (how.rotate > 0 && random.chance(0.5))
    result = rotate(result, random.uniform(-how.rotate, how.rotate));
  result = media::resize(result, size, size, media::Filter::kBicubic);
  if (random.chance(how.flip)) mirror(result);
  if (how.trivial) {
    const auto operation = static_cast<int>(random.below(kTrivialOperations));
    const double strength = static_cast<double>(random.below(31)) / 30;
    result = trivial_operation(result, operation, strength, random.chance(0.5) ? 1 : -1);
  }
  if (how.hue > 0) turn_colours(result, how.hue, random);
  if (how.tone > 0) jitter_tones(result, how.tone, random);
  if (random.chance(how.erase)) erase(result, random);
  return result;
}

}  // namespace vesalius::tasks
