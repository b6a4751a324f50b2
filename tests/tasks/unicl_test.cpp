#include "tasks/unicl.h"

#include <gtest/gtest.h>

#include <c10/core/GradMode.h>

#include <cmath>

#include "models/medimageinsight.h"

namespace vesalius::tasks {
namespace {

at::Tensor seeded(at::IntArrayRef shape, double phase) {
  int64_t count = 1;
  for (const int64_t n : shape) count *= n;
  return at::sin(at::arange(count, at::kFloat) * 1.7 + phase).view(shape).contiguous();
}

/// Clip's loss written out with loops, in double.
double by_hand(const at::Tensor& images, const at::Tensor& texts, const at::Tensor& truth,
               double scale) {
  const auto logits =
      scale *
      at::matmul(models::l2_normalise(images), models::l2_normalise(texts).t()).to(at::kDouble);
  const auto one_way = [](const at::Tensor& z, const at::Tensor& t) {
    double loss = 0;
    int64_t rows = 0;
    for (int64_t i = 0; i < z.size(0); ++i) {
      double sum = 0, all = 0;
      for (int64_t j = 0; j < z.size(1); ++j) sum += std::exp(z[i][j].item<double>());
      for (int64_t j = 0; j < z.size(1); ++j) all += t[i][j].item<double>();
      if (all == 0) continue;
      ++rows;
      for (int64_t j = 0; j < z.size(1); ++j)
        loss -= t[i][j].item<double>() / all * (z[i][j].item<double>() - std::log(sum));
    }
    return loss / double(rows);
  };
  return 0.5 * (one_way(logits, truth) + one_way(logits.t(), truth.t()));
}

TEST(UniCl, EqualsTheSumWrittenOut) {
  const auto images = seeded({5, 8}, 0.3), texts = seeded({4, 8}, 1.1);
  const auto truth = at::tensor({1.F, 0.F, 0.F, 0.F, 1.F, 0.F, 1.F, 0.F, 0.F, 1.F,
                                 0.F, 0.F, 0.F, 0.F, 0.F, 0.F, 0.F, 1.F, 1.F, 0.F})
                         .view({5, 4});
  const double scale = std::log(10.0);
  EXPECT_NEAR(unicl_loss(images, texts, truth, at::tensor(scale, at::kFloat)).item<double>(),
              by_hand(images, texts, truth, 10), 1e-5);
}

TEST(UniCl, WithUniqueTextsItIsClipsLoss) {
  const auto images = seeded({6, 8}, 0.2), texts = seeded({6, 8}, 0.9);
  const auto scale = at::tensor(std::log(5.0), at::kFloat);
  const auto logits = 5 * at::matmul(models::l2_normalise(images), models::l2_normalise(texts).t());
  const auto label = at::arange(6, at::kLong);
  const auto clip =
      0.5 * (at::cross_entropy_loss(logits, label) + at::cross_entropy_loss(logits.t(), label));
  EXPECT_NEAR(unicl_loss(images, texts, at::eye(6), scale).item<double>(), clip.item<double>(),
              1e-5);
}

TEST(UniCl, TemperatureIsHeldBelowOneHundred) {
  const auto images = seeded({3, 4}, 0), texts = seeded({3, 4}, 2);
  const auto at_cap =
      unicl_loss(images, texts, at::eye(3), at::tensor(std::log(100.0), at::kFloat));
  const auto above = unicl_loss(images, texts, at::eye(3), at::tensor(9.0, at::kFloat));
  EXPECT_FLOAT_EQ(at_cap.item<float>(), above.item<float>());
}

TEST(UniCl, LengthsOrderAndSidesSayNothing) {
  const auto images = seeded({5, 7}, 0.3), texts = seeded({4, 7}, 1.1);
  const auto truth = at::sin(at::arange(20, at::kFloat) * 5).gt(0.2).view({5, 4}).to(at::kFloat);
  const auto scale = at::tensor(1.2F);
  const double loss = unicl_loss(images, texts, truth, scale).item<double>();
  const auto expect_same = [&](const at::Tensor& i, const at::Tensor& t, const at::Tensor& y) {
    EXPECT_NEAR(unicl_loss(i, t, y, scale).item<double>(), loss, 1e-5);
  };
  expect_same(images * 30, texts * 0.01, truth);
  expect_same(texts, images, truth.t());
  expect_same(images, texts, truth * 3);  // shares of a row count, not its sum
  const auto rows = at::tensor({4, 2, 0, 1, 3}, at::kLong),
             columns = at::tensor({3, 0, 2, 1}, at::kLong);
  expect_same(images.index_select(0, rows), texts.index_select(0, columns),
              truth.index_select(0, rows).index_select(1, columns));
}

TEST(UniCl, VectorsThatAreAllAlikeCostTheLogarithmOfTheirNumber) {
  const auto loss =
      unicl_loss(at::ones({5, 7}), at::ones({4, 7}), at::ones({5, 4}), at::tensor(1.2F));
  EXPECT_NEAR(loss.item<double>(), (std::log(4) + std::log(5)) / 2, 1e-6);
}

TEST(UniCl, WithoutAnyTruthThereIsNothingToLearn) {
  const auto images = seeded({3, 4}, 0.1).requires_grad_();
  const auto loss = unicl_loss(images, seeded({2, 4}, 0.5), at::zeros({3, 2}), at::tensor(1.F));
  loss.backward();
  EXPECT_EQ(loss.item<double>(), 0);
  EXPECT_EQ(images.grad().abs().max().item<double>(), 0);
}

TEST(UniCl, GradientAgreesWithDifferences) {
  auto images = seeded({4, 6}, 0.4).to(at::kDouble), texts = seeded({3, 6}, 1.5).to(at::kDouble);
  const auto truth = at::tensor({1., 0., 0., 0., 1., 0., 0., 1., 1., 1., 0., 1.}).view({4, 3});
  auto scale = at::tensor(1.5, at::kDouble);
  for (auto* tensor : {&images, &texts, &scale}) tensor->requires_grad_(true);
  unicl_loss(images, texts, truth, scale).backward();
  const c10::NoGradGuard no_grad;
  for (auto* tensor : {&images, &texts, &scale}) {
    auto* values = tensor->data_ptr<double>();
    for (int64_t i = 0; i < tensor->numel(); i += 5) {
      constexpr double kStep = 1e-5;
      const double kept = values[i];
      values[i] = kept + kStep;
      const double up = unicl_loss(images, texts, truth, scale).item<double>();
      values[i] = kept - kStep;
      const double down = unicl_loss(images, texts, truth, scale).item<double>();
      values[i] = kept;
      EXPECT_NEAR(tensor->grad().view(-1)[i].item<double>(), (up - down) / (2 * kStep), 1e-6);
    }
  }
}

}  // namespace
}  // namespace vesalius::tasks
