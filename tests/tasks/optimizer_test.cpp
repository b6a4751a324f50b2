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

TEST(Parameters, FreezePatternsAddUp) {
  const auto thawed = [](const std::vector<std::string>& freeze) {
    std::vector<std::string> names;
    for (const auto& parameter : make_parameters(small_model(), freeze))
      if (parameter.value.requires_grad()) names.push_back(parameter.name);
    return names;
  };
  EXPECT_EQ(thawed({"bias$", "^token"}), std::vector<std::string>{"blocks.0.weight"});
  EXPECT_EQ(thawed({"weight"}), std::vector<std::string>{"blocks.0.bias"});
  EXPECT_TRUE(thawed({"."}).empty());
  EXPECT_THROW(thawed({"bias$", "^bias"}), Error);  // each for itself must match
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

/// AdamW, clipping and the average of one matrix and one bias, in double and by the number.
struct Twin {
  AdamWOptions options;
  std::vector<double> x, m, v, average;
  double rate = 1;
  bool decay = true;

  double squares(const std::vector<double>& gradient) const {
    double sum = 0;
    for (const double g : gradient) sum += g * g;
    return sum;
  }
  void step(const std::vector<double>& gradient, double norm, double learning_rate, int t) {
    const double shrink = norm > options.clip ? options.clip / (norm + 1e-6) : 1;
    const double follow = 1 - std::min(options.smoothing, (1. + t) / (10. + t));
    for (size_t i = 0; i < x.size(); ++i) {
      const double g = gradient[i] * shrink, step = learning_rate * rate;
      if (decay) x[i] -= step * options.weight_decay * x[i];
      m[i] = options.beta1 * m[i] + (1 - options.beta1) * g;
      v[i] = options.beta2 * v[i] + (1 - options.beta2) * g * g;
      x[i] -= step * (m[i] / (1 - std::pow(options.beta1, t))) /
              (std::sqrt(v[i] / (1 - std::pow(options.beta2, t))) + options.eps);
      average[i] += follow * (x[i] - average[i]);
    }
  }
};

TEST(AdamW, EqualsItsTwinOverManySteps) {
  const AdamWOptions options{
      .beta1 = 0.8, .beta2 = 0.99, .weight_decay = 0.3, .clip = 1.5, .smoothing = 0.7};
  const auto matrix = at::arange(6, at::kDouble).view({2, 3}), bias = at::arange(3, at::kDouble);
  auto parameters = make_parameters({{"w", matrix}, {"b", bias}}, {});
  parameters[0].rate = 0.3;
  AdamW adam(parameters, options);
  Twin w{options,
         {0, 1, 2, 3, 4, 5},
         std::vector<double>(6),
         std::vector<double>(6),
         {0, 1, 2, 3, 4, 5},
         0.3};
  Twin b{options, {0, 1, 2}, std::vector<double>(3), std::vector<double>(3), {0, 1, 2}, 1, false};
  for (int t = 1; t <= 40; ++t) {
    std::vector<double> gw(6), gb(3);
    for (size_t i = 0; i < 6; ++i) gw[i] = std::sin(3. * t + static_cast<double>(i));
    for (size_t i = 0; i < 3; ++i) gb[i] = t % 4 == 0 ? 5 : 0.01 * static_cast<double>(i);
    matrix.mutable_grad() = at::tensor(gw, at::kDouble).view({2, 3});
    bias.mutable_grad() = at::tensor(gb, at::kDouble);
    const double norm = std::sqrt(w.squares(gw) + b.squares(gb)), rate = cosine_rate(t, 40, 8, 0.1);
    EXPECT_NEAR(adam.step(rate), norm, 1e-9);
    w.step(gw, norm, rate, t);
    b.step(gb, norm, rate, t);
    EXPECT_FALSE(matrix.grad().defined());  // ready for the next backward pass
  }
  const auto smoothed = adam.smoothed();
  EXPECT_TRUE(at::allclose(matrix.detach().view(-1), at::tensor(w.x, at::kDouble), 1e-7));
  EXPECT_TRUE(at::allclose(bias.detach(), at::tensor(b.x, at::kDouble), 1e-7));
  EXPECT_TRUE(at::allclose(smoothed.at("w").view(-1), at::tensor(w.average, at::kDouble), 1e-7));
  EXPECT_TRUE(at::allclose(smoothed.at("b"), at::tensor(b.average, at::kDouble), 1e-7));
}

TEST(AdamW, WhatHadNoGradientWaits) {
  const auto met = at::ones({2, 2}), unmet = at::ones({2, 2});
  AdamW adam(make_parameters({{"met", met}, {"unmet", unmet}}, {}), {.smoothing = 0});
  set_gradient(met, 1);
  adam.step(0.1);
  EXPECT_TRUE(at::equal(unmet.detach(), at::ones({2, 2})));  // not even decayed
  EXPECT_TRUE(adam.smoothed().at("met").equal(met.detach()));
  EXPECT_FALSE(adam.smoothed().at("met").requires_grad());
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

TEST(AdamW, ARefusedStateChangesNothing) {
  auto first = at::ones({2, 2}), last = at::ones({2, 2});
  AdamW adam(make_parameters({{"a", first}, {"z", last}}, {}), {});
  std::map<std::string, at::Tensor> state;
  for (const auto& [name, tensor] : adam.state()) state[name] = at::full_like(tensor, 7);
  for (const char* missing : {"average.a", "second.z", "steps", "value.z"}) {
    auto cut = state;
    cut.erase(missing);
    try {
      adam.restore(cut);
      FAIL() << missing;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
      EXPECT_NE(std::string(error.what()).find(missing), std::string::npos) << error.what();
    }
    EXPECT_EQ(adam.steps(), 0);
    EXPECT_TRUE(at::equal(first.detach(), at::ones({2, 2})));
  }
  adam.restore(state);
  EXPECT_EQ(adam.steps(), 7);
  EXPECT_TRUE(at::equal(last.detach(), at::full({2, 2}, 7)));
}

TEST(CosineRate, RisesThenFalls) {
  EXPECT_NEAR(cosine_rate(0, 100, 10, 1), 0.1, 1e-12);
  EXPECT_NEAR(cosine_rate(9, 100, 10, 1), 1, 1e-12);
  EXPECT_NEAR(cosine_rate(55, 100, 10, 1), 0.01 + 0.99 * 0.5, 1e-12);
  EXPECT_NEAR(cosine_rate(100, 100, 10, 1), 0.01, 1e-12);
}

TEST(CosineRate, HasOnePeakAndStaysAtItsFloor) {
  for (const int64_t warm_up : {0, 1, 7, 50, 100}) {
    double before = 0;
    for (int64_t step = 0; step <= 100; ++step) {
      const double rate = cosine_rate(step, 100, warm_up, 2, 0.1);
      EXPECT_LE(rate, 2) << step;
      if (step < warm_up) {
        EXPECT_GT(rate, before) << step;
      }
      if (step > warm_up) {
        EXPECT_LT(rate, before) << step;
      }
      if (step == warm_up) {  // where the cosine begins
        EXPECT_EQ(rate, 2) << warm_up;
      }
      before = rate;
    }
    if (warm_up < 100) {
      EXPECT_NEAR(before, 0.2, 1e-12) << warm_up;
    }
    EXPECT_NEAR(cosine_rate(101 + warm_up, 100, warm_up, 2, 0.1), 0.2, 1e-12);
  }
}

}  // namespace
}  // namespace vesalius::tasks
