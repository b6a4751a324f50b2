// From the two forms of a NIfTI affine to a grid, and back.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "media/nifti_header.h"

namespace vesalius::media {

namespace {
double mm_per_unit(int units) {
  switch (units & 7) {
    case 1:
      return 1000;
    case 3:
      return 1e-3;
    default:
      return 1;
  }
}

/// Columns are the steps; the last one is the origin. Millimetres or the header's units, RAS.
using Affine = std::array<Vector3, 4>;

/// Voxel sizes, where 0 means 1 and a sign means nothing, as nibabel mends them.
double voxel_size(const NiftiHeader& header, size_t axis) {
  const double size = std::abs(header.pixdim[axis + 1]);
  return size == 0 ? 1 : size;
}

Affine from_sform(const NiftiHeader& header) {
  Affine affine;
  for (size_t a = 0; a < 4; ++a)
    for (size_t x = 0; x < 3; ++x) affine[a][x] = header.srow[x][a];
  return affine;
}

/// Rotation by the unit quaternion a, b, c, d, where a >= 0 is left out. One that is a little too
/// long is made a unit one.
std::array<Vector3, 3> rotation_of(const NiftiHeader& header) {
  const auto [b, c, d] = header.quatern;
  const double threshold = 3 * (header.version == 1 ? 0x1p-23 : 0x1p-52);
  const double rest = 1 - (b * b + c * c + d * d);
  const double a = rest < threshold ? 0 : std::sqrt(rest);
  const double s = 2 / (a * a + b * b + c * c + d * d);
  return {{{1 - s * (c * c + d * d), s * (b * c + a * d), s * (b * d - a * c)},
           {s * (b * c - a * d), 1 - s * (b * b + d * d), s * (c * d + a * b)},
           {s * (b * d + a * c), s * (c * d - a * b), 1 - s * (b * b + c * c)}}};
}

Affine from_qform(const NiftiHeader& header) {
  const std::array<Vector3, 3> rotation = rotation_of(header);
  Affine affine;
  for (size_t a = 0; a < 3; ++a) {
    const bool backwards = a == 2 && header.pixdim[0] == -1;
    const double size = backwards ? -voxel_size(header, a) : voxel_size(header, a);
    for (size_t x = 0; x < 3; ++x) affine[a][x] = rotation[a][x] * size;
  }
  affine[3] = header.qoffset;
  return affine;
}

Affine from_voxel_sizes(const NiftiHeader& header) {
  Affine affine{};
  for (size_t a = 0; a < 3; ++a) {
    const bool there = static_cast<int64_t>(a) < header.dim[0];
    const double step = (there ? voxel_size(header, a) : 1) * (a == 0 ? -1 : 1);
    affine[a][a] = step;
    affine[3][a] = -step * static_cast<double>(header.size()[a] - 1) / 2;
  }
  return affine;
}

/// Pictures may leave out where the next slice would be.
void complete_picture(Grid& grid) {
  if (grid.size[2] != 1 || length(grid.step[2]) != 0) return;
  const Vector3 normal = cross(grid.step[0], grid.step[1]);
  const double size = length(normal);
  if (size > 0) grid.step[2] = {normal[0] / size, normal[1] / size, normal[2] / size};
}

/// The rotation nearest to the grid's directions, by Newton's iteration for the polar
/// decomposition (Higham 1986): columns, with the last one turned round if they are left-handed.
std::array<Vector3, 3> nearest_rotation(std::array<Vector3, 3> m) {
  for (int round = 0; round < 50; ++round) {
    const double volume = dot(m[0], cross(m[1], m[2]));
    const std::array<Vector3, 3> cofactors{cross(m[1], m[2]), cross(m[2], m[0]), cross(m[0], m[1])};
    for (size_t a = 0; a < 3; ++a)
      for (size_t x = 0; x < 3; ++x) m[a][x] = (m[a][x] + cofactors[a][x] / volume) / 2;
  }
  return m;
}

/// b, c, d of a rotation's unit quaternion with a >= 0 (Shepperd 1978).
std::array<double, 3> quaternion_of(const std::array<Vector3, 3>& columns) {
  const auto r = [&](size_t row, size_t column) { return columns[column][row]; };
  std::array<double, 4> squares{1 + r(0, 0) + r(1, 1) + r(2, 2), 1 + r(0, 0) - r(1, 1) - r(2, 2),
                                1 - r(0, 0) + r(1, 1) - r(2, 2), 1 - r(0, 0) - r(1, 1) + r(2, 2)};
  const auto largest = std::ranges::max_element(squares) - squares.begin();
  const double twice = std::sqrt(squares[static_cast<size_t>(largest)]);  // 2 * that component
  const double x = r(2, 1) - r(1, 2), y = r(0, 2) - r(2, 0), z = r(1, 0) - r(0, 1);
  const double xy = r(0, 1) + r(1, 0), xz = r(0, 2) + r(2, 0), yz = r(1, 2) + r(2, 1);
  const std::array<std::array<double, 4>, 4> rows{{{twice * twice, x, y, z},
                                                   {x, twice * twice, xy, xz},
                                                   {y, xy, twice * twice, yz},
                                                   {z, xz, yz, twice * twice}}};
  const std::array<double, 4>& q = rows[static_cast<size_t>(largest)];
  const double scale = (q[0] < 0 ? -1 : 1) / (2 * twice);
  return {q[1] * scale, q[2] * scale, q[3] * scale};
}

constexpr int kScannerCoordinates = 1;

void set_sform(const Grid& grid, NiftiHeader& header) {
  header.sform_code = kScannerCoordinates;
  for (size_t x = 0; x < 3; ++x) {
    const double to_ras = x < 2 ? -1 : 1;
    for (size_t a = 0; a < 3; ++a) header.srow[x][a] = grid.step[a][x] * to_ras;
    header.srow[x][3] = grid.origin[x] * to_ras;
  }
}

/// From the sform.
void set_qform(NiftiHeader& header) {
  std::array<Vector3, 3> directions{};
  for (size_t x = 0; x < 3; ++x) {
    for (size_t a = 0; a < 3; ++a) directions[a][x] = header.srow[x][a] / header.pixdim[a + 1];
    header.qoffset[x] = header.srow[x][3];
  }
  std::array<Vector3, 3> rotation = nearest_rotation(directions);
  double shear = 0;
  for (size_t a = 0; a < 3; ++a)
    for (size_t x = 0; x < 3; ++x)
      shear = std::max(shear, std::abs(rotation[a][x] - directions[a][x]));
  header.qform_code = shear < 1e-4 ? kScannerCoordinates : 0;
  if (dot(rotation[0], cross(rotation[1], rotation[2])) < 0) {
    header.pixdim[0] = -1;
    for (double& x : rotation[2]) x = -x;
  }
  header.quatern = quaternion_of(rotation);
}
}  // namespace

Grid nifti_grid(const NiftiHeader& header, const std::string& where) {
  const Affine affine = header.sform_code != 0   ? from_sform(header)
                        : header.qform_code != 0 ? from_qform(header)
                                                 : from_voxel_sizes(header);
  Grid grid{.size = header.size()};
  grid.placed = header.sform_code != 0 || header.qform_code != 0;
  const double scale = mm_per_unit(header.xyzt_units);
  for (size_t x = 0; x < 3; ++x) {
    const double to_lps = x < 2 ? -scale : scale;
    for (size_t a = 0; a < 3; ++a) grid.step[a][x] = affine[a][x] * to_lps;
    grid.origin[x] = affine[3][x] * to_lps;
  }
  complete_picture(grid);
  if (!spans_space(grid))
    fail(ErrorCode::kUnsupported,
         "{}: its {} puts all voxels into one plane or nowhere; mend the header's affine, for "
         "example with fslorient or nibabel",
         where,
         header.sform_code != 0   ? "sform"
         : header.qform_code != 0 ? "qform"
                                  : "pixdim");
  return grid;
}

NiftiHeader nifti_header_of(const Grid& grid) {
  constexpr int64_t kMostInNifti1 = 32767;
  NiftiHeader header;
  header.version = std::ranges::max(grid.size) > kMostInNifti1 ? 2 : 1;
  header.dim = {3, grid.size[0], grid.size[1], grid.size[2], 1, 1, 1, 1};
  for (size_t a = 0; a < 3; ++a) header.pixdim[a + 1] = grid.spacing(static_cast<int>(a));
  if (grid.placed) {
    set_sform(grid, header);
    set_qform(header);
  }
  return header;
}

}  // namespace vesalius::media
