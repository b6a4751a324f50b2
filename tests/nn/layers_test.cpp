#include "nn/layers.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace vesalius;
using namespace vesalius::nn;

namespace {

at::Tensor random(at::IntArrayRef shape, uint64_t seed = 5) {
  at::manual_seed(seed);
  return at::randn(shape);
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return ((a.to(at::kDouble) - b.to(at::kDouble)).abs().max() / b.abs().max()).item<double>();
}

Weights weights(std::map<std::string, at::Tensor> tensors) {
  return Weights(std::make_shared<TensorStore>("test", std::move(tensors)));
}

/// In double precision, by the formula.
at::Tensor exact_gelu(const at::Tensor& x) {
  const auto d = x.to(at::kDouble);
  return 0.5 * d * (1 + at::erf(d / std::sqrt(2.0)));
}

at::Tensor exact_quick_gelu(const at::Tensor& x) {
  const auto d = x.to(at::kDouble);
  return d / (1 + at::exp(-1.702 * d));
}

at::Tensor exact_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::matmul(x.to(at::kDouble), weight.to(at::kDouble).t()) + bias.to(at::kDouble);
}

TEST(Gelu, FormulasOverTheWholeRange) {
  const auto x = at::linspace(-12, 12, 4801);
  EXPECT_LT((nn::gelu(x.clone()) - exact_gelu(x)).abs().max().item<double>(), 2e-6);
  EXPECT_LT((nn::quick_gelu(x.clone()) - exact_quick_gelu(x)).abs().max().item<double>(), 2e-6);
  // The two differ by far more than that: one in place of the other would be seen.
  EXPECT_GT((nn::gelu(x.clone()) - nn::quick_gelu(x.clone())).abs().max().item<double>(), 1e-2);
}

TEST(Gelu, LeavesWhatAutogradNeeds) {
  const auto x = random({64}).requires_grad_();
  const auto before = x.detach().clone();
  (nn::gelu(x * 1).sum() + nn::quick_gelu(x * 1).sum()).backward();
  EXPECT_TRUE(x.detach().equal(before));
  EXPECT_TRUE(at::isfinite(x.grad()).all().item<bool>());
}

struct LinearCase {
  int64_t rows, in, out;
};

class LinearShapes : public testing::TestWithParam<LinearCase> {};

TEST_P(LinearShapes, FusedFormsEqualTheFormula) {
  const auto [rows, in, out] = GetParam();
  const auto weight = random({out, in}, 1) / std::sqrt(static_cast<double>(in));
  const auto bias = random({out}, 2);
  const auto x = random({rows, in}, 3), residual = random({rows, out}, 4);
  const auto kept = residual.clone();
  const Linear fc(weights({{"weight", weight}, {"bias", bias}}), in, out);
  const auto expected = exact_linear(x, weight, bias);
  EXPECT_LT(difference(fc(x), expected), 3e-6);
  EXPECT_LT(difference(fc.gelu(x), exact_gelu(expected)), 3e-6);
  EXPECT_LT(difference(fc.quick_gelu(x), exact_quick_gelu(expected)), 3e-6);
  EXPECT_LT(difference(fc.add(x, residual), residual + expected), 3e-6);
  EXPECT_TRUE(residual.equal(kept));
}

INSTANTIATE_TEST_SUITE_P(Shapes, LinearShapes,
                         testing::Values(LinearCase{1, 1, 1}, LinearCase{1, 64, 48},
                                         LinearCase{3, 7, 5}, LinearCase{17, 33, 65},
                                         LinearCase{225, 96, 384}, LinearCase{300, 1000, 31},
                                         LinearCase{1, 2048, 1024}),
                         [](const auto& info) {
                           return fmt::format("{}x{}x{}", info.param.rows, info.param.in,
                                              info.param.out);
                         });

TEST(Linear, AnyLeadingShapeAndStride) {
  const auto weight = random({12, 8}), x = random({2, 3, 5, 8}, 2);
  const Linear fc(weights({{"weight", weight}}), 8, 12, /*with_bias=*/false);
  EXPECT_FALSE(fc.bias.defined());
  const auto expected = at::matmul(x, weight.t());
  EXPECT_LT(difference(fc(x), expected), 3e-6);
  EXPECT_LT(difference(fc(x.transpose(0, 2)), expected.transpose(0, 2)), 3e-6);
}

