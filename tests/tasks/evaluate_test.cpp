#include "tasks/evaluate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

double value(const Json& report, const char* name) {
  return report.at(name).at("value").get<double>();
}

TEST(Evaluate, AnswersByHand) {
  const Answers answers{.labels = {"a", "b"},
                        .truth = {0, 0, 1, 1},
                        .scores = {{0.9, 0.1}, {0.4, 0.6}, {0.2, 0.8}, {0.3, 0.7}}};
  const auto report = evaluate_answers(answers, 1);
  EXPECT_EQ(report["samples"], 4);
  EXPECT_DOUBLE_EQ(value(report, "accuracy"), 0.75);
  EXPECT_DOUBLE_EQ(value(report, "macro_f1"), (2.0 / 3 + 0.8) / 2);
  EXPECT_DOUBLE_EQ(value(report, "macro_auroc"), 1);
  EXPECT_EQ(report["confusion"].dump(), "[[1,1],[0,2]]");
  EXPECT_EQ(report["classes"][0]["count"], 2);
  EXPECT_DOUBLE_EQ(report["classes"][0]["sensitivity"]["value"].get<double>(), 0.5);
  EXPECT_LT(report["accuracy"]["low"], report["accuracy"]["value"]);
  EXPECT_GT(report["accuracy"]["high"], report["accuracy"]["value"]);
}

TEST(Evaluate, AClassWithoutMembersHasNoAuroc) {
  const Answers answers{
      .labels = {"a", "b", "c"}, .truth = {0, 1}, .scores = {{1, 0, 0}, {0, 1, 0}}};
  const auto report = evaluate_answers(answers, 1);
  EXPECT_TRUE(report["classes"][2]["auroc"].is_null());
  EXPECT_TRUE(report["classes"][2]["sensitivity"].is_null());
  EXPECT_DOUBLE_EQ(value(report, "macro_auroc"), 1);
}

/// Three of class 0 on one axis, two of class 1 on another, one stray of class 2.
Labelled clusters() {
  return {.labels = {"a", "b", "c"},
          .truth = {0, 0, 0, 1, 1, 2},
          .features =
              at::tensor({1.0F, 0.0F, 1.0F, 0.1F, 1.0F, 0.2F, 0.0F, 1.0F, 0.1F, 1.0F, 1.0F, 0.9F})
                  .view({6, 2})};
}

TEST(Evaluate, RetrievalByHand) {
  const auto report = evaluate_retrieval(clusters(), {1, 2}, 1);
  EXPECT_EQ(report["queries"], 5);  // the stray has no other of its class
  EXPECT_EQ(report["alone_in_class"], 1);
  EXPECT_DOUBLE_EQ(value(report, "precision_at_1"), 1);
  // Class 0 finds both of its two, class 1 its one and a miss: (1 + 1 + 1 + .5 + .5) / 5, by class
  // (1 + .5) / 2.
  EXPECT_DOUBLE_EQ(value(report, "precision_at_2"), 0.8);
  EXPECT_DOUBLE_EQ(value(report, "precision_at_2_by_class"), 0.75);
  EXPECT_DOUBLE_EQ(value(report, "mean_average_precision"), 1);
}

TEST(Evaluate, NeighboursVote) {
  const auto report = evaluate_neighbours(clusters(), 1, 1);
  EXPECT_EQ(report["neighbours"], 1);
  EXPECT_DOUBLE_EQ(value(report, "accuracy"), 5.0 / 6);  // the stray cannot be right
}

TEST(Evaluate, PairsByHand) {
  const at::Tensor images = at::eye(3),
                   texts = at::eye(3).roll(1, 0);  // every text is its neighbour's
  auto report = evaluate_pairs(images, images, {"x", "y", "z"}, 1);
  EXPECT_DOUBLE_EQ(value(report["image_to_text"], "recall_at_1"), 1);
  EXPECT_DOUBLE_EQ(value(report["image_to_text"], "median_rank"), 1);
  report = evaluate_pairs(images, texts, {"x", "y", "z"}, 1);
  EXPECT_DOUBLE_EQ(value(report["text_to_image"], "recall_at_1"), 0);
  EXPECT_DOUBLE_EQ(value(report["text_to_image"], "recall_at_5"), 1);
  report = evaluate_pairs(images, texts, {"x", "x", "x"}, 1);  // equal words are all right
  EXPECT_DOUBLE_EQ(value(report["image_to_text"], "recall_at_1"), 1);
}

