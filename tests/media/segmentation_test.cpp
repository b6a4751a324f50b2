#include "media/segmentation.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "media/cielab.h"

namespace vesalius::media {
namespace {

/// Three slices of 2 x 1 voxels, 3 mm apart.
Segmentation small() {
  Segmentation out;
  out.grid.size = {2, 1, 3};
  out.grid.origin = {10, 20, 30};
  out.grid.step[2] = {0, 0, 3};
  out.segments.push_back({.label = "liver", .voxels = {1, 0, 0, 1, 1, 1}});
  return out;
}

TEST(OnGrid, MoreSlicesAreEmpty) {
  Grid larger = small().grid;
  larger.size[2] = 5;
  larger.origin[2] = 27;
  const Segmentation out = on_grid(small(), larger, "test");
  EXPECT_EQ(out.grid, larger);
  EXPECT_EQ(out.segments[0].voxels, (std::vector<uint8_t>{0, 0, 1, 0, 0, 1, 1, 1, 0, 0}));
}

TEST(OnGrid, SlicesMayRunTheOtherWay) {
  Grid turned = small().grid;
  turned.origin[2] = 36;
  turned.step[2] = {0, 0, -3};
  EXPECT_EQ(on_grid(small(), turned, "test").segments[0].voxels,
            (std::vector<uint8_t>{1, 1, 0, 1, 1, 0}));
}

TEST(OnGrid, WhatLiesElsewhereIsRefused) {
  Grid shifted = small().grid;
  shifted.origin[0] += 0.4;
  EXPECT_THROW(on_grid(small(), shifted, "test"), Error);
  Grid finer = small().grid;
  finer.step[0] = {0.5, 0, 0};
  EXPECT_THROW(on_grid(small(), finer, "test"), Error);
  Grid wider = small().grid;
  wider.size[0] = 3;
  EXPECT_THROW(on_grid(small(), wider, "test"), Error);
  Grid fewer = small().grid;
  fewer.size[2] = 2;
  EXPECT_THROW(on_grid(small(), fewer, "test"), Error);
}

TEST(OnGrid, EmptySlicesMayLieOutside) {
  Segmentation empty_end = small();
  empty_end.segments[0].voxels = {1, 0, 0, 1, 0, 0};
  Grid fewer = small().grid;
  fewer.size[2] = 2;
  EXPECT_EQ(on_grid(empty_end, fewer, "test").segments[0].voxels,
            (std::vector<uint8_t>{1, 0, 0, 1}));
}

TEST(OnGrid, WithoutPlaceTheSliceNumberCounts) {
  Segmentation unplaced = small();
  unplaced.grid.placed = false;
  Grid larger = unplaced.grid;
  larger.size[2] = 4;
  EXPECT_EQ(on_grid(unplaced, larger, "test").segments[0].voxels,
            (std::vector<uint8_t>{1, 0, 0, 1, 1, 1, 0, 0}));
}

TEST(CieLab, EveryColourComesBack) {
  for (int r = 0; r < 256; r += 5) {
    for (int g = 0; g < 256; g += 5) {
      for (int b = 0; b < 256; b += 5) {
        const std::array<uint8_t, 3> colour{static_cast<uint8_t>(r), static_cast<uint8_t>(g),
                                            static_cast<uint8_t>(b)};
        ASSERT_EQ(srgb_of(cielab_of(colour)), colour);
      }
    }
  }
}

TEST(CieLab, KnownColours) {
  EXPECT_EQ(cielab_of({0, 0, 0}), (std::array<uint16_t, 3>{0, 32896, 32896}));
  const auto white = cielab_of({255, 255, 255});
  EXPECT_EQ(white[0], 65535);
  EXPECT_LE(std::abs(white[1] - 32896), 3);
  EXPECT_LE(std::abs(white[2] - 32896), 3);
  // 3D Slicer's liver, as dcmqi writes it.
  const auto liver = cielab_of({221, 130, 101});
  EXPECT_LE(std::abs(liver[0] - 41661), 8);
  EXPECT_LE(std::abs(liver[1] - 41167), 8);
  EXPECT_LE(std::abs(liver[2] - 40792), 8);
}

}  // namespace
}  // namespace vesalius::media
