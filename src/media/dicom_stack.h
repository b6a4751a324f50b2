// From the places of DICOM slices to one regular grid.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "media/dicom.h"
#include "media/volume.h"

namespace vesalius::media {

/// One frame, before its pixels are read.
struct SliceHead {
  std::string name;  // its file, and its frame where there are several: for messages
  DicomInfo info;    // of this frame
};

/// Which slice stands at each place of the grid; none where one is missing.
struct Stack {
  Grid grid;
  std::vector<std::optional<size_t>> places;
  std::vector<std::string> remarks;
};

enum class Gaps { kRefuse, kFill };

/// Orders slices by their place along the normal of their plane (PS3.3 C.7.6.2). The step between
/// slices comes from their positions alone, whole vectors: SliceThickness and the order of names or
/// instance numbers say nothing. `same_pixels(a, b)` is asked about slices in one place: copies are
/// dropped with a remark. Error kUnsupported, naming the slices and the remedy, for slices of
/// different size, spacing or direction, in one place with different pixels, unevenly apart, or
/// with gaps unless these are to be left open. One slice without a place is a grid not placed.
Stack stack_slices(const std::vector<SliceHead>& slices, Gaps gaps,
                   const std::function<bool(size_t, size_t)>& same_pixels);

}  // namespace vesalius::media
