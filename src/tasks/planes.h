// From an input to the square planes that BiomedParse and MedImageParse read, a few at a time.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/image.h"
#include "recipes/intensity.h"
#include "tasks/plane_layout.h"
#include "tasks/segment_input.h"
#include "tasks/slicing.h"

namespace vesalius::tasks {

struct PlaneOptions {
  int version = 2;                 // of BiomedParse
  int64_t side = 512;              // of the model's planes, pixels
  std::string intensity = "auto";  // or a name of recipes::make_intensity; pictures take none
  bool as_is = false;              // volumes are sliced as they are stored
  std::optional<int> axis;         // along which volumes are sliced, of choose_slicing()
};

/// Slices [..., rows, columns] with zeros around them.
at::Tensor padded(const at::Tensor& slices, const Padding& padding);

/// The planes of one input, made when they are asked for: memory does not grow with the number of
/// slices. The input must live as long. Calls are const and thread-safe.
///
/// Version 1 (inference_utils/ of microsoft/BiomedParse): a picture is resized as Pillow 12 does
/// it, bicubic, whatever its proportions; a slice is scaled to 0 to 255 by itself, padded, resized
/// by scikit-image's cubic spline with anti-aliasing, and its fractions are cut off. Version 2
/// (src/utils.py): a volume is scaled to 8 bits as a whole; slices are padded and resized by
/// PyTorch's bicubic in 8 bits; pictures in floats, neither rounded nor held in 0 to 255.
class Planes {
 public:
  /// Error kUsage for an intensity that is not known.
  Planes(const SegmentInput& input, const PlaneOptions& options);

  int64_t count() const { return slicing_.slices; }
  const PlaneLayout& layout() const { return layout_; }
  /// Where the values of a slice stand in the input's grid, for masks on their way back.
  const Slicing& slicing() const { return slicing_; }
  /// Its name goes with every result; of a picture "untouched".
  const recipes::Intensity& intensity() const { return intensity_; }

  /// Slices `begin` to `end`: [end - begin, 3, side, side], float32, 0 to 255. Channels are red,
  /// green, blue; a grey slice three times (version 1); or a slice, the one before and the one
  /// behind (version 2), at both ends the one beside it twice.
  at::Tensor batch(int64_t begin, int64_t end) const;

  /// A slice in its own size and 8 bits as the model is shown it: RGB. For overlays and for what is
  /// measured on the picture.
  media::Image shown(int64_t slice) const;

 private:
  std::vector<float> values(int64_t slice) const;
  at::Tensor eight_bits(int64_t begin, int64_t end) const;
  at::Tensor stretched(int64_t begin, int64_t end) const;
  at::Tensor stacked(int64_t begin, int64_t end) const;

  const SegmentInput& input_;
  Slicing slicing_;
  PlaneLayout layout_;
  recipes::Intensity intensity_;
  recipes::Bounds bounds_;  // of the whole volume (version 2)
};

}  // namespace vesalius::tasks
