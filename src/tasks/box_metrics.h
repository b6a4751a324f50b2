// How well boxes cover boxes, as RadFact counts it (github microsoft/RadFact): union masks on a
// small raster.
#pragma once

#include <optional>
#include <vector>

#include "text/grounded_text.h"

namespace vesalius::tasks {

/// Side of the raster, in cells.
constexpr int kBoxRaster = 224;

/// 0 to 1; nothing where RadFact has NaN.
struct BoxFigures {
  std::optional<double> iou;        // nothing when neither side covers a cell
  std::optional<double> precision;  // nothing when the prediction covers none
  std::optional<double> recall;     // nothing when the truth covers none
};

/// Coordinates (0 to 1) times the raster are cut off to whole cells; the upper edge is left out.
/// Corners may come in either order.
BoxFigures compare_boxes(const std::vector<text::Box>& predicted,
                         const std::vector<text::Box>& truth);

}  // namespace vesalius::tasks
