// The fourteen operations of TrivialAugmentWide (Müller and Hutter, arXiv 2103.10158), with its
// widest ranges.
#include <algorithm>
#include <array>
#include <cmath>

#include "tasks/augment.h"

namespace vesalius::tasks {
namespace {

using media::Image;

constexpr int kChannels = 3;

uint8_t to_byte(double value) { return static_cast<uint8_t>(std::clamp(value, 0., 255.)); }

double luma(const uint8_t* rgb) { return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]; }

template <class F>
Image map_samples(Image image, const F& f) {
  for (uint8_t& v : image.data) v = f(v);
  return image;
}

Image sheared(const Image& image, double x, double y) {
  return transform(image, {.a = 1, .b = x, .d = y, .e = 1});
}

Image shifted(const Image& image, double x, double y) { return transform(image, {.c = x, .f = y}); }

Image brightness(const Image& image, double factor) {
  return map_samples(image, [&](uint8_t v) { return to_byte(v * factor); });
}

Image color(Image image, double factor) {
  for (size_t i = 0; i < image.data.size(); i += kChannels) {
    const double grey = luma(&image.data[i]);
    for (int c = 0; c < kChannels; ++c)
      image.data[i + c] = to_byte(grey + factor * (image.data[i + c] - grey));
  }
  return image;
}

Image contrast(const Image& image, double factor) {
  double sum = 0;
  for (size_t i = 0; i < image.data.size(); i += kChannels) sum += luma(&image.data[i]);
  const size_t pixels = image.data.size() / kChannels;
  const double mean = std::floor(sum / static_cast<double>(pixels) + 0.5);
  return map_samples(image, [&](uint8_t v) { return to_byte(mean + factor * (v - mean)); });
}

/// Blends with a 3x3 smoothing (5 in the centre, 1 around); the border is left as it is.
Image sharpness(const Image& image, double factor) {
  Image result = image;
  const int64_t row = int64_t(image.width) * kChannels;
  for (int y = 1; y + 1 < image.height; ++y) {
    for (int64_t i = kChannels; i < row - kChannels; ++i) {
      const uint8_t* at = &image.data[y * row + i];
      int sum = 4 * at[0];
      for (int dy = -1; dy <= 1; ++dy)
        for (int64_t dx = -1; dx <= 1; ++dx) sum += at[dy * row + dx * kChannels];
      const double smooth = std::floor(sum / 13. + 0.5);
      result.data[y * row + i] = to_byte(smooth + factor * (at[0] - smooth));
    }
  }
  return result;
}

using Table = std::array<uint8_t, 256>;

Image with_tables(Image image, const std::array<Table, kChannels>& tables) {
  for (size_t i = 0; i < image.data.size(); ++i)
    image.data[i] = tables[i % kChannels][image.data[i]];
  return image;
}

std::array<std::array<int, 256>, kChannels> histograms(const Image& image) {
  std::array<std::array<int, 256>, kChannels> counts{};
  for (size_t i = 0; i < image.data.size(); ++i) ++counts[i % kChannels][image.data[i]];
  return counts;
}

Image autocontrast(const Image& image) {
  std::array<Table, kChannels> tables;
  const auto counts = histograms(image);
  for (int c = 0; c < kChannels; ++c) {
    int low = 0, high = 255;
    while (low < 255 && counts[c][low] == 0) ++low;
    while (high > 0 && counts[c][high] == 0) --high;
    for (int v = 0; v < 256; ++v)
      tables[c][v] =
          high > low ? to_byte((v - low) * 255. / (high - low)) : static_cast<uint8_t>(v);
  }
  return with_tables(image, tables);
}

Image equalize(const Image& image) {
  std::array<Table, kChannels> tables;
  const auto counts = histograms(image);
  for (int c = 0; c < kChannels; ++c) {
    int64_t total = 0, last = 0;
    for (const int count : counts[c]) {
      total += count;
      if (count > 0) last = count;
    }
    const int64_t step = (total - last) / 255;
    int64_t sum = step / 2;
    for (int v = 0; v < 256; ++v) {
      const int64_t rank = step == 0 ? v : sum / step;
      tables[c][v] = static_cast<uint8_t>(std::min<int64_t>(rank, 255));
      sum += counts[c][v];
    }
  }
  return with_tables(image, tables);
}

}  // namespace

Image trivial_operation(const Image& image, int operation, double strength, int sign) {
  const double signed_strength = strength * sign;
  switch (operation) {
    case 1:
      return sheared(image, 0.99 * signed_strength, 0);
    case 2:
      return sheared(image, 0, 0.99 * signed_strength);
    case 3:
      return shifted(image, 32 * signed_strength, 0);
    case 4:
      return shifted(image, 0, 32 * signed_strength);
    case 5:
      return rotate(image, 135 * signed_strength);
    case 6:
      return brightness(image, 1 + 0.99 * signed_strength);
    case 7:
      return color(image, 1 + 0.99 * signed_strength);
    case 8:
      return contrast(image, 1 + 0.99 * signed_strength);
    case 9:
      return sharpness(image, 1 + 0.99 * signed_strength);
    case 10: {
      const int bits = 8 - static_cast<int>(std::lround(strength * 6));
      return map_samples(image, [&](uint8_t v) { return uint8_t(v & (0xFF << (8 - bits))); });
    }
    case 11: {
      const double threshold = 255 * (1 - strength);
      return map_samples(image, [&](uint8_t v) { return v >= threshold ? uint8_t(255 - v) : v; });
    }
    case 12:
      return autocontrast(image);
    case 13:
      return equalize(image);
    default:
      return image;
  }
}

}  // namespace vesalius::tasks
