#include "nn/quantised.h"

#include "levels.h"
#include "nn/layers.h"
#include "nn/quantised_layout.h"

namespace vesalius::nn {
namespace {

double relative(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

class QuantisedTest : public LevelTest {
 protected:
  /// Against the product with the rounded weight in float64; x is rounded too for few rows.
  void check(int64_t rows, int64_t in, int64_t out, int64_t bits) {
    const auto weight = at::randn({out, in}), x = at::randn({rows, in}), bias = at::randn({out});
    const auto residual = at::randn({rows, out});
    QuantisedWeight quantised;
    const auto layout = quantised.get(weight, bits);
    const auto y = quantised_product(*layout, x, bias, residual);
    const auto exact = at::linear(x.to(at::kDouble), dequantised(*layout).to(at::kDouble));
    const auto product = y.to(at::kDouble) - bias - residual;
    EXPECT_LT(relative(product, exact), rows <= 16 ? 8e-3 : 2 * GetParam().tolerance)
        << rows << " " << in << " " << out << " " << bits;
  }
};
INSTANTIATE_TEST_SUITE_P(Cpu, QuantisedTest, testing::ValuesIn(levels()), level_name);

TEST_P(QuantisedTest, Products) {
  for (const int64_t bits : {4, 8})
    for (const int64_t rows : {1, 2, 3, 4, 7, 16, 17, 60}) {
      check(rows, 256, 96, bits);
      check(rows, 96, 70, bits);
      check(rows, 77, 33, bits);  // no whole group, no whole panel
    }
}

TEST_P(QuantisedTest, RoundingLosesWhatItMust) {
  const auto weight = at::randn({64, 512});
  QuantisedWeight quantised;
  EXPECT_LT(relative(dequantised(*quantised.get(weight, 8)), weight), 0.008);
  EXPECT_LT(relative(dequantised(*quantised.get(weight, 4)), weight), 0.10);
}

TEST_P(QuantisedTest, NumbersOfTheGridStayThemselves) {
  for (const int64_t bits : {4, 8}) {
    const auto whole = at::randint(bits == 4 ? -8 : -127, bits == 4 ? 8 : 128, {40, 64});
    auto weight = (whole * 0.25).to(at::kFloat);
    weight.view({40, 2, 32}).select(2, 3).fill_(bits == 4 ? -2 : 31.75);  // the extreme of a group
    QuantisedWeight quantised;
    EXPECT_TRUE(at::equal(dequantised(*quantised.get(weight, bits)), weight)) << bits;
  }
}

TEST_P(QuantisedTest, EveryNumberIsInItsPlace) {
  for (const int64_t bits : {4, 8}) {
    QuantisedWeight quantised;
    for (int64_t place = 0; place < 64; place += 7) {
      auto x = at::zeros({1, 64});
      x[0][place] = 1;
      const auto weight = at::randn({64, 64});
      const auto layout = quantised.get(weight, bits);
      const auto expected = dequantised(*layout).select(1, place);
      EXPECT_LT(relative(quantised_product(*layout, x)[0], expected), 1e-5) << bits << place;
    }
  }
}

TEST_P(QuantisedTest, ZerosAndCompany) {
  QuantisedWeight quantised;
  const auto zeros = quantised.get(at::zeros({32, 64}), 4);
  EXPECT_EQ(quantised_product(*zeros, at::randn({3, 64})).abs().max().item<double>(), 0);
  for (const int64_t bits : {4, 8}) {
    const auto layout = quantised.get(at::randn({96, 128}), bits);
    EXPECT_EQ(quantised_product(*layout, at::zeros({1, 128})).abs().max().item<double>(), 0);
    const auto x = at::randn({9, 128});
    const auto together = quantised_product(*layout, x);
    for (int64_t i = 0; i < 9; ++i)
      EXPECT_TRUE(at::equal(quantised_product(*layout, x.narrow(0, i, 1))[0], together[i])) << i;
  }
}

TEST_P(QuantisedTest, AllLevelsMakeTheSameBytes) {
  const auto weight = at::randn({50, 100});
  for (const int64_t bits : {4, 8}) {
    QuantisedWeight here, there;
    const auto mine = dequantised(*here.get(weight, bits));
    const CpuLevelScope plain(CpuLevel::kGeneric);
    EXPECT_LT(relative(mine, dequantised(*there.get(weight, bits))), 0.02);  // ties apart
  }
}

TEST_P(QuantisedTest, AChangedWeightIsRoundedAnew) {
  auto weight = at::randn({32, 64});
  QuantisedWeight quantised;
  const auto first = quantised.get(weight, 8);
  EXPECT_EQ(quantised.get(weight, 8), first);
  EXPECT_NE(quantised.get(weight, 4), first);
  const auto before = quantised.get(weight, 8);
  weight.mul_(2);
  EXPECT_LT(relative(dequantised(*quantised.get(weight, 8)), weight), 0.01);
}

TEST_P(QuantisedTest, OnlyDecodersWeightsAreRounded) {
  const auto weight = at::randn({64, 96}), x = at::randn({2, 96});
  const Linear general(weight, {}), decoder(weight, {}, Role::kDecoder);
  const PlanScope plan(Precision::kInt4);
  const auto exact = at::linear(x, weight);
  EXPECT_LT(relative(general(x), exact), 5e-3);
  EXPECT_GT(relative(decoder(x), exact), 3e-2);
  EXPECT_LT(relative(decoder(x), exact), 0.2);
  auto learnt = weight.clone().requires_grad_();
  EXPECT_LT(relative(Linear(learnt, {}, Role::kDecoder)(x).detach(), exact), 1e-5);
}

TEST(QuantisedLayout, BitsOfANumber) {
  EXPECT_EQ(quant_block_bytes(4) * 8.0 / (kQuantPanel * kQuantGroup), 4.5);
  EXPECT_EQ(quant_block_bytes(8) * 8.0 / (kQuantPanel * kQuantGroup), 8.5);
}

}  // namespace
}  // namespace vesalius::nn
