#include "recipes/parameters.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "recipes/percentile.h"
#include "recipes/recipe.h"

namespace vesalius::recipes {
namespace {

std::string refused(const std::string& recipe, const Json& overrides) {
  try {
    make_recipe(recipe, overrides);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage) << error.what();
    return error.what();
  }
  return "";
}

TEST(Parameters, EveryDefaultIsAcceptedAndEveryRuleIsAWord) {
  for (const auto& recipe : known_recipes()) {
    EXPECT_FALSE(parameters_of(recipe).empty()) << recipe;
    for (const auto& parameter : parameters_of(recipe)) {
      EXPECT_TRUE(parameter.accepts(parameter.standard)) << recipe << " " << parameter.name;
      EXPECT_FALSE(parameter.expected.empty()) << recipe << " " << parameter.name;
      const auto message = refused(recipe, {{parameter.name, "no such value"}});
      EXPECT_NE(message.find(parameter.expected), std::string::npos) << message;
      EXPECT_NE(message.find(parameter.name), std::string::npos) << message;
      EXPECT_NE(message.find(recipe), std::string::npos) << message;
    }
  }
}

TEST(Parameters, OddJsonNeverPasses) {
  const Json odd[] = {true,
                      "",
                      "75",
                      Json::array(),
                      Json::object(),
                      Json::array({Json::array()}),
                      {{"a", 1}},
                      1e300,
                      -1,
                      Json::array({1, 2, 3}),
                      Json::array({nullptr, 1}),
                      Json::array({"0", "1"})};
  for (const auto& recipe : known_recipes())
    for (const auto& parameter : parameters_of(recipe))
      for (const auto& value : odd)
        EXPECT_NE(refused(recipe, {{parameter.name, value}}), "")
            << recipe << " " << parameter.name << " " << dump_json(value);
}

TEST(Parameters, LimitsAreWhereTheySay) {
  struct Case {
    const char* recipe;
    const char* name;
    Json value;
    bool taken;
  };
  const char* kSize = "image_standardization_image_size";
  const char* kQuality = "image_standardization_jpeg_compression_ratio";
  const Case cases[] = {{"azure-endpoint", kSize, 1, true},
                        {"azure-endpoint", kSize, 0, false},
                        {"azure-endpoint", kSize, 8192, true},
                        {"azure-endpoint", kSize, 8193, false},
                        {"azure-endpoint", kQuality, 1, true},
                        {"azure-endpoint", kQuality, 100, true},
                        {"azure-endpoint", kQuality, 0, false},
                        {"azure-endpoint", "pillow", 12, true},
                        {"azure-endpoint", "pillow", 14, false},
                        {"toolkit", "percentiles", {0, 1}, true},
                        {"toolkit", "percentiles", {0.5, 0.5}, false},
                        {"toolkit", "percentiles", {-0.01, 1}, false},
                        {"toolkit", "percentiles", {0, 1.01}, false},
                        {"toolkit", "then", "community", true},
                        {"vesalius", "percentiles", {0, 100}, true},
                        {"vesalius", "percentiles", {1, 99.5}, true},
                        {"vesalius", "percentiles", {1, 100.1}, false},
                        {"vesalius", "window", {-600, 1500}, true},
                        {"vesalius", "window", {0, 1e-9}, true},
                        {"vesalius", "window", {0, -5}, false},
                        {"vesalius", "window", "brain", true},
                        {"vesalius", "window", "Brain", false}};
  for (const auto& c : cases)
    EXPECT_EQ(refused(c.recipe, {{c.name, c.value}}).empty(), c.taken)
        << c.recipe << " " << c.name << " " << dump_json(c.value);
}

TEST(Parameters, EveryNamedWindowIsAPairThatTheRecipeTakes) {
  for (const char* name : {"abdomen", "bone", "brain", "liver", "lung", "mediastinum", "stroke",
                           "subdural", "soft-tissue"}) {
    const Json window = window_preset(name);
    ASSERT_TRUE(window.is_array() && window.size() == 2) << name;
    EXPECT_GT(window[1], 0) << name;
    EXPECT_EQ(refused("vesalius", {{"window", name}}), "");
    EXPECT_EQ(refused("vesalius", {{"window", window}}), "");
    EXPECT_NE(window_preset_names().find(name), std::string::npos);
  }
  EXPECT_EQ(window_preset("lung"), Json({-600, 1500}));
  EXPECT_TRUE(window_preset("heart").is_null());
}

/// The definition: the (n - 1) q-th value of the sorted ones, linear between two.
double sorted_quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const auto below = std::min(static_cast<size_t>(at), values.size() - 1);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

TEST(Percentile, IsTheSortedDefinitionForEveryTypeAndFraction) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<uint16_t> whole;
    std::vector<float> single;
    std::vector<double> wide;
    for (uint64_t i = 0; i < 1 + random() % 40; ++i) {
      whole.push_back(static_cast<uint16_t>(random() % (round % 2 == 0 ? 5 : 65536)));
      single.push_back(whole.back());
      wide.push_back(whole.back());
    }
    for (const double q : {0.0, 0.01, 0.25, 1 / 3.0, 0.5, 0.99, 1.0}) {
      const double expected = sorted_quantile(wide, q);
      EXPECT_NEAR(percentile(whole, q), expected, 1e-9) << q << " of " << whole.size();
      EXPECT_NEAR(percentile(wide, q), expected, 1e-9) << q;
      EXPECT_NEAR(percentile(single, q), expected, 0.01) << q;
    }
    EXPECT_EQ(percentile(wide, 0), *std::min_element(wide.begin(), wide.end()));
    EXPECT_EQ(percentile(wide, 1), *std::max_element(wide.begin(), wide.end()));
  }
}

TEST(Percentile, StaysBetweenItsNeighboursAndRises) {
  const std::vector<float> values{0.1F, 0.2F, 0.30000001F, 0.3F, 1e-8F, 7.0F, -2.5F};
  float before = -100;
  for (int i = 0; i <= 1000; ++i) {
    const float value = percentile(values, i / 1000.0);
    EXPECT_GE(value, before) << i;
    EXPECT_GE(value, -2.5F);
    EXPECT_LE(value, 7.0F);
    before = value;
  }
}

TEST(Percentile, InfinityIsAValueAndNanSpoilsAll) {
  const double infinite = INFINITY;
  EXPECT_EQ(percentile(std::vector<double>{1, infinite}, 1), infinite);
  EXPECT_EQ(percentile(std::vector<double>{-infinite, 1, 2}, 0.5), 1);
  for (size_t place = 0; place < 3; ++place) {
    std::vector<double> values{1, 2, 3};
    values[place] = NAN;
    EXPECT_TRUE(std::isnan(percentile(values, 0))) << place;
  }
}

}  // namespace
}  // namespace vesalius::recipes
