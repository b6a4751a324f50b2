#include "tasks/intervals.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

TEST(Wilson, KnownValues) {
  // 8 of 10: Wilson 1927 as statsmodels gives it; 0 and all of 10 stay inside [0, 1].
  const auto eight = wilson(8, 10);
  EXPECT_DOUBLE_EQ(eight.value, 0.8);
  EXPECT_NEAR(eight.low, 0.49016247, 1e-7);
  EXPECT_NEAR(eight.high, 0.94331785, 1e-7);
  EXPECT_NEAR(wilson(0, 10).low, 0, 1e-12);
  EXPECT_NEAR(wilson(0, 10).high, 0.27753280, 1e-7);
  EXPECT_NEAR(wilson(10, 10).low, 0.72246720, 1e-7);
  EXPECT_NEAR(wilson(10, 10).high, 1, 1e-12);
}

TEST(Wilson, NonsenseIsRefused) {
  EXPECT_THROW(wilson(1, 0), Error);
  EXPECT_THROW(wilson(-1, 5), Error);
  EXPECT_THROW(wilson(6, 5), Error);
}

std::optional<double> mean_of_indices(const std::vector<size_t>& indices) {
  double sum = 0;
  for (const size_t i : indices) sum += static_cast<double>(i);
  return sum / static_cast<double>(indices.size());
}

TEST(Bootstrap, CoversTheMeanWithTheRightWidth) {
  const auto figure = bootstrap(100, mean_of_indices, 7, 2000);
  ASSERT_TRUE(figure.has_value());
  EXPECT_DOUBLE_EQ(figure->value, 49.5);
  // Standard error of the mean of 0..99 is 28.866 / 10; the interval is about +- 1.96 of it.
  EXPECT_NEAR(figure->low, 49.5 - 1.96 * 2.8866, 0.6);
  EXPECT_NEAR(figure->high, 49.5 + 1.96 * 2.8866, 0.6);
}

TEST(Bootstrap, TheSameSeedGivesTheSameInterval) {
  const auto a = bootstrap(30, mean_of_indices, 3), b = bootstrap(30, mean_of_indices, 3);
  const auto c = bootstrap(30, mean_of_indices, 4);
  EXPECT_EQ(a->low, b->low);
  EXPECT_NE(a->low, c->low);
}

TEST(Bootstrap, RoundsWithoutValueAreDrawnAnew) {
  // Has a value only when index 0 was drawn.
  const auto figure = bootstrap(
      5,
      [](const std::vector<size_t>& indices) -> std::optional<double> {
        for (const size_t i : indices)
          if (i == 0) return 1.0;
        return std::nullopt;
      },
      1, 200);
  EXPECT_DOUBLE_EQ(figure->low, 1);
  EXPECT_FALSE(bootstrap(
      5, [](const std::vector<size_t>&) { return std::optional<double>(); }, 1));
}

TEST(Figures, AsJson) {
  EXPECT_EQ(figure_json(Figure{0.5, 0.25, 0.75}).dump(), R"({"value":0.5,"low":0.25,"high":0.75})");
  EXPECT_TRUE(figure_json(std::nullopt).is_null());
}

}  // namespace
}  // namespace vesalius::tasks
