#include "results/contours.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

namespace vesalius::results {
namespace {

using Mask = std::vector<uint8_t>;

/// How often the polygon winds around a point, and how many of its edges a ray from there crosses.
struct Crossings {
  int winding = 0, count = 0;
};

void add_crossings(const PlanePolygon& polygon, double x, double y, Crossings& out) {
  for (size_t i = 0; i < polygon.size(); ++i) {
    const PlanePoint &a = polygon[i], &b = polygon[(i + 1) % polygon.size()];
    if ((a[1] <= y) == (b[1] <= y)) continue;
    const double at = a[0] + (y - a[1]) * (b[0] - a[0]) / (b[1] - a[1]);
    if (at <= x) continue;
    out.winding += a[1] <= y ? 1 : -1;
    ++out.count;
  }
}

/// Pixels inside by the even-odd rule; fails where the winding rule, or polygons taken one by one,
/// would say otherwise.
Mask drawn(const std::vector<PlanePolygon>& polygons, int64_t columns, int64_t rows) {
  Mask mask(static_cast<size_t>(columns * rows));
  for (int64_t j = 0; j < rows; ++j) {
    for (int64_t i = 0; i < columns; ++i) {
      int inside = 0;
      for (const PlanePolygon& polygon : polygons) {
        Crossings crossings;
        add_crossings(polygon, static_cast<double>(i), static_cast<double>(j), crossings);
        EXPECT_EQ(crossings.winding != 0, crossings.count % 2 == 1) << i << ", " << j;
        inside += crossings.count % 2;
      }
      EXPECT_LE(inside, 1) << "polygons overlap at " << i << ", " << j;
      mask[static_cast<size_t>(j * columns + i)] = static_cast<uint8_t>(inside);
    }
  }
  return mask;
}

Mask from_text(const std::vector<std::string>& lines) {
  Mask mask;
  for (const std::string& line : lines) {
    for (const char c : line) mask.push_back(c == '#' ? 1 : 0);
  }
  return mask;
}

double area(const PlanePolygon& polygon) {
  double sum = 0;
  for (size_t i = 0; i < polygon.size(); ++i) {
    const PlanePoint &a = polygon[i], &b = polygon[(i + 1) % polygon.size()];
    sum += a[0] * b[1] - b[0] * a[1];
  }
  return std::abs(sum) / 2;
}

TEST(Contours, NothingHasNoOutline) {
  EXPECT_TRUE(outlines(Mask(12), 4, 3).empty());
  EXPECT_TRUE(outlines({}, 0, 0).empty());
}

TEST(Contours, OnePixelIsADiamond) {
  const auto polygons = outlines(Mask{1}, 1, 1);
  ASSERT_EQ(polygons.size(), 1U);
  EXPECT_EQ(polygons[0].size(), 4U);
  EXPECT_DOUBLE_EQ(area(polygons[0]), 0.5);
}

TEST(Contours, StraightSidesHaveNoPointsBetween) {
  const auto polygons = outlines(Mask(30 * 20, 1), 30, 20);
  ASSERT_EQ(polygons.size(), 1U);
  EXPECT_EQ(polygons[0].size(), 8U);  // four sides, four corners cut
  EXPECT_DOUBLE_EQ(area(polygons[0]), 600 - 0.5);
}

TEST(Contours, PixelsThatMeetAtACornerAreTwo) {
  EXPECT_EQ(outlines(from_text({"#.", ".#"}), 2, 2).size(), 2U);
  EXPECT_EQ(outlines(from_text({".#", "#."}), 2, 2).size(), 2U);
  EXPECT_EQ(outlines(from_text({"##", ".#"}), 2, 2).size(), 1U);
}

TEST(Contours, HolesAreJoinedByKeyholes) {
  const Mask rings = from_text({"###########",  //
                                "#.........#",  //
                                "#.#####.#.#",  //
                                "#.#.#.#...#",  //
                                "#.#####.#.#",  //
                                "#.........#",  //
                                "##########."});
  const auto polygons = outlines(rings, 11, 7);
  EXPECT_EQ(polygons.size(), 4U);  // frame, inner block with two holes, two single pixels
  EXPECT_EQ(drawn(polygons, 11, 7), rings);
}

TEST(Contours, MasksOfEveryDensityComeBack) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    const int64_t columns = 1 + static_cast<int64_t>(random() % 24), rows = 1 + random() % 19;
    const uint32_t share = random() % 100;
    Mask mask(static_cast<size_t>(columns * rows));
    for (uint8_t& pixel : mask) pixel = random() % 100 < share ? 1 : 0;
    ASSERT_EQ(drawn(outlines(mask, columns, rows), columns, rows), mask) << "round " << round;
  }
}

TEST(Contours, PolygonsTouchNeitherEachOtherNorThemselves) {
  std::mt19937 random(8);
  Mask mask(40 * 40);
  for (uint8_t& pixel : mask) pixel = random() % 3 != 0 ? 1 : 0;
  std::map<PlanePoint, std::vector<size_t>> users;
  const auto polygons = outlines(mask, 40, 40);
  for (size_t i = 0; i < polygons.size(); ++i) {
    for (const PlanePoint& point : polygons[i]) users[point].push_back(i);
  }
  for (const auto& [point, of] : users) {
    EXPECT_EQ(of.front(), of.back())
        << "two polygons share (" << point[0] << ", " << point[1] << ")";
  }
}

}  // namespace
}  // namespace vesalius::results
