#include "tasks/batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tasks/scratch.h"

namespace vesalius::tasks {
namespace {

using testing::error_of;
using testing::Scratch;
using testing::tiny_tiff;

constexpr int kSize = 8;

/// Pictures of one grey each, 20 apart, so that a batch's pixels say which picture they are.
class Batches : public ::testing::Test {
 protected:
  PreparedPairs prepared(const std::vector<std::vector<std::string>>& texts, size_t broken = 99) {
    PairSet set;
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto file = tiny_tiff(std::string(16, static_cast<char>(20 * i)));
      const auto name = std::to_string(i) + ".tif";
      set.pairs.push_back({scratch_.write(name, i == broken ? "II" : file), texts[i], {}});
    }
    return {set, recipes::make_recipe("vesalius"), kSize, true};
  }

  static TrainOptions options(int64_t batch, double balance = 0) {
    TrainOptions options;
    options.batch = batch;
    options.balance = balance;
    options.augmentation = make_augmentation("none");
    return options;
  }

  static recipes::ModelInput input() { return {.size = kSize}; }

  static size_t picture(const Batch& batch, int64_t row) {
    const auto pixels = batch.pixels[row][0] * input().std[0] + input().mean[0];
    EXPECT_LT((pixels - pixels[0][0]).abs().max().item<double>(), 1e-6);
    return static_cast<size_t>(std::lround(pixels[0][0].item<double>() * 255 / 20));
  }

  Scratch scratch_;
};

bool same(const Batch& a, const Batch& b) {
  return a.pixels.equal(b.pixels) && a.texts == b.texts && a.column.equal(b.column) &&
         a.truth.equal(b.truth);
}

TEST_F(Batches, AnEpochMeetsNoPictureTwice) {
  const auto pairs = prepared({{"a"}, {"b"}, {"c"}, {"d"}, {"e"}, {"f"}, {"g"}});
  const auto how = options(3);
  BatchMaker maker(pairs, how, input());
  ASSERT_EQ(maker.steps_per_epoch(), 2);
  std::set<std::vector<size_t>> orders;
  std::set<size_t> ever;
  for (int64_t epoch = 0; epoch < 8; ++epoch) {
    std::vector<size_t> met;
    for (const int64_t step : {2 * epoch, 2 * epoch + 1}) {
      const auto batch = maker.get(step);
      for (int64_t i = 0; i < 3; ++i) met.push_back(picture(batch, i));
    }
    EXPECT_EQ(std::set(met.begin(), met.end()).size(), 6U) << epoch;
    ever.insert(met.begin(), met.end());
    orders.insert(met);
  }
  EXPECT_EQ(ever.size(), 7U);    // the one left out is not always the same
  EXPECT_EQ(orders.size(), 8U);  // every epoch in an order of its own
}

TEST_F(Batches, TruthIsWhatIsTrueOfEachPicture) {
  const std::vector<std::vector<std::string>> texts{
      {"x-ray", "x-ray chest"}, {"x-ray"}, {"x-ray chest", "effusion", "x-ray"}, {"CT"}};
  const auto pairs = prepared(texts);
  const auto how = options(4);
  BatchMaker maker(pairs, how, input());
  std::set<std::string> drawn;
  for (int64_t step = 0; step < 20; ++step) {
    const auto batch = maker.get(step);
    EXPECT_TRUE(std::ranges::is_sorted(batch.texts));
    for (int64_t i = 0; i < 4; ++i) {
      const auto& mine = texts.at(picture(batch, i));
      for (size_t j = 0; j < batch.texts.size(); ++j)
        EXPECT_EQ(batch.truth[i][static_cast<int64_t>(j)].item<float>(),
                  std::ranges::count(mine, batch.texts[j]) > 0 ? 1 : 0);
      const auto& text = batch.texts.at(static_cast<size_t>(batch.column[i].item<int64_t>()));
      EXPECT_EQ(std::ranges::count(mine, text), 1) << text;
      drawn.insert(text);
    }
  }
  EXPECT_EQ(drawn.size(), 4U);  // every text has its turn
}

TEST_F(Batches, ATextListedOftenIsDrawnOften) {
  const auto pairs = prepared({{"finding", "finding", "finding", "modality"}});
  const auto how = options(1);
  BatchMaker maker(pairs, how, input());
  int findings = 0;
  for (int64_t step = 0; step < 400; ++step) findings += maker.get(step).texts[0] == "finding";
  EXPECT_NEAR(findings, 300, 35);  // four standard deviations
}

TEST_F(Batches, BalanceEvensOutSetsOfTexts) {
  std::vector<std::vector<std::string>> texts(9, {"common"});
  texts.push_back({"rare"});
  const auto pairs = prepared(texts);
  // Each picture weighs count^-balance: 9 x 1/9 to 1, and 9 x 1/3 to 1.
  for (const auto& [balance, share] : {std::pair{1.0, 0.5}, {0.5, 0.25}, {0.0, 0.1}}) {
    const auto how = options(10, balance);
    BatchMaker maker(pairs, how, input());
    double rare = 0;
    for (int64_t step = 0; step < 100; ++step) {
      const auto batch = maker.get(step);
      for (int64_t i = 0; i < 10; ++i) rare += picture(batch, i) == 9 ? 0.001 : 0;
    }
    EXPECT_NEAR(rare, share, balance == 0 ? 1e-9 : 0.065) << balance;
  }
}

TEST_F(Batches, ABatchDependsOnSeedAndNumberAlone) {
  const auto pairs = prepared({{"a", "b"}, {"c"}, {"d", "e"}, {"f"}, {"g"}});
  for (const double balance : {0.0, 1.0}) {
    auto how = options(2, balance), other = how;
    how.augmentation = other.augmentation = make_augmentation("gentle");
    other.seed = 1;
    BatchMaker in_order(pairs, how, input()), by_jumps(pairs, how, input()),
        otherwise(pairs, other, input());
    std::vector<Batch> all;
    for (int64_t step = 0; step < 6; ++step) all.push_back(in_order.get(step));
    int differ = 0;
    for (const size_t step : {5, 1, 2, 0}) {
      EXPECT_TRUE(same(by_jumps.get(static_cast<int64_t>(step)), all[step])) << step;
      differ += same(otherwise.get(static_cast<int64_t>(step)), all[step]) ? 0 : 1;
    }
    EXPECT_EQ(differ, 4);
  }
}

TEST_F(Batches, ASetSmallerThanABatchIsTheBatch) {
  const auto pairs = prepared({{"a"}, {"b"}});
  const auto how = options(32);
  BatchMaker maker(pairs, how, input());
  EXPECT_EQ(maker.steps_per_epoch(), 1);
  EXPECT_EQ(maker.get(0).pixels.sizes(), (std::vector<int64_t>{2, 3, kSize, kSize}));
}

TEST_F(Batches, WhatCannotBeReadIsLeftOutWithItsTexts) {
  const auto pairs = prepared({{"a"}, {"b"}, {"c"}}, 1);
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs.texts(1), std::vector<std::string>{"c"});
  const auto batch = plain_batch(pairs, 0, 2, input(), {"c", "nobody's", "a"});
  EXPECT_EQ(picture(batch, 0), 0U);
  EXPECT_EQ(picture(batch, 1), 2U);
  EXPECT_TRUE(batch.truth.equal(at::tensor({0.F, 0.F, 1.F, 1.F, 0.F, 0.F}).view({2, 3})));
  error_of(ErrorCode::kUnsupported, [&] { prepared({{"a"}}, 0); });
}

}  // namespace
}  // namespace vesalius::tasks
