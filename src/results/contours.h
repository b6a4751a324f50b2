// From a mask to closed polygons, and nothing lost on the way.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace vesalius::results {

/// (column, row); the centre of the first pixel is (0, 0).
using PlanePoint = std::array<double, 2>;
using PlanePolygon = std::vector<PlanePoint>;

/// Outlines of the nonzero pixels, [rows, columns], one closed polygon for each group of pixels
/// that share a side; the last point is not the first one again. Vertices lie half-way between a
/// pixel inside and its neighbour outside (marching squares at one half), so that no centre of a
/// pixel is nearer than a third of a pixel to an outline: whoever asks which centres lie inside
/// gets the mask back, by the even-odd and by the winding rule. Polygons never touch each other. A
/// hole is joined to its outline by a keyhole, a channel of no width that runs between two rows of
/// centres (DICOM PS3.3 C.8.8.6.3).
std::vector<PlanePolygon> outlines(std::span<const uint8_t> mask, int64_t columns, int64_t rows);

}  // namespace vesalius::results