TEST(Linear, NoRows) {
  const Linear fc(random({12, 8}), random({12}));
  EXPECT_EQ(fc(at::empty({0, 8})).sizes(), (std::vector<int64_t>{0, 12}));
}

TEST(Linear, FollowsItsWeight) {
  // A trainer steps in place: what a layer keeps for speed must not outlive the values.
  auto weight = random({16, 8});
  const Linear fc(weight, at::zeros({16}));
  const auto x = random({4, 8}, 2);
  fc(x);
  weight.mul_(2);
  EXPECT_LT(difference(fc(x), at::matmul(x, weight.t())), 3e-6);
}

TEST(Linear, GradientsOfFusedForms) {
  const auto weight = random({6, 4}).to(at::kDouble).requires_grad_();
  const auto bias = random({6}, 2).to(at::kDouble).requires_grad_();
  const auto x = random({5, 4}, 3).to(at::kDouble).requires_grad_();
  const auto residual = random({5, 6}, 4).to(at::kDouble).requires_grad_();
  const Linear fc(weight, bias);
  const auto loss = [&] {
    return (fc.gelu(x) * fc.quick_gelu(x) + fc.add(x, residual)).square().sum();
  };
  loss().backward();
  for (const auto& parameter : {weight, bias, x, residual}) {
    auto value = parameter.detach().view(-1)[0];  // shares memory
    const double start = value.item<double>(), step = 1e-6;
    value.fill_(start + step);
    const double above = loss().item<double>();
    value.fill_(start - step);
    const double below = loss().item<double>();
    value.fill_(start);
    const double slope = parameter.grad().view(-1)[0].item<double>();
    EXPECT_NEAR((above - below) / (2 * step), slope, 1e-5 * std::max(1.0, std::abs(slope)));
  }
}

TEST(Linear, WrongShapeIsReported) {
  const auto w = weights({{"weight", at::zeros({3, 4})}, {"bias", at::zeros({3})}});
  const Linear fc(w, 3, 4);
  EXPECT_THROW(w.store().finish(), Error);
}

TEST(Linear, AnMlpInBandsIsTheMlp) {
  const Linear fc1(random({2048, 8}, 1), random({2048}, 2)), fc2(random({8, 2048}, 3), {});
  const auto x = random({3, 1501, 8}, 4);  // 9.2 million hidden numbers: two bands
  const auto whole = fc2(fc1.gelu(x));
  EXPECT_LT(difference(gelu_mlp(fc1, fc2, x), whole), 1e-5);
  EXPECT_TRUE(at::equal(gelu_mlp(fc1, fc2, x.narrow(1, 0, 9)), fc2(fc1.gelu(x.narrow(1, 0, 9)))));
}

TEST(LayerNorm, EpsIsInsideTheRoot) {
  const auto weight = random({32}), bias = random({32}, 2), x = random({5, 32}, 3) * 1e-3;
  for (const double eps : {1e-5, 1e-6, 1e-12}) {
    const LayerNorm norm(weights({{"weight", weight}, {"bias", bias}}), 32, eps);
    const auto d = x.to(at::kDouble);
    const auto centred = d - d.mean(-1, true);
    const auto expected = centred / at::sqrt(centred.square().mean(-1, true) + eps) * weight + bias;
    EXPECT_LT(difference(norm(x), expected), 3e-6) << eps;
  }
}

TEST(LayerNorm, AddsWhatItScales) {
  const LayerNorm norm(weights({{"weight", random({20}, 2)}, {"bias", random({20}, 3)}}), 20);
  const auto x = random({5, 20}, 4), scale = random({20}, 5), residual = random({5, 20}, 6);
  EXPECT_LT(difference(norm.add(x, scale, residual), residual + scale * norm(x)), 1e-5);
}

TEST(LayerNorm, TakesViewsAndNothing) {
  const LayerNorm norm(weights({{"weight", random({6}, 2)}, {"bias", random({6}, 3)}}), 6);
  const auto x = random({6, 4, 5});
  const auto view = x.permute({2, 1, 0});
  EXPECT_FALSE(view.is_contiguous());
  EXPECT_TRUE(norm(view).equal(norm(view.contiguous())));
  EXPECT_EQ(norm(at::empty({0, 6})).sizes(), (std::vector<int64_t>{0, 6}));
}

