#include "tasks/mask_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

// The expected choices below were produced by running the published functions on the masks that
// blob() draws: non_maxima_suppression and combine_masks of microsoft/BiomedParse
// (inference_utils), slice_nms and merge_multiclass_masks of its version 2 (src/utils.py,
// inference.py).

constexpr int64_t kSide = 12, kPixels = kSide * kSide;
using Mask = std::vector<float>;
using Rows = std::vector<std::string>;

/// Numbers from 0 to 65535, the same in every language.
class Random {
 public:
  explicit Random(uint32_t seed) : state_(seed) {}
  int64_t operator()() {
    state_ = state_ * 1664525U + 1013904223U;
    return state_ >> 16;
  }

 private:
  uint32_t state_;
};

/// A noisy cone around some middle, in steps of 1/1024.
Mask blob(Random& random) {
  const int64_t cx = random() % kSide, cy = random() % kSide;
  const int64_t radius = 2 + random() % (kSide / 2), height = 300 + random() % 724;
  Mask mask;
  for (int64_t y = 0; y < kSide; ++y)
    for (int64_t x = 0; x < kSide; ++x) {
      const int64_t squared = (x - cx) * (x - cx) + (y - cy) * (y - cy), rim = 2 * radius * radius;
      // Rounded down, below 0 too.
      const int64_t top = height * (rim - squared);
      const int64_t level = (top >= 0 ? top : top - rim + 1) / rim + random() % 64;
      mask.push_back(static_cast<float>(std::clamp<int64_t>(level, 0, 1023)) / 1024);
    }
  return mask;
}

struct Scene {
  std::vector<Mask> masks;
  std::vector<TargetMask> targets() const {
    std::vector<TargetMask> result;
    for (size_t i = 0; i < masks.size(); ++i) result.push_back({masks[i], p_values[i]});
    return result;
  }
  std::vector<std::span<const float>> probabilities() const { return {masks.begin(), masks.end()}; }
  std::vector<double> p_values;
};

/// Six masks with p-values in eighths, so that some are equal.
Scene scene(uint32_t seed) {
  Random random(seed);
  Scene scene;
  for (int i = 0; i < 6; ++i) scene.masks.push_back(blob(random));
  for (int i = 0; i < 6; ++i) scene.p_values.push_back(static_cast<double>(random() % 8) / 8);
  return scene;
}

/// Rows of the image, a letter for a mask.
Rows drawn(const std::vector<std::vector<uint8_t>>& masks) {
  Rows rows(kSide, std::string(kSide, '.'));
  for (size_t t = 0; t < masks.size(); ++t)
    for (size_t i = 0; i < masks[t].size(); ++i)
      if (masks[t][i] != 0) rows[i / kSide][i % kSide] = static_cast<char>('a' + t);
  return rows;
}

std::vector<size_t> which(const std::vector<bool>& kept) {
  std::vector<size_t> result;
  for (size_t i = 0; i < kept.size(); ++i)
    if (kept[i]) result.push_back(i);
  return result;
}

struct Golden1 {
  uint32_t seed;
  std::vector<size_t> usual, combined;  // kept by each, of all six
  Rows rows;                            // of the combination of all six
};

