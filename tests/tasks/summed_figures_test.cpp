#include "tasks/summed_figures.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

/// The mean of values, of rows [value, 1].
SummedFigures means(const std::vector<double>& values) {
  SummedFigures table;
  for (const double value : values) table.rows.push_back({value, 1});
  table.figures.push_back({"mean", [](std::span<const double> sums) -> std::optional<double> {
                             if (sums[1] == 0) return std::nullopt;
                             return sums[0] / sums[1];
                           }});
  return table;
}

std::vector<double> drawn(uint64_t seed, double shift, size_t count) {
  std::mt19937_64 random(seed);
  std::vector<double> values;
  for (size_t i = 0; i < count; ++i)
    values.push_back(shift + static_cast<double>(random() % 1000) / 1000);
  return values;
}

/// p by every way to exchange rows.
double exact(const std::vector<double>& a, const std::vector<double>& b) {
  const auto difference = [&](size_t mask) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += (mask >> i & 1) != 0 ? b[i] - a[i] : a[i] - b[i];
    return std::abs(sum);
  };
  const size_t ways = size_t{1} << a.size();
  size_t as_much = 0;
  for (size_t mask = 0; mask < ways; ++mask)
    as_much += difference(mask) >= difference(0) - 1e-12 ? 1 : 0;
  return static_cast<double>(as_much) / static_cast<double>(ways);
}

TEST(PairedDifference, AgreesWithEveryWayToExchange) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const auto a = drawn(seed, 0.15, 10), b = drawn(seed + 100, 0, 10);
    const auto found = paired_differences(means(a), means(b), 1).at(0);
    EXPECT_NEAR(found.value().p, exact(a, b), 0.025) << seed;
  }
}

TEST(PairedDifference, OfEqualSystemsIsSure) {
  const auto a = means(drawn(3, 0, 40));
  EXPECT_EQ(paired_differences(a, a, 0).at(0).value().value, 0);
  EXPECT_EQ(paired_differences(a, a, 0).at(0).value().p, 1);
}

TEST(PairedDifference, OfUnlikeSystemsIsAsSmallAsRoundsAllow) {
  const auto a = means(drawn(3, 1, 100)), b = means(drawn(4, 0, 100));
  const auto found = paired_differences(a, b, 0, 999).at(0).value();
  EXPECT_NEAR(found.value, 1, 0.15);
  EXPECT_DOUBLE_EQ(found.p, 1e-3);
}

TEST(PairedDifference, ComesFromItsSeed) {
  const auto a = means(drawn(3, 0.1, 30)), b = means(drawn(4, 0, 30));
  EXPECT_EQ(paired_differences(a, b, 5).at(0).value().p,
            paired_differences(a, b, 5).at(0).value().p);
  EXPECT_NE(paired_differences(a, b, 5).at(0).value().p,
            paired_differences(a, b, 6).at(0).value().p);
}

TEST(PairedDifference, NothingWithoutAFigureAndRefusedForOtherRows) {
  auto none = means({1, 2});
  for (auto& row : none.rows) row = {0, 0};
  EXPECT_FALSE(paired_differences(means({1, 2}), none, 0).at(0));
  EXPECT_THROW(paired_differences(means({1, 2}), means({1}), 0).at(0), Error);
}

TEST(FigureOf, HasTheValueOfAllRows) {
  const auto figure = figure_of(means({0, 1, 2, 3}), means({0}).figures[0], 0).value();
  EXPECT_EQ(figure.value, 1.5);
  EXPECT_LT(figure.low, 1.5);
  EXPECT_GT(figure.high, 1.5);
}

}  // namespace
}  // namespace vesalius::tasks
