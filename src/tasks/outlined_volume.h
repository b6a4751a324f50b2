// Volumes with labels as training images: their slices.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "tasks/outline_store.h"
#include "tasks/segment_input.h"

namespace vesalius::tasks {

/// The slices of anything that `segment` reads and that is no plain picture, as it makes them for
/// the model's version, with what each mask holds of them. For version 2 a nearly isotropic, nearly
/// cubic volume gives three views. Error kUnsupported for a mask on another grid, and in a
/// `complete` one for a label that no outline is about.
std::vector<OutlinedSample> read_outlined_volume(const OutlinedImage& image, const PlaneForm& form);

/// The labels of each mask file of an image, on the grid of `input`, which was read of it. Error
/// kUnsupported for one on another grid.
std::map<fs::path, std::vector<uint16_t>> read_outline_masks(const OutlinedImage& image,
                                                             const SegmentInput& input);

}  // namespace vesalius::tasks