const Golden1 kVersion1[] = {
    {1,
     {0, 3},
     {1},
     {"............", "............", "........b...", ".....bbbbbb.", "....bbbbbbbb",
      "...bbbbbbbbb", "...bbbbbbbbb", "...bbbbbbbbb", "..bbbbbbbbbb", "...bbbbbbbbb",
      "...bbbbbbbbb", "....bbbbbbbb"}},
    {2,
     {1, 4, 2},
     {3, 4, 5},
     {".....fffffff", ".....fffffff", "....ffffffff", "....ffffffff", ".....fffffff",
      "....ffffffff", ".....fffffff", "......ffffff", "........fff.", "..........e.",
      ".........eee", "........eeee"}},
    {3,
     {3, 4},
     {3, 4},
     {"dddddddddddd", "dddddddddddd", "dddddddddddd", "dddddddddddd", "dddddddddddd",
      "dddddddddddd", "dddddddddddd", "ddddddddddd.", "..ddddddd...", "...ddddd....",
      ".........eee", ".........eee"}},
    {4,
     {5, 0, 2, 3},
     {1},
     {"............", "....bbbbbb..", "...bbbbbbbb.", ".bbbbbbbbbbb", ".bbbbbbbbbbb",
      "bbbbbbbbbbbb", "bbbbbbbbbbbb", "bbbbbbbbbbbb", "bbbbbbbbbbbb", "bbbbbbbbbbbb",
      "bbbbbbbbbbbb", ".bbbbbbbbbbb"}},
    {5,
     {5, 4, 2},
     {2, 4, 5},
     {"......e.....", ".....eee....", ".....eee....", ".....eee....", "....fff.....",
      "....fff.....", "....fff.cccc", ".......ccccc", ".......ccccc", ".......ccccc",
      ".......ccccc", ".......ccccc"}},
    {6,
     {2, 1, 3},
     {3},
     {"..........dd", ".......ddddd", "......dddddd", "......dddddd", ".....ddddddd",
      ".....ddddddd", "....dddddddd", ".....ddddddd", "....dddddddd", ".....ddddddd",
      ".....ddddddd", "......dddddd"}},
    {7,
     {4, 2, 0, 3},
     {0},
     {"............", "............", "............", "............", "............",
      "............", "............", "............", "a...........", "aa..........",
      "aaa.........", "aa.........."}},
    {8,
     {4, 0, 1, 3},
     {0, 1, 3, 4, 5},
     {"ddddd.bbbbb.", "dddd..bbbbb.", ".dd....bbb..", "............", "............",
      ".........eee", ".........eee", ".........eee", "..........e.", "............",
      "............", "..a........."}},
};

TEST(MaskChoice, TheMostUsualAreThePublishedOnes) {
  for (const auto& golden : kVersion1)
    EXPECT_EQ(keep_most_usual(scene(golden.seed).targets()), golden.usual) << golden.seed;
}

TEST(MaskChoice, CombinedMasksAreThePublishedOnes) {
  for (const auto& golden : kVersion1) {
    const Scene drawing = scene(golden.seed);
    const auto combined = combine_masks(drawing.probabilities());
    EXPECT_EQ(which(combined.kept), golden.combined) << golden.seed;
    EXPECT_EQ(drawn(combined.masks), golden.rows) << golden.seed;
  }
}

TEST(MaskChoice, NoPixelBelongsToTwoAndNoneToNobody) {
  for (uint32_t seed = 50; seed < 90; ++seed) {
    const Scene drawing = scene(seed);
    const auto combined = combine_masks(drawing.probabilities());
    for (size_t i = 0; i < kPixels; ++i) {
      int owners = 0;
      bool wanted = false;
      for (size_t t = 0; t < drawing.masks.size(); ++t) {
        owners += combined.masks[t][i];
        wanted = wanted || (combined.kept[t] && drawing.masks[t][i] > 0.5F);
      }
      ASSERT_EQ(owners, wanted ? 1 : 0) << seed;
    }
  }
}

TEST(MaskChoice, MasksWithoutAreaAreNeverUsual) {
  const Mask faint(4, 0.5F), clear(4, 0.51F);
  EXPECT_EQ(keep_most_usual({{faint, 0.9}, {clear, 0.1}}), std::vector<size_t>{1});
  EXPECT_TRUE(keep_most_usual({}).empty());
  EXPECT_TRUE(combine_masks({}).masks.empty());
}

TEST(MaskChoice, HalfOfItsOwnAreaMayLieInAnother) {
  const Mask large(8, 0.9F), half{0, 0, 0, 0, 0, 0, 0, 0.9F};
  const Mask left{0.9F, 0.9F, 0, 0}, middle{0, 0.9F, 0.9F, 0};
  EXPECT_EQ(keep_most_usual({{left, 0.9}, {middle, 0.8}}), (std::vector<size_t>{0, 1}));
  EXPECT_EQ(keep_most_usual({{large, 0.9}, {half, 0.8}}), std::vector<size_t>{0});
  // Only the area of the one that comes later counts.
  EXPECT_EQ(keep_most_usual({{large, 0.8}, {half, 0.9}}), (std::vector<size_t>{1, 0}));
}

