// Training of a segmentation model on outlined images, from nothing or from a checkpoint.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/biomedparse.h"
#include "tasks/outline_batches.h"
#include "tasks/train_loop.h"
#include "text/clip_tokenizer.h"

namespace vesalius::tasks {

/// What is trained: everything, what lies behind the backbone and the text tower, or an update of
/// low rank of every matrix of these (LoRA, arXiv 2106.09685), which ends in the weights.
enum class TrainedPart { kAll, kDecoder, kLowRank };

struct SegmentTrainOptions : LoopOptions {
  OutlineSampling sampling;
  TrainedPart part = TrainedPart::kAll;
  int64_t rank = 8;          // of the updates
  double backbone_rate = 1;  // shares of the learning rate: 0.1 is published
  double text_rate = 1;
  double drop_path = 0;  // stochastic depth of the backbone
};

/// A version-2 network by its tensors: the model is built anew around whatever they are at a step.
struct SegmentTrainee {
  models::BiomedParseConfig config;
  int64_t side = 512;  // of training images
  std::map<std::string, at::Tensor> tensors;
  const text::ClipTokenizer* tokenizer = nullptr;
};

/// How well held-out images are segmented.
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

/// Called after every epoch with some of the validation images and what was found in them.
struct SegmentExample {
  std::string name, prompt;
  at::Tensor pixels;        // u8 [3, side, side]
  at::Tensor truth, found;  // bool [side, side]
};
using ShowExamples = std::function<void(int64_t epoch, const std::vector<SegmentExample>&)>;

/// Every random draw depends on (seed, step, place in the batch) alone. `result.weights` holds
/// whole weights whatever part was trained. Error kUnsupported for material that cannot be read.
TrainResult train_segment(const SegmentTrainee& trainee, const std::vector<OutlinedImage>& training,
                          const std::vector<OutlinedImage>& validation,
                          const SegmentTrainOptions& options, const TrainLog& log,
                          const StopRequest& stop = {}, const ShowExamples& show = {});

/// Scores a model on outlined images at its own side.
SegmentScore score_segments(const models::BiomedParseV2& model,
                            const text::ClipTokenizer& tokenizer, const OutlineStore& store,
                            uint64_t seed, std::vector<SegmentExample>* examples = nullptr);

}  // namespace vesalius::tasks
