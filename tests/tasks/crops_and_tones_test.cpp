// What augmentation does to single pixels, against the formulas written out.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tasks/augment.h"

namespace vesalius::tasks {
namespace {

using media::Image;

/// `colour(x, y, channel)` of every pixel.
template <class Colour>
Image drawn(int width, int height, const Colour& colour) {
  Image image{.width = width, .height = height, .mode = media::Mode::kRgb};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) image.data.push_back(static_cast<uint8_t>(colour(x, y, c)));
  return image;
}

int at(const Image& image, int x, int y, int c) {
  return image.data.at((static_cast<size_t>(y) * image.width + x) * 3 + c);
}

/// Red says the column, green the row.
Image places(int side) {
  return drawn(side, side, [](int x, int y, int c) { return c == 0 ? x : c == 1 ? y : 7; });
}

Image noise(int width, int height) {
  KeyedRandom random({4});
  return drawn(width, height, [&](int, int, int) { return random.below(256); });
}

int to_byte(double value) { return static_cast<int>(std::clamp(value, 0., 255.)); }

TEST(Crops, AreWindowsAnywhereInTheImage) {
  const Image image = places(60);
  Augmentation how = make_augmentation("none");
  how.scale_min = how.scale_max = 0.25;  // half of each side
  std::set<int> lefts, tops;
  for (uint64_t key = 0; key < 300; ++key) {
    KeyedRandom random({key});
    const Image crop = augment(image, 30, how, random);
    const int left = at(crop, 0, 0, 0), top = at(crop, 0, 0, 1);
    lefts.insert(left);
    tops.insert(top);
    for (const auto& [x, y] : {std::pair{29, 0}, {0, 29}, {29, 29}, {13, 7}}) {
      ASSERT_EQ(at(crop, x, y, 0), left + x);
      ASSERT_EQ(at(crop, x, y, 1), top + y);
    }
  }
  for (const auto& seen : {lefts, tops}) {
    EXPECT_EQ(*seen.begin(), 0);
    EXPECT_EQ(*seen.rbegin(), 30);  // the last place that there is
    EXPECT_GT(seen.size(), 25U);
  }
}

TEST(Crops, ThatFitNowhereAreTheWholeImage) {
  const Image image = places(20);
  Augmentation how = make_augmentation("none");
  how.scale_min = how.scale_max = 4;
  KeyedRandom random({1});
  EXPECT_EQ(augment(image, 20, how, random).data, image.data);
}

TEST(Crops, MirroringTurnsRowsAround) {
  for (const int side : {7, 8}) {
    Augmentation how = make_augmentation("none");
    how.flip = 1;
    KeyedRandom random({1});
    const Image mirrored = augment(places(side), side, how, random);
    for (int x = 0; x < side; ++x) {
      EXPECT_EQ(at(mirrored, x, 3, 0), side - 1 - x);
      EXPECT_EQ(at(mirrored, x, 3, 1), 3);
    }
  }
}

TEST(Crops, AQuarterTurnGoesCounterClockwise) {
  const Image turned = rotate(places(9), 90);
  for (int x = 0; x < 9; ++x)
    for (int y = 0; y < 9; ++y) {
      EXPECT_EQ(at(turned, x, y, 0), 8 - y);  // the right edge comes to the top
      EXPECT_EQ(at(turned, x, y, 1), x);
    }
}

TEST(TrivialAugment, ShiftsAreWholePixelsEitherWay) {
  const Image image = places(50);
  for (const int sign : {1, -1}) {
    const Image across = trivial_operation(image, 3, 0.5, sign);
    const Image down = trivial_operation(image, 4, 0.5, sign);
    for (int i = 0; i < 50; ++i) {
      const int from = i + 16 * sign, expected = from >= 0 && from < 50 ? from : 0;
      EXPECT_EQ(at(across, i, 5, 0), expected) << i;
      EXPECT_EQ(at(down, 5, i, 1), expected) << i;
    }
  }
}

TEST(TrivialAugment, ShearsMoveEveryRowByItsDistance) {
  const Image image = places(40);
  const Image sheared = trivial_operation(image, 1, 0.5, 1);
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 40; ++x) {
      const int from = static_cast<int>(std::floor(x + 0.5 + 0.495 * (y + 0.5)));
      EXPECT_EQ(at(sheared, x, y, 0), from < 40 ? from : 0) << x << " " << y;
    }
}

