// How a segmentation model's grey values come from an image's own: by windows and percentiles.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "recipes/ranks.h"

namespace vesalius::recipes {

/// Values from `low` (black) to `high` (white).
struct Bounds {
  double low = 0, high = 0;
  bool operator==(const Bounds&) const = default;
};

/// Where black and white lie.
struct Intensity {
  std::string name;              // goes with every result
  std::optional<Bounds> window;  // in units of the image, HU for CT; without one by percentiles
  double low_percent = 0.5, high_percent = 99.5;
  Over over = Over::kAll;
  bool untouched = false;  // the values are 0 to 255 already
};

/// By its name:
/// - ct-abdomen, ct-lung (also ct-chest), ct-pelvis, ct-liver, ct-colon, ct-pancreas: windows of
///   BiomedParse (inference_utils/processing_utils.py) and of the clients' toolkit;
/// - cvpr-soft-tissue, cvpr-lung, cvpr-brain, cvpr-bone: windows of the CVPR 2025 challenge, which
///   MedImageParse 3D names;
/// - percentile, percentile-positive: percentiles 0.5 and 99.5 of all values, of those above 0;
/// - untouched; and CENTER/WIDTH, as in "40/400".
/// Error kUsage for anything else.
Intensity make_intensity(const std::string& name);
std::vector<std::string> intensity_names();

/// What is known of an image before its intensity is chosen.
struct IntensityFacts {
  std::string modality, body_part;  // DICOM's terms, in capitals or not; empty if unknown
  bool eight_bit = false;           // values are whole numbers from 0 to 255
};

/// Whose windows are preferred: BiomedParse's first version was trained on single slices, the
/// second on the challenge's volumes.
enum class Practice { kSlices, kVolumes };

/// The name that fits: untouched for 8 bits; a window for CT, by body part, otherwise of the
/// abdomen (soft tissue); percentiles for all others.
std::string choose_intensity(const IntensityFacts& facts, Practice practice);

/// Black and white of `values`, which have no NaN; {0, 255} if untouched. Both are 0 where no value
/// counts.
Bounds bounds_of(const Intensity& intensity, std::span<const float> values);

/// 255 (clip(x, low, high) - low) / (high - low) in float64, fractions cut off, as the clients'
/// toolkit makes it. All 0 if `high` is not above `low`.
std::vector<uint8_t> to_bytes(std::span<const float> values, const Bounds& bounds);

/// BiomedParse's way for one slice: what is clipped is scaled by its own least and greatest value
/// instead of the bounds, and nothing is rounded. A constant slice becomes 0; untouched values are
/// held in 0 to 255.
std::vector<double> stretched(const Intensity& intensity, std::span<const float> slice);

}  // namespace vesalius::recipes
