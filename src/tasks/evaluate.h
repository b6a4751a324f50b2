// Evaluation: answers against truth, as figures with 95 % intervals.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "tasks/intervals.h"

namespace vesalius::tasks {

/// What a classifier said of every sample.
struct Answers {
  std::vector<std::string> labels;          // classes
  std::vector<int> truth;                   // index of the true class
  std::vector<std::vector<double>> scores;  // [samples][classes]; the largest is the answer
};

/// {"samples", "accuracy" (Wilson), "macro_f1", "macro_auroc" (one-vs-rest),
/// "macro_average_precision" (bootstrap), "classes": [{"label", "count", "f1", "auroc",
/// "average_precision", "sensitivity" (Wilson)}…], "confusion"}; a figure is {"value", "low",
/// "high"}. Error kUsage when there is no sample.
Json evaluate_answers(const Answers& answers, uint64_t seed);

/// Vectors with a class each.
struct Labelled {
  std::vector<std::string> labels;
  std::vector<int> truth;  // [n]
  at::Tensor features;     // [n, d], any length but zero
};

/// Leave-one-out retrieval by cosine: {"samples", "precision_at_K" and its "_by_class" mean for
/// every k, "mean_average_precision", "classes"}; queries whose class has no other member are left
/// out and counted.
Json evaluate_retrieval(const Labelled& set, const std::vector<int64_t>& ks, uint64_t seed);

/// Leave-one-out k-nearest-neighbour vote: evaluate_answers() of the share of neighbours of each
/// class.
Json evaluate_neighbours(const Labelled& set, int64_t k, uint64_t seed);

/// Images and their texts, row by row [n, d]: recall at 1, 5, 10 and the median rank, both ways.
/// Rows whose text is the same count as right.
Json evaluate_pairs(const at::Tensor& images, const at::Tensor& texts,
                    const std::vector<std::string>& words, uint64_t seed);

}  // namespace vesalius::tasks
