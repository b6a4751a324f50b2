#include "tasks/existence.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tasks/scratch.h"

namespace vesalius::tasks {
namespace {

ExistenceTable read_text(const std::string& text) {
  const testing::Scratch scratch;
  return read_existence(scratch.write("table.json", text));
}

TEST(Existence, ATableSurvivesItsFile) {
  const auto& table = published_existence();
  const auto read = read_text(existence_json(table));
  ASSERT_EQ(read.size(), table.size());
  for (const auto& [modality, targets] : table)
    for (const auto& [target, parameters] : targets)
      for (size_t i = 0; i < parameters.size(); ++i) {
        EXPECT_EQ(read.at(modality).at(target)[i].a, parameters[i].a);
        EXPECT_EQ(read.at(modality).at(target)[i].b, parameters[i].b);
      }
}

TEST(Existence, OtherFormsAreRefusedByTheEntryAtFault) {
  for (const char* text :
       {"[]", "3", R"({"CT": 1})", R"({"CT": {"liver": 1}})", R"({"CT": {"liver": [[1, 2]]}})",
        R"({"CT": {"liver": [[1, 2], [1, 2], [1, 2], [1, 0]]}})",
        R"({"CT": {"liver": [[1, 2], [1, 2], [1, 2], [1, "2"]]}})",
        R"({"CT": {"liver": [[1, 2], [1, 2], [1, 2], [1, 2, 3]]}})"}) {
    try {
      read_text(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
      const std::string message = error.what();
      EXPECT_NE(message.find("table.json"), std::string::npos);
      const bool has_target = std::string_view(text).find("liver") != std::string_view::npos;
      EXPECT_EQ(message.find("liver") != std::string::npos, has_target) << message;
    }
  }
}

TEST(Existence, ParametersFitTheirOwnExamples) {
  std::vector<MaskFeatures> usual;
  for (int i = 0; i < 40; ++i) {
    const double x = 0.4 + 0.005 * ((i * 7) % 40);
    usual.push_back({0.99 - x / 20, x, 0.8 - x, x / 2});
  }
  const ExistenceParameters parameters = fit_existence(usual);
  double mean = 0;
  for (const auto& features : usual) mean += existence_statistic(features, parameters) / 40;
  EXPECT_GT(mean, 0.3);
  EXPECT_LT(existence_statistic({0.6, 0.9, 0.05, 0.9}, parameters), kExistenceCut);
}

TEST(Existence, FeaturesNeedThreeBytesOfColourEach) {
  const std::vector<float> probability{0.9F, 0.8F};
  EXPECT_THROW(mask_features(probability, std::vector<uint8_t>(5)), Error);
}

}  // namespace
}  // namespace vesalius::tasks
