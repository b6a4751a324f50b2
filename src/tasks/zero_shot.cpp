#include "tasks/zero_shot.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "tasks/embed.h"

namespace vesalius::tasks {
namespace {

/// All prompts of a group, label by label, template by template.
std::vector<std::string> prompts_of(const LabelGroup& group,
                                    const std::vector<std::string>& templates) {
  std::vector<std::string> prompts;
  for (const auto& label : group.labels)
    for (const auto& pattern : templates) prompts.push_back(fill_template(pattern, label));
  return prompts;
}

at::Tensor class_vectors(const catalog::EmbeddingModel& model, const LabelGroup& group,
                         const std::vector<std::string>& fallback) {
  const auto templates = !group.templates.empty() ? group.templates
                         : !fallback.empty()      ? fallback
                                                  : std::vector<std::string>{"{}"};
  const at::Tensor all = unit_rows(text_features(model, prompts_of(group, templates)));
  const auto count = static_cast<int64_t>(templates.size());
  return unit_rows(all.view({-1, count, all.size(1)}).mean(1));  // [labels, d]
}

std::vector<Score> sorted_scores(const std::vector<std::string>& labels, const at::Tensor& values,
                                 int64_t top) {
  const at::Tensor contiguous = values.contiguous();
  const double* score = contiguous.data_ptr<double>();
  std::vector<Score> scores;
  for (size_t i = 0; i < labels.size(); ++i) scores.push_back({labels[i], score[i]});
  std::stable_sort(scores.begin(), scores.end(),
                   [](const Score& a, const Score& b) { return a.score > b.score; });
  if (top > 0 && static_cast<size_t>(top) < scores.size()) scores.resize(static_cast<size_t>(top));
  return scores;
}

bool holds(const LabelGroup& group, const std::vector<GroupScores>& so_far) {
  if (group.when_group.empty()) return true;
  for (const auto& earlier : so_far)
    if (earlier.group == group.when_group)
      return std::find(group.when_labels.begin(), group.when_labels.end(),
                       earlier.scores.front().label) != group.when_labels.end();
  return false;  // the group it depends on was itself left out
}

}  // namespace

ScoreRule parse_score_rule(const std::string& name) {
  if (name == "softmax") return ScoreRule::kSoftmax;
  if (name == "sigmoid") return ScoreRule::kSigmoid;
  fail(ErrorCode::kUsage, "--scores takes softmax or sigmoid, not '{}'.", name);
}

ZeroShot::ZeroShot(const catalog::EmbeddingModel& model, std::vector<LabelGroup> groups,
                   const std::vector<std::string>& templates)
    : groups_(std::move(groups)), scale_(std::exp(model.logit_scale())) {
  for (const auto& group : groups_) classes_.push_back(class_vectors(model, group, templates));
}

std::vector<GroupScores> ZeroShot::classify(const at::Tensor& features, ScoreRule rule,
                                            int64_t top) const {
  const at::Tensor image = unit_rows(features);
  std::vector<GroupScores> result;
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (!holds(groups_[i], result)) continue;
    const at::Tensor logits = at::mv(classes_[i], image).to(at::kDouble) * scale_;
    const at::Tensor values =
        rule == ScoreRule::kSoftmax ? at::softmax(logits, 0) : at::sigmoid(logits);
    result.push_back({groups_[i].name, sorted_scores(groups_[i].labels, values, top)});
  }
  return result;
}

Json scores_json(const std::vector<GroupScores>& groups) {
  Json scores = Json::array();
  for (const auto& group : groups)
    for (const auto& score : group.scores) {
      Json entry = Json::object();
      if (!group.group.empty()) entry["group"] = group.group;
      entry["label"] = score.label;
      entry["score"] = score.score;
      scores.push_back(std::move(entry));
    }
  return scores;
}

}  // namespace vesalius::tasks
