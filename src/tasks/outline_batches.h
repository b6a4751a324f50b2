// Batches for segmentation training: images and prompts chosen, turned and toned ahead of the step
// that uses them.
#pragma once

#include <ATen/ATen.h>

#include <future>
#include <string>
#include <vector>

#include "tasks/outline_store.h"
#include "tasks/random.h"

namespace vesalius::tasks {

/// How training images vary. Mirroring is left out of images whose targets name a side.
struct OutlineAugmentation {
  double turn = 20;  // degrees at most
  double scale_min = 0.8, scale_max = 1.3;
  double shift = 0.1;  // share of the side
  double flip = 0.5;   // probability, each axis; down only where turned is usual
  double tone = 0.25;  // gamma, contrast and brightness
  double noise = 8;    // largest standard deviation, grey levels
  double blur = 0.3;   // probability of losing half of the resolution
  bool on = true;
};

struct OutlineSampling {
  int64_t batch = 8, prompts = 3;  // images a batch, prompts an image
  double negatives = 0.25;         // share of prompts that are not in the image
  double balance = 0.5;            // 0: images alike; 1: kinds alike
  OutlineAugmentation augmentation;
  uint64_t seed = 0;
};

struct OutlineBatch {
  at::Tensor pixels;                 // [batch, 3, side, side], 0 to 255
  at::Tensor masks;                  // [batch, prompts, side, side], 0 or 1
  std::vector<std::string> prompts;  // [batch * prompts]
};

class OutlineBatches {
 public:
  OutlineBatches(const OutlineStore& store, const OutlineSampling& sampling);
  int64_t per_epoch() const;
  /// Batch `number`, made by another thread while the one before is used.
  OutlineBatch get(int64_t number);

 private:
  OutlineBatch make(int64_t number) const;
  size_t choose(KeyedRandom& random) const;
  std::vector<std::string> choose_prompts(const OutlinedSample& sample, KeyedRandom& random) const;
  std::string phrased(const std::string& prompt, KeyedRandom& random) const;
  const OutlineStore& store_;
  OutlineSampling sampling_;
  std::vector<double> cumulative_;  // of the images' drawing weights
  std::future<OutlineBatch> next_;
  int64_t next_number_ = -1;
};

}  // namespace vesalius::tasks
