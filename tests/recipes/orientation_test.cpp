#include "recipes/orientation.h"

#include <gtest/gtest.h>

#include <functional>

namespace vesalius::recipes {
namespace {

using media::Image;
using media::Mode;

/// Every pixel's bytes tell where it stood: its number, channel after channel.
Image numbered(int width, int height, Mode mode, int orientation) {
  Image image{.width = width, .height = height, .mode = mode, .orientation = orientation};
  const int bytes = media::mode_channels(mode) * media::mode_bytes(mode);
  for (int i = 0; i < width * height; ++i)
    for (int b = 0; b < bytes; ++b) image.data.push_back(static_cast<uint8_t>(i * 7 + b));
  return image;
}

/// Exif 2.32: where row 0 and column 0 of the stored picture are seen.
struct Seen {
  int orientation;
  const char* row0;
  const char* column0;
};
const Seen kSeen[] = {{1, "top", "left"},     {2, "top", "right"},  {3, "bottom", "right"},
                      {4, "bottom", "left"},  {5, "left", "top"},   {6, "right", "top"},
                      {7, "right", "bottom"}, {8, "left", "bottom"}};

/// Where the stored pixel (column, row) is seen in the upright picture.
std::pair<int, int> seen_at(const Seen& seen, int column, int row, const Image& upright) {
  int x = 0, y = 0;
  const auto place = [&](const std::string& side, int distance) {
    if (side == "left") x = distance;
    if (side == "right") x = upright.width - 1 - distance;
    if (side == "top") y = distance;
    if (side == "bottom") y = upright.height - 1 - distance;
  };
  place(seen.row0, row);        // rows lie as far from row 0's side as their number says
  place(seen.column0, column);  // and columns alike
  return {x, y};
}

TEST(Upright, EveryPixelIsWhereExifSays) {
  for (const Mode mode : {Mode::kGray, Mode::kRgb, Mode::kGray16, Mode::kRgba16, Mode::kGrayFloat})
    for (const auto& [width, height] : {std::pair{3, 2}, {1, 5}, {4, 4}, {7, 1}})
      for (const auto& seen : kSeen) {
        const Image stored = numbered(width, height, mode, seen.orientation);
        const Image out = upright(stored);
        const bool turned = seen.orientation >= 5;
        ASSERT_EQ(out.width, turned ? height : width) << seen.orientation;
        ASSERT_EQ(out.height, turned ? width : height) << seen.orientation;
        EXPECT_EQ(out.orientation, 1);
        const auto bytes =
            static_cast<size_t>(media::mode_channels(mode) * media::mode_bytes(mode));
        for (int row = 0; row < height; ++row)
          for (int column = 0; column < width; ++column) {
            const auto [x, y] = seen_at(seen, column, row, out);
            for (size_t b = 0; b < bytes; ++b)
              ASSERT_EQ(out.data[static_cast<size_t>(y * out.width + x) * bytes + b],
                        stored.data[static_cast<size_t>(row * width + column) * bytes + b])
                  << seen.orientation << " at " << column << ", " << row;
          }
      }
}

TEST(Upright, SomeTurnsUndoThemselvesAndTwoUndoEachOther) {
  const std::pair<int, int> undone[] = {{2, 2}, {3, 3}, {4, 4}, {5, 5}, {6, 8}, {7, 7}, {8, 6}};
  for (const auto& [first, second] : undone) {
    const Image image = numbered(5, 3, Mode::kRgb, first);
    Image turned = upright(image);
    turned.orientation = second;
    EXPECT_EQ(upright(turned).data, image.data) << first << " then " << second;
  }
}

TEST(Upright, NumbersThatMeanNothingLeaveThePicture) {
  for (const int orientation : {-1, 0, 1, 9, 1000}) {
    const Image image = numbered(5, 3, Mode::kGray, orientation);
    const Image out = upright(image);
    EXPECT_EQ(out.data, image.data) << orientation;
    EXPECT_EQ(out.width, 5) << orientation;
  }
}

}  // namespace
}  // namespace vesalius::recipes
