#include "media/segmentation.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace vesalius::media {

namespace {
constexpr double kSamePlace = 0.1;  // of a voxel's smallest side

Vector3 difference(const Vector3& a, const Vector3& b) {
  return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}

/// Place of slice k's first and last voxel, which with its middle ones fixes the whole slice.
std::array<Vector3, 3> corners(const Grid& grid, int64_t k) {
  const auto i = static_cast<double>(grid.size[0] - 1), j = static_cast<double>(grid.size[1] - 1);
  const auto z = static_cast<double>(k);
  return {grid.at(0, 0, z), grid.at(i, 0, z), grid.at(0, j, z)};
}

bool same_slice(const Grid& a, int64_t slice_a, const Grid& b, int64_t slice_b) {
  const double near = kSamePlace * std::min(a.spacing(0), a.spacing(1));
  const auto of_a = corners(a, slice_a), of_b = corners(b, slice_b);
  for (size_t i = 0; i < of_a.size(); ++i) {
    if (!(length(difference(of_a[i], of_b[i])) <= near)) return false;
  }
  return true;
}

/// The slice of `grid` that lies where slice k of `other` does, or -1.
int64_t slice_at(const Grid& grid, const Grid& other, int64_t k) {
  if (!grid.placed || !other.placed) return k < grid.size[2] ? k : -1;
  const double at = std::round(grid.index_of(other.at(0, 0, static_cast<double>(k)))[2]);
  if (!(at >= 0 && at < static_cast<double>(grid.size[2]))) return -1;
  const auto slice = static_cast<int64_t>(at);
  return same_slice(grid, slice, other, k) ? slice : -1;
}

bool any_voxel(const Segment& segment, int64_t slice, int64_t slice_voxels) {
  const auto from = segment.voxels.begin() + slice * slice_voxels;
  return std::any_of(from, from + slice_voxels, [](uint8_t v) { return v != 0; });
}

[[noreturn]] void fail_outside(const std::string& where, int64_t slice, const Segment& segment) {
  fail(ErrorCode::kUnsupported,
       "{}: slice {} of segment '{}' lies where the image has no slice; give the segmentation of "
       "this image",
       where, slice, segment.label);
}
}  // namespace

Segmentation on_grid(Segmentation segmentation, const Grid& grid, const std::string& where) {
  const Grid from = segmentation.grid;
  if (from.size[0] != grid.size[0] || from.size[1] != grid.size[1]) {
    fail(ErrorCode::kUnsupported,
         "{}: slices of {} x {} voxels do not fit the image's of {} x {}; give the segmentation of "
         "this image",
         where, from.size[0], from.size[1], grid.size[0], grid.size[1]);
  }
  std::vector<int64_t> slices;  // of `grid`, for each of `from`
  for (int64_t k = 0; k < from.size[2]; ++k) slices.push_back(slice_at(grid, from, k));
  const int64_t slice_voxels = grid.size[0] * grid.size[1];
  for (Segment& segment : segmentation.segments) {
    std::vector<uint8_t> voxels(static_cast<size_t>(grid.voxels()));
    for (int64_t k = 0; k < from.size[2]; ++k) {
      if (!any_voxel(segment, k, slice_voxels)) continue;
      const int64_t to = slices[static_cast<size_t>(k)];
      if (to < 0) fail_outside(where, k, segment);
      std::copy_n(segment.voxels.begin() + k * slice_voxels, slice_voxels,
                  voxels.begin() + to * slice_voxels);
    }
    segment.voxels = std::move(voxels);
  }
  segmentation.grid = grid;
  return segmentation;
}

}  // namespace vesalius::media
