#include "tasks/existence_fit.h"

#include <gtest/gtest.h>

#include "tasks/scratch.h"

using namespace vesalius;
using namespace vesalius::tasks;
using vesalius::testing::error_of;
using vesalius::testing::Scratch;

namespace {

/// Version 1, taking as a mask what is brighter than half; of the prompt "no" nothing.
class Threshold : public catalog::SegmentationModel {
 public:
  const catalog::Card& card() const override { return card_; }
  int version() const override { return 1; }
  int64_t side() const override { return 16; }
  int64_t heads() const override { return 1; }
  models::Prompts encode(const std::vector<std::string>& prompts) const override {
    models::Prompts encoded;
    for (const auto& prompt : prompts)
      encoded.tokens.push_back(at::full({1, 1}, prompt == "no" ? -100.0 : 0.0));
    return encoded;
  }
  catalog::PlaneMasks segment(const at::Tensor& pixels, const models::Prompts& prompts,
                              const models::Uniforms&, catalog::Company company) const override {
    EXPECT_EQ(company, catalog::Company::kIsolated);
    const auto bright = (at::avg_pool2d(pixels.narrow(1, 0, 1), 4) - 128) / 16;
    std::vector<at::Tensor> masks;
    for (const auto& token : prompts.tokens) masks.push_back(bright + token.item<float>());
    return {at::cat(masks, 1), {}};
  }
  std::string weights_sha256() const override { return "0"; }
  std::string device() const override { return "cpu"; }
  std::string precision() const override { return "fp32"; }