TEST(TrivialAugment, TonesAgreeWithTheirFormulas) {
  const Image image = noise(12, 9);
  const auto luma = [&](int x, int y) {
    return 0.299 * at(image, x, y, 0) + 0.587 * at(image, x, y, 1) + 0.114 * at(image, x, y, 2);
  };
  double mean = 0;
  for (int y = 0; y < 9; ++y)
    for (int x = 0; x < 12; ++x) mean += luma(x, y) / (12 * 9);
  mean = std::floor(mean + 0.5);
  for (const double strength : {0.3, 1.0})
    for (const int sign : {1, -1}) {
      const double factor = 1 + 0.99 * strength * sign;
      const int kept = static_cast<int>(std::lround(6 * strength));  // bits that posterise clears
      const Image bright = trivial_operation(image, 6, strength, sign),
                  colour = trivial_operation(image, 7, strength, sign),
                  contrast = trivial_operation(image, 8, strength, sign),
                  poster = trivial_operation(image, 10, strength, sign),
                  solar = trivial_operation(image, 11, strength, sign);
      for (int y = 0; y < 9; ++y)
        for (int x = 0; x < 12; ++x)
          for (int c = 0; c < 3; ++c) {
            const int v = at(image, x, y, c);
            EXPECT_EQ(at(bright, x, y, c), to_byte(factor * v));
            EXPECT_NEAR(at(colour, x, y, c), to_byte(luma(x, y) * (1 - factor) + factor * v), 1);
            EXPECT_NEAR(at(contrast, x, y, c), to_byte(mean * (1 - factor) + factor * v), 1);
            EXPECT_EQ(at(poster, x, y, c), v >> kept << kept);
            EXPECT_EQ(at(solar, x, y, c), v >= 255 * (1 - strength) ? 255 - v : v);
          }
    }
}

TEST(TrivialAugment, SharpnessMovesAwayFromTheSmoothedImage) {
  const Image image = noise(8, 6);
  const Image blurred = trivial_operation(image, 9, 1, -1),
              sharp = trivial_operation(image, 9, 1, 1);
  for (int y = 0; y < 6; ++y)
    for (int x = 0; x < 8; ++x)
      for (int c = 0; c < 3; ++c) {
        const int v = at(image, x, y, c);
        if (x == 0 || y == 0 || x == 7 || y == 5) {
          EXPECT_EQ(at(sharp, x, y, c), v);
          continue;
        }
        double sum = 4 * v;
        for (int i = 0; i < 9; ++i) sum += at(image, x + i % 3 - 1, y + i / 3 - 1, c);
        const double smooth = std::floor(sum / 13 + 0.5);
        EXPECT_NEAR(at(blurred, x, y, c), to_byte(smooth + 0.01 * (v - smooth)), 1);
        EXPECT_NEAR(at(sharp, x, y, c), to_byte(smooth + 1.99 * (v - smooth)), 1);
      }
}

TEST(TrivialAugment, HistogramsOfEachChannelForItself) {
  // Every value equally often: equalised already, and as wide as can be.
  const Image even = drawn(32, 32, [](int x, int y, int) { return (32 * y + x) % 256; });
  EXPECT_EQ(trivial_operation(even, 13, 0, 1).data, even.data);
  EXPECT_EQ(trivial_operation(even, 12, 0, 1).data, even.data);
  const Image narrow = drawn(16, 256, [](int x, int, int c) { return 20 * c + x * (c + 1); });
  const Image wide = trivial_operation(narrow, 12, 0, 1);
  const Image flat = trivial_operation(narrow, 13, 0, 1);
  for (int x = 0; x < 16; ++x)
    for (int c = 0; c < 3; ++c) {
      EXPECT_EQ(at(wide, x, 3, c), 17 * x) << x << " " << c;
      // 256 pixels a value; a step is a 255th of all but the last value's, whole: 15.
      EXPECT_EQ(at(flat, x, 3, c), std::min(255, (7 + 256 * x) / 15)) << x << " " << c;
    }
}

TEST(KeyedRandom, KeysOfOtherLengthsAndOrdersAreOthers) {
  std::set<uint64_t> first;
  for (const auto& random :
       {KeyedRandom({0}), KeyedRandom({0, 0}), KeyedRandom({1}), KeyedRandom({1, 0}),
        KeyedRandom({0, 1}), KeyedRandom({2, 1}), KeyedRandom({1, 2})})
    first.insert(KeyedRandom(random).next());
  EXPECT_EQ(first.size(), 7U);
  KeyedRandom random({9});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.below(1), 0);
  EXPECT_FALSE(random.chance(0));
  EXPECT_TRUE(random.chance(1));
}

}  // namespace
}  // namespace vesalius::tasks
