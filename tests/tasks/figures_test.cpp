// Figures against their definitions written out with loops, over many drawn tables with ties.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "tasks/evaluate.h"
#include "tasks/intervals.h"
#include "tasks/metrics.h"
#include "tasks/pool.h"
#include "tasks/scratch.h"

namespace vesalius::tasks {
namespace {

using testing::error_of;

struct Table {
  std::vector<bool> positive;
  std::vector<double> score;
};

/// Scores of a few distinct values, so that many are equal.
Table draw(std::mt19937_64& random, size_t count, int distinct) {
  Table table;
  for (size_t i = 0; i < count; ++i) {
    table.positive.push_back(random() % 3 == 0);
    table.score.push_back(static_cast<double>(random() % static_cast<uint64_t>(distinct)) / 4 - 1);
  }
  return table;
}

/// The share of (positive, negative) pairs in order, ties half: pair by pair.
std::optional<double> pairs_in_order(const Table& t) {
  double right = 0, pairs = 0;
  for (size_t i = 0; i < t.score.size(); ++i)
    for (size_t j = 0; j < t.score.size(); ++j) {
      if (!t.positive[i] || t.positive[j]) continue;
      pairs += 1;
      right += t.score[i] > t.score[j] ? 1 : t.score[i] == t.score[j] ? 0.5 : 0;
    }
  return pairs == 0 ? std::nullopt : std::optional(right / pairs);
}

/// Sum over thresholds of (recall step) x precision.
std::optional<double> by_thresholds(const Table& t) {
  std::vector<double> thresholds = t.score;
  std::sort(thresholds.rbegin(), thresholds.rend());
  thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
  const auto members = static_cast<double>(std::count(t.positive.begin(), t.positive.end(), true));
  if (members == 0) return std::nullopt;
  double sum = 0, before = 0;
  for (const double threshold : thresholds) {
    double hits = 0, called = 0;
    for (size_t i = 0; i < t.score.size(); ++i) {
      if (t.score[i] < threshold) continue;
      called += 1;
      hits += t.positive[i] ? 1 : 0;
    }
    sum += (hits / members - before) * hits / called;
    before = hits / members;
  }
  return sum;
}

TEST(Figures, AreasAgreeWithTheirDefinitions) {
  std::mt19937_64 random(11);
  int without = 0;
  for (int round = 0; round < 400; ++round) {
    const auto table = draw(random, 1 + random() % 25, 1 + static_cast<int>(random() % 12));
    const auto roc = roc_auc(table.positive, table.score), expected = pairs_in_order(table);
    ASSERT_EQ(roc.has_value(), expected.has_value());
    EXPECT_NEAR(roc.value_or(0), expected.value_or(0), 1e-12);
    const auto precision = average_precision(table.positive, table.score);
    const auto wanted = by_thresholds(table);
    ASSERT_EQ(precision.has_value(), wanted.has_value());
    EXPECT_NEAR(precision.value_or(0), wanted.value_or(0), 1e-12);
    without += roc ? 0 : 1;
  }
  EXPECT_GT(without, 10);  // tables of one class alone were among them
}

TEST(Figures, AreasDoNotChangeWithAnyRisingScale) {
  std::mt19937_64 random(12);
  for (int round = 0; round < 50; ++round) {
    const auto table = draw(random, 20, 9);
    Table other = table;
    for (double& score : other.score) score = std::exp(3 * score) - 100;
    EXPECT_EQ(roc_auc(table.positive, table.score), roc_auc(other.positive, other.score));
    EXPECT_EQ(average_precision(table.positive, table.score),
              average_precision(other.positive, other.score));
    for (double& score : other.score) score = -score;  // turned over, the area is what was missing
    const auto area = roc_auc(table.positive, table.score);
    EXPECT_NEAR(roc_auc(other.positive, other.score).value_or(0), 1 - area.value_or(1), 1e-12);
  }
}

TEST(Figures, OrderOfTheSamplesDoesNotMatter) {
  std::mt19937_64 random(13);
  for (int round = 0; round < 50; ++round) {
    auto table = draw(random, 15, 4);
    const auto area = roc_auc(table.positive, table.score);
    const auto precision = average_precision(table.positive, table.score);
    for (size_t i = table.score.size(); i-- > 1;) {
      const size_t j = random() % (i + 1);
      std::swap(table.score[i], table.score[j]);
      std::vector<bool>::swap(table.positive[i], table.positive[j]);
    }
    EXPECT_EQ(roc_auc(table.positive, table.score), area);
    EXPECT_EQ(average_precision(table.positive, table.score), precision);
  }
}

TEST(Figures, ConfusionHoldsEverySampleOnceAndTheDiagonalIsAccuracy) {
  std::mt19937_64 random(14);
  for (int round = 0; round < 60; ++round) {
    const int classes = 1 + static_cast<int>(random() % 6);
    const size_t count = 1 + random() % 30;
    std::vector<int> truth, said;
    for (size_t i = 0; i < count; ++i) {
      truth.push_back(static_cast<int>(random() % static_cast<uint64_t>(classes)));
      said.push_back(static_cast<int>(random() % static_cast<uint64_t>(classes)));
    }
    const auto counts = confusion(truth, said, classes);
    const auto f1 = f1_per_class(truth, said, classes);
    int64_t all = 0, diagonal = 0;
    for (size_t c = 0; c < counts.size(); ++c) {
      int64_t row = 0, column = 0;
      for (size_t other = 0; other < counts.size(); ++other) {
        row += counts[c][other];
        column += counts[other][c];
      }
      all += row;
      diagonal += counts[c][c];
      // The harmonic mean of precision and recall, where both exist.
      const auto hits = static_cast<double>(counts[c][c]);
      if (hits > 0) {
        const double recall = hits / static_cast<double>(row);
        const double precision = hits / static_cast<double>(column);
        EXPECT_NEAR(f1[c], 2 * precision * recall / (precision + recall), 1e-12);
      } else {
        EXPECT_EQ(f1[c], 0);
      }
    }
    EXPECT_EQ(all, static_cast<int64_t>(count));
    EXPECT_NEAR(accuracy(truth, said), static_cast<double>(diagonal) / static_cast<double>(count),
                1e-12);
  }
}

TEST(Figures, WilsonsBoundsSolveTheirEquation) {
  // A bound p0 is where |p - p0| = z sqrt(p0 (1 - p0) / n).
  constexpr double kZ = 1.959963984540054;
  for (const int64_t trials : {1, 2, 7, 50, 1000, 1'000'000})
    for (const int64_t successes : {int64_t{0}, trials / 3, trials / 2, trials - 1, trials}) {
      const auto figure = wilson(successes, trials);
      EXPECT_LE(0, figure.low);
      EXPECT_LE(figure.low, figure.value + 1e-15);
      EXPECT_LE(figure.value, figure.high + 1e-15);
      EXPECT_LE(figure.high, 1);
      for (const double bound : {figure.low, figure.high}) {
        const double reach = kZ * std::sqrt(bound * (1 - bound) / static_cast<double>(trials));
        EXPECT_NEAR(std::abs(figure.value - bound), reach, 1e-7)
            << successes << " of " << trials << " at " << bound;
      }
      const auto turned = wilson(trials - successes, trials);
      EXPECT_NEAR(turned.low, 1 - figure.high, 1e-12);
    }
}

TEST(Figures, TheBootstrapDrawsWithReplacementFromAll) {
  std::vector<int> seen(6);
  int rounds = 0, repeats = 0;
  bootstrap(
      6,
      [&](const std::vector<size_t>& indices) -> std::optional<double> {
        EXPECT_EQ(indices.size(), 6U);
        std::vector<size_t> sorted = indices;
        std::sort(sorted.begin(), sorted.end());
        repeats += std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end() ? 1 : 0;
        for (const size_t i : indices) ++seen.at(i);
        ++rounds;
        return 0.0;
      },
      3, 500);
  EXPECT_EQ(rounds, 501);  // all of them once, then the draws
  EXPECT_GT(repeats, 450);
  for (const int count : seen) EXPECT_NEAR(count, 501, 80);
}

TEST(Figures, OfOneSampleTheIntervalIsThePoint) {
  const auto figure = bootstrap(
      1, [](const std::vector<size_t>&) { return std::optional(0.25); }, 1, 50);
  EXPECT_EQ(figure->low, 0.25);
  EXPECT_EQ(figure->high, 0.25);
}

/// Quantile of a sorted column, linear between neighbours.
double quantile(std::vector<float> column, double q) {
  std::sort(column.begin(), column.end());
  const double at = q * static_cast<double>(column.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, column.size() - 1);
  return column[below] + (at - static_cast<double>(below)) * (column[above] - column[below]);
}

TEST(Pooling, EqualsLoopsOverEveryColumn) {
  for (const int64_t count : {1, 2, 3, 4, 9}) {
    constexpr int64_t kWidth = 5;
    const auto x = at::sin(at::arange(count * kWidth, at::kFloat) * 2.3).view({count, kWidth});
    std::map<Pool, at::Tensor> pooled;
    for (const auto pool : {Pool::kMean, Pool::kMedian, Pool::kMax, Pool::kStd, Pool::kStudy})
      pooled[pool] = pool_features(x, pool);
    EXPECT_EQ(pooled[Pool::kStudy].numel(), 7 * kWidth);
    for (int64_t d = 0; d < kWidth; ++d) {
      std::vector<float> column;
      for (int64_t i = 0; i < count; ++i) column.push_back(x[i][d].item<float>());
      double mean = 0, square = 0;
      for (const float v : column) mean += v / static_cast<double>(count);
      for (const float v : column) square += (v - mean) * (v - mean);
      const double deviation = count > 1 ? std::sqrt(square / static_cast<double>(count - 1)) : 0;
      const auto [least, most] = std::minmax_element(column.begin(), column.end());
      const auto value = [&](Pool pool, int64_t at) { return pooled[pool][at].item<double>(); };
      EXPECT_NEAR(value(Pool::kMean, d), mean, 1e-6);
      EXPECT_NEAR(value(Pool::kMedian, d), quantile(column, 0.5), 1e-6);
      EXPECT_NEAR(value(Pool::kMax, d), *most, 1e-6);
      EXPECT_NEAR(value(Pool::kStd, d), deviation, 1e-6);
      const double expected[] = {mean,
                                 deviation,
                                 *least,
                                 quantile(column, 0.25),
                                 quantile(column, 0.5),
                                 quantile(column, 0.75),
                                 *most};
      for (int64_t part = 0; part < 7; ++part)
        EXPECT_NEAR(value(Pool::kStudy, part * kWidth + d), expected[part], 1e-6)
            << "part " << part << " of " << count;
    }
  }
}

TEST(Pooling, KnowsItsNames) {
  for (const char* name : {"none", "mean", "median", "max", "std", "study"})
    EXPECT_NO_THROW(parse_pool(name)) << name;
  for (const char* name : {"", "Mean", "average", "min", "mean "}) {
    const auto message = error_of(ErrorCode::kUsage, [&] { parse_pool(name); });
    EXPECT_NE(message.find("median"), std::string::npos) << message;
  }
  error_of(ErrorCode::kUsage, [] { pool_features(at::zeros({2, 2}), Pool::kNone); });
}

TEST(Retrieval, EqualsRankingEveryQueryByHand) {
  std::mt19937_64 random(15);
  for (int round = 0; round < 12; ++round) {
    const int64_t count = 5 + static_cast<int64_t>(random() % 12);
    Labelled set{.labels = {"a", "b", "c"}};
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i) set.truth.push_back(static_cast<int>(random() % 3));
    for (int64_t i = 0; i < count * 4; ++i)
      values.push_back(static_cast<float>(random() % 2000) / 1000 - 1);
    set.features = at::tensor(values).view({count, 4});
    double map = 0, first = 0;
    int64_t queries = 0;
    for (int64_t q = 0; q < count; ++q) {
      std::vector<std::pair<double, bool>> others;
      for (int64_t i = 0; i < count; ++i) {
        if (i == q) continue;
        const double cosine = at::cosine_similarity(set.features[q].to(at::kDouble),
                                                    set.features[i].to(at::kDouble), 0)
                                  .item<double>();
        others.emplace_back(-cosine,
                            set.truth[static_cast<size_t>(i)] == set.truth[static_cast<size_t>(q)]);
      }
      std::sort(others.begin(), others.end());
      double hits = 0, sum = 0;
      for (size_t rank = 0; rank < others.size(); ++rank) {
        if (!others[rank].second) continue;
        hits += 1;
        sum += hits / static_cast<double>(rank + 1);
      }
      if (hits == 0) continue;
      ++queries;
      map += sum / hits;
      first += others.front().second ? 1 : 0;
    }
    if (queries == 0) continue;
    const auto report = evaluate_retrieval(set, {1}, 0);
    EXPECT_EQ(report["queries"], queries);
    EXPECT_EQ(report["alone_in_class"], count - queries);
    EXPECT_NEAR(report["mean_average_precision"]["value"].get<double>(),
                map / static_cast<double>(queries), 1e-6);
    EXPECT_NEAR(report["precision_at_1"]["value"].get<double>(),
                first / static_cast<double>(queries), 1e-9);
  }
}

}  // namespace
}  // namespace vesalius::tasks
