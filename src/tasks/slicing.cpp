#include "tasks/slicing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace vesalius::tasks {

namespace {
using media::AxisOrder;
using media::Grid;

std::array<int64_t, 3> numpy_shape(const Grid& grid) {
  return {grid.size[2], grid.size[1], grid.size[0]};
}
}  // namespace

Slicing slicing_of(const Grid& grid, const AxisOrder& order, int axis) {
  const std::array<int64_t, 3> strides{1, grid.size[0], grid.size[0] * grid.size[1]};
  std::array<int64_t, 3> size{}, step{};  // of the reordered grid, slices first
  Slicing out;
  for (size_t a = 0; a < 3; ++a) {
    const auto from = static_cast<size_t>(order.from[2 - a]);
    size[a] = grid.size[from];
    step[a] = order.flipped[2 - a] ? -strides[from] : strides[from];
    if (order.flipped[2 - a]) out.start += (size[a] - 1) * strides[from];
  }
  const auto first = size.begin() + axis;
  std::rotate(size.begin(), first, first + 1);
  std::rotate(step.begin(), step.begin() + axis, step.begin() + axis + 1);
  out.slices = size[0], out.rows = size[1], out.columns = size[2];
  out.slice_step = step[0], out.row_step = step[1], out.column_step = step[2];
  return out;
}

int slice_axis(const std::array<int64_t, 3>& shape) {
  const auto rows = static_cast<double>(shape[1]), columns = static_cast<double>(shape[2]);
  if (2 * std::abs(rows - columns) / (rows + columns) < 0.5) return 0;
  return static_cast<int>(std::ranges::min_element(shape) - shape.begin());
}

std::vector<int> view_axes(const Grid& grid) {
  const Grid trained = grid.placed ? media::reoriented(grid, media::axis_order(grid, "LPS")) : grid;
  const auto shape = numpy_shape(trained);
  const auto differ = [&](size_t a, size_t b) {
    const auto x = static_cast<double>(shape[a]), y = static_cast<double>(shape[b]);
    return 2 * std::abs(x - y) / (x + y);
  };
  const auto [least, most] =
      std::minmax({trained.spacing(0), trained.spacing(1), trained.spacing(2)});
  const bool cubic = std::max({differ(0, 1), differ(0, 2), differ(1, 2)}) < 0.5;
  if (cubic && (most - least) / most <= 0.1) return {0, 1, 2};
  return {slice_axis(shape)};
}

Slicing choose_slicing(const Grid& grid, Orientation orientation, std::optional<int> axis) {
  if (orientation == Orientation::kAsIs || !grid.placed)
    return slicing_of(grid, {}, axis.value_or(slice_axis(numpy_shape(grid))));
  const AxisOrder trained = media::axis_order(grid, "LPS");
  const int along = axis.value_or(slice_axis(numpy_shape(media::reoriented(grid, trained))));
  if (orientation == Orientation::kTrained) return slicing_of(grid, trained, along);
  // Axial, coronal and sagittal slices as they hang on a light box.
  constexpr std::array<const char*, 3> kShown{"LPS", "LIP", "PIL"};
  return slicing_of(grid, media::axis_order(grid, kShown[static_cast<size_t>(along)]), 0);
}

}  // namespace vesalius::tasks
