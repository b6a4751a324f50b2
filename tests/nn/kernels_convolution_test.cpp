#include "levels.h"
#include "nn/layers.h"

namespace vesalius::nn {
namespace {

class ConvolutionTest : public LevelTest {};
INSTANTIATE_TEST_SUITE_P(Cpu, ConvolutionTest, testing::ValuesIn(levels()), level_name);

Conv2d random_convolution(const ConvShape& shape) {
  return Conv2d(Weights(TensorStore::initialised(7)) / "conv", shape);
}

at::Tensor exact(const Conv2d& conv, const at::Tensor& x) {
  const auto& s = conv.shape;
  return at::conv2d(x.to(at::kDouble).permute({0, 3, 1, 2}), conv.weight.to(at::kDouble),
                    conv.bias.to(at::kDouble), s.stride, s.padding, 1, s.groups)
      .permute({0, 2, 3, 1});
}

TEST_P(ConvolutionTest, DepthwiseAndStridedEqualFloat64) {
  const ConvShape shapes[] = {ConvShape::depthwise(32),
                              ConvShape::depthwise(7),
                              ConvShape::depthwise(50),
                              {3, 40, 7, 4, 3},
                              {32, 48, 3, 2, 1},
                              {5, 33, 3, 1, 1},
                              {8, 8, 1},
                              {16, 32, 3, 1, 1, 4}};
  for (const auto& shape : shapes) {
    for (const auto& [batch, height, width] :
         {std::array{1, 12, 12}, {2, 5, 9}, {1, 7, 30}, {3, 7, 8}}) {
      SCOPED_TRACE(std::to_string(shape.in) + " channels, kernel " + std::to_string(shape.kernel) +
                   ", " + std::to_string(height) + " x " + std::to_string(width));
      const auto conv = random_convolution(shape);
      conv.bias.normal_();
      const auto x = at::randn({batch, height, width, shape.in});
      expect_close(conv(x), exact(conv, x));
    }
  }
}

TEST_P(ConvolutionTest, AddsItsInput) {
  for (const int64_t size : {1, 2, 3, 31}) {
    SCOPED_TRACE(size);
    const auto conv = random_convolution(ConvShape::depthwise(48));
    const auto x = at::randn({2, size, size, 48}), before = x.clone();
    expect_close(conv.add_to(x), x.to(at::kDouble) + exact(conv, x));
    EXPECT_TRUE(at::equal(x, before)) << "the input must stay as it was";
  }
}

TEST_P(ConvolutionTest, WideDepthwiseKernelsGateWhatTheyGive) {
  for (const int64_t kernel : {3, 5, 7, 9})
    for (const auto& [height, width] : {std::array{13, 30}, {3, 2}, {16, 12}}) {
      SCOPED_TRACE(std::to_string(kernel) + " over " + std::to_string(height));
      const auto conv = random_convolution(ConvShape::depthwise(40, kernel));
      const auto x = at::randn({2, height, width, 40});
      const auto gates = at::randn({2, height, width, 3});
      const auto y = at::gelu(exact(conv, x));
      at::Tensor sum;
      expect_close(conv.gelu_gated(x, gates.narrow(-1, 1, 1), sum), y);
      conv.gelu_gated(x, gates.narrow(-1, 2, 1), sum);
      expect_close(sum, y * (gates.narrow(-1, 1, 1) + gates.narrow(-1, 2, 1)).to(at::kDouble));
    }
}

TEST_P(ConvolutionTest, LargeMapsGoInBands) {
  const auto conv = random_convolution({40, 24, 3, 2, 1});
  const auto x = at::randn({2, 260, 240, 40});  // 5.6 million numbers of patches an image
  expect_close(conv(x), exact(conv, x));
}

TEST_P(ConvolutionTest, TakesViewsAndFollowsAWeightThatChanges) {
  const auto conv = random_convolution({6, 10, 3, 2, 1});
  const auto x = at::randn({1, 6, 9, 11}).permute({0, 2, 3, 1});
  expect_close(conv(x), exact(conv, x));
  conv.weight.mul_(3);
  expect_close(conv(x), exact(conv, x));
}

TEST_P(ConvolutionTest, LeavesAutogradAlone) {
  const auto conv = random_convolution(ConvShape::depthwise(32));
  conv.weight.requires_grad_();
  conv.add_to(at::randn({1, 4, 4, 32})).sum().backward();
  EXPECT_TRUE(conv.weight.grad().defined());
}

}  // namespace
}  // namespace vesalius::nn
