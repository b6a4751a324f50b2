// Segmentation from words: an input and prompts in, a mask a prompt on the input's own grid out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "catalog/segmentation_model.h"
#include "tasks/existence.h"
#include "tasks/planes.h"
#include "tasks/segment_input.h"

namespace vesalius::tasks {

/// "liver & spleen" -> {"liver", "spleen"}; "[SEP]" separates as well. Error kUsage for an empty
/// one.
std::vector<std::string> split_prompts(const std::string& joined);

struct SegmentOptions {
  std::vector<std::string> prompts;
  catalog::Company company = catalog::Company::kTogether;
  uint64_t seed = 0;
  bool seeded_draws = false;  // by arithmetic, for parity
  int64_t samples = 1;        // draws of version 2 that are averaged
  int64_t slice_batch = 4;
  bool overlapping = false;  // masks of a volume may share voxels
  std::string kind;          // whose existence statistics are used, "CT-Abdomen"; may be empty
  ExistenceTable existence = published_existence();  // of version 1
  bool probabilities = false;                        // kept for each target
};

/// What was found of one prompt.
struct Target {
  std::string prompt;
  bool present = false;                         // any voxel at all
  std::optional<double> p_value;                // version 1, of the slice where it is greatest
  std::optional<double> existence_probability;  // version 2, likewise
  int64_t voxels = 0;
  std::optional<double> volume_ml;       // where the input tells its spacing
  std::optional<double> mean_intensity;  // in units of the input, of its voxels
  std::vector<uint8_t> mask;             // of the grid, 0 or 1
  std::vector<uint8_t> probability;      // of the grid, times 255; empty unless asked for
  std::vector<uint8_t> uncertainty;      // standard deviation over samples, times 510
};

/// Reads the planes in batches, so that memory grows with masks alone. Version 2's volumes are
/// decided as published: each slice by non-maximum suppression of existence, each voxel by the
/// highest probability. Version 1's slices each by the existence statistic, where there is one.
/// `advance` hears of slices done and may throw to stop. Error kUsage for no prompts.
std::vector<Target> segment(const catalog::SegmentationModel& model, const SegmentInput& input,
                            const Planes& planes, const SegmentOptions& options,
                            const std::function<void(int64_t)>& advance = {});

}  // namespace vesalius::tasks