TEST(LayerNorm, ConstantRowGivesTheBias) {
  const LayerNorm norm(weights({{"weight", at::ones({8})}, {"bias", at::full({8}, 0.5)}}), 8);
  EXPECT_TRUE(norm(at::full({2, 8}, 3.0)).equal(at::full({2, 8}, 0.5)));
}

TEST(LayerNorm, HalfPrecisionKeepsItsTypeAndFp32Statistics) {
  const LayerNorm norm(weights({{"weight", at::ones({64}, at::kBFloat16)},
                                {"bias", at::zeros({64}, at::kBFloat16)}}),
                       64);
  const auto x = (random({4, 64}) + 100).to(at::kBFloat16);
  const auto y = norm(x);
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  const auto f = x.to(at::kFloat);
  EXPECT_LT(difference(y.to(at::kFloat), at::layer_norm(f, {64})), 1e-2);
}

struct ConvCase {
  ConvShape shape;
  int64_t height, width;
};

class ConvShapes : public testing::TestWithParam<ConvCase> {};

TEST_P(ConvShapes, EqualsTheSumOverTaps) {
  const auto [s, height, width] = GetParam();
  const auto weight = random({s.out, s.in / s.groups, s.kernel, s.kernel}, 1);
  const auto bias = random({s.out}, 2), x = random({2, height, width, s.in}, 3);
  const Conv2d conv(weights({{"weight", weight}, {"bias", bias}}), s);
  const auto expected = at::conv2d(x.to(at::kDouble).permute({0, 3, 1, 2}), weight.to(at::kDouble),
                                   bias.to(at::kDouble), s.stride, s.padding, 1, s.groups)
                            .permute({0, 2, 3, 1});
  const auto y = conv(x);
  EXPECT_TRUE(y.is_contiguous());
  EXPECT_LT(difference(y, expected), 3e-6);
  if (y.sizes() != x.sizes()) return;
  const auto kept = x.clone();
  EXPECT_LT(difference(conv.add_to(x), x + expected), 3e-6);
  EXPECT_TRUE(x.equal(kept));
}

INSTANTIATE_TEST_SUITE_P(Kinds, ConvShapes,
                         testing::Values(ConvCase{{3, 32, 7, 4, 3}, 32, 32},
                                         ConvCase{{3, 16, 7, 4, 3}, 37, 29},
                                         ConvCase{{16, 24, 3, 2, 1}, 15, 9},
                                         ConvCase{{8, 8, 3, 2, 1}, 1, 1},
                                         ConvCase{ConvShape::depthwise(32), 30, 30},
                                         ConvCase{ConvShape::depthwise(48), 7, 5},
                                         ConvCase{ConvShape::depthwise(7), 3, 4},
                                         ConvCase{ConvShape::depthwise(16), 1, 1},
                                         ConvCase{ConvShape::depthwise(96), 1, 9}));

TEST(Conv2d, OfOnePixelIsALinearLayer) {
  const auto weight = random({5, 7, 1, 1}), bias = random({5}, 2), x = random({2, 3, 4, 7}, 3);
  const Conv2d conv(weights({{"weight", weight}, {"bias", bias}}), {7, 5, 1});
  EXPECT_LT(difference(conv(x), Linear(weight.view({5, 7}), bias)(x)), 3e-6);
}

TEST(Conv2d, NoImages) {
  for (const ConvShape& shape : {ConvShape{4, 6, 3, 2, 1}, ConvShape::depthwise(4)}) {
    const Conv2d conv(weights({{"weight", random({shape.out, 4 / shape.groups, 3, 3})},
                               {"bias", at::zeros({shape.out})}}),
                      shape);
    const auto y = conv(at::empty({0, 8, 8, 4}));
    EXPECT_EQ(y.sizes(), (std::vector<int64_t>{0, 8 / shape.stride, 8 / shape.stride, shape.out}));
  }
}

TEST(Conv2d, Differentiable) {
  const auto weight = random({8, 1, 3, 3}).requires_grad_();
  const Conv2d conv(weights({{"weight", weight}, {"bias", at::zeros({8})}}),
                    ConvShape::depthwise(8));
  const auto x = random({1, 4, 4, 8}, 2).requires_grad_();
  conv.add_to(x).sum().backward();
  // The middle tap meets every pixel once.
  EXPECT_LT(difference(weight.grad().select(2, 1).select(2, 1).view(-1), x.detach().sum({0, 1, 2})),
            1e-5);
}

}  // namespace
