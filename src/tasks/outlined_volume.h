// Volumes with labels as training images: their slices.
#pragma once

#include <vector>

#include "tasks/outline_store.h"

namespace vesalius::tasks {

/// The slices of anything that `segment` reads and that is no plain picture, as it makes them for
/// the model's version, with what each mask holds of them. For version 2 a nearly isotropic, nearly
/// cubic volume gives three views. Error kUnsupported for a mask on another grid, and in a
/// `complete` one for a label that no outline is about.
std::vector<OutlinedSample> read_outlined_volume(const OutlinedImage& image, const PlaneForm& form);

}  // namespace vesalius::tasks
