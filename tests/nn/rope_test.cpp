#include "nn/rope.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace vesalius::nn;

namespace {

TEST(Rope, AnglesAreThePapers) {
  const auto r = rotation({.theta = 100}, 8, {5, 2, 7});
  ASSERT_EQ(r.cos.sizes(), (std::vector<int64_t>{2, 4}));
  for (int64_t row = 0; row < 2; ++row)
    for (int64_t pair = 0; pair < 4; ++pair) {
      const double angle = static_cast<double>(5 + row) * std::pow(100.0, -2.0 * pair / 8);
      EXPECT_NEAR(r.cos[row][pair].item<double>(), std::cos(angle), 2e-6);
      EXPECT_NEAR(r.sin[row][pair].item<double>(), std::sin(angle), 2e-6);
    }
}

TEST(Rope, LinearScalingDividesPositions) {
  const auto scaled = rotation({.factor = 1.5}, 16, {3000, 1, 3001});
  const auto plain = rotation({}, 16, {2000, 1, 2001});
  EXPECT_LT((scaled.cos - plain.cos).abs().max().item<double>(), 1e-3);  // of fp32 angles
}

TEST(Rope, LongFactorsAreForEveryPositionOfALongText) {
  const Rope rope{
      .short_factors = {1, 2}, .long_factors = {3, 4}, .original_length = 10, .amplitude = 2};
  const auto within = rotation(rope, 4, {0, 3, 10}), beyond = rotation(rope, 4, {0, 3, 11});
  EXPECT_NEAR(within.cos[1][0].item<double>(), 2 * std::cos(1), 1e-6);
  EXPECT_NEAR(beyond.cos[1][0].item<double>(), 2 * std::cos(1.0 / 3), 1e-6);
  EXPECT_NEAR(beyond.sin[2][1].item<double>(), 2 * std::sin(2 * 0.01 / 4), 1e-6);
  EXPECT_FALSE(rope.is_long(10));
  EXPECT_TRUE(rope.is_long(11));
  EXPECT_FALSE(Rope{}.is_long(100000));
}

TEST(Rope, Amplitude) {
  EXPECT_EQ(longrope_amplitude(4096, 4096), 1);
  EXPECT_EQ(longrope_amplitude(2048, 4096), 1);
  EXPECT_NEAR(longrope_amplitude(131072, 4096), 1.19023807, 1e-7);  // Phi-3-mini-128k's
}

TEST(Rope, TurnsPairsHalfAHeadApart) {
  const auto r = rotation({}, 4, {1, 2, 3});
  const auto x = at::randn({2, 3, 4});  // [tokens, heads, head_dim]
  const auto y = rotate(x, r);
  for (int64_t t = 0; t < 2; ++t)
    for (int64_t h = 0; h < 3; ++h)
      for (int64_t c = 0; c < 2; ++c) {
        const auto a = x[t][h][c], b = x[t][h][c + 2], cos = r.cos[t][c], sin = r.sin[t][c];
        EXPECT_NEAR((a * cos - b * sin).item<double>(), y[t][h][c].item<double>(), 1e-6);
        EXPECT_NEAR((b * cos + a * sin).item<double>(), y[t][h][c + 2].item<double>(), 1e-6);
      }
}

TEST(Rope, ScoresDependOnDistanceAlone) {
  const auto q = at::randn({1, 1, 16}), k = at::randn({1, 1, 16});
  const auto score = [&](int64_t at_q, int64_t at_k) {
    return (rotate(q, rotation({}, 16, {at_q, 1, at_q + 1})) *
            rotate(k, rotation({}, 16, {at_k, 1, at_k + 1})))
        .sum()
        .item<double>();
  };
  EXPECT_NEAR(score(9, 4), score(109, 104), 1e-4);
  EXPECT_GT(std::abs(score(9, 4) - score(9, 5)), 1e-3);
}

}  // namespace
