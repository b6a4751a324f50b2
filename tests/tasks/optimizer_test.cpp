#include "tasks/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

using Named = std::vector<std::pair<std::string, at::Tensor>>;

Named small_model() {
  return {{"blocks.0.weight", at::ones({2, 3})},
          {"blocks.0.bias", at::zeros({2})},
          {"token_embedding.weight", at::ones({4, 2})}};
}

void set_gradient(const at::Tensor& value, double size) {
  at::Tensor(value).mutable_grad() = at::full_like(value, size);
}

TEST(Parameters, DecayIsForMatricesAlone) {
  const auto parameters = make_parameters(small_model(), {});
  EXPECT_TRUE(parameters[0].decay);
  EXPECT_FALSE(parameters[1].decay);
  EXPECT_FALSE(parameters[2].decay);
  for (const Parameter& parameter : parameters) EXPECT_TRUE(parameter.value.requires_grad());
}

TEST(Parameters, FreezePatternsMustMatch) {
  const auto parameters = make_parameters(small_model(), {"^token_"});
  EXPECT_TRUE(parameters[0].value.requires_grad());
  EXPECT_FALSE(parameters[2].value.requires_grad());
  for (const char* pattern : {"^convs\\.", "*("}) {
    try {
      make_parameters(small_model(), {pattern});
      FAIL() << pattern;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_NE(std::string(error.what()).find(pattern), std::string::npos);
    }
  }
}

TEST(AdamW, AParameterMayHaveAShareOfTheRate) {
  auto parameters = make_parameters({{"fast", at::ones({2, 2})}, {"slow", at::ones({2, 2})}}, {});
  parameters[1].rate = 0.1;
  const at::Tensor fast = parameters[0].value, slow = parameters[1].value;
  AdamW adam(parameters, {.weight_decay = 0.5, .clip = 0, .smoothing = 0});
  set_gradient(fast, 3);
  set_gradient(slow, 3);
  adam.step(0.1);
  EXPECT_NEAR(fast[0][0].item<double>(), 1 * (1 - 0.05) - 0.1,
              1e-6);  // Adam's first step: the sign
  EXPECT_NEAR(slow[0][0].item<double>(), 1 * (1 - 0.005) - 0.01, 1e-6);
}

TEST(AdamW, StepsAsThePaperSays) {
  auto value = at::full({1, 1}, 2.0);
  AdamW adam(make_parameters({{"w", value}}, {}), {.weight_decay = 0.1, .clip = 0, .smoothing = 0});
  double x = 2, m = 0, v = 0;
  for (int t = 1; t <= 5; ++t) {
    const double g = 0.3 * t;
    set_gradient(value, g);
    adam.step(0.01);
    x -= 0.01 * 0.1 * x;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    x -= 0.01 * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
    EXPECT_NEAR(value.item<double>(), x, 1e-6) << "step " << t;
  }
}

TEST(AdamW, ClipsTheNormOfAllGradientsTogether) {
  auto a = at::zeros({3, 1}), b = at::zeros({1, 1});
  AdamW adam(make_parameters({{"a", a}, {"b", b}}, {}), {.clip = 1, .smoothing = 0});
  set_gradient(a, 2);
  set_gradient(b, 2);
  EXPECT_NEAR(adam.step(0), 4, 1e-6);
  EXPECT_NEAR(adam.state().at("first.a")[0][0].item<double>(), 0.1 * 0.5, 1e-6);
}

TEST(AdamW, FrozenTensorsStay) {
  auto frozen = at::ones({2, 2}), free = at::ones({2, 2});
  AdamW adam(make_parameters({{"frozen", frozen}, {"free", free}}, {"frozen"}), {});
  set_gradient(free, 1);
  adam.step(0.1);
  EXPECT_TRUE(at::equal(frozen, at::ones({2, 2})));
  EXPECT_FALSE(at::equal(free.detach(), at::ones({2, 2})));
  EXPECT_TRUE(adam.smoothed().contains("frozen"));
}

TEST(AdamW, RestoredStateContinuesBitByBit) {
  const auto run = [](int from, int to, AdamW& adam, const at::Tensor& value) {
    for (int t = from; t < to; ++t) {
      set_gradient(value, std::sin(t));
      adam.step(0.01);
    }
  };
  auto whole = at::ones({2, 2});
  AdamW once(make_parameters({{"w", whole}}, {}), {});
  run(0, 6, once, whole);

  auto half = at::ones({2, 2});
  AdamW before(make_parameters({{"w", half}}, {}), {});
  run(0, 3, before, half);
  std::map<std::string, at::Tensor> kept;
  for (const auto& [name, tensor] : before.state()) kept[name] = tensor.clone();
  auto resumed = at::zeros({2, 2});
  AdamW after(make_parameters({{"w", resumed}}, {}), {});
  after.restore(kept);
  EXPECT_EQ(after.steps(), 3);
  run(3, 6, after, resumed);
  EXPECT_TRUE(at::equal(whole.detach(), resumed.detach()));
  EXPECT_TRUE(at::equal(once.smoothed().at("w"), after.smoothed().at("w")));
}

TEST(AdamW, AStateOfAnotherModelIsRefused) {
  auto value = at::ones({2, 2}), other = at::ones({3, 2});
  AdamW mine(make_parameters({{"w", value}}, {}), {}),
      theirs(make_parameters({{"w", other}}, {}), {});
  EXPECT_THROW(mine.restore(theirs.state()), Error);
}

TEST(CosineRate, RisesThenFalls) {
  EXPECT_NEAR(cosine_rate(0, 100, 10, 1), 0.1, 1e-12);
  EXPECT_NEAR(cosine_rate(9, 100, 10, 1), 1, 1e-12);
  EXPECT_NEAR(cosine_rate(55, 100, 10, 1), 0.01 + 0.99 * 0.5, 1e-12);
  EXPECT_NEAR(cosine_rate(100, 100, 10, 1), 0.01, 1e-12);
}

}  // namespace
}  // namespace vesalius::tasks
