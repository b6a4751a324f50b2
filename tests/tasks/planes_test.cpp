#include "tasks/planes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "tasks/plane_masks.h"

namespace vesalius::tasks {
namespace {

using media::AxisOrder;
using media::Grid;
using media::Vector3;
using media::Volume;

// A ball beside the middle of the patient, in an oblique grid; values like those of a CT.
Volume ball(const std::array<int64_t, 3>& size, double angle) {
  Volume volume;
  Grid& grid = volume.grid;
  grid.size = size;
  const double c = std::cos(angle), s = std::sin(angle);
  grid.step = {{{0.8 * c, 0.8 * s, 0}, {-0.9 * s, 0.9 * c, 0}, {0, 0.3 * s, 2.0}}};
  grid.origin = {-30, 12, 100};
  const Vector3 center =
      grid.at(0.3 * static_cast<double>(size[0]), 0.6 * static_cast<double>(size[1]),
              0.5 * static_cast<double>(size[2]));
  for (int64_t k = 0; k < size[2]; ++k)
    for (int64_t j = 0; j < size[1]; ++j)
      for (int64_t i = 0; i < size[0]; ++i) {
        const Vector3 at =
            grid.at(static_cast<double>(i), static_cast<double>(j), static_cast<double>(k));
        const Vector3 away{at[0] - center[0], at[1] - center[1], at[2] - center[2]};
        volume.values.push_back(media::length(away) < 6 ? 180.0F : -100.0F + static_cast<float>(i));
        // Every slice has something black and something white: the first version asks each alone.
        if (i == 0 && j < 2) volume.values.back() = j == 0 ? -1000.0F : 1000.0F;
      }
  return volume;
}

SegmentInput input_of(Volume volume) {
  SegmentInput input;
  input.kind = InputKind::kVolume;
  input.path = "ball";
  input.modality = "CT";
  input.volume = std::move(volume);
  return input;
}

// Stands in for a model: what is bright on the first channel is the object, at a quarter of the
// size.
at::Tensor bright(const at::Tensor& planes) {
  return (at::avg_pool2d(planes.narrow(1, 0, 1), 4) - 128.0) / 20.0;
}

// All that stands between a volume and its mask, two slices at a time.
std::vector<uint8_t> segmented(const SegmentInput& input, int version) {
  const Planes planes(input, {.version = version, .side = 64});
  std::vector<uint8_t> mask(input.volume.values.size());
  for (int64_t begin = 0; begin < planes.count(); begin += 2) {
    const int64_t end = std::min(begin + 2, planes.count());
    const at::Tensor found = probabilities(bright(planes.batch(begin, end)), planes.layout());
    const at::Tensor decided = (found.select(1, 0) > 0.5).to(at::kByte);
    put_on_grid(on_slices(decided, planes.layout()), begin, planes.slicing(), mask);
  }
  return mask;
}

std::vector<AxisOrder> all_orders() {
  std::vector<AxisOrder> orders;
  std::array<int, 3> from{0, 1, 2};
  do {
    for (unsigned flips = 0; flips < 8; ++flips)
      orders.push_back({from, {(flips & 1) != 0, (flips & 2) != 0, (flips & 4) != 0}});
  } while (std::next_permutation(from.begin(), from.end()));
  return orders;
}

class Turned : public ::testing::TestWithParam<std::array<int64_t, 3>> {};

TEST_P(Turned, AnswerTurnsWithTheVolume) {
  ASSERT_EQ(all_orders().size(), 48U);
  const Volume volume = ball(GetParam(), 0.3);
  for (const int version : {1, 2}) {
    const std::vector<uint8_t> wanted = segmented(input_of(volume), version);
    const auto found = std::ranges::count(wanted, 1);
    ASSERT_GT(found, 8) << version;
    ASSERT_LT(found, static_cast<int64_t>(wanted.size()) / 2) << version;
    for (const AxisOrder& order : all_orders()) {
      const SegmentInput turned = input_of(media::reoriented(volume, order));
      const std::vector<uint8_t> mask = segmented(turned, version);
      EXPECT_EQ(media::reordered(mask, turned.volume.grid.size, media::inverse(order)), wanted);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Shapes, Turned,
                         ::testing::Values(std::array<int64_t, 3>{21, 24, 8},     // axial slices
                                           std::array<int64_t, 3>{24, 9, 13},     // coronal
                                           std::array<int64_t, 3>{10, 27, 14}));  // sagittal

TEST(Turned, MaskLiesWhereTheBallIs) {
  const Volume volume = ball({40, 36, 9}, 0.3);
  for (const int version : {1, 2}) {
    const std::vector<uint8_t> mask = segmented(input_of(volume), version);
    int64_t both = 0, either = 0;
    for (size_t i = 0; i < mask.size(); ++i) {
      const bool inside = volume.values[i] == 180.0F;
      both += mask[i] != 0 && inside ? 1 : 0;
      either += mask[i] != 0 || inside ? 1 : 0;
    }
    EXPECT_GT(static_cast<double>(both), 0.8 * static_cast<double>(either))
        << version << ": " << both << " of " << either;
  }
}

TEST(Slicing, StoredOrderIsKeptWhereItIsAskedForOrNothingElseIsKnown) {
  Grid grid = ball({5, 6, 4}, 0).grid;
  grid.step[0][0] = -grid.step[0][0];  // columns run to the right
  const Slicing trained = choose_slicing(grid, Orientation::kTrained);
  const Slicing as_is = choose_slicing(grid, Orientation::kAsIs);
  EXPECT_EQ(trained.column_step, -1);
  EXPECT_EQ(as_is.column_step, 1);
  EXPECT_EQ(as_is.start, 0);
  grid.placed = false;
  EXPECT_EQ(choose_slicing(grid, Orientation::kTrained).column_step, 1);
}

// The first version saw pictures as they hang on a light box; the second NumPy's views.
TEST(Slicing, SagittalSlicesStandOnTheirFeetInTheFirstVersion) {
  const Grid grid = ball({3, 20, 22}, 0).grid;  // LPS: columns are the short axis
  const Slicing trained = choose_slicing(grid, Orientation::kTrained);
  const Slicing shown = choose_slicing(grid, Orientation::kShown);
  for (const Slicing& slicing : {trained, shown}) {
    EXPECT_EQ(slicing.slices, 3);
    EXPECT_EQ(slicing.rows, 22);
    EXPECT_EQ(slicing.columns, 20);
    EXPECT_EQ(slicing.column_step, 3);  // to the back
  }
  EXPECT_EQ(trained.row_step, 60);  // to the head
  EXPECT_EQ(shown.row_step, -60);   // to the feet
}

TEST(Slicing, AxisIsThePublishedOne) {
  EXPECT_EQ(slice_axis({100, 512, 512}), 0);
  EXPECT_EQ(slice_axis({512, 512, 20}), 2);
  EXPECT_EQ(slice_axis({512, 20, 512}), 1);
  EXPECT_EQ(slice_axis({20, 30, 90}), 0);     // the shortest
  EXPECT_EQ(slice_axis({200, 300, 179}), 2);  // 2 * 121 / 479 = 0.505
  EXPECT_EQ(slice_axis({100, 300, 180}), 0);  // 0.5 exactly is too much, but 100 is the shortest
  EXPECT_EQ(slice_axis({200, 300, 180}), 2);
  EXPECT_EQ(slice_axis({200, 300, 181}), 0);
  EXPECT_EQ(slice_axis({7, 7, 1}), 2);
  EXPECT_EQ(slice_axis({1, 1, 9}), 0);  // the first of equals
}

TEST(Planes, WrongRequestsAreErrors) {
  const SegmentInput input = input_of(ball({5, 6, 4}, 0));
  const Planes planes(input, {.version = 2, .side = 16});
  for (const auto& [begin, end] : {std::pair{-1, 1}, {0, 0}, {2, 1}, {0, 5}, {4, 5}})
    EXPECT_THROW(planes.batch(begin, end), Error) << begin << " " << end;
  std::vector<uint8_t> grid(120), short_of_one(119);
  const at::Tensor masks = at::zeros({2, 6, 5}, at::kByte);
  EXPECT_THROW(put_on_grid(masks, 3, planes.slicing(), grid), Error);
  EXPECT_THROW(put_on_grid(masks.transpose(1, 2), 0, planes.slicing(), grid), Error);
  EXPECT_THROW(put_on_grid(masks.to(at::kFloat), 0, planes.slicing(), grid), Error);
  EXPECT_THROW(put_on_grid(masks, 0, planes.slicing(), short_of_one), Error);
  EXPECT_NO_THROW(put_on_grid(masks, 2, planes.slicing(), grid));
}

TEST(PlaneMasks, EveryTypeOfLabelIsKept) {
  const PlaneLayout layout = layout_of(PlaneWay::kSliceV2, 5, 9, 16);
  EXPECT_EQ(layout.padding, (Padding{2, 2, 0, 0}));
  for (const auto type : {at::kByte, at::kUInt16, at::kInt, at::kLong, at::kFloat}) {
    const at::Tensor labels = at::arange(2 * 16 * 16, at::kLong).remainder(200).to(type);
    const at::Tensor made = on_slices(labels.view({2, 16, 16}), layout);
    EXPECT_EQ(made.scalar_type(), type);
    EXPECT_EQ(made.sizes(), (at::IntArrayRef{2, 5, 9}));
    // Row 2 of the padded slice is row floor(2 * 16 / 9) = 3 of the plane; column 8 is 14.
    EXPECT_EQ(made.to(at::kLong)[0][0][8].item<int64_t>(), 3 * 16 + 14);
  }
}

TEST(PlaneMasks, LabelsArePutOnTheGridTheyCameFrom) {
  Grid grid = ball({5, 6, 4}, 0).grid;
  grid.step[1][1] = -grid.step[1][1];  // rows run to the front
  const Slicing slicing = choose_slicing(grid, Orientation::kTrained);
  std::vector<uint16_t> labels(120);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<uint16_t>(500 + i);
  std::vector<uint16_t> back(120);
  for (int64_t s = 0; s < slicing.slices; ++s) {
    std::vector<uint16_t> slice = slicing.slice(std::span<const uint16_t>(labels), s);
    EXPECT_EQ(slice.front(), 500 + 30 * s + 25);  // the last row of the stored slice
    put_on_grid(at::from_blob(slice.data(), {1, 6, 5}, at::kUInt16), s, slicing, back);
  }
  EXPECT_EQ(back, labels);
}

TEST(PlaneLayout, OddPixelsOfPadding) {
  EXPECT_EQ(layout_of(PlaneWay::kSliceV1, 5, 8, 16).padding, (Padding{1, 1, 0, 0}));
  EXPECT_EQ(layout_of(PlaneWay::kSliceV2, 5, 8, 16).padding, (Padding{1, 2, 0, 0}));
  EXPECT_EQ(layout_of(PlaneWay::kPictureV2, 8, 5, 16).padding, (Padding{0, 0, 1, 2}));
  EXPECT_EQ(layout_of(PlaneWay::kPictureV1, 8, 5, 16).padding, (Padding{}));
}

}  // namespace
}  // namespace vesalius::tasks
