// A volume seen as a stack of slices along any of its axes, without a copy of it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "media/volume.h"

namespace vesalius::tasks {

/// Value (row r, column c) of slice s stands at start + s * slice_step + r * row_step +
/// c * column_step in a grid's values. Steps may be negative.
struct Slicing {
  int64_t slices = 0, rows = 0, columns = 0;
  int64_t start = 0, slice_step = 0, row_step = 0, column_step = 0;

  template <class T>
  std::vector<T> slice(std::span<const T> values, int64_t s) const {
    std::vector<T> out(static_cast<size_t>(rows * columns));
    T* to = out.data();
    for_each(s, [&](int64_t at) { *to++ = values[static_cast<size_t>(at)]; });
    return out;
  }

  /// slice() backwards: puts a slice's values, row by row, where they stand in the grid.
  template <class T>
  void put(std::span<const T> slice, int64_t s, std::span<T> values) const {
    const T* from = slice.data();
    for_each(s, [&](int64_t at) { values[static_cast<size_t>(at)] = *from++; });
  }

 private:
  template <class Visit>
  void for_each(int64_t s, const Visit& visit) const {
    for (int64_t r = 0; r < rows; ++r) {
      int64_t at = start + s * slice_step + r * row_step;
      for (int64_t c = 0; c < columns; ++c, at += column_step) visit(at);
    }
  }
};

/// Slices of the reordered grid along `axis` of numpy's [slices, rows, columns]; the other two keep
/// their order, as numpy.moveaxis(volume, axis, 0) leaves them.
Slicing slicing_of(const media::Grid& grid, const media::AxisOrder& order, int axis);

/// The axis that BiomedParse slices a volume [slices, rows, columns] along (get_axis in its
/// src/utils.py): the first, unless rows and columns differ by half of their mean or more; then the
/// shortest.
int slice_axis(const std::array<int64_t, 3>& shape);

/// How a volume is turned before it is sliced.
enum class Orientation {
  kTrained,  // as the models saw their volumes; without a place in the patient as it is
  kShown,    // the same slices as radiologists look at them
  kAsIs,
};

/// The axes that process_2D.py of BiomedParse v2 slices a training volume along: all three of a
/// nearly isotropic (10 %), nearly cubic volume in the order of kTrained, else slice_axis().
std::vector<int> view_axes(const media::Grid& grid);

/// The slices a model is to read. kTrained: the axes are made to run to the left, the back and the
/// head (LPS), then slice_axis() is taken; slices along rows or columns so stand on their heads, as
/// they did in training. kShown: rows of coronal and sagittal slices run to the feet.
/// `axis` stands in for the choice.
Slicing choose_slicing(const media::Grid& grid, Orientation orientation,
                       std::optional<int> axis = {});

}  // namespace vesalius::tasks
