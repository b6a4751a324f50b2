#include "media/dicom_seg_grid.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"

namespace vesalius::media {

namespace {
constexpr int64_t kMaxSlices = 1 << 16;

Vector3 minus(const Vector3& a, const Vector3& b) {
  return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}
Vector3 times(const Vector3& v, double factor) {
  return {v[0] * factor, v[1] * factor, v[2] * factor};
}
/// The plane that all frames share: unit vectors along rows and columns, and mm.
struct Plane {
  Vector3 row, column, normal;
  double column_step = 1, row_step = 1;
  double slice_step = 0;  // as the object claims; 0: it does not
};

[[noreturn]] void fail_geometry(const std::string& where, const char* why) {
  fail(ErrorCode::kUnsupported,
       "{}: {}; only segmentations whose frames are parallel slices of one grid are read here",
       where, why);
}

Plane read_plane(const std::vector<FrameGroups>& frames, const std::string& where) {
  const FrameGroups& first = frames.front();
  const std::vector<double> o =
      numbers_of(first.macro(DCM_PlaneOrientationSequence), DCM_ImageOrientationPatient);
  DcmItem& measures = first.macro(DCM_PixelMeasuresSequence);
  const std::vector<double> spacing = numbers_of(measures, DCM_PixelSpacing);
  if (o.size() != 6 || spacing.size() != 2 || !(spacing[0] > 0) || !(spacing[1] > 0)) {
    fail_geometry(where, "its frames have positions but no orientation or no spacing");
  }
  for (const FrameGroups& frame : frames) {
    const auto other =
        numbers_of(frame.macro(DCM_PlaneOrientationSequence), DCM_ImageOrientationPatient);
    const bool same =
        other.size() == 6 && std::equal(o.begin(), o.end(), other.begin(),
                                        [](double a, double b) { return std::abs(a - b) < 1e-3; });
    if (!same) fail_geometry(where, "its frames do not lie in parallel planes");
  }
  Plane plane{{o[0], o[1], o[2]}, {o[3], o[4], o[5]}, {}, spacing[1], spacing[0]};
  const double across = length(plane.row), down = length(plane.column);
  if (std::abs(across - 1) > 0.01 || std::abs(down - 1) > 0.01 ||
      std::abs(dot(plane.row, plane.column)) > 0.01) {
    fail_geometry(where, "the directions of its rows and columns are not at right angles");
  }
  plane.row = times(plane.row, 1 / across);
  plane.column = times(plane.column, 1 / down);
  plane.normal = cross(plane.row, plane.column);
  for (const DcmTagKey& tag : {DCM_SpacingBetweenSlices, DCM_SliceThickness}) {
    const auto claimed = numbers_of(measures, tag);
    if (plane.slice_step == 0 && !claimed.empty()) plane.slice_step = std::abs(claimed.front());
  }
  return plane;
}

/// Distances of the slices from the lowest, each once.
std::vector<double> distinct(std::vector<double> heights, double near) {
  std::sort(heights.begin(), heights.end());
  std::vector<double> out{0};
  for (const double height : heights) {
    if (height - heights.front() - out.back() > near) out.push_back(height - heights.front());
  }
  return out;
}

bool divides(double step, const std::vector<double>& heights) {
  return step > 0 && std::all_of(heights.begin(), heights.end(), [&](double height) {
           return std::abs(height / step - std::round(height / step)) < 0.1;
         });
}

/// Slices between the first and the last, if all lie on multiples of one step: the claimed one,
/// since slices without voxels may be left out, or else the smallest that is met.
int64_t count_steps(const std::vector<double>& heights, double claimed, const std::string& where) {
  double step = claimed;
  if (!divides(step, heights)) {
    step = heights[1];
    for (size_t i = 1; i < heights.size(); ++i) {
      step = std::min(step, heights[i] - heights[i - 1]);
    }
  }
  const double steps = std::round(heights.back() / step);
  if (!(steps >= 1 && steps < kMaxSlices) || !divides(heights.back() / steps, heights)) {
    fail_geometry(where, "its slices stand at irregular distances");
  }
  return static_cast<int64_t>(steps);
}

/// The grid from the lowest frame to the highest.
Grid span(const Plane& plane, const std::vector<Vector3>& positions, const std::string& where) {
  std::vector<double> heights;
  for (const Vector3& p : positions) heights.push_back(dot(minus(p, positions[0]), plane.normal));
  const auto [low, high] = std::minmax_element(heights.begin(), heights.end());
  const Vector3& lowest = positions[static_cast<size_t>(low - heights.begin())];
  const Vector3& highest = positions[static_cast<size_t>(high - heights.begin())];
  Grid grid;
  grid.size[2] = 1;
  grid.origin = lowest;
  grid.step = {times(plane.row, plane.column_step), times(plane.column, plane.row_step),
               times(plane.normal, plane.slice_step > 0 ? plane.slice_step : 1)};
  const double near = 0.02 * std::min(plane.column_step, plane.row_step);
  const std::vector<double> levels = distinct(heights, near);
  if (levels.size() > 1) {
    const int64_t steps = count_steps(levels, plane.slice_step, where);
    grid.size[2] = steps + 1;
    grid.step[2] = times(minus(highest, lowest), 1.0 / static_cast<double>(steps));
  }
  if (!spans_space(grid)) fail_geometry(where, "its frames span no space");
  return grid;
}

SegFrames place(const std::vector<FrameGroups>& frames, const std::vector<Vector3>& positions,
                const std::string& where) {
  SegFrames out{span(read_plane(frames, where), positions, where), {}};
  for (const Vector3& position : positions) {
    const Vector3 at = out.grid.index_of(position);
    const double slice = std::round(at[2]);
    const bool inside = slice >= 0 && slice < static_cast<double>(out.grid.size[2]);
    if (!inside || !(std::hypot(at[0], at[1]) < 0.25)) {
      fail_geometry(where, "its frames are shifted against each other within their planes");
    }
    out.slice.push_back(static_cast<int64_t>(slice));
  }
  return out;
}

/// Without geometry, the image that a frame was made from tells its slice: the number of the frame
/// in a multi-frame image, or the place of the image in the list of the referenced ones.
SegFrames by_source(DcmItem& data, const std::vector<FrameGroups>& frames,
                    const std::string& where) {
  std::map<std::string, int64_t> listed;
  for (DcmItem* series : items_of(data, DCM_ReferencedSeriesSequence)) {
    for (DcmItem* instance : items_of(*series, DCM_ReferencedInstanceSequence)) {
      listed.emplace(text_of(*instance, DCM_ReferencedSOPInstanceUID), listed.size());
    }
  }
  SegFrames out;
  out.grid.placed = false;
  out.grid.size[2] = std::max<int64_t>(1, static_cast<int64_t>(listed.size()));
  for (const FrameGroups& frame : frames) {
    DcmItem* source = item_of(frame.macro(DCM_DerivationImageSequence), DCM_SourceImageSequence);
    int64_t slice = 0;
    if (source != nullptr) {
      const std::vector<double> number = numbers_of(*source, DCM_ReferencedFrameNumber);
      const auto found = listed.find(text_of(*source, DCM_ReferencedSOPInstanceUID));
      if (found != listed.end()) slice = found->second;
      if (!number.empty()) slice = std::llround(std::clamp(number[0], 1.0, 1e9)) - 1;
    }
    if (slice >= kMaxSlices) fail_geometry(where, "it refers to a frame of a very high number");
    out.grid.size[2] = std::max(out.grid.size[2], slice + 1);
    out.slice.push_back(slice);
  }
  return out;
}
}  // namespace

SegFrames read_seg_frames(DcmItem& data, const std::string& where) {
  const std::vector<FrameGroups> frames = frame_groups(data);
  std::vector<Vector3> positions;
  for (const FrameGroups& frame : frames) {
    const auto position =
        vector_of(frame.macro(DCM_PlanePositionSequence), DCM_ImagePositionPatient);
    if (position) positions.push_back(*position);
  }
  if (positions.empty()) return by_source(data, frames, where);
  if (positions.size() != frames.size()) {
    fail_geometry(where, "some of its frames have a position and some have none");
  }
  return place(frames, positions, where);
}

}  // namespace vesalius::media
