#include <algorithm>
#include <map>
#include <numeric>

#include "base/error.h"
#include "tasks/embed.h"
#include "tasks/evaluate.h"
#include "tasks/metrics.h"

namespace vesalius::tasks {
namespace {

using Indices = std::vector<size_t>;

/// Every other row, nearest first; equal ones in order.
std::vector<int64_t> ranking(const at::Tensor& unit, int64_t query) {
  const at::Tensor scores = at::mv(unit, unit[query]).contiguous();
  const float* score = scores.data_ptr<float>();
  std::vector<int64_t> order;
  for (int64_t i = 0; i < unit.size(0); ++i)
    if (i != query) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return score[a] > score[b]; });
  return order;
}

/// What one query of a known class found.
struct Found {
  int truth = 0;
  std::vector<double> precision;  // at every k
  double average_precision = 0;
};

std::vector<Found> query_all(const Labelled& set, const std::vector<int64_t>& ks) {
  const at::Tensor unit = unit_rows(set.features);
  std::vector<Found> all;
  for (size_t i = 0; i < set.truth.size(); ++i) {
    const auto others = std::count(set.truth.begin(), set.truth.end(), set.truth[i]) - 1;
    if (others == 0) continue;  // nothing could be found
    std::vector<bool> relevant;
    for (const int64_t row : ranking(unit, static_cast<int64_t>(i)))
      relevant.push_back(set.truth[static_cast<size_t>(row)] == set.truth[i]);
    Found found{.truth = set.truth[i]};
    for (const int64_t k : ks) found.precision.push_back(precision_at(relevant, k));
    found.average_precision = ranking_precision(relevant, others).value_or(0);
    all.push_back(std::move(found));
  }
  return all;
}

/// Mean of a value over queries; with `by_class`, of the classes' means.
template <class Value>
std::optional<double> mean(const std::vector<Found>& all, const Indices& indices, bool by_class,
                           const Value& value) {
  std::map<int, std::pair<double, double>> sums;  // class -> sum, count
  for (const size_t i : indices) {
    auto& [sum, count] = sums[by_class ? all[i].truth : 0];
    sum += value(all[i]);
    count += 1;
  }
  double total = 0;
  for (const auto& [label, sum] : sums) total += sum.first / sum.second;
  return total / static_cast<double>(sums.size());
}

template <class Value>
Json mean_json(const std::vector<Found>& all, bool by_class, uint64_t seed, const Value& value) {
  return figure_json(bootstrap(
      static_cast<int64_t>(all.size()),
      [&](const Indices& indices) { return mean(all, indices, by_class, value); }, seed));
}

/// Rank (from 1) of the first right answer of every query in [queries, answers] similarities.
std::vector<double> first_ranks(const at::Tensor& similarity,
                                const std::vector<std::string>& words) {
  std::vector<double> ranks;
  for (int64_t i = 0; i < similarity.size(0); ++i) {
    const at::Tensor row = similarity[i].contiguous();
    const float* score = row.data_ptr<float>();
    float right = score[i];
    for (int64_t j = 0; j < row.numel(); ++j)
      if (words[static_cast<size_t>(j)] == words[static_cast<size_t>(i)])
        right = std::max(right, score[j]);
    ranks.push_back(1.0 + static_cast<double>(std::count_if(score, score + row.numel(),
                                                            [&](float s) { return s > right; })));
  }
  return ranks;
}

std::optional<double> median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Json ranks_json(const std::vector<double>& ranks, uint64_t seed) {
  Json json = Json::object();
  for (const int k : {1, 5, 10}) {
    const auto within = std::count_if(ranks.begin(), ranks.end(), [&](double r) { return r <= k; });
    json[fmt::format("recall_at_{}", k)] =
        figure_json(wilson(within, static_cast<int64_t>(ranks.size())));
  }
  json["median_rank"] = figure_json(bootstrap(
      static_cast<int64_t>(ranks.size()),
      [&](const Indices& indices) {
        std::vector<double> drawn;
        for (const size_t i : indices) drawn.push_back(ranks[i]);
        return median(std::move(drawn));
      },
      seed));
  return json;
}

}  // namespace

Json evaluate_retrieval(const Labelled& set, const std::vector<int64_t>& ks, uint64_t seed) {
  const auto all = query_all(set, ks);
  if (all.empty())
    fail(ErrorCode::kUsage, "no class has two members, so that nothing similar can be found.");
  Json json = {{"samples", set.truth.size()},
               {"queries", all.size()},
               {"alone_in_class", set.truth.size() - all.size()}};
  for (size_t i = 0; i < ks.size(); ++i) {
    const auto at_k = [i](const Found& found) { return found.precision[i]; };
    json[fmt::format("precision_at_{}", ks[i])] = mean_json(all, false, seed, at_k);
    json[fmt::format("precision_at_{}_by_class", ks[i])] = mean_json(all, true, seed, at_k);
  }
  json["mean_average_precision"] =
      mean_json(all, false, seed, [](const Found& found) { return found.average_precision; });
  json["classes"] = set.labels;
  return json;
}

Json evaluate_neighbours(const Labelled& set, int64_t k, uint64_t seed) {
  const at::Tensor unit = unit_rows(set.features);
  Answers answers{.labels = set.labels, .truth = set.truth};
  for (size_t i = 0; i < set.truth.size(); ++i) {
    std::vector<double> votes(set.labels.size());
    auto order = ranking(unit, static_cast<int64_t>(i));
    order.resize(std::min<size_t>(order.size(), static_cast<size_t>(k)));
    for (const int64_t row : order)
      votes[static_cast<size_t>(set.truth[static_cast<size_t>(row)])] +=
          1.0 / static_cast<double>(order.size());
    answers.scores.push_back(std::move(votes));
  }
  Json json = evaluate_answers(answers, seed);
  json["neighbours"] = k;
  return json;
}

Json evaluate_pairs(const at::Tensor& images, const at::Tensor& texts,
                    const std::vector<std::string>& words, uint64_t seed) {
  if (words.empty()) fail(ErrorCode::kUsage, "there is no pair of image and text to evaluate.");
  const at::Tensor similarity = at::mm(unit_rows(images), unit_rows(texts).t());
  if (!at::isfinite(similarity).all().item<bool>())
    fail(ErrorCode::kFailed, "a vector is not finite, so that the pairs cannot be ranked.");
  return {{"pairs", words.size()},
          {"image_to_text", ranks_json(first_ranks(similarity, words), seed)},
          {"text_to_image", ranks_json(first_ranks(similarity.t(), words), seed)}};
}

}  // namespace vesalius::tasks