struct Stack {
  std::vector<float> probability, existence;
  MaskStack view(int64_t prompts, int64_t slices) const {
    return {prompts, slices, static_cast<int64_t>(probability.size()) / (prompts * slices),
            probability, existence};
  }
};

/// Four prompts in three slices; with an odd seed some nearly equal, in one slice some empty.
Stack stack(uint32_t seed) {
  Random random(seed + 100);
  std::vector<Mask> masks;
  for (int i = 0; i < 12; ++i) masks.push_back(blob(random));
  Stack stack;
  for (int i = 0; i < 12; ++i)
    stack.existence.push_back(static_cast<float>(random() % 1000) / 1000);
  if (seed % 2 == 1) {
    std::copy_n(masks.begin(), 3, masks.begin() + 6);
    masks[10] = masks[4];
  }
  if (seed == 4) std::fill_n(masks.begin() + 3, 3, Mask(kPixels));
  for (const auto& mask : masks)
    stack.probability.insert(stack.probability.end(), mask.begin(), mask.end());
  return stack;
}

struct Golden2 {
  uint32_t seed;
  std::vector<uint8_t> kept;  // [prompts, slices]
  Rows rows;                  // of the three slices, one below the other; digits are ids
};

const Golden2 kVersion2[] = {
    {1,
     {0, 0, 0, 1, 0, 0, 1, 0, 1, 1, 1, 1},
     {"1111........", "1111444999..", "1114444999..", "11444444994.", "..444444444.",
      ".44444444444", ".44444444444", ".44444444444", "..4444444444", "..444444444.",
      "...4444444..", ".....4444...", "............", "..4.........", "............",
      "............", "............", "............", "............", "............",
      "............", "............", "............", "............", ".111........",
      ".111........", "............", "............", "............", "....44......",
      ".4444444....", ".4444444....", "44444444....", ".44444444...", ".4444444....",
      ".4444444...."}},
    {2,
     {0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0},
     {"............", "............", "............", "............", "............",
      "............", "............", "............", "............", "............",
      "............", "............", ".4444444....", ".4444444....", "..444444....",
      "..44444.....", "...44.4.....", "............", "............", "............",
      "............", "............", "...22.......", "....22......", "............",
      "............", "............", ".....1......", "..111111....", "2211111111..",
      "2111111111..", "21111111111.", "22111111111.", "22111111111.", "21111111111.",
      "21111111111."}},
    {3,
     {0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0},
     {"............", "............", "............", "............", "............",
      "..1111......", "1111111.....", "1111111.....", "11111111....", "11111111....",
      "11111111....", "11111111....", "......999999", "......999999", "......999999",
      ".....9999999", ".....9999999", "......999999", "......999999", ".......99999",
      "........9999", "............", "............", "............", "............",
      "............", "............", "............", "............", "............",
      "............", "............", "............", "............", "............",
      "............"}},
    {4,
     {1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0},
     {"22222222222.", "22222222222.", "22222222222.", "222222222244", "222222222444",
      "22222222244.", "22222222244.", ".222222.....", "............", "............",
      "............", "............", "............", "1...........", "111.........",
      "11111.......", "11111.......", "11111.......", "11111.......", "111111......",
      "11111.......", "11111.......", "1111........", "1...........", "............",
      "............", "............", "............", "............", "............",
      "............", "............", "............", "............", "............",
      "............"}},
    {5,
     {0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1},
     {"............", "............", "............", "............", "............",
      ".444444.....", ".4444444....", "44444444....", "444444499...", ".44444499...",
      ".44444999...", "..444499....", "............", "............", "............",
      "............", "............", "11111.......", "111111......", "1111111.....",
      "1111111.....", "11111111....", "11111111....", "11111111....", "............",
      "............", "............", "............", "............", "............",
      "............", "............", "..........44", "..........44", "..........44",
      "............"}},
    {6,
     {0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0},
     {"............", "............", "............", "...1........", "11111.......",
      "111111......", "111111......", "1111111.9...", "111111..999.", "111111...9..",
      "11111.......", ".11.........", "............", "............", "............",
      "............", "............", "....1111....", "...1111199..", "...1111199..",
      "..911111999.", "..9911999999", "..9999999999", "..999999999.", "............",
      "............", "............", "............", "............", "............",
      "............", "...999......", "..99999.....", "..99999.....", "..99999.....",
      "...999......"}},
    {7,
     {0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 1, 1},
     {"............", ".......111..", ".......111..", ".......111..", "............",
      ".44444......", "44444444....", "44444444....", "4444444444..", "444444444...",
      "4444444444..", "4444444444..", "............", "............", "2222........",
      "22222.......", "22222.......", "222222......", "222222......", "222222......",
      "222222......", "222222......", "22242.......", "22422.......", "..222222222.",
      "..222222222.", "..222222222.", "...22222222.", "44.22222222.", "44.222222...",
      "44..........", "............", "............", "............", "............",
      "............"}},
    {8,
     {1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1},
     {"9999........", "9999......2.", "9999........", "9999....2.2.", "9999.....22.",
      "999........2", "...1114441..", "...11144411.", "..111111111.", ".1111111111.",
      ".11111111111", "..1111111111", ".444444444..", "44444444444.", "44444444444.",
      "44444444444.", "94444444444.", "99944444444.", "9999944444..", "999999994...",
      "999999999...", "999999999...", "999999999...", "999999999...", "44444444....",
      "44444444....", "44444444....", "44444444....", "4444444.....", ".44449......",
      "............", "............", "............", "............", "............",
      "............"}},
};
const std::vector<uint16_t> kIds{2, 9, 1, 4};

