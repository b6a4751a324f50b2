#include "tasks/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

void check_same(size_t a, size_t b) {
  if (a != b || a == 0)
    fail(ErrorCode::kUsage,
         "a figure needs as many answers as questions, and at least one ({} and {}).", b, a);
}

/// Indices from the largest score to the least.
std::vector<size_t> descending(const std::vector<double>& score) {
  std::vector<size_t> order(score.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return score[a] > score[b]; });
  return order;
}

/// Calls visit(positives, negatives) for every run of equal scores, best first.
template <class Visit>
void each_tie(const std::vector<bool>& positive, const std::vector<double>& score,
              const Visit& visit) {
  if (std::any_of(score.begin(), score.end(), [](double s) { return std::isnan(s); }))
    fail(ErrorCode::kUsage, "a score is not a number, so that the answers cannot be ranked.");
  const auto order = descending(score);
  for (size_t i = 0; i < order.size();) {
    size_t end = i, hits = 0;
    for (; end < order.size() && score[order[end]] == score[order[i]]; ++end)
      hits += positive[order[end]] ? 1 : 0;
    visit(static_cast<double>(hits), static_cast<double>(end - i - hits));
    i = end;
  }
}

}  // namespace

double accuracy(const std::vector<int>& truth, const std::vector<int>& predicted) {
  check_same(truth.size(), predicted.size());
  int64_t same = 0;
  for (size_t i = 0; i < truth.size(); ++i) same += truth[i] == predicted[i] ? 1 : 0;
  return static_cast<double>(same) / static_cast<double>(truth.size());
}

std::vector<std::vector<int64_t>> confusion(const std::vector<int>& truth,
                                            const std::vector<int>& predicted, int classes) {
  check_same(truth.size(), predicted.size());
  const auto n = static_cast<size_t>(classes);
  std::vector<std::vector<int64_t>> counts(n, std::vector<int64_t>(n));
  for (size_t i = 0; i < truth.size(); ++i)
    ++counts[static_cast<size_t>(truth[i])][static_cast<size_t>(predicted[i])];
  return counts;
}

namespace {

struct ClassCounts {
  int64_t both = 0, truth = 0, predicted = 0;
  bool occurs() const { return truth + predicted > 0; }
  double f1() const {
    return occurs() ? 2.0 * static_cast<double>(both) / static_cast<double>(truth + predicted)
                    : 0.0;
  }
};

std::vector<ClassCounts> count_classes(const std::vector<int>& truth,
                                       const std::vector<int>& predicted, int classes) {
  check_same(truth.size(), predicted.size());
  std::vector<ClassCounts> counts(static_cast<size_t>(classes));
  for (size_t i = 0; i < truth.size(); ++i) {
    ++counts[static_cast<size_t>(truth[i])].truth;
    ++counts[static_cast<size_t>(predicted[i])].predicted;
    if (truth[i] == predicted[i]) ++counts[static_cast<size_t>(truth[i])].both;
  }
  return counts;
}

}  // namespace

std::vector<double> f1_per_class(const std::vector<int>& truth, const std::vector<int>& predicted,
                                 int classes) {
  std::vector<double> values;
  for (const auto& counts : count_classes(truth, predicted, classes)) values.push_back(counts.f1());
  return values;
}

double macro_f1(const std::vector<int>& truth, const std::vector<int>& predicted, int classes) {
  double sum = 0;
  int64_t occurring = 0;
  for (const auto& counts : count_classes(truth, predicted, classes)) {
    if (!counts.occurs()) continue;
    sum += counts.f1();
    ++occurring;
  }
  return sum / static_cast<double>(occurring);
}

std::optional<double> roc_auc(const std::vector<bool>& positive, const std::vector<double>& score) {
  check_same(positive.size(), score.size());
  double above = 0, pairs = 0, negatives = 0;
  each_tie(positive, score, [&](double hits, double misses) {
    pairs += misses * (above + hits / 2);  // positives ranked before these negatives, ties half
    above += hits;
    negatives += misses;
  });
  if (above == 0 || negatives == 0) return std::nullopt;
  return pairs / (above * negatives);
}

std::vector<std::optional<double>> roc_auc_per_class(
    const std::vector<int>& truth, const std::vector<std::vector<double>>& scores) {
  check_same(truth.size(), scores.size());
  std::vector<std::optional<double>> values;
  for (size_t c = 0; c < scores[0].size(); ++c) {
    std::vector<bool> positive;
    std::vector<double> column;
    for (size_t i = 0; i < truth.size(); ++i) {
      positive.push_back(truth[i] == static_cast<int>(c));
      column.push_back(scores[i][c]);
    }
    values.push_back(roc_auc(positive, column));
  }
  return values;
}

std::optional<double> mean_of(const std::vector<std::optional<double>>& values) {
  double sum = 0;
  int64_t count = 0;
  for (const auto& value : values) {
    sum += value.value_or(0);
    count += value ? 1 : 0;
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

double precision_at(const std::vector<bool>& relevant, int64_t k) {
  const auto end = relevant.begin() + std::min<int64_t>(k, static_cast<int64_t>(relevant.size()));
  return static_cast<double>(std::count(relevant.begin(), end, true)) / static_cast<double>(k);
}

std::optional<double> ranking_precision(const std::vector<bool>& relevant, int64_t total) {
  if (total == 0) return std::nullopt;
  double sum = 0, hits = 0;
  for (size_t rank = 0; rank < relevant.size(); ++rank) {
    if (!relevant[rank]) continue;
    hits += 1;
    sum += hits / static_cast<double>(rank + 1);
  }
  return sum / static_cast<double>(total);
}

std::optional<double> average_precision(const std::vector<bool>& positive,
                                        const std::vector<double>& score) {
  check_same(positive.size(), score.size());
  double hits = 0, seen = 0, sum = 0;
  each_tie(positive, score, [&](double more, double misses) {
    hits += more;
    seen += more + misses;
    sum += more * hits / seen;
  });
  if (hits == 0) return std::nullopt;
  return sum / hits;
}

}  // namespace vesalius::tasks
