#include "results/loss_plot.h"

#include <gtest/gtest.h>

#include <cmath>
#include <regex>
#include <set>

namespace vesalius::results {
namespace {

struct Point {
  double x = 0, y = 0;
};

/// The points of the polyline of one class.
std::vector<Point> points_of(const std::string& svg, const std::string& style) {
  const std::regex line("<polyline class=\"" + style + "\" points=\"([^\"]*)\"");
  std::smatch found;
  std::vector<Point> points;
  if (!std::regex_search(svg, found, line)) return points;
  const std::string list = found[1];
  const std::regex pair("([-0-9.]+),([-0-9.]+)");
  for (std::sregex_iterator at(list.begin(), list.end(), pair), end; at != end; ++at)
    points.push_back({std::stod((*at)[1]), std::stod((*at)[2])});
  return points;
}

/// What the marks of an axis say: those right-aligned are of the loss, those centred of epochs.
std::vector<double> marks(const std::string& svg, const std::string& anchor) {
  const std::regex text("text-anchor=\"" + anchor + "\">([-0-9.e]+)</text>");
  std::vector<double> values;
  for (std::sregex_iterator at(svg.begin(), svg.end(), text), end; at != end; ++at)
    values.push_back(std::stod((*at)[1]));
  return values;
}

Json step(double epoch, double loss) { return {{"epoch", epoch}, {"loss", loss}}; }

TEST(LossPlot, PointsLieWhereTheyShould) {
  // The frame is 760 x 380 with 56 left and right, 44 above and below.
  const auto points =
      points_of(loss_plot({step(0, 4), step(1, 2), step(2, 0), step(4, 1)}, "run"), "loss");
  ASSERT_EQ(points.size(), 4U);
  EXPECT_NEAR(points[0].x, 56, 0.06);
  EXPECT_NEAR(points[0].y, 44, 0.06);
  EXPECT_NEAR(points[1].x, 56 + 648 / 4.0, 0.06);
  EXPECT_NEAR(points[1].y, (44 + 336) / 2.0, 0.06);
  EXPECT_NEAR(points[2].y, 336, 0.06);
  EXPECT_NEAR(points[3].x, 704, 0.06);
}

TEST(LossPlot, EverySeriesTakesItsOwnLines) {
  const std::vector<Json> log{step(1, 3),
                              {{"epoch", 1}, {"validation_loss", 2.5}, {"validation_top1", 0.25}},
                              step(2, 1),
                              {{"epoch", 2}, {"validation_loss", 3.5}, {"validation_top1", 1.0}},
                              {{"note", "no epoch, so no place"}, {"loss", 900}},
                              {{"epoch", 2}, {"loss", "not a number"}}};
  const auto svg = loss_plot(log, "run");
  EXPECT_EQ(points_of(svg, "loss").size(), 2U);
  EXPECT_EQ(points_of(svg, "held").size(), 2U);
  const auto top = points_of(svg, "top");
  ASSERT_EQ(top.size(), 2U);
  EXPECT_NEAR(top[0].y, 336 - 0.25 * 292, 0.06);  // shares have their own scale, 0 to 1
  EXPECT_NEAR(top[1].y, 44, 0.06);
  EXPECT_NEAR(points_of(svg, "held")[1].y, 44, 0.06);  // the highest loss of both sets the scale
}

TEST(LossPlot, MarksAreRoundAndFew) {
  for (const double highest : {0.0007, 0.03, 0.9, 1.0, 2.7, 6.93, 12.0, 410.0}) {
    const auto values = marks(loss_plot({step(0, highest), step(3, highest / 2)}, "t"), "end");
    ASSERT_GE(values.size(), 3U) << highest;
    EXPECT_LE(values.size(), 8U) << highest;
    EXPECT_EQ(values[0], 0) << highest;
    const double width = values[1];
    const double power = std::pow(10, std::floor(std::log10(width) + 1e-9));
    const double lead = std::round(width / power);
    EXPECT_TRUE((std::set<double>{1, 2, 5}.contains(lead))) << highest << " by " << width;
    EXPECT_LE(values.back(), highest * 1.001 + 1e-3);
    for (size_t i = 1; i < values.size(); ++i)
      EXPECT_NEAR(values[i] - values[i - 1], width, width * 1e-3) << highest;
  }
}

TEST(LossPlot, EpochsAreMarkedInWholeNumbers) {
  for (const double last : {1.0, 2.0, 7.0, 40.0, 300.0}) {
    const auto values = marks(loss_plot({step(0, 1), step(last, 1)}, "t"), "middle");
    ASSERT_GE(values.size(), 2U) << last;
    EXPECT_LE(values.size(), 8U) << last;
    for (const double value : values) EXPECT_EQ(value, std::round(value)) << last;
  }
}

TEST(LossPlot, EmptyAndOddLogsStillDraw) {
  const std::vector<std::vector<Json>> logs{
      {}, {step(0, 0)}, {step(0, -1), step(1, -5)}, {step(1e6, 1e9)}, {Json::object()}};
  for (const auto& log : logs) {
    const auto svg = loss_plot(log, "t");
    EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
    for (const auto& point : points_of(svg, "loss")) {
      EXPECT_GE(point.x, 55.9);
      EXPECT_LE(point.x, 704.1);
      EXPECT_GE(point.y, 43.9);
      EXPECT_LE(point.y, 336.1);
    }
  }
}

TEST(LossPlot, ATitleIsText) {
  const auto svg = loss_plot({step(0, 1)}, "a&b <script>");
  EXPECT_EQ(svg.find("<script>"), std::string::npos);
  EXPECT_NE(svg.find("a&amp;b &lt;script&gt;"), std::string::npos);
}

}  // namespace
}  // namespace vesalius::results