TEST(MaskChoice, SlicesAreKeptAsPublished) {
  for (const auto& golden : kVersion2)
    EXPECT_EQ(kept_slices(stack(golden.seed).view(4, 3)), golden.kept) << golden.seed;
}

TEST(MaskChoice, LabelsAreMergedAsPublished) {
  for (const auto& golden : kVersion2) {
    const Stack masks = stack(golden.seed);
    const auto labels = merge_labels(masks.view(4, 3), kept_slices(masks.view(4, 3)), kIds);
    Rows rows(3 * kSide, std::string(kSide, '.'));
    for (size_t i = 0; i < labels.size(); ++i)
      if (labels[i] != 0) rows[i / kSide][i % kSide] = static_cast<char>('0' + labels[i]);
    EXPECT_EQ(rows, golden.rows) << golden.seed;
  }
}

TEST(MaskChoice, ASinglePromptNeedsMoreThanTheThreshold) {
  const Stack single{{0.9F, 0.9F, 0.9F}, {0.5F, 0.51F, 0.2F}};
  EXPECT_EQ(kept_slices(single.view(1, 3)), (std::vector<uint8_t>{0, 1, 0}));
  EXPECT_EQ(kept_slices(single.view(1, 3), 0.1F), (std::vector<uint8_t>{1, 1, 1}));
}

TEST(MaskChoice, OfSeveralPromptsTheThresholdItselfIsEnough) {
  const Stack both{{0.9F, 0, 0, 0.9F}, {0.5F, 0.49F}};
  EXPECT_EQ(kept_slices(both.view(2, 1)), (std::vector<uint8_t>{1, 0}));
}

TEST(MaskChoice, OfEqualScoresTheFirstStays) {
  const Stack twins{{0.9F, 0.9F, 0.8F, 0.8F}, {0.7F, 0.7F}};
  EXPECT_EQ(kept_slices(twins.view(2, 1)), (std::vector<uint8_t>{1, 0}));
}

TEST(MaskChoice, AHalfIsBackground) {
  const Stack masks{{0.5F, 0.50001F}, {1}};
  EXPECT_EQ(merge_labels(masks.view(1, 1), std::vector<uint8_t>{1}, std::vector<uint16_t>{7}),
            (std::vector<uint16_t>{0, 7}));
}

TEST(MaskChoice, SizesThatDoNotFitAreRefused) {
  const Mask four(4), three(3);
  EXPECT_THROW(combine_masks({four, three}), Error);
  const Stack masks{{0.1F, 0.2F}, {0.5F}};
  EXPECT_THROW(kept_slices({2, 1, 1, masks.probability, masks.existence}), Error);
  EXPECT_THROW(merge_labels(masks.view(1, 1), std::vector<uint8_t>{1}, {}), Error);
}

}  // namespace
}  // namespace vesalius::tasks
