// Batches for training: chosen, augmented and turned into tensors ahead of the step that uses them.
#pragma once

#include <ATen/ATen.h>

#include <future>
#include <map>
#include <string>
#include <vector>

#include "tasks/train_embedding.h"

namespace vesalius::tasks {

struct Batch {
  at::Tensor pixels;               // [n, 3, S, S]
  std::vector<std::string> texts;  // the different ones, before templates
  at::Tensor column;               // [n], the place in `texts` of the text drawn for an image
  at::Tensor truth;                // [n, texts]: 1 where true
};

/// Images of a set, prepared once and kept in memory as bytes.
class PreparedPairs {
 public:
  /// `size`: side of the kept images. Files that cannot be read are named on standard error and
  /// left out; Error kUnsupported if none is left.
  PreparedPairs(const PairSet& set, const recipes::Recipe& recipe, int size, bool quiet);
  size_t size() const { return images_.size(); }
  const media::Image& image(size_t i) const { return images_[i]; }
  const std::vector<std::string>& texts(size_t i) const { return texts_[i]; }

 private:
  std::vector<media::Image> images_;
  std::vector<std::vector<std::string>> texts_;
};

class BatchMaker {
 public:
  BatchMaker(const PreparedPairs& pairs, const TrainOptions& options, recipes::ModelInput input);
  int64_t steps_per_epoch() const;
  /// Batch number `step`, made by other threads while the one before is used.
  Batch get(int64_t step);

 private:
  Batch make(int64_t step) const;
  std::vector<size_t> choose(int64_t step) const;
  const PreparedPairs& pairs_;
  const TrainOptions& options_;
  recipes::ModelInput input_;
  std::vector<double> cumulative_;  // of the drawing weights, when balanced
  std::future<Batch> next_;
  int64_t next_step_ = -1;
};

/// All of a set without augmentation, in batches of `batch`, for validation.
Batch plain_batch(const PreparedPairs& pairs, size_t first, size_t count,
                  const recipes::ModelInput& input, const std::vector<std::string>& texts);

}  // namespace vesalius::tasks