 private:
  catalog::Card card_;
};

/// 4 x 4 pixels, the left half of `level`, the right half dark.
std::string half_bright(int level) {
  std::string pixels;
  for (int i = 0; i < 16; ++i) pixels += static_cast<char>(i % 4 < 2 ? level : 10);
  return vesalius::testing::tiny_tiff(pixels);
}

class ExistenceFit : public ::testing::Test {
 protected:
  OutlinedImage image(int level, const std::string& prompt, const std::string& kind,
                      const std::string& mask) const {
    return {scratch.write(std::to_string(level) + ".tif", half_bright(level)),
            kind,
            {{prompt, mask.empty() ? fs::path() : fs::path(scratch.write("mask.tif", mask))}}};
  }
  std::vector<ExistenceExample> look(const OutlinedImage& of,
                                     const ExistenceFitOptions& options = {}) const {
    return existence_examples(model, of, options);
  }
  const Threshold model;
  const Scratch scratch;
};

TEST_F(ExistenceFit, AnExampleIsWhatTheModelFindsInAnOutline) {
  const auto examples = look(image(240, "bright", "CT abdomen", half_bright(1)));
  ASSERT_EQ(examples.size(), 1U);
  const auto& one = examples[0];
  EXPECT_EQ(one.kind, "CT-Abdomen");
  EXPECT_EQ(one.target, "bright");
  EXPECT_TRUE(one.there);
  EXPECT_NEAR(one.features[1], 240 / 256.0, 0.05);
  EXPECT_EQ(one.features[1], one.features[3]);
  EXPECT_GT(one.features[0], 0.9);
}

TEST_F(ExistenceFit, OnlyMasksThatAgreeAreExamples) {
  std::string right =
      vesalius::testing::tiny_tiff(std::string("\0\0\1\1\0\0\1\1\0\0\1\1\0\0\1\1", 16));
  std::string left =
      vesalius::testing::tiny_tiff(std::string("\1\1\0\0\1\1\0\0\1\1\0\0\1\1\0\0", 16));
  EXPECT_TRUE(look(image(240, "bright", "a", left))[0].agrees);
  EXPECT_FALSE(look(image(240, "bright", "a", right))[0].agrees);
  EXPECT_FALSE(look(image(240, "no", "a", left))[0].agrees);
  const auto absent = look(image(240, "bright", "a", ""))[0];
  EXPECT_FALSE(absent.there || absent.agrees);
  EXPECT_GT(absent.features[0], 0);
}

TEST_F(ExistenceFit, KindsAreTheUsersOrThePublishedOnes) {
  const auto kind = [&](const std::string& words, const ExistenceFitOptions& options = {}) {
    return look(image(240, "bright", words, ""), options)[0].kind;
  };
  EXPECT_EQ(kind("X-Ray chest"), "X-Ray-Chest");
  EXPECT_EQ(kind("fundus retinal"), "Fundus");
  EXPECT_EQ(kind("pathology breast"), "Pathology");
  EXPECT_EQ(kind("PET whole body"), "PET whole body");
  EXPECT_EQ(kind("PET whole body", {.kind = "oct"}), "OCT");
  const auto text = error_of(ErrorCode::kUsage, [&] { kind(""); });
  EXPECT_NE(text.find("240.tif"), std::string::npos);
  EXPECT_NE(text.find("--modality"), std::string::npos);
}

TEST_F(ExistenceFit, MasksOfAnotherSizeAreRefused) {
  auto of = image(240, "bright", "a", half_bright(1));
  std::string narrow = vesalius::testing::tiny_tiff(std::string(16, '\1'));
  narrow[24 + 2 + 8] = 2;  // the width
  of.outlines[0].mask = scratch.write("narrow.tif", narrow);
  const auto text = error_of(ErrorCode::kUnsupported, [&] { look(of); });
  EXPECT_NE(text.find("narrow.tif"), std::string::npos) << text;
  EXPECT_NE(text.find("240.tif"), std::string::npos) << text;
  EXPECT_NE(text.find("on the grid of the image"), std::string::npos) << text;
}

TEST(FitExistence, CountsWhatTheStatisticDoes) {
  std::vector<ExistenceExample> examples;
  for (int i = 0; i < 20; ++i) {
    const double x = 0.4 + 0.01 * i;
    examples.push_back({"A", "liver", true, true, {0.95 + 0.002 * i, x, x, x}});
  }
  examples.push_back({"A", "liver", true, false, {0, 0, 0, 0}});            // missed
  examples.push_back({"A", "liver", false, false, {0, 0, 0, 0}});           // rightly empty
  examples.push_back({"A", "liver", false, false, {0.6, 0.9, 0.9, 0.9}});   // invented, unusual
  examples.push_back({"A", "liver", false, false, {0.97, 0.5, 0.5, 0.5}});  // invented, usual
  examples.push_back({"A", "spleen", true, true, {0.9, 0.5, 0.5, 0.5}});    // one is too few
  const auto rows = fit_existence(examples);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].target, "liver");
  ASSERT_TRUE(rows[0].parameters.has_value());
  EXPECT_EQ(rows[0].there, 21);
  EXPECT_EQ(rows[0].agreeing, 20);
  EXPECT_EQ(rows[0].absent, 3);
  EXPECT_GE(rows[0].kept, 18);
  EXPECT_LE(rows[0].kept, 20);
  EXPECT_EQ(rows[0].dropped, 2);
  EXPECT_FALSE(rows[1].parameters.has_value());
  EXPECT_NE(rows[1].problem.find("three different values"), std::string::npos);
}

TEST(FitExistence, OwnTargetsGoBeforePublishedOnes) {
  const ExistenceParameters own{{{1, 2}, {3, 4}, {5, 6}, {7, 8}}};
  const auto table = with_targets(published_existence(),
                                  {{"CT-Abdomen", {{"liver", own}}}, {"PET", {{"tumor", own}}}});
  EXPECT_EQ(table.at("CT-Abdomen").at("liver")[0].b, 2);
  EXPECT_EQ(table.at("PET").at("tumor")[3].a, 7);
  EXPECT_EQ(table.at("CT-Abdomen").at("spleen")[0].a,
            published_existence().at("CT-Abdomen").at("spleen")[0].a);
}

}  // namespace
