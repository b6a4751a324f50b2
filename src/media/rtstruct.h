// DICOM RT structure sets (PS3.3 A.19, C.8.8.5 and C.8.8.6): outlines of regions, slice by slice.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"
#include "media/volume.h"

namespace vesalius::media {

/// A closed polygon in a plane, mm.
struct Contour {
  std::vector<Vector3> points;
  std::string source_instance;  // SOP instance UID of the slice; may be empty
};

struct Structure {
  int number = 0;
  std::string name;
  std::array<uint8_t, 3> colour{};  // sRGB
  std::vector<Contour> contours;
};

struct StructureSet {
  std::string label, frame_of_reference;
  std::vector<Structure> structures;
};

/// Closed planar contours; points and open lines, which enclose nothing, are left out. Error
/// kUnsupported for other objects and damage.
StructureSet read_rtstruct(const fs::path& path);
StructureSet parse_rtstruct(Bytes bytes, const std::string& where);

/// Voxels of `grid` whose centres lie inside: 0 or 1. Contours of a structure in one plane count as
/// inside where an odd number of them encloses a point, so an inner contour cuts a hole whether it
/// is a polygon of its own or joined by a keyhole. Each slice takes the nearest plane of contours
/// that is at most half a slice away. Error kUnsupported if the grid is not placed, or a contour is
/// not parallel to its slices.
std::vector<uint8_t> rasterise(const Structure& structure, const Grid& grid);

}  // namespace vesalius::media
