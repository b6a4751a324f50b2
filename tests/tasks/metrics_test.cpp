#include "tasks/metrics.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

const std::vector<int> kTruth{0, 0, 1, 1, 2, 2}, kSaid{0, 1, 1, 1, 0, 2};

TEST(Metrics, AccuracyAndConfusionByHand) {
  EXPECT_DOUBLE_EQ(accuracy(kTruth, kSaid), 4.0 / 6);
  const std::vector<std::vector<int64_t>> expected{{1, 1, 0}, {0, 2, 0}, {1, 0, 1}};
  EXPECT_EQ(confusion(kTruth, kSaid, 3), expected);
}

TEST(Metrics, F1ByHand) {
  const auto f1 = f1_per_class(kTruth, kSaid, 3);
  EXPECT_DOUBLE_EQ(f1[0], 2.0 * 1 / (2 + 2));
  EXPECT_DOUBLE_EQ(f1[1], 2.0 * 2 / (2 + 3));
  EXPECT_DOUBLE_EQ(f1[2], 2.0 * 1 / (2 + 1));
  EXPECT_DOUBLE_EQ(macro_f1(kTruth, kSaid, 3), (0.5 + 0.8 + 2.0 / 3) / 3);
}

TEST(Metrics, MacroF1LeavesOutClassesThatNeverOccur) {
  EXPECT_DOUBLE_EQ(macro_f1(kTruth, kSaid, 5), macro_f1(kTruth, kSaid, 3));
  EXPECT_DOUBLE_EQ(f1_per_class(kTruth, kSaid, 4)[3], 0);
}

TEST(Metrics, RocAucByHand) {
  // scikit-learn's own example: 0.75.
  EXPECT_DOUBLE_EQ(*roc_auc({false, false, true, true}, {0.1, 0.4, 0.35, 0.8}), 0.75);
  EXPECT_DOUBLE_EQ(*roc_auc({true, false}, {0.9, 0.1}), 1);
  EXPECT_DOUBLE_EQ(*roc_auc({true, false}, {0.1, 0.9}), 0);
  EXPECT_DOUBLE_EQ(*roc_auc({true, false, true, false}, {0.5, 0.5, 0.5, 0.5}), 0.5);
  EXPECT_DOUBLE_EQ(*roc_auc({true, false, false}, {0.5, 0.5, 0.1}), 0.75);
  EXPECT_FALSE(roc_auc({true, true}, {0.1, 0.2}).has_value());
  EXPECT_FALSE(roc_auc({false, false}, {0.1, 0.2}).has_value());
}

TEST(Metrics, RocAucOneVersusRest) {
  const auto values = roc_auc_per_class(
      {0, 1, 2, 0},
      {{0.8, 0.1, 0.1, 0}, {0.2, 0.7, 0.1, 0}, {0.6, 0.1, 0.3, 0}, {0.5, 0.4, 0.1, 0}});
  EXPECT_DOUBLE_EQ(*values[0], 0.75);
  EXPECT_DOUBLE_EQ(*values[1], 1);
  EXPECT_DOUBLE_EQ(*values[2], 1);
  EXPECT_FALSE(values[3].has_value());
  EXPECT_DOUBLE_EQ(*mean_of(values), 2.75 / 3);
  EXPECT_FALSE(mean_of({std::nullopt}).has_value());
}

TEST(Metrics, AveragePrecisionByHand) {
  // scikit-learn's own example: 0.8333.
  EXPECT_NEAR(*average_precision({false, false, true, true}, {0.1, 0.4, 0.35, 0.8}), 5.0 / 6,
              1e-12);
  // Ties stand or fall together: one threshold, precision 1/2.
  EXPECT_DOUBLE_EQ(*average_precision({true, false}, {0.5, 0.5}), 0.5);
  EXPECT_FALSE(average_precision({false}, {0.5}).has_value());
}

TEST(Metrics, RankingsByHand) {
  const std::vector<bool> relevant{true, false, true, false};
  EXPECT_DOUBLE_EQ(precision_at(relevant, 1), 1);
  EXPECT_DOUBLE_EQ(precision_at(relevant, 3), 2.0 / 3);
  EXPECT_DOUBLE_EQ(precision_at(relevant, 10), 0.2);  // what is not there is a miss
  EXPECT_DOUBLE_EQ(*ranking_precision(relevant, 2), (1 + 2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(*ranking_precision(relevant, 4), (1 + 2.0 / 3) / 4);
  EXPECT_FALSE(ranking_precision(relevant, 0).has_value());
}

TEST(Metrics, UnequalOrEmptyListsAreRefused) {
  EXPECT_THROW(accuracy({0}, {0, 1}), Error);
  EXPECT_THROW(accuracy({}, {}), Error);
  EXPECT_THROW(roc_auc({true}, {}), Error);
  EXPECT_THROW(macro_f1({}, {}, 2), Error);
}

TEST(Metrics, ScoresThatAreNoNumbersCannotBeRanked) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(roc_auc({true, false}, {nan, 0.5}), Error);
  EXPECT_THROW(average_precision({true, false}, {0.5, nan}), Error);
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_DOUBLE_EQ(*roc_auc({true, false, true}, {infinity, -infinity, -infinity}), 0.75);
}

}  // namespace
}  // namespace vesalius::tasks
