#include "tasks/plane_layout.h"

#include <algorithm>

namespace vesalius::tasks {

PlaneLayout layout_of(PlaneWay way, int64_t rows, int64_t columns, int64_t side) {
  PlaneLayout layout{way, rows, columns, {}, side};
  if (way == PlaneWay::kPictureV1) return layout;
  const int64_t missing_rows = std::max<int64_t>(columns - rows, 0);
  const int64_t missing_columns = std::max<int64_t>(rows - columns, 0);
  Padding& padding = layout.padding;
  padding.top = padding.bottom = missing_rows / 2;
  padding.left = padding.right = missing_columns / 2;
  if (way == PlaneWay::kSliceV1) return layout;
  padding.bottom = missing_rows - padding.top;
  padding.right = missing_columns - padding.left;
  return layout;
}

}  // namespace vesalius::tasks
