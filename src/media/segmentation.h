// Segments of an image or a volume: what a segmentation object holds, whatever its file format.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "media/volume.h"

namespace vesalius::media {

/// A coded concept of DICOM PS3.16: {"10200004", "SCT", "Liver"}.
struct Code {
  std::string value, scheme, meaning;
  bool operator==(const Code&) const = default;
};

struct Segment {
  std::string label;        // in the words that were asked for: "left kidney"
  std::string description;  // what more there is to say: evidence, limits
  Code category, type;
  std::optional<Code> modifier;     // laterality
  std::optional<Code> region;       // where a lesion is, when the type does not say it
  std::array<uint8_t, 3> colour{};  // sRGB
  std::vector<uint8_t> voxels;      // of the grid: 0 or 1; fractional: probability times 255
};

/// Segments may overlap.
struct Segmentation {
  Grid grid;
  bool fractional = false;
  std::vector<Segment> segments;
};

/// The same voxels on `grid`, whose slices may be more, fewer, or in the opposite order: objects
/// hold only slices that have something in them. Slices that only `grid` has are empty. Error
/// kUnsupported, naming `where`, if voxels of the two do not lie in the same places (nothing is
/// resampled) or if something lies outside of `grid`.
Segmentation on_grid(Segmentation segmentation, const Grid& grid, const std::string& where);

}  // namespace vesalius::media
