#include "results/overlay.h"

#include <algorithm>
#include <cstring>

namespace vesalius::results {
namespace {

constexpr int kChannels = 3, kGap = 4;

bool is_border(std::span<const uint8_t> mask, int x, int y, int width, int height) {
  const auto at = [&](int column, int row) {
    return mask[static_cast<size_t>(row) * width + column] != 0;
  };
  if (!at(x, y)) return false;
  if (x == 0 || y == 0 || x + 1 == width || y + 1 == height) return true;
  return !at(x - 1, y) || !at(x + 1, y) || !at(x, y - 1) || !at(x, y + 1);
}

}  // namespace

Colour overlay_colour(size_t number) {
  static constexpr std::array<Colour, 12> kColours{{{230, 80, 60},
                                                    {60, 180, 90},
                                                    {70, 130, 240},
                                                    {250, 200, 40},
                                                    {190, 90, 220},
                                                    {40, 200, 210},
                                                    {245, 140, 40},
                                                    {150, 210, 60},
                                                    {240, 110, 180},
                                                    {120, 110, 230},
                                                    {170, 120, 80},
                                                    {200, 200, 200}}};
  return kColours[number % kColours.size()];
}

void draw_border(media::Image& image, std::span<const uint8_t> mask, Colour colour) {
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x)
      if (is_border(mask, x, y, image.width, image.height))
        std::memcpy(&image.data[(static_cast<size_t>(y) * image.width + x) * kChannels],
                    colour.data(), kChannels);
}

void draw_mask(media::Image& image, std::span<const uint8_t> mask, Colour colour, double opacity) {
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] == 0) continue;
    for (int c = 0; c < kChannels; ++c) {
      uint8_t& value = image.data[i * kChannels + c];
      value = static_cast<uint8_t>(value * (1 - opacity) + colour[c] * opacity);
    }
  }
  draw_border(image, mask, colour);
}

media::Image contact_sheet(const std::vector<media::Image>& pictures, int columns) {
  int width = 1, height = 1;
  for (const auto& picture : pictures) {
    width = std::max(width, picture.width);
    height = std::max(height, picture.height);
  }
  const int count = static_cast<int>(pictures.size());
  columns = std::clamp(columns, 1, std::max(1, count));
  const int rows = (count + columns - 1) / columns;
  media::Image sheet{.width = columns * (width + kGap) - kGap,
                     .height = std::max(1, rows * (height + kGap) - kGap),
                     .mode = media::Mode::kRgb};
  sheet.data.assign(static_cast<size_t>(sheet.width) * sheet.height * kChannels, 0);
  for (int i = 0; i < count; ++i) {
    const auto& picture = pictures[i];
    const int left = i % columns * (width + kGap), top = i / columns * (height + kGap);
    for (int y = 0; y < picture.height; ++y)
      std::memcpy(&sheet.data[(static_cast<size_t>(top + y) * sheet.width + left) * kChannels],
                  &picture.data[static_cast<size_t>(y) * picture.width * kChannels],
                  static_cast<size_t>(picture.width) * kChannels);
  }
  return sheet;
}

}  // namespace vesalius::results
