// Training of an embedding model on image-text pairs with the UniCL objective.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "models/medimageinsight.h"
#include "tasks/augment.h"
#include "tasks/optimizer.h"
#include "tasks/pairs.h"
#include "text/clip_tokenizer.h"

namespace vesalius::tasks {

struct TrainOptions {
  int64_t epochs = 20, batch = 32, accumulate = 1;
  double learning_rate = 1e-3, warm_up = 0.05;  // the latter as a share of all steps
  double text_rate = 1;                         // share of it that the text tower gets
  double balance =
      0;  // 0: every image once an epoch; 1: every set of texts equally often; between: between
  AdamWOptions optimizer;
  Augmentation augmentation;
  std::vector<std::string> freeze;
  std::vector<std::string> templates{"{}"};  // one is drawn for every text
  bool bf16 = false;                         // matrix products in bfloat16 (autocast)
  uint64_t seed = 0;
  int64_t log_every = 10;  // steps
  fs::path state;          // where the run is kept for resuming; empty: nowhere
  bool resume = false;
  bool quiet = false;
};

/// What training works on. The tensors behind `model` are trained in place.
struct Trainee {
  const models::MedImageInsight& model;
  const TensorStore& store;
  const text::ClipTokenizer& tokenizer;
  recipes::Recipe recipe;
};

/// Called with every line of the log:
/// {"step","epoch","loss","learning_rate","gradient_norm","images_per_second"}, and after every
/// epoch {"epoch","validation_loss","validation_top1"} where there is a validation set.
using TrainLog = std::function<void(const Json&)>;
/// Asked between steps; true ends the run early, its state kept.
using StopRequest = std::function<bool()>;

struct TrainResult {
  std::map<std::string, at::Tensor> weights;  // smoothed, by published name
  int64_t steps = 0;
  bool finished = true;  // false: stopped early, resumable
};

/// Every random draw depends on (seed, step, place in the batch) alone, so that a resumed run
/// continues bit by bit. Gradient accumulation averages micro-batches, each contrasted within
/// itself.
TrainResult train_embedding(const Trainee& trainee, const PairSet& training,
                            const PairSet& validation, const TrainOptions& options,
                            const TrainLog& log, const StopRequest& stop = {});

/// Share of images whose best text (of all different texts of the set) is true of them, and the
/// mean UniCL loss.
struct ValidationScore {
  double loss = 0, top1 = 0;
};

}  // namespace vesalius::tasks
