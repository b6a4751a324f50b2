// How well outlined images are segmented by a model in training.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "catalog/parse_open.h"
#include "tasks/outline_batches.h"
#include "text/clip_tokenizer.h"

namespace vesalius::tasks {

struct SegmentScore {
  /// Means over the images where the target is; distances over those where it was found.
  struct Target {
    std::string prompt;
    double dice = 0, surface_dice = 0;   // the latter (NSD) at two pixels
    std::optional<double> hausdorff_95;  // HD95, pixels of the model's plane
    int64_t images = 0;
  };
  std::vector<Target> targets;
  double dice = 0;                        // mean over targets
  std::optional<double> existence_auroc;  // nothing without both present and absent prompts
};

/// An image of a validation set with one of its targets and what was found.
struct SegmentExample {
  std::string name, prompt;
  at::Tensor pixels;        // u8 [3, side, side]
  at::Tensor truth, found;  // bool [side, side]
};
/// Called after every epoch with some of them.
using ShowExamples = std::function<void(int64_t epoch, const std::vector<SegmentExample>&)>;

/// Scores a model on outlined images at their own side. `uniforms` makes each image's draws.
SegmentScore score_segments(const catalog::ParseModel& model, const text::ClipTokenizer& tokenizer,
                            const OutlineStore& store,
                            const std::function<models::Uniforms(uint64_t image)>& uniforms,
                            std::vector<SegmentExample>* examples = nullptr);

/// {"validation_dice", "targets", "existence_auroc"}
Json to_json(const SegmentScore& score);

}  // namespace vesalius::tasks
