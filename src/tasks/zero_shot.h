// Zero-shot classification: an image against the words of its possible labels.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "tasks/labels.h"

namespace vesalius::tasks {

/// kSoftmax: the labels of a group exclude each other. kSigmoid: each for itself, sigmoid of the
/// scaled similarity as it is; a model trained with softmax saturates it, so use it for ranking.
enum class ScoreRule { kSoftmax, kSigmoid };
ScoreRule parse_score_rule(const std::string& name);

struct Score {
  std::string label;
  double score = 0;
};

/// What one group says about an image, best first.
struct GroupScores {
  std::string group;
  std::vector<Score> scores;
};

/// Label groups as vectors, ready for any number of images.
class ZeroShot {
 public:
  /// Encodes every label in every template of its group (else of `templates`, else alone),
  /// L2-normalises each, averages over the templates and normalises again, as the packaged
  /// classifiers of microsoft/healthcareai-examples do.
  ZeroShot(const catalog::EmbeddingModel& model, std::vector<LabelGroup> groups,
           const std::vector<std::string>& templates);

  /// [d] features (any length) -> scores of exp(logit_scale) * cosine. Groups whose condition does
  /// not hold are left out. `top` 0: all labels.
  std::vector<GroupScores> classify(const at::Tensor& features, ScoreRule rule,
                                    int64_t top = 0) const;
  const std::vector<LabelGroup>& groups() const { return groups_; }

 private:
  std::vector<LabelGroup> groups_;
  std::vector<at::Tensor> classes_;  // [labels, d] of each group, rows of length one
  double scale_;
};

/// [{"group", "label", "score"}…], group left out where it has no name.
Json scores_json(const std::vector<GroupScores>& groups);

}  // namespace vesalius::tasks
