#include "recipes/intensity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/error.h"
#include "recipes/percentile.h"

namespace vesalius::recipes {
namespace {

using Byte = std::vector<uint8_t>;

// The numbers below were printed by numpy 2.4: percentile, clip and astype(uint8) in float64.
const std::vector<float> kValues{-1024, -1000, -150, -149, -60.5, 0,   0.25,
                                 40,    41,    199,  250,  251,   3000};

Byte bytes_by(const std::string& name) {
  return to_bytes(kValues, bounds_of(make_intensity(name), kValues));
}

TEST(Intensity, WindowsCutFractionsOff) {
  EXPECT_EQ(bytes_by("ct-abdomen"), (Byte{0, 0, 0, 0, 57, 95, 95, 121, 121, 222, 255, 255, 255}));
  EXPECT_EQ(bytes_by("cvpr-soft-tissue"),
            (Byte{0, 0, 6, 7, 63, 102, 102, 127, 128, 228, 255, 255, 255}));
  EXPECT_EQ(bytes_by("40/400"), bytes_by("cvpr-soft-tissue"));
  EXPECT_EQ(bytes_by("percentile"), (Byte{0, 1, 57, 57, 63, 67, 67, 70, 70, 80, 84, 84, 255}));
}

TEST(Intensity, BoundsAreNumpysPercentiles) {
  EXPECT_EQ(bounds_of(make_intensity("percentile"), kValues),
            (Bounds{-1022.56, 2835.0599999999986}));
  EXPECT_EQ(bounds_of(make_intensity("percentile-positive"), kValues),
            (Bounds{1.4425, 2917.5299999999993}));
}

TEST(Intensity, ASliceIsScaledByWhatIsLeftOfIt) {
  const std::vector<float> inside(kValues.begin() + 3, kValues.begin() + 10);  // -149 to 199
  EXPECT_EQ(stretched(make_intensity("ct-abdomen"), inside),
            (std::vector<double>{0.0, 64.84913793103448, 109.18103448275862, 109.36422413793103,
                                 138.49137931034483, 139.2241379310345, 255.0}));
}

TEST(Intensity, NamesAreKnownAndOthersAreRefused) {
  for (const std::string& name : intensity_names()) EXPECT_EQ(make_intensity(name).name, name);
  EXPECT_EQ(make_intensity("ct-chest").window, make_intensity("ct-lung").window);
  for (const char* const odd : {"lung", "CT-LUNG", "", "/", "1/", "/1", "1/0", "1/-1", "nan/1"}) {
    try {
      make_intensity(odd);
      ADD_FAILURE() << odd;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_NE(std::string(error.what()).find("ct-pancreas"), std::string::npos);
    }
  }
}

TEST(Intensity, EveryChoiceHasAName) {
  for (const Practice practice : {Practice::kSlices, Practice::kVolumes}) {
    for (const char* const part : {"", "CHEST", "HEAD", "Pelvis", "FOOT", "LUNG", "COLON"}) {
      for (const char* const modality : {"CT", "MR", "", "ct", "PT"}) {
        const std::string name = choose_intensity({modality, part, false}, practice);
        EXPECT_EQ(make_intensity(name).window.has_value(),
                  std::string(modality) == "CT" || std::string(modality) == "ct");
      }
    }
    EXPECT_EQ(choose_intensity({"CT", "CHEST", true}, practice), "untouched");
  }
}

TEST(Intensity, NothingToSeeIsBlack) {
  const std::vector<float> same(5, 7.0F), none, dark{-3, -2, 0};
  for (const char* const name : {"percentile", "percentile-positive", "ct-liver"}) {
    const Intensity intensity = make_intensity(name);
    EXPECT_EQ(stretched(intensity, same), std::vector<double>(5, 0.0));
    EXPECT_TRUE(stretched(intensity, none).empty());
    EXPECT_TRUE(to_bytes(none, bounds_of(intensity, none)).empty());
  }
  const Intensity positive = make_intensity("percentile-positive");
  EXPECT_EQ(bounds_of(positive, dark), Bounds{});
  EXPECT_EQ(stretched(positive, dark), std::vector<double>(3, 0.0));
}

// Counting and sorting agree on values of every size and sign.
TEST(Ranks, EqualThePercentilesOfASortedCopy) {
  std::mt19937 random(11);  // NOLINT(bugprone-random-generator-seed)
  for (int round = 0; round < 60; ++round) {
    std::vector<float> values(1 + random() % 400);
    for (float& value : values) {
      const float magnitude = std::ldexp(1.0F, static_cast<int>(random() % 60) - 30);
      value = (static_cast<float>(random() % 2001) - 1000.0F) * magnitude;
      if (random() % 3 == 0) value = static_cast<float>(random() % 4);
    }
    const std::vector<double> wide(values.begin(), values.end());
    for (const double percent : {0.0, 0.5, 25.0, 50.0, 99.5, 100.0})
      EXPECT_EQ(percentiles(values, {percent}, Over::kAll).front(),
                percentile(wide, percent / 100));
  }
}

TEST(Ranks, OnlyPositiveValuesCountWhereTheyAreAskedFor) {
  const std::vector<float> values{-5, 0, -0.0F, 1, 2, 3, std::numeric_limits<float>::denorm_min()};
  const std::vector<double> cuts = percentiles(values, {0, 100}, Over::kPositive);
  EXPECT_EQ(cuts, (std::vector<double>{std::numeric_limits<float>::denorm_min(), 3}));
  EXPECT_TRUE(percentiles(std::vector<float>{-1, 0}, {50}, Over::kPositive).empty());
}

}  // namespace
}  // namespace vesalius::recipes
