#include "tasks/zero_shot.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tasks/embed.h"
#include "tasks/fake_model.h"
#include "tasks/scratch.h"

namespace vesalius::tasks {
namespace {

using testing::error_of;
using testing::FakeModel;

at::Tensor text_vector(const FakeModel& model, const std::string& text) {
  return unit_rows(model.embed_texts({text})[0]);
}

/// exp(logit_scale) * cosine, the way it is written in the model's card.
std::vector<double> logits(const FakeModel& model, const at::Tensor& image,
                           const std::vector<at::Tensor>& classes) {
  std::vector<double> values;
  for (const auto& one : classes)
    values.push_back(std::exp(model.logit_scale()) * at::dot(unit_rows(image), one).item<double>());
  return values;
}

TEST(ZeroShot, SoftmaxOfScaledCosines) {
  const FakeModel model;
  const at::Tensor image = at::arange(16, at::kFloat) - 3;
  const ZeroShot zero_shot(model, parse_label_list("edema, mass, nothing"), {});
  const auto scores = zero_shot.classify(image, ScoreRule::kSoftmax);
  const auto expected = logits(
      model, image,
      {text_vector(model, "edema"), text_vector(model, "mass"), text_vector(model, "nothing")});
  double sum = 0, total = 0;
  for (const double logit : expected) sum += std::exp(logit);
  for (const auto& score : scores[0].scores) {
    const size_t at = score.label == "edema" ? 0 : score.label == "mass" ? 1 : 2;
    EXPECT_NEAR(score.score, std::exp(expected[at]) / sum, 1e-6) << score.label;
    total += score.score;
  }
  EXPECT_NEAR(total, 1, 1e-9);
  EXPECT_GE(scores[0].scores[0].score, scores[0].scores[1].score);
  EXPECT_GE(scores[0].scores[1].score, scores[0].scores[2].score);
}

TEST(ZeroShot, TheLengthOfTheImagesVectorDoesNotMatter) {
  const FakeModel model;
  const ZeroShot zero_shot(model, parse_label_list("a, b"), {});
  const at::Tensor image = at::ones({16});
  EXPECT_NEAR(zero_shot.classify(image, ScoreRule::kSoftmax)[0].scores[0].score,
              zero_shot.classify(image * 100, ScoreRule::kSoftmax)[0].scores[0].score, 1e-6);
}

TEST(ZeroShot, SeveralTemplatesAreAveragedOnTheSphere) {
  const FakeModel model;
  const at::Tensor image = at::arange(16, at::kFloat) - 7;
  const ZeroShot zero_shot(model, parse_label_list("mass, none"), {"ct {}", "mri {} seen"});
  const auto ensemble = [&](const std::string& label) {
    return unit_rows(text_vector(model, "ct " + label) +
                     text_vector(model, "mri " + label + " seen"));
  };
  const auto expected = logits(model, image, {ensemble("mass"), ensemble("none")});
  const auto scores = zero_shot.classify(image, ScoreRule::kSigmoid)[0].scores;
  for (const auto& score : scores)
    EXPECT_NEAR(score.score, 1 / (1 + std::exp(-expected[score.label == "mass" ? 0 : 1])), 1e-6);
}

TEST(ZeroShot, ConditionsAndTop) {
  const FakeModel model;
  const auto groups = parse_labels_file(
      "# kind\nx\ny\n# of x | when kind = x\na\nb\nc\n# of y | when kind = y\nd\ne\n", "l");
  const ZeroShot zero_shot(model, groups, {});
  const auto of_x = zero_shot.classify(text_vector(model, "x"), ScoreRule::kSoftmax, 2);
  ASSERT_EQ(of_x.size(), 2U);
  EXPECT_EQ(of_x[0].scores[0].label, "x");
  EXPECT_EQ(of_x[1].group, "of x");
  EXPECT_EQ(of_x[1].scores.size(), 2U);
  const auto of_y = zero_shot.classify(text_vector(model, "y"), ScoreRule::kSoftmax);
  EXPECT_EQ(of_y[1].group, "of y");
}

TEST(ZeroShot, AGroupsOwnTemplatesComeFirst) {
  const FakeModel model;
  const at::Tensor image = at::ones({16});
  const ZeroShot own(model, parse_labels_file("# g | ct {}\na\nb\n", "l"), {"ignored {}"});
  const ZeroShot given(model, parse_label_list("a, b"), {"ct {}"});
  EXPECT_NEAR(own.classify(image, ScoreRule::kSoftmax)[0].scores[0].score,
              given.classify(image, ScoreRule::kSoftmax)[0].scores[0].score, 1e-9);
}

TEST(ZeroShot, OrderOfLabelsSaysNothingAndTiesKeepIt) {
  const FakeModel model;
  const at::Tensor image = at::arange(16, at::kFloat).cos();
  const auto scores = [&](const std::string& list) {
    return ZeroShot(model, parse_label_list(list), {"{} x"})
        .classify(image, ScoreRule::kSoftmax)[0]
        .scores;
  };
  const auto one = scores("a, b, c, d"), other = scores("d, b, a, c");
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(one[i].label, other[i].label);
    EXPECT_NEAR(one[i].score, other[i].score, 1e-6);
  }
  // An image that says nothing: equal scores in the order of the list.
  const ZeroShot zero_shot(model, parse_label_list("q, p, z"), {});
  const auto even = zero_shot.classify(at::zeros({16}), ScoreRule::kSoftmax, 99)[0].scores;
  ASSERT_EQ(even.size(), 3U);
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(even[i].score, 1. / 3, 1e-12);
  EXPECT_EQ(even[0].label + even[1].label + even[2].label, "qpz");
}

TEST(ZeroShot, AGroupWhoseConditionIsLeftOutIsLeftOut) {
  const FakeModel model;
  const auto groups = parse_labels_file(
      "# a\nx\ny\n# b | when a = y\ns\nt\n# c | when b = s, t\nu\nv\n# d\nw\n", "l");
  const ZeroShot zero_shot(model, groups, {});
  const auto names = [&](const std::string& text) {
    std::string all;
    for (const auto& group : zero_shot.classify(text_vector(model, text), ScoreRule::kSoftmax, 1))
      all += group.group;
    return all;
  };
  EXPECT_EQ(names("x"), "ad");
  EXPECT_EQ(names("y"), "abcd");
}

/// A model whose text tower is damaged.
class NanTexts : public FakeModel {
 public:
  at::Tensor embed_texts(const std::vector<std::string>& texts) const override {
    return FakeModel::embed_texts(texts) / 0. * 0.;
  }
};

TEST(ZeroShot, WordsThatAreNotFiniteAreRefused) {
  const NanTexts model;
  error_of(ErrorCode::kFailed, [&] { ZeroShot(model, parse_label_list("a, b"), {}); });
  error_of(ErrorCode::kFailed, [&] { embed_texts(model, {"a"}, false); });
}

TEST(ZeroShot, JsonAndNames) {
  EXPECT_EQ(scores_json({{"", {{"a", 0.5}}}}).dump(), R"([{"label":"a","score":0.5}])");
  EXPECT_EQ(scores_json({{"g", {{"a", 0.5}}}}).dump(),
            R"([{"group":"g","label":"a","score":0.5}])");
  EXPECT_EQ(parse_score_rule("sigmoid"), ScoreRule::kSigmoid);
  error_of(ErrorCode::kUsage, [] { parse_score_rule("max"); });
}

}  // namespace
}  // namespace vesalius::tasks
