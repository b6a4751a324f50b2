// Evaluation of segmentation: pairs of mask files, as figures with 95 % intervals by target.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "media/npz.h"
#include "tasks/mask_metrics.h"

namespace vesalius::tasks {

struct MaskPair {
  std::string prediction, truth;          // files
  std::string target;                     // empty: not told
  std::optional<media::Vector3> spacing;  // mm, in place of what the files say
};

/// Files of the same name in two folders, subfolders too, in order. Error kUnsupported for truth
/// without a prediction, which cannot be left out without flattering the figures; predictions
/// without truth are left out, and counted.
struct PairedFolders {
  std::vector<MaskPair> pairs;
  int64_t without_truth = 0;
};
PairedFolders pair_folders(const fs::path& predictions, const fs::path& truths);

/// Rows of a manifest with the columns `prediction` and `truth`, and, where wanted, `target` and
/// `spacing`. Relative paths are looked for beside the manifest first. Error kUnsupported naming
/// the row at fault.
std::vector<MaskPair> read_mask_pairs(const fs::path& manifest);

/// "0.7 x 0.7 x 3", "0.7,0.7": columns, rows and slices, mm; a single number stands for all. Error
/// kUsage.
media::Vector3 parse_spacing(std::string_view text);

/// What the values of mask files mean.
enum class MaskValues {
  kInside,   // anything but 0 is the target
  kLabels,   // each value is a target of its own
  kObjects,  // anything but 0 is the target, each value an object of it
};

struct TargetLabel {
  uint16_t label = 1;
  std::string name;
};
/// "1=liver,2=spleen". Error kUsage for labels that are not 1 to 65535, or come twice.
std::vector<TargetLabel> parse_target_labels(std::string_view list);

struct SegmentEvaluation {
  MaskValues values = MaskValues::kInside;
  std::vector<TargetLabel> labels;        // of kLabels; empty: every value there is, by its number
  std::optional<media::Vector3> spacing;  // where a pair has none of its own
  MaskMetricOptions metrics;
};

/// One target of one pair.
struct SegmentCase {
  size_t pair = 0;
  std::string prediction, truth, target;
  bool spacing_known = false;  // otherwise distances are in pixels, and volumes mean nothing
  MaskFigures figures;
};

/// All targets of a pair; of kLabels, the pair's own target alone where it names one. Error
/// kUnsupported when the masks' grids differ in size, spacing or place.
std::vector<SegmentCase> evaluate_pair(const MaskPair& pair, size_t number,
                                       const SegmentEvaluation& evaluation);

/// {"pairs", "unit" ("mm", "pixel" or "mixed"), "tolerance", "targets": [{"target", "pairs",
/// "present", "missed", "invented", figures…}…], "all_targets": figures…, "cases": […]}. A figure
/// is the mean over the pairs that have it, of all targets the mean of the targets' means, with its
/// bootstrap interval over pairs; null where no pair has it. mask_metrics.h says when none does.
Json segment_report(const std::vector<SegmentCase>& cases, const SegmentEvaluation& evaluation,
                    uint64_t seed);

}  // namespace vesalius::tasks
