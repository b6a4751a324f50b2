// The existence statistic of a user's own targets: what a model's masks look like where it is known
// that the target is there.
#pragma once

#include <string>
#include <vector>

#include "catalog/segmentation_model.h"
#include "tasks/existence.h"
#include "tasks/outlines.h"

namespace vesalius::tasks {

struct ExistenceFitOptions {
  std::string kind;                // of all images, in place of their own: "CT-Abdomen"
  std::string intensity = "auto";  // of volumes, as in `segment`
  double agreement = 0.5;          // Dice with the outline from which a mask shows the target
};

/// One target on one slice.
struct ExistenceExample {
  std::string kind, target;
  bool there = false;   // outlined on this slice
  bool agrees = false;  // and the model's mask is that outline, as far as `agreement` asks
  MaskFeatures features{};
};

/// What a version-1 model finds of each outlined target, asked for alone, on every slice of an
/// image. Images are what read_segment_input() reads, masks what read_mask() reads, on the same
/// grid; outlines of the same words are taken together. The kind is `options.kind`, else the
/// image's own words, by the published key where they mean one, else what a DICOM header tells.
/// Error kUnsupported for files that cannot be read, kUsage where nobody says the kind.
std::vector<ExistenceExample> existence_examples(const catalog::SegmentationModel& model,
                                                 const OutlinedImage& image,
                                                 const ExistenceFitOptions& options);

/// A target's parameters, and what the statistic with them does to the masks that they came from.
struct FittedExistence {
  std::string kind, target;
  int64_t there = 0, agreeing = 0, absent = 0;  // slices
  int64_t kept = 0;     // of those where it is: masks at or above the usual cut
  int64_t dropped = 0;  // of those where it is not: masks below it, empty ones too
  std::optional<ExistenceParameters> parameters;
  std::string problem;  // why there are none
};

/// By kind and target, from the masks that agree with their outlines.
std::vector<FittedExistence> fit_existence(const std::vector<ExistenceExample>& examples);

}  // namespace vesalius::tasks
