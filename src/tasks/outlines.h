// Images with what was outlined in them: the material of segmentation training and validation.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"

namespace vesalius::tasks {

/// A target and where its pixels are.
struct Outline {
  std::string prompt;  // "left kidney"
  fs::path mask;       // any pixel that is not zero; empty: looked for, and not there
};

struct OutlinedImage {
  fs::path image;
  std::string kind;  // modality and site, "CT abdomen"; may be empty
  std::vector<Outline> outlines;
  double weight = 1;  // how often it is drawn, among others
};

/// From a CSV or JSON Lines manifest with columns image, prompt, mask and, where wanted, kind and
/// weight: a row a target, relative paths counting from the manifest's folder, an empty mask for a
/// target that is known to be absent. Or from a folder in the published layout: `train/` and
/// `train_mask/`
/// (`test/`, `test_mask/`; `split` says which), files named IMAGE_MODALITY_SITE.png and
/// IMAGE_MODALITY_SITE_TARGET.png with '+' for spaces. Error kUnsupported names file and row.
std::vector<OutlinedImage> read_outlines(const fs::path& source,
                                         const std::string& split = "train");

}  // namespace vesalius::tasks
