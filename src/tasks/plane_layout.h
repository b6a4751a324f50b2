// How a slice lies on the square plane that a model reads.
#pragma once

#include <cstdint>

namespace vesalius::tasks {

/// The ways of the published code, each with its own resizes there and back.
enum class PlaneWay { kPictureV1, kSliceV1, kPictureV2, kSliceV2 };

/// Zeros around a slice, pixels.
struct Padding {
  int64_t top = 0, bottom = 0, left = 0, right = 0;
  bool operator==(const Padding&) const = default;
};

struct PlaneLayout {
  PlaneWay way = PlaneWay::kSliceV2;
  int64_t rows = 0, columns = 0;  // of the slice
  Padding padding;
  int64_t side = 0;  // of the plane, to which the padded slice is resized

  int64_t padded_rows() const { return padding.top + rows + padding.bottom; }
  int64_t padded_columns() const { return padding.left + columns + padding.right; }
};

/// Version 1 pads a slice by half of the difference, rounded down, on both sides, which leaves an
/// odd one a pixel short of square, and no picture; version 2 makes all square, the odd pixel at
/// the bottom or the right.
PlaneLayout layout_of(PlaneWay way, int64_t rows, int64_t columns, int64_t side);

}  // namespace vesalius::tasks
