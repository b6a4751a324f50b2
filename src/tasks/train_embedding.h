// Training of an embedding model on image-text pairs with the UniCL objective.
#pragma once

#include <string>
#include <vector>

#include "models/medimageinsight.h"
#include "tasks/augment.h"
#include "tasks/pairs.h"
#include "tasks/train_loop.h"
#include "text/clip_tokenizer.h"

namespace vesalius::tasks {

struct TrainOptions : LoopOptions {
  int64_t batch = 32;
  double text_rate = 1;  // share of the learning rate that the text tower gets
  double balance =
      0;  // 0: every image once an epoch; 1: every set of texts equally often; between: between
  Augmentation augmentation;
  std::vector<std::string> templates{"{}"};  // one is drawn for every text
};

/// What training works on. The tensors behind `model` are trained in place.
struct Trainee {
  const models::MedImageInsight& model;
  const TensorStore& store;
  const text::ClipTokenizer& tokenizer;
  recipes::Recipe recipe;
};

/// Every random draw depends on (seed, step, place in the batch) alone, so that a resumed run
/// continues bit by bit. Accumulated batches are each contrasted within themselves.
TrainResult train_embedding(const Trainee& trainee, const PairSet& training,
                            const PairSet& validation, const TrainOptions& options,
                            const TrainLog& log, const StopRequest& stop = {});

/// Share of images whose best text (of all different texts of the set) is true of them, and the
/// mean UniCL loss.
struct ValidationScore {
  double loss = 0, top1 = 0;
};

}  // namespace vesalius::tasks
