#include "tasks/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace vesalius::tasks {
namespace {

using media::Image;

Image gradient(int width, int height) {
  Image image{.width = width, .height = height, .mode = media::Mode::kRgb};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c)
        image.data.push_back(static_cast<uint8_t>((x * 7 + y * 3 + c * 40) % 256));
  return image;
}

double mean(const Image& image) {
  return std::accumulate(image.data.begin(), image.data.end(), 0.) / double(image.data.size());
}

TEST(Augment, SameKeySamePixelsOtherKeyOthers) {
  const Image image = gradient(60, 50);
  for (const char* name : {"published", "gentle", "varied"}) {
    const Augmentation how = make_augmentation(name);
    KeyedRandom a({1, 2}), b({1, 2}), c({1, 3});
    const Image first = augment(image, 32, how, a);
    EXPECT_EQ(first.data, augment(image, 32, how, b).data) << name;
    EXPECT_NE(first.data, augment(image, 32, how, c).data) << name;
    EXPECT_EQ(first.width, 32);
    EXPECT_EQ(first.data.size(), size_t{32 * 32 * 3});
  }
}

TEST(Augment, NoneIsAPlainResize) {
  const Image image = gradient(32, 32);
  KeyedRandom random({7});
  EXPECT_EQ(augment(image, 32, make_augmentation("none"), random).data, image.data);
}

TEST(Augment, GreyStaysGreyWhateverTheHue) {
  Augmentation how = make_augmentation("none");
  how.hue = 1;
  Image image{.width = 8, .height = 8, .mode = media::Mode::kRgb};
  for (int i = 0; i < 64; ++i) image.data.insert(image.data.end(), 3, static_cast<uint8_t>(i * 4));
  KeyedRandom random({3});
  EXPECT_EQ(augment(image, 8, how, random).data, image.data);
}

TEST(Augment, HueTurnsColoursAndKeepsTheirMean) {
  Augmentation how = make_augmentation("none");
  how.hue = 0.3;
  Image image{.width = 4, .height = 4, .mode = media::Mode::kRgb};
  for (int i = 0; i < 16; ++i) image.data.insert(image.data.end(), {120, 100, 80});
  int changed = 0;
  for (uint64_t key = 0; key < 20; ++key) {
    KeyedRandom random({key});
    const Image turned = augment(image, 4, how, random);
    EXPECT_NEAR(turned.data[0] + turned.data[1] + turned.data[2], 300, 2);
    changed += turned.data != image.data;
  }
  EXPECT_GE(changed, 18);
}

TEST(Augment, SetSmallerLeavesBlackMargins) {
  Augmentation how = make_augmentation("none");
  how.shrink = 1;
  Image image{.width = 40, .height = 40, .mode = media::Mode::kRgb};
  image.data.assign(40 * 40 * 3, 200);
  double black = 0;
  for (uint64_t key = 0; key < 20; ++key) {
    KeyedRandom random({key});
    const Image small = augment(image, 40, how, random);
    black += double(std::ranges::count(small.data, 0)) / double(small.data.size());
  }
  EXPECT_GT(black / 20, 0.2);  // the mean area kept is 9/16
  EXPECT_LT(black / 20, 0.7);
}

TEST(Augment, VariedIsGentleAndHardInTurns) {
  EXPECT_EQ(make_augmentation("gentle").hard, 0);
  EXPECT_EQ(make_augmentation("varied").hard, 0.2);
  EXPECT_EQ(hard_augmentation().hard, 0);  // no third layer
}

TEST(Augment, UnknownNameSaysWhatThereIs) {
  try {
    make_augmentation("wild");
    FAIL() << "accepted an unknown name";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("gentle"), std::string::npos);
  }
}

TEST(Augment, ErasingFillsARectangleWithTheMean) {
  Augmentation how = make_augmentation("none");
  how.erase = 1;
  const Image image{.width = 40,
                    .height = 40,
                    .mode = media::Mode::kRgb,
                    .data = std::vector<uint8_t>(40 * 40 * 3, 9)};
  KeyedRandom random({3});
  const Image erased = augment(image, 40, how, random);
  const auto filled = std::ranges::count(erased.data, uint8_t{124}) / 3;
  EXPECT_GE(filled, 40 * 40 * 0.01);
  EXPECT_LE(filled, 40 * 40 * 0.36);
  EXPECT_EQ(filled * 3 + std::ranges::count(erased.data, uint8_t{9}), 40 * 40 * 3);
}

TEST(Augment, QuarterTurnsComeBack) {
  const Image image = gradient(33, 33);
  Image turned = image;
  for (int i = 0; i < 4; ++i) turned = rotate(turned, 90);
  EXPECT_EQ(turned.data, image.data);
  EXPECT_NE(rotate(image, 90).data, image.data);
}

TEST(Augment, ShiftFillsWithBlack) {
  const Image image = gradient(8, 8);
  const Image shifted = transform(image, {.c = 3});
  EXPECT_EQ(shifted.data[0], image.data[3 * 3]);
  EXPECT_EQ(shifted.data[(8 - 1) * 3], 0);
}

struct Operation {
  int number;
  double strength;
  bool same;  // leaves the picture alone at this strength
};

TEST(TrivialAugment, OperationsDoWhatTheirNameSays) {
  const Image image = gradient(40, 40);
  const Operation cases[] = {{0, 1, true},  {1, 0, true},   {3, 0, true},  {5, 0, true},
                             {6, 0, true},  {7, 0, true},   {8, 0, true},  {9, 0, true},
                             {10, 0, true}, {1, 1, false},  {2, 1, false}, {4, 1, false},
                             {7, 1, false}, {10, 1, false}, {11, 1, false}};
  for (const Operation& c : cases)
    EXPECT_EQ(trivial_operation(image, c.number, c.strength, 1).data == image.data, c.same)
        << "operation " << c.number << " at " << c.strength;
  EXPECT_GT(mean(trivial_operation(image, 6, 0.5, 1)), mean(image));
  EXPECT_LT(mean(trivial_operation(image, 6, 0.5, -1)), mean(image));
}

TEST(TrivialAugment, AutocontrastStretchesAndEqualizeFlattens) {
  Image dull = gradient(16, 16);
  for (uint8_t& v : dull.data) v = static_cast<uint8_t>(100 + v / 8);
  const Image stretched = trivial_operation(dull, 12, 0, 1);
  EXPECT_EQ(*std::ranges::min_element(stretched.data), 0);
  EXPECT_EQ(*std::ranges::max_element(stretched.data), 255);
  Image constant = dull;
  std::ranges::fill(constant.data, uint8_t{77});
  for (const int operation : {12, 13})
    EXPECT_EQ(trivial_operation(constant, operation, 0, 1).data, constant.data);
}

TEST(KeyedRandom, IsUniformAndKeyed) {
  KeyedRandom random({5, 6});
  double sum = 0;
  int64_t low = 0;
  for (int i = 0; i < 20000; ++i) {
    const double v = random.uniform();
    ASSERT_GE(v, 0);
    ASSERT_LT(v, 1);
    sum += v;
    low += random.below(10) == 0 ? 1 : 0;
  }
  EXPECT_NEAR(sum / 20000, 0.5, 0.01);
  EXPECT_NEAR(double(low), 2000, 200);
  EXPECT_NE(KeyedRandom({1, 2}).next(), KeyedRandom({2, 1}).next());
}

}  // namespace
}  // namespace vesalius::tasks
