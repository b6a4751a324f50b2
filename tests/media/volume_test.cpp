#include "media/volume.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace vesalius::media {
namespace {

/// All ways of taking three axes from three others.
std::vector<AxisOrder> all_orders() {
  std::vector<AxisOrder> out;
  std::array<int, 3> from{0, 1, 2};
  do {
    for (int flips = 0; flips < 8; ++flips)
      out.push_back({from, {(flips & 1) != 0, (flips & 2) != 0, (flips & 4) != 0}});
  } while (std::next_permutation(from.begin(), from.end()));
  return out;
}

/// A sheared, oblique grid with sides of different length.
Volume oblique() {
  Volume volume;
  volume.grid = {.size = {3, 4, 5},
                 .origin = {-12.5, 7.25, 90},
                 .step = {{{0.9, 0.1, -0.05}, {-0.1, 1.7, 0.2}, {0.15, -0.3, 2.6}}}};
  volume.values.resize(60);
  std::iota(volume.values.begin(), volume.values.end(), 0.0F);
  return volume;
}

float value_at(const Volume& volume, int64_t i, int64_t j, int64_t k) {
  const auto [columns, rows, slices] = volume.grid.size;
  return volume.values[static_cast<size_t>(i + columns * (j + rows * k))];
}

/// Each voxel of `turned` must be the voxel of `volume` that lies at the same place.
void expect_same_places(const Volume& volume, const Volume& turned) {
  ASSERT_EQ(turned.values.size(), volume.values.size());
  for (int64_t k = 0; k < turned.grid.size[2]; ++k) {
    for (int64_t j = 0; j < turned.grid.size[1]; ++j) {
      for (int64_t i = 0; i < turned.grid.size[0]; ++i) {
        const Vector3 place = turned.grid.at(double(i), double(j), double(k));
        const Vector3 at = volume.grid.index_of(place);
        for (const double x : at) ASSERT_NEAR(x, std::round(x), 1e-9);
        ASSERT_EQ(value_at(turned, i, j, k),
                  value_at(volume, std::lround(at[0]), std::lround(at[1]), std::lround(at[2])));
      }
    }
  }
}

TEST(Grid, PlacesAndSpacing) {
  const Grid grid = oblique().grid;
  EXPECT_EQ(grid.at(0, 0, 0), grid.origin);
  EXPECT_EQ(grid.at(1, 2, 3),
            (Vector3{-12.5 + 0.9 - 0.2 + 0.45, 7.25 + 0.1 + 3.4 - 0.9, 90 - 0.05 + 0.4 + 2.6 * 3}));
  EXPECT_DOUBLE_EQ(grid.spacing(0), std::sqrt(0.81 + 0.01 + 0.0025));
  const Vector3 index = grid.index_of(grid.at(1.5, -2, 7.25));
  EXPECT_NEAR(index[0], 1.5, 1e-12);
  EXPECT_NEAR(index[1], -2, 1e-12);
  EXPECT_NEAR(index[2], 7.25, 1e-12);
}

TEST(Grid, OrientationNamesTheSideToWhichAxesRun) {
  Grid grid{.size = {1, 1, 1}};
  EXPECT_EQ(grid.orientation(), "LPS");
  grid.step = {{{0, 1, 0}, {0, 0, -1}, {-1, 0, 0}}};  // a sagittal MR, slices from left to right
  EXPECT_EQ(grid.orientation(), "PIR");
  grid.step = {{{0.8, 0.6, 0}, {-0.6, 0.8, 0}, {0, 0, 1}}};
  EXPECT_EQ(grid.orientation(), "LPS");
  // The nearest axis of each alone would be x for two of them.
  grid.step = {{{0.8, 0.6, 0}, {0.7, -0.69, 0}, {0, 0, 1}}};
  EXPECT_EQ(grid.orientation(), "LAS");
}

TEST(AxisOrder, InverseUndoesEach) {
  const Volume volume = oblique();
  for (const AxisOrder& order : all_orders()) {
    const Volume turned = reoriented(volume, order);
    expect_same_places(volume, turned);
    const Volume back = reoriented(turned, inverse(order));
    EXPECT_EQ(back.values, volume.values);
    EXPECT_EQ(back.grid.size, volume.grid.size);
    EXPECT_EQ(back.grid.step, volume.grid.step);
    for (size_t x = 0; x < 3; ++x) EXPECT_NEAR(back.grid.origin[x], volume.grid.origin[x], 1e-12);
    EXPECT_EQ(inverse(inverse(order)), order);
  }
}

TEST(Canonical, AllOrdersAndBack) {
  for (const AxisOrder& order : all_orders()) {
    const Volume volume = reoriented(oblique(), order);
    const Canonical turned = canonical(volume);
    EXPECT_EQ(turned.volume.grid.orientation(), "LPS");
    EXPECT_EQ(turned.volume.grid.size, oblique().grid.size);
    EXPECT_EQ(turned.volume.values, oblique().values);
    expect_same_places(volume, turned.volume);
    EXPECT_EQ(turned.original, volume.grid);
    EXPECT_EQ(reordered(turned.volume.values, turned.volume.grid.size, turned.back), volume.values);
  }
}

TEST(Canonical, MasksOfOtherTypesGoBackToo) {
  const Volume volume = reoriented(oblique(), {{2, 0, 1}, {true, false, true}});
  const Canonical turned = canonical(volume, "RAS");
  const std::vector<uint8_t> mask(turned.volume.values.begin(), turned.volume.values.end());
  const std::vector<uint16_t> labels(mask.begin(), mask.end());
  const std::vector<uint8_t> mask_back = reordered(mask, turned.volume.grid.size, turned.back);
  const std::vector<uint16_t> labels_back = reordered(labels, turned.volume.grid.size, turned.back);
  for (size_t i = 0; i < mask_back.size(); ++i) {
    EXPECT_EQ(mask_back[i], static_cast<uint8_t>(volume.values[i]));
    EXPECT_EQ(labels_back[i], static_cast<uint16_t>(volume.values[i]));
  }
}

TEST(Canonical, CodesWithAnAxisTwiceAreRefused) {
  for (const char* code : {"", "LP", "LPSS", "LLS", "LRS", "lps", "LPX"}) {
    try {
      axis_order(oblique().grid, code);
      FAIL() << code;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
    }
  }
}

TEST(Grid, WhatSpansNoSpace) {
  Grid grid = oblique().grid;
  EXPECT_TRUE(spans_space(grid));
  grid.step[2] = grid.step[1];
  EXPECT_FALSE(spans_space(grid));
  grid.step[2] = {0, 0, 0};
  EXPECT_FALSE(spans_space(grid));
  grid.step[2] = {0, NAN, 1};
  EXPECT_FALSE(spans_space(grid));
  grid = oblique().grid;
  grid.origin[0] = INFINITY;
  EXPECT_FALSE(spans_space(grid));
}

TEST(Grid, SizesAreChecked) {
  EXPECT_NO_THROW(check_size({2048, 1024, 1024}, "x"));
  EXPECT_THROW(check_size({2048, 1024, 1025}, "x"), Error);
  EXPECT_THROW(check_size({0, 1, 1}, "x"), Error);
  EXPECT_THROW(check_size({1, -1, 1}, "x"), Error);
  constexpr int64_t kHuge = int64_t{1} << 62;
  EXPECT_THROW(check_size({kHuge, kHuge, kHuge}, "x"), Error);
}

}  // namespace
}  // namespace vesalius::media
