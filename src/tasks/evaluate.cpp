#include "tasks/evaluate.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/error.h"
#include "tasks/embed.h"
#include "tasks/metrics.h"

namespace vesalius::tasks {
namespace {

using Indices = std::vector<size_t>;

template <class T>
std::vector<T> picked(const std::vector<T>& values, const Indices& indices) {
  std::vector<T> result;
  result.reserve(indices.size());
  for (const size_t i : indices) result.push_back(values[i]);
  return result;
}

int best_of(const std::vector<double>& scores) {
  return static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

/// Positives and scores of one class against the rest.
struct OneClass {
  std::vector<bool> positive;
  std::vector<double> score;
};

OneClass one_class(const Answers& answers, size_t c, const Indices& indices) {
  OneClass one;
  for (const size_t i : indices) {
    one.positive.push_back(answers.truth[i] == static_cast<int>(c));
    one.score.push_back(answers.scores[i][c]);
  }
  return one;
}

using PerClass = std::optional<double> (*)(const std::vector<bool>&, const std::vector<double>&);

std::optional<double> macro(const Answers& answers, const Indices& indices, PerClass figure) {
  std::vector<std::optional<double>> values;
  for (size_t c = 0; c < answers.labels.size(); ++c) {
    const auto one = one_class(answers, c, indices);
    values.push_back(figure(one.positive, one.score));
  }
  return mean_of(values);
}

Json class_json(const Answers& answers, const std::vector<int>& predicted, size_t c,
                uint64_t seed) {
  const auto count = static_cast<int64_t>(answers.truth.size());
  const auto one_figure = [&](PerClass figure) {
    return figure_json(bootstrap(
        count,
        [&](const Indices& indices) {
          const auto one = one_class(answers, c, indices);
          return figure(one.positive, one.score);
        },
        seed));
  };
  const auto members = std::count(answers.truth.begin(), answers.truth.end(), static_cast<int>(c));
  int64_t found = 0;
  for (size_t i = 0; i < predicted.size(); ++i)
    found += answers.truth[i] == static_cast<int>(c) && predicted[i] == static_cast<int>(c) ? 1 : 0;
  Json json = {{"label", answers.labels[c]}, {"count", members}};
  json["sensitivity"] =
      members > 0 ? figure_json(wilson(found, static_cast<int64_t>(members))) : Json(nullptr);
  json["f1"] = f1_per_class(answers.truth, predicted, static_cast<int>(answers.labels.size()))[c];
  json["auroc"] = one_figure(roc_auc);
  json["average_precision"] = one_figure(average_precision);
  return json;
}

}  // namespace

Json evaluate_answers(const Answers& answers, uint64_t seed) {
  const auto count = static_cast<int64_t>(answers.truth.size());
  if (count == 0) fail(ErrorCode::kUsage, "there is no sample to evaluate.");
  const auto classes = static_cast<int>(answers.labels.size());
  std::vector<int> predicted;
  for (const auto& scores : answers.scores) predicted.push_back(best_of(scores));
  int64_t right = 0;
  for (size_t i = 0; i < predicted.size(); ++i) right += predicted[i] == answers.truth[i] ? 1 : 0;
  const auto f1 = [&](const Indices& indices) -> std::optional<double> {
    return macro_f1(picked(answers.truth, indices), picked(predicted, indices), classes);
  };
  const auto over_classes = [&](PerClass figure) {
    return figure_json(bootstrap(
        count, [&](const Indices& i) { return macro(answers, i, figure); }, seed));
  };
  Json json = {{"samples", count}, {"accuracy", figure_json(wilson(right, count))}};
  json["macro_f1"] = figure_json(bootstrap(count, f1, seed));
  json["macro_auroc"] = over_classes(roc_auc);
  json["macro_average_precision"] = over_classes(average_precision);
  json["classes"] = Json::array();
  for (size_t c = 0; c < answers.labels.size(); ++c)
    json["classes"].push_back(class_json(answers, predicted, c, seed));
  json["confusion"] = confusion(answers.truth, predicted, classes);
  return json;
}

}  // namespace vesalius::tasks
