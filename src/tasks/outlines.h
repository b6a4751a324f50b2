// Images with what was outlined in them: the material of segmentation training and validation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"

namespace vesalius::tasks {

/// A target and where its pixels are.
struct Outline {
  std::string prompt;                  // "left kidney"
  fs::path mask;                       // empty: looked for, and not there
  uint16_t label = 0;                  // the target's value in the mask; 0: any but zero
  std::vector<std::string> phrasings;  // more words for it, of which training takes any

  bool holds(uint16_t value) const { return label == 0 ? value != 0 : value == label; }
};

struct OutlinedImage {
  fs::path image;
  std::string kind;  // modality and site, "CT abdomen"; may be empty
  std::vector<Outline> outlines;
  double weight = 1;  // how often it is drawn, among others
  /// A picture whose blue, green and red are a slice, the one before it and the one behind.
  bool slices = false;
  bool complete = false;  // its masks hold no label that no outline is about
};

/// From a CSV or JSON Lines manifest with columns image, prompt, mask and, where wanted, kind,
/// weight and label: a row a target, relative paths counting from the manifest's folder, an empty
/// mask for a target that is known to be absent. Images and masks are pictures, or volumes of which
/// each slice is an image. Or from a folder in one of the three published layouts, of which `split`
/// names a part:
///   train/ and train_mask/, files named IMAGE_MODALITY_SITE.png and IMAGE_MODALITY_SITE_TARGET.png
///   with '+' for spaces (a train.json beside them is not needed)
///   class_prompts.json and below each data set that it names train/*.npz with imgs and gts
///   what process_2D.py makes of that: train.json, train/ and train_mask/ with three slices and the
///   labels in a PNG each; folders FOLDER_view1 and FOLDER_view2 beside it belong to it
/// Error kUnsupported names file and row, the label without words, the file that is not there.
std::vector<OutlinedImage> read_outlines(const fs::path& source,
                                         const std::string& split = "train");

}  // namespace vesalius::tasks