TEST(Evaluate, PairsEqualCountingByHand) {
  auto generator = at::detail::createCPUGenerator(5);
  const at::Tensor images = at::randn({9, 3}, generator), texts = at::randn({9, 3}, generator);
  const std::vector<std::string> words{"a", "b", "c", "a", "d", "e", "b", "a", "f"};
  const at::Tensor cosines =
      at::cosine_similarity(images.unsqueeze(1), texts.unsqueeze(0), 2);  // [images, texts]
  const auto report = evaluate_pairs(images, texts, words, 1);
  for (const auto& [name, table] :
       {std::pair{"image_to_text", cosines}, std::pair{"text_to_image", cosines.t()}}) {
    std::vector<int> ranks;
    for (int64_t i = 0; i < 9; ++i) {
      int rank = 10;  // of the best answer with the same words
      for (int64_t j = 0; j < 9; ++j)
        if (words[static_cast<size_t>(i)] == words[static_cast<size_t>(j)])
          rank = std::min(rank, 1 + table[i].gt(table[i][j]).sum().item<int>());
      ranks.push_back(rank);
    }
    std::sort(ranks.begin(), ranks.end());
    EXPECT_DOUBLE_EQ(value(report[name], "median_rank"), ranks[4]) << name;
    for (const int k : {1, 5, 10})
      EXPECT_DOUBLE_EQ(
          value(report[name], fmt::format("recall_at_{}", k).c_str()),
          static_cast<double>(std::upper_bound(ranks.begin(), ranks.end(), k) - ranks.begin()) / 9);
  }
}

TEST(Evaluate, VectorsThatAreNotFiniteFindNothing) {
  at::Tensor texts = at::eye(3).clone();
  texts[1][2] = std::numeric_limits<float>::quiet_NaN();  // greater than nothing: all ranks were 1
  EXPECT_THROW(evaluate_pairs(at::eye(3), texts, {"x", "y", "z"}, 1), Error);
}

TEST(Evaluate, ManyNeighboursAreAllOthers) {
  const auto all = evaluate_neighbours(clusters(), 5, 1),
             more = evaluate_neighbours(clusters(), 99, 1);
  EXPECT_EQ(all["confusion"], more["confusion"]);
  EXPECT_EQ(all["macro_auroc"], more["macro_auroc"]);
  EXPECT_DOUBLE_EQ(value(all, "accuracy"), 0.5);  // two of the other five, or three: class 0 wins
}

TEST(Evaluate, NamesOfClassesSayNothing) {
  auto turned = clusters();  // class i becomes class (i + 1) % 3
  std::rotate(turned.labels.rbegin(), turned.labels.rbegin() + 1, turned.labels.rend());
  for (int& truth : turned.truth) truth = (truth + 1) % 3;
  const auto plain = evaluate_neighbours(clusters(), 1, 1),
             other = evaluate_neighbours(turned, 1, 1);
  for (const char* name : {"macro_f1", "macro_auroc", "macro_average_precision"})
    EXPECT_NEAR(value(plain, name), value(other, name), 1e-12) << name;
  for (size_t c = 0; c < 3; ++c) EXPECT_EQ(plain["classes"][c], other["classes"][(c + 1) % 3]);
}

TEST(Evaluate, NothingToEvaluateIsRefused) {
  EXPECT_THROW(evaluate_answers({.labels = {"a"}}, 1), Error);
  EXPECT_THROW(evaluate_pairs(at::empty({0, 2}), at::empty({0, 2}), {}, 1), Error);
  const Labelled alone{.labels = {"a", "b"}, .truth = {0, 1}, .features = at::eye(2)};
  EXPECT_THROW(evaluate_retrieval(alone, {1}, 1), Error);
}

}  // namespace
}  // namespace vesalius::tasks
