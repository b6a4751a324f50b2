#include "tasks/surface_elements.h"

#include <bit>
#include <cmath>
#include <vector>

namespace vesalius::tasks {
namespace {

using media::Vector3;

/// Voxels of a code that are joined by edges of the cube.
struct Piece {
  unsigned voxels = 0;         // as bits
  std::array<int, 3> edges{};  // between them, along columns, rows and slices
  int total() const { return edges[0] + edges[1] + edges[2]; }
};

constexpr unsigned neighbour(unsigned voxel, int axis) { return voxel ^ (1U << axis); }
constexpr bool has(unsigned code, unsigned voxel) { return (code >> voxel & 1U) != 0; }

Piece piece_at(unsigned code, unsigned voxel) {
  Piece piece{.voxels = 1U << voxel};
  for (unsigned before = 0; before != piece.voxels;) {
    before = piece.voxels;
    for (unsigned v = 0; v < 8; ++v)
      for (int axis = 0; axis < 3; ++axis)
        if (has(before, v) && has(code, neighbour(v, axis)))
          piece.voxels |= 1U << neighbour(v, axis);
  }
  for (unsigned v = 0; v < 8; ++v)
    for (int axis = 0; axis < 3; ++axis)
      if (has(piece.voxels, v) && has(piece.voxels, neighbour(v, axis)) && (v >> axis & 1U) == 0)
        ++piece.edges[static_cast<size_t>(axis)];
  return piece;
}

/// The axis along which the piece has `edges` edges.
size_t axis_with(const Piece& piece, int edges) {
  size_t axis = 0;
  while (piece.edges[axis] != edges) ++axis;
  return axis;
}

/// How many voxels of the piece are next to one of them.
int degree(const Piece& piece, unsigned voxel) {
  int count = 0;
  for (int axis = 0; axis < 3; ++axis) count += has(piece.voxels, neighbour(voxel, axis)) ? 1 : 0;
  return count;
}

/// Three voxels around one.
bool is_tripod(const Piece& piece) {
  for (unsigned v = 0; v < 8; ++v)
    if (has(piece.voxels, v) && degree(piece, v) == 3) return true;
  return false;
}

/// Of a chain of four, whose three edges lie along three axes: the one between its inner voxels.
size_t middle_axis(const Piece& piece) {
  for (unsigned v = 0; v < 8; ++v)
    for (int axis = 0; axis < 3; ++axis)
      if (has(piece.voxels, v) && has(piece.voxels, neighbour(v, axis)) && degree(piece, v) == 2 &&
          degree(piece, neighbour(v, axis)) == 2)
        return static_cast<size_t>(axis);
  return 0;
}

Vector3 unit(size_t axis) {
  Vector3 v{};
  v[axis] = 1;
  return v;
}

/// `in` along two axes, 0 along `axis`.
Vector3 across(size_t axis, double in) {
  Vector3 v{in, in, in};
  v[axis] = 0;
  return v;
}

Vector3 diagonal(double in) { return {in, in, in}; }
Vector3 half(const Vector3& v) { return {v[0] / 2, v[1] / 2, v[2] / 2}; }

/// Normals of the triangles around a piece of up to four voxels, as long as their area in a cube
/// of side 1; without their signs, which do not matter to an area.
std::vector<Vector3> triangles(const Piece& piece) {
  constexpr double kCorner = 0.125, kSlope = 0.25;
  switch (piece.total()) {
    case 0:
      return {diagonal(kCorner)};
    case 1:
      return {across(axis_with(piece, 1), kSlope), across(axis_with(piece, 1), kSlope)};
    case 2:
      return {half(unit(axis_with(piece, 0))), diagonal(2 * kCorner), diagonal(kCorner)};
    case 4:
      return {half(unit(axis_with(piece, 0))), half(unit(axis_with(piece, 0)))};
    default:
      break;
  }
  if (is_tripod(piece))
    return {diagonal(kCorner), diagonal(2 * kCorner), diagonal(2 * kCorner), diagonal(kCorner)};
  // A chain: the two slopes meet on its middle edge.
  std::vector<Vector3> result{diagonal(kCorner), diagonal(3 * kCorner)};
  for (size_t axis = 0; axis < 3; ++axis)
    if (axis != middle_axis(piece)) result.push_back(across(axis, kSlope));
  return result;
}

double area(const Vector3& n, const Vector3& spacing) {
  return media::length({n[0] * spacing[1] * spacing[2], n[1] * spacing[0] * spacing[2],
                        n[2] * spacing[0] * spacing[1]});
}

/// More than half inside: the surface is that around what is outside.
unsigned smaller_side(unsigned code, unsigned full) {
  return 2 * std::popcount(code) > std::popcount(full) ? code ^ full : code;
}

template <class Size>
double sum_of_pieces(unsigned code, const Size& size) {
  double sum = 0;
  for (unsigned v = 0; v < 8; ++v) {
    if (!has(code, v)) continue;
    const Piece piece = piece_at(code, v);
    code &= ~piece.voxels;
    sum += size(piece);
  }
  return sum;
}

}  // namespace

SurfaceTable surface_areas(const Vector3& spacing) {
  SurfaceTable table{};
  for (unsigned code = 0; code < table.size(); ++code)
    table[code] = sum_of_pieces(smaller_side(code, 0xff), [&](const Piece& piece) {
      double sum = 0;
      for (const auto& normal : triangles(piece)) sum += area(normal, spacing);
      return sum;
    });
  return table;
}

SurfaceTable outline_lengths(const Vector3& spacing) {
  const double corner = std::hypot(spacing[0], spacing[1]) / 2;
  SurfaceTable table{};
  for (unsigned code = 0; code < 16; ++code)
    table[code] = sum_of_pieces(smaller_side(code, 0xf), [&](const Piece& piece) {
      return piece.total() == 0 ? corner : spacing[axis_with(piece, 1)];
    });
  return table;
}

}  // namespace vesalius::tasks
