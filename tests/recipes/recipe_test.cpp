#include "recipes/recipe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "media/dicom_files.h"
#include "recipes/percentile.h"
#include "recipes/spline_resize.h"

namespace vesalius::recipes {
namespace {

ErrorCode code_of(const std::function<void()>& action, std::string* message = nullptr) {
  try {
    action();
  } catch (const Error& error) {
    if (message != nullptr) *message = error.what();
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::kFailed;
}

TEST(Recipe, DefaultsTravelWithTheRecipe) {
  const Recipe azure = make_recipe("azure-endpoint");
  EXPECT_EQ(azure.id(), "azure-endpoint@1");
  EXPECT_EQ(azure.parameters["image_standardization_image_size"], 512);
  EXPECT_EQ(azure.parameters["image_standardization_jpeg_compression_ratio"], 75);
  const Recipe toolkit = make_recipe("toolkit");
  EXPECT_EQ(toolkit.parameters["percentiles"], Json({0.01, 0.99}));
  EXPECT_EQ(toolkit.parameters["then"], "azure-endpoint");
  EXPECT_TRUE(make_recipe("vesalius").parameters.empty());
}

TEST(Recipe, NamesAreComplete) {
  EXPECT_EQ(recipe_names(), (std::vector<std::string>{"azure-endpoint", "community", "maira-2",
                                                      "rad-dino", "toolkit", "vesalius"}));
}

TEST(Recipe, OverridesReplaceDefaults) {
  const Recipe recipe =
      make_recipe("azure-endpoint", {{"image_standardization_jpeg_compression_ratio", 95}});
  EXPECT_EQ(recipe.parameters["image_standardization_jpeg_compression_ratio"], 95);
  EXPECT_EQ(recipe.parameters["image_standardization_image_size"], 512);
  EXPECT_FALSE(make_recipe("vesalius", {{"window", nullptr}}).parameters.contains("window"));
}

struct Wrong {
  const char *recipe, *overrides, *word;
};

TEST(Recipe, WrongParametersAreUsageErrors) {
  const Wrong cases[] = {
      {"vesalius", R"({"windows": [1, 2]})", "window"},
      {"vesalius", R"({"window": [40, 0]})", "width"},
      {"vesalius", R"({"window": [40]})", "width"},
      {"vesalius", R"({"window": "lungs"})", "lung"},
      {"vesalius", R"({"window": 40})", "lung"},
      {"vesalius", R"({"percentiles": [99, 1]})", "rising"},
      {"vesalius", R"({"percentiles": [0, 101]})", "100"},
      {"vesalius", R"({"percentiles": ["a", 2]})", "rising"},
      {"vesalius", R"({"window": "lung", "percentiles": [1, 99]})", "not both"},
      {"community", R"({"window": "lung"})", "pillow"},
      {"community", R"({"pillow": 11})", "13"},
      {"azure-endpoint", R"({"image_standardization_image_size": 0})", "1 to"},
      {"azure-endpoint", R"({"image_standardization_image_size": 99999})", "1 to"},
      {"azure-endpoint", R"({"image_standardization_image_size": 512.5})", "whole"},
      {"azure-endpoint", R"({"image_standardization_jpeg_compression_ratio": "75"})", "100"},
      {"azure-endpoint", R"({"image_standardization_jpeg_compression_ratio": 101})", "100"},
      {"toolkit", R"({"then": "nothing"})", "community"},
      {"toolkit", R"({"percentiles": null})", "rising"},
      {"toolkit", R"({"percentiles": [1, 99]})", "rising"},
      {"toolkit", R"([1])", "object"},
      {"medimage", "{}", "community"},
  };
  for (const Wrong& wrong : cases) {
    std::string message;
    const auto make = [&] { make_recipe(wrong.recipe, Json::parse(wrong.overrides)); };
    EXPECT_EQ(code_of(make, &message), ErrorCode::kUsage) << wrong.overrides;
    EXPECT_NE(message.find(wrong.word), std::string::npos) << message;
  }
}

TEST(Recipe, BytesThatAreNoImageAreRefused) {
  const std::vector<uint8_t> none, text = {'h', 'e', 'l', 'l', 'o'};
  for (const std::string& name : recipe_names()) {
    const Recipe recipe = make_recipe(name);
    for (const auto* bytes : {&none, &text}) {
      std::string message;
      EXPECT_EQ(code_of([&] { prepare(recipe, {}, *bytes, "here.bin"); }, &message),
                ErrorCode::kUnsupported);
      EXPECT_NE(message.find("here.bin"), std::string::npos) << message;
    }
  }
}

// Three frames of 4 x 2 with a ramp each, brighter from frame to frame.
std::vector<uint8_t> movie() {
  media::testing::Spec spec;
  spec.frames = "3";
  spec.rows = 2;
  spec.columns = 4;
  std::vector<uint8_t> pixels(24);
  std::iota(pixels.begin(), pixels.end(), uint8_t{10});
  pixels[23] = 255;
  return media::testing::dicom(spec, pixels);
}

TEST(Prepare, AParsedFileGivesWhatItsBytesGive) {
  const auto bytes = movie();
  const auto file = media::DicomFile::parse(bytes, "m.dcm");
  const ModelInput input{.size = 8};
  for (const char* name : {"vesalius", "toolkit", "community"}) {
    const Recipe recipe = make_recipe(name);
    for (int frame = 0; frame < 3; ++frame) {
      const Prepared whole = prepare(recipe, input, bytes, "m.dcm", frame);
      const Prepared parsed = prepare(recipe, input, file, "m.dcm", frame);
      EXPECT_EQ(parsed.rgb, whole.rgb) << name << frame;
      EXPECT_EQ(parsed.rgb.size(), 8U * 8 * 3);
    }
    EXPECT_NE(prepare(recipe, input, file, "m.dcm", 2).rgb,
              prepare(recipe, input, file, "m.dcm").rgb);
  }
}

TEST(Prepare, FramesThatAreNotThereAndRecipesThatTakeNone) {
  const auto bytes = movie();
  const auto file = media::DicomFile::parse(bytes, "m.dcm");
  for (const int frame : {-1, 3, 1 << 30}) {
    std::string message;
    const auto recipe = make_recipe("vesalius");
    EXPECT_EQ(code_of([&] { prepare(recipe, {}, file, "m.dcm", frame); }, &message),
              ErrorCode::kUsage);
    EXPECT_NE(message.find("m.dcm has 3 frame(s)"), std::string::npos) << message;
  }
  std::string of_bytes, of_file;
  const auto endpoint = make_recipe("azure-endpoint");
  EXPECT_EQ(code_of([&] { prepare(endpoint, {}, bytes, "m.dcm"); }, &of_bytes),
            ErrorCode::kUnsupported);
  EXPECT_EQ(code_of([&] { prepare(endpoint, {}, file, "m.dcm"); }, &of_file),
            ErrorCode::kUnsupported);
  EXPECT_EQ(of_bytes, of_file);
}

TEST(Normalise, IsPlanarAndChecksItsInput) {
  Prepared pixels{{0, 128, 255, 51, 102, 153, 0, 0, 0, 255, 255, 255}, 2, {}};
  ModelInput input;
  input.size = 2;
  std::vector<float> out(12);
  normalise(pixels, input, out.data());
  EXPECT_FLOAT_EQ(out[0], (0.0F / 255 - 0.485F) / 0.229F);
  EXPECT_FLOAT_EQ(out[4], (128.0F / 255 - 0.456F) / 0.224F);
  EXPECT_FLOAT_EQ(out[9], (153.0F / 255 - 0.406F) / 0.225F);
  pixels.rgb.pop_back();
  EXPECT_EQ(code_of([&] { normalise(pixels, input, out.data()); }), ErrorCode::kFailed);
}

TEST(Percentile, InterpolatesAsNumpyDoes) {
  EXPECT_EQ(percentile(std::vector<uint16_t>{4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_EQ(percentile(std::vector<uint16_t>{7}, 0.99), 7.0);
  EXPECT_EQ(percentile(std::vector<double>{10, 0}, 0.0), 0.0);
  EXPECT_EQ(percentile(std::vector<double>{10, 0}, 1.0), 10.0);
  EXPECT_EQ(percentile(std::vector<double>{0, 10}, 0.25), 2.5);
  EXPECT_EQ(percentile(std::vector<float>{0, 1, 1, 1}, 0.01), 0.03F);
  EXPECT_TRUE(std::isnan(percentile(std::vector<float>{0, NAN, 1}, 0.5)));
}

TEST(SplineResize, KeepsSizeRangeAndFlatness) {
  Plane ramp{9, 7, std::vector<double>(63)};
  std::iota(ramp.values.begin(), ramp.values.end(), 0.0);
  EXPECT_EQ(spline_resize(ramp, 9, 7).values, ramp.values);
  for (const auto& [width, height] : {std::pair{30, 20}, {3, 2}, {1, 1}, {9, 3}, {40, 7}}) {
    const Plane out = spline_resize(ramp, width, height);
    EXPECT_EQ(out.values.size(), static_cast<size_t>(width) * height);
    for (const double value : out.values) {
      EXPECT_GE(value, 0.0);
      EXPECT_LE(value, 62.0);
    }
  }
}

TEST(SplineResize, TakesOnePixel) {
  const Plane out = spline_resize({1, 1, {200.0}}, 4, 4);
  ASSERT_EQ(out.values.size(), 16U);
  for (const double value : out.values) EXPECT_LE(value, 200.0);
}

}  // namespace
}  // namespace vesalius::recipes
