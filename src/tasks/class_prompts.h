// Volumes with words for their labels: the third published layout of training material
// (assets/readmes/DATASET.md and process_2D.py of BiomedParse v2).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tasks/outlines.h"

namespace vesalius::tasks {

/// Of a folder in this layout (class_prompts.json in it, or above it and SPLIT/*.npz in it; or
/// SPLIT.json with class prompts, as process_2D.py writes it) its volumes, or its slices and those
/// of the views beside it; nothing of another. The data set's name is their kind.
/// The mask of a volume is the volume's own file (`gts`), or the file of its name in SPLIT_mask.
/// The first phrasing of a label names the target. Error kUnsupported for a label without words, a
/// file that is named and not there, volumes of a data set without prompts.
std::optional<std::vector<OutlinedImage>> read_class_prompts(const fs::path& folder,
                                                             const std::string& split);

}  // namespace vesalius::tasks
