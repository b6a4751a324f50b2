// What the trainings of all models share: steps with a warm-up and a cosine, a log, validation
// after every epoch, a state to resume from.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "models/drop_path.h"
#include "tasks/optimizer.h"
#include "text/clip_tokenizer.h"

namespace vesalius::tasks {

struct LoopOptions {
  int64_t epochs = 20, accumulate = 1;
  double learning_rate = 1e-3, warm_up = 0.05;  // the latter as a share of all steps
  AdamWOptions optimizer;
  std::vector<std::string> freeze;
  bool bf16 = false;  // matrix products in bfloat16 (autocast)
  uint64_t seed = 0;
  int64_t log_every = 10;  // steps
  fs::path state;          // where the run is kept for resuming; empty: nowhere
  bool resume = false;
  bool quiet = false;
};

/// Called with every line of the log:
/// {"step","epoch","loss","learning_rate","gradient_norm","images_per_second"}, and after every
/// epoch {"epoch", …} with what validation gave.
using TrainLog = std::function<void(const Json&)>;
/// Asked between steps; true ends the run early, its state kept.
using StopRequest = std::function<bool()>;

struct TrainResult {
  std::map<std::string, at::Tensor> weights;  // smoothed, by published name
  int64_t steps = 0;
  bool finished = true;  // false: stopped early, resumable
};

/// What is trained, as the loop sees it.
struct TrainWork {
  int64_t batches_per_epoch = 1, batch = 1;        // batches, and images in each
  std::function<at::Tensor(int64_t number)> loss;  // of batch `number`, differentiable
  /// After an epoch, which counts from 1; empty: nothing.
  std::function<Json(const AdamW& optimizer, int64_t epoch)> measure;
};

/// Runs until the last epoch or a stop. Gradient accumulation averages batches. Error kFailed when
/// the loss is no number any more; kUsage when there is nothing to resume.
TrainResult run_training(AdamW& optimizer, const TrainWork& work, const LoopOptions& options,
                         const TrainLog& log, const StopRequest& stop);

/// Matrix products and convolutions in bfloat16 while it lives.
class Autocast {
 public:
  explicit Autocast(bool on);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  void set(bool on) const;
  bool on_;
};

/// Ids of every text, cut at the model's context.
std::vector<std::vector<int32_t>> tokenize(const text::ClipTokenizer& tokenizer,
                                           const std::vector<std::string>& texts, int64_t context);

/// Stochastic depth (arXiv 1603.09382): a branch is dropped for a whole sample, the rest scaled up.
models::DropPath make_drop_path(uint64_t seed, int64_t step);

}  // namespace vesalius::tasks
