#include "tasks/segment.h"

#include <gtest/gtest.h>

#include "tasks/scratch.h"

using namespace vesalius;
using namespace vesalius::tasks;
using vesalius::testing::error_of;

namespace {

/// Takes as a mask what is brighter than half; the prompt "no" is never there. Version 2 unless
/// told.
class Threshold : public catalog::SegmentationModel {
 public:
  explicit Threshold(int version = 2) : version_(version) {}
  const catalog::Card& card() const override { return card_; }
  int version() const override { return version_; }
  int64_t side() const override { return 32; }
  int64_t heads() const override { return 1; }
  models::Prompts encode(const std::vector<std::string>& prompts) const override {
    models::Prompts encoded;
    for (const auto& prompt : prompts)
      encoded.tokens.push_back(at::full({1, 1}, prompt == "no" ? -5.0 : prompt == "maybe" ? 1 : 5));
    return encoded;
  }
  catalog::PlaneMasks segment(const at::Tensor& pixels, const models::Prompts& prompts,
                              const models::Uniforms& uniforms, catalog::Company) const override {
    calls.push_back(pixels.size(0));
    const auto bright = (at::avg_pool2d(pixels.narrow(1, 0, 1), 4) - 128) / 32;
    const auto count = static_cast<int64_t>(prompts.tokens.size());
    catalog::PlaneMasks masks{bright.expand({-1, count, -1, -1}).clone(), {}};
    if (version_ == 2) {
      masks.logits += uniforms({1});
      masks.existence = at::cat(prompts.tokens).view({1, count}).expand({pixels.size(0), count});
    }
    return masks;
  }
  std::string weights_sha256() const override { return "0"; }
  std::string device() const override { return "cpu"; }
  std::string precision() const override { return "fp32"; }
  mutable std::vector<int64_t> calls;

 private:
  catalog::Card card_;
  int version_;
};

/// Slices of 32 x 32 whose left half is bright, at one HU more a slice.
SegmentInput halves(int64_t slices) {
  SegmentInput input{.kind = InputKind::kVolume, .path = "halves", .modality = "CT"};
  input.volume.grid = {.size = {32, 32, slices}};
  input.volume.grid.step = {{{0.5, 0, 0}, {0, 0.5, 0}, {0, 0, 4}}};
  for (int64_t s = 0; s < slices; ++s)
    for (int i = 0; i < 1024; ++i) input.volume.values.push_back(i % 32 < 16 ? 240 : -160);
  return input;
}

std::vector<Target> run(const catalog::SegmentationModel& model, const SegmentInput& input,
                        SegmentOptions options) {
  const Planes planes(input, {.version = model.version(), .side = model.side()});
  return segment(model, input, planes, options);
}

TEST(SplitPrompts, AtAmpersandsAndSeparators) {
  EXPECT_EQ(split_prompts("liver & left kidney[SEP] spleen"),
            (std::vector<std::string>{"liver", "left kidney", "spleen"}));
  for (const char* text : {"", " ", "liver &", "& liver", "a & & b"})
    EXPECT_NE(error_of(ErrorCode::kUsage, [&] { split_prompts(text); }).find("empty part"),
              std::string::npos);
}

TEST(Segment, MeasuresWhatItFinds) {
  const auto targets = run(Threshold(), halves(5), {.prompts = {"bright"}});
  ASSERT_EQ(targets.size(), 1U);
  const auto& found = targets[0];
  EXPECT_TRUE(found.present);
  EXPECT_NEAR(static_cast<double>(found.voxels), 5 * 512, 5 * 40);
  EXPECT_DOUBLE_EQ(*found.volume_ml, static_cast<double>(found.voxels) * 0.5 * 0.5 * 4 / 1000);
  EXPECT_GT(*found.mean_intensity, 200);
  EXPECT_GT(*found.existence_probability, 0.9);
  EXPECT_TRUE(found.probability.empty() && found.uncertainty.empty());
}

TEST(Segment, WhatDoesNotExistHasNoVoxels) {
  const auto targets = run(Threshold(), halves(2), {.prompts = {"bright", "no"}});
  EXPECT_TRUE(targets[0].present);
  EXPECT_FALSE(targets[1].present);
  EXPECT_LT(*targets[1].existence_probability, 0.1);
  EXPECT_FALSE(targets[1].mean_intensity.has_value());
}

TEST(Segment, MasksOfAVolumeShareVoxelsOnlyWhenAsked) {
  const auto shared =
      run(Threshold(), halves(2), {.prompts = {"bright", "no"}, .overlapping = true});
  EXPECT_TRUE(shared[0].present);
  // The same mask twice: the one less sure of itself is suppressed.
  const auto twice = run(Threshold(), halves(2), {.prompts = {"maybe", "bright"}});
  EXPECT_FALSE(twice[0].present);
  EXPECT_TRUE(twice[1].present);
}

TEST(Segment, SlicesComeInBatches) {
  const Threshold model;
  run(model, halves(7), {.prompts = {"bright"}, .slice_batch = 3});
  EXPECT_EQ(model.calls, (std::vector<int64_t>{3, 3, 1}));
}

TEST(Segment, SamplesSpread) {
  const auto targets =
      run(Threshold(), halves(1), {.prompts = {"bright"}, .samples = 4, .probabilities = true});
  EXPECT_EQ(targets[0].probability.size(), 1024U);
  EXPECT_GT(*std::ranges::max_element(targets[0].uncertainty), 0);
  const auto one = run(Threshold(1), halves(1), {.prompts = {"bright"}, .samples = 4});
  EXPECT_TRUE(one[0].uncertainty.empty());  // version 1 does not draw
}

TEST(Segment, VersionOneGoesByTheStatistic) {
  const auto with = run(Threshold(1), halves(2), {.prompts = {"liver"}, .kind = "CT-Abdomen"});
  ASSERT_TRUE(with[0].p_value.has_value());
  EXPECT_EQ(with[0].present, *with[0].p_value >= 0.05);
  const auto without = run(Threshold(1), halves(2), {.prompts = {"widget"}, .kind = "CT-Abdomen"});
  EXPECT_FALSE(without[0].p_value.has_value());
  EXPECT_TRUE(without[0].present);  // no statistic does not speak against it
}

TEST(Segment, NothingToLookFor) {
  error_of(ErrorCode::kUsage, [] { run(Threshold(), halves(1), {}); });
}

TEST(Segment, AStopLeavesTheLoop) {
  const Threshold model;
  const auto input = halves(6);
  const Planes planes(input, {.version = 2, .side = 32});
  EXPECT_THROW(segment(model, input, planes, {.prompts = {"bright"}, .slice_batch = 2},
                       [](int64_t) { throw std::runtime_error("stop"); }),
               std::runtime_error);
  EXPECT_EQ(model.calls.size(), 1U);
}

}  // namespace
