// Voxels on a regular grid, with their place in the patient.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vesalius::media {

using Vector3 = std::array<double, 3>;

/// The largest volume that is read here, 8 GiB of float32.
inline constexpr int64_t kMaxVoxels = int64_t{1} << 31;

/// Where voxels lie. The centre of voxel (i, j, k), which are column, row and slice, is at
/// origin + i * step[0] + j * step[1] + k * step[2], in mm, along DICOM's axes: x to the patient's
/// left, y to the back, z to the head (LPS).
struct Grid {
  std::array<int64_t, 3> size{};  // columns, rows, slices
  Vector3 origin{};
  std::array<Vector3, 3> step{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  // False where the input says nothing of the patient: spacing 1 unless it is told, no direction.
  bool placed = true;

  int64_t voxels() const { return size[0] * size[1] * size[2]; }
  double spacing(int axis) const;  // length of a step, mm
  Vector3 at(double i, double j, double k) const;
  /// The voxel, in fractions, whose centre would be at `point`: at() backwards. The steps must not
  /// lie in one plane, which the readers here see to.
  Vector3 index_of(const Vector3& point) const;
  /// The patient's side to which each axis runs, by the letters L R, P A, S I: "LPS" in an axial
  /// CT, "PIR" in a sagittal MR. Oblique axes count as the nearest.
  std::string orientation() const;
  bool operator==(const Grid&) const = default;
};

/// Values stand column by column, then row by row, then slice by slice; in a CT they are Hounsfield
/// units.
struct Volume {
  Grid grid;
  std::vector<float> values;
};

Vector3 cross(const Vector3& a, const Vector3& b);
double dot(const Vector3& a, const Vector3& b);
double length(const Vector3& a);

/// False where a step is not finite, has no length, or lies in the plane of the other two.
bool spans_space(const Grid& grid);

/// Error kUnsupported naming `where` when a side is empty or there are more than kMaxVoxels.
void check_size(const std::array<int64_t, 3>& size, const std::string& where);

/// How the axes of one grid are taken from another's: axis a is the other's axis from[a], run
/// backwards where flipped[a]. One of 48.
struct AxisOrder {
  std::array<int, 3> from{0, 1, 2};
  std::array<bool, 3> flipped{};
  bool operator==(const AxisOrder&) const = default;
};

AxisOrder inverse(const AxisOrder& order);

/// The order that makes the axes of `grid` run as `code` says, as nearly as whole axes can. Error
/// kUsage for a code that is not three letters, one of each pair.
AxisOrder axis_order(const Grid& grid, std::string_view code);

/// The same voxels, at the same places in the patient, numbered along other axes.
Grid reoriented(const Grid& grid, const AxisOrder& order);
Volume reoriented(const Volume& volume, const AxisOrder& order);

/// Values of a grid of `size`, in the order of the reoriented grid. For uint8_t, uint16_t, float.
template <class T>
std::vector<T> reordered(const std::vector<T>& values, const std::array<int64_t, 3>& size,
                         const AxisOrder& order);

/// A volume with its axes along the patient's, and the way back: reordered(mask, volume.grid.size,
/// back) is a mask of the original grid, voxel for voxel.
struct Canonical {
  Volume volume;
  AxisOrder back;
  Grid original;
};

/// "LPS" has columns run to the patient's left, rows to the back and slices to the head, which is
/// how axial slices are looked at.
Canonical canonical(Volume volume, std::string_view code = "LPS");

}  // namespace vesalius::media
