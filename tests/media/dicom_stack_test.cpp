#include "media/dicom_stack.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace vesalius::media {
namespace {

SliceHead slice_at(std::vector<double> position, int number = 1) {
  SliceHead slice{.name = fmt::format("slice {}", number)};
  slice.info.rows = 4;
  slice.info.columns = 5;
  slice.info.image_position = std::move(position);
  slice.info.image_orientation = {1, 0, 0, 0, 1, 0};
  slice.info.pixel_spacing = {0.5, 0.75};
  return slice;
}

/// Axial slices at these heights.
std::vector<SliceHead> slices_at(const std::vector<double>& heights) {
  std::vector<SliceHead> slices;
  for (const double z : heights)
    slices.push_back(slice_at({10, 20, z}, static_cast<int>(slices.size())));
  return slices;
}

Stack stacked(const std::vector<SliceHead>& slices, Gaps gaps = Gaps::kRefuse, bool same = true) {
  return stack_slices(slices, gaps, [&](size_t, size_t) { return same; });
}

std::string refusal(const std::vector<SliceHead>& slices, Gaps gaps = Gaps::kRefuse,
                    bool same = true) {
  try {
    stacked(slices, gaps, same);
    return "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    return error.what();
  }
}

using Places = std::vector<std::optional<size_t>>;

TEST(Stack, OrderedByPlace) {
  const Stack stack = stacked(slices_at({4, 0, 6, 2}));
  EXPECT_EQ(stack.places, (Places{1, 3, 0, 2}));
  EXPECT_EQ(stack.grid.size, (std::array<int64_t, 3>{5, 4, 4}));
  EXPECT_EQ(stack.grid.origin, (Vector3{10, 20, 0}));
  EXPECT_EQ(stack.grid.step[0], (Vector3{0.75, 0, 0}));  // the second of PixelSpacing, along a row
  EXPECT_EQ(stack.grid.step[1], (Vector3{0, 0.5, 0}));
  EXPECT_EQ(stack.grid.step[2], (Vector3{0, 0, 2}));
  EXPECT_TRUE(stack.remarks.empty());
}

TEST(Stack, CopiesAreDroppedAndOthersRefused) {
  const std::vector<SliceHead> slices = slices_at({0, 2, 2, 4, 4, 4});
  const Stack stack = stacked(slices);
  EXPECT_EQ(stack.places, (Places{0, 1, 3}));
  EXPECT_NE(stack.remarks.front().find("3 slices are there more than once"), std::string::npos);
  EXPECT_NE(refusal(slices, Gaps::kRefuse, false).find("slice 1 and slice 2"), std::string::npos);
}

TEST(Stack, GapsAreNamedOrLeftOpen) {
  const std::vector<SliceHead> slices = slices_at({0, 2, 4, 10, 12, 16, 18, 20});
  const std::string reason = refusal(slices);
  EXPECT_NE(
      reason.find("3 slices are missing, the first between slice 2 at 4 mm and slice 3 at 10"),
      std::string::npos)
      << reason;
  EXPECT_EQ(stacked(slices, Gaps::kFill).places, (Places{0, 1, 2, {}, {}, 3, 4, {}, 5, 6, 7}));
  EXPECT_NE(refusal(slices_at({0, 2, 4, 4000}), Gaps::kFill).find("one stack"), std::string::npos);
}

TEST(Stack, HowEvenSlicesMustBe) {
  EXPECT_EQ(stacked(slices_at({0, 5.2, 10, 14.9, 20})).places.size(), 5U);
  EXPECT_NE(refusal(slices_at({0, 5.4, 10, 15, 20})).find("slice 1"), std::string::npos);
  EXPECT_NE(refusal(slices_at({0, 0.1, 0.15, 0.3})).find("not evenly"), std::string::npos);
  EXPECT_NE(refusal(slices_at({0, 2, 4, 7, 9, 11})), "it was taken");
}

TEST(Stack, SideBySideInOnePlane) {
  const std::vector<SliceHead> tiles = {slice_at({0, 0, 0}, 1), slice_at({50, 0, 0}, 2),
                                        slice_at({100, 0, 0}, 3)};
  EXPECT_NE(refusal(tiles).find("side by side"), std::string::npos);
}

TEST(Stack, HolesInInstanceNumbers) {
  std::vector<SliceHead> slices = slices_at({0, 2, 4, 6});
  for (size_t i = 0; i < slices.size(); ++i)
    slices[i].info.instance_number = static_cast<int>(i < 2 ? i + 1 : i + 4);
  const Stack stack = stacked(slices);
  ASSERT_EQ(stack.remarks.size(), 1U);
  EXPECT_NE(stack.remarks[0].find("3 instance numbers are missing, the first 3"),
            std::string::npos);
}

TEST(Stack, ASeriesThatDoesNotBeginWithOne) {
  std::vector<SliceHead> slices = slices_at({0, 2, 4});
  for (size_t i = 0; i < slices.size(); ++i)
    slices[i].info.instance_number = static_cast<int>(i) + 7;
  const Stack stack = stacked(slices);
  ASSERT_EQ(stack.remarks.size(), 1U);
  EXPECT_NE(stack.remarks[0].find("first instance number is 7"), std::string::npos);
}

TEST(Stack, OnePictureWithoutAPlace) {
  SliceHead slice = slice_at({});
  slice.info.image_orientation.clear();
  const Stack stack = stacked({slice});
  EXPECT_FALSE(stack.grid.placed);
  EXPECT_EQ(stack.grid.spacing(0), 0.75);
  EXPECT_EQ(stack.places, (Places{0}));
  EXPECT_NE(refusal({slice, slice}).find("ImagePositionPatient"), std::string::npos);
}

TEST(Stack, PlacesWithoutPixelSpacing) {
  std::vector<SliceHead> slices = slices_at({0, 2});
  for (SliceHead& slice : slices) slice.info.pixel_spacing = {0, 1};
  EXPECT_NE(refusal(slices).find("PixelSpacing"), std::string::npos);
}

TEST(Stack, PlacesAtTheEndOfTheWorld) {
  EXPECT_NE(refusal(slices_at({-1e300, 0, 1, 1e300}), Gaps::kFill), "it was taken");
  EXPECT_NE(refusal(slices_at({0, 1, 2, 1e18}), Gaps::kFill), "it was taken");
}

}  // namespace
}  // namespace vesalius::media
