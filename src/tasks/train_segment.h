// Training of a segmentation model on outlined images, from nothing or from a checkpoint.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "catalog/parse_architecture.h"
#include "tasks/outline_batches.h"
#include "tasks/segment_score.h"
#include "tasks/train_loop.h"
#include "tasks/trained_tensors.h"
#include "text/clip_tokenizer.h"

namespace vesalius::tasks {

/// What is trained: everything, what lies behind the backbone and the text tower, or an update of
/// low rank of every matrix of these. Fixed in any case: means and deviations of pixels, and what
/// no pass asks for in version 1.
enum class TrainedPart { kAll, kDecoder, kLowRank };

struct SegmentTrainOptions : LoopOptions {
  OutlineSampling sampling;
  TrainedPart part = TrainedPart::kAll;
  int64_t rank = 8;          // of the updates
  double backbone_rate = 1;  // shares of the learning rate: 0.1 is version 1's published one
  double text_rate = 1;
  double drop_path = 0;  // stochastic depth of the backbone
};

/// A network of either version by its tensors: the model is built anew around whatever they are at
/// a step, and its version decides the loss.
struct SegmentTrainee {
  catalog::ParseArchitecture architecture;  // image_size: the side of training images
  std::map<std::string, at::Tensor> tensors;
  const text::ClipTokenizer* tokenizer = nullptr;
};

/// Every random draw depends on (seed, step, place in the batch) alone. `result.weights` holds
/// whole weights whatever part was trained. Error kUnsupported for material that cannot be read.
TrainResult train_segment(const SegmentTrainee& trainee, const std::vector<OutlinedImage>& training,
                          const std::vector<OutlinedImage>& validation,
                          const SegmentTrainOptions& options, const TrainLog& log,
                          const StopRequest& stop = {}, const ShowExamples& show = {});

}  // namespace vesalius::tasks
