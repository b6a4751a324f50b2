#include <ATen/Parallel.h>

#include "levels.h"
#include "nn/layers.h"

namespace vesalius::nn {
namespace {

class ProductTest : public LevelTest {};
INSTANTIATE_TEST_SUITE_P(Cpu, ProductTest, testing::ValuesIn(levels()), level_name);

struct Shape {
  int64_t rows, in, out;
};

// Whole tiles and one off them; one row, one column; more than a block of rows, than a block of
// columns, than a chunk of k (1024 words) and a last half step of bf16.
const Shape kShapes[] = {{14, 256, 32},  {1, 1, 1},       {1, 300, 33},   {15, 257, 31},
                         {13, 7, 100},   {225, 64, 48},   {197, 511, 65}, {6, 1024, 16},
                         {99, 1025, 40}, {30, 2049, 530}, {3, 5000, 70},  {500, 96, 1100}};

std::string text(const Shape& s) {
  return std::to_string(s.rows) + " x " + std::to_string(s.in) + " -> " + std::to_string(s.out);
}

Linear random_linear(const Shape& s) {
  return {at::randn({s.out, s.in}) / std::sqrt(static_cast<double>(s.in)), at::randn({s.out})};
}

at::Tensor exact(const Linear& fc, const at::Tensor& x) {
  return at::linear(x.to(at::kDouble), fc.weight.to(at::kDouble), fc.bias.to(at::kDouble));
}

TEST_P(ProductTest, EqualsFloat64) {
  for (const auto& shape : kShapes) {
    SCOPED_TRACE(text(shape));
    const auto fc = random_linear(shape);
    const auto x = at::randn({shape.rows, shape.in});
    expect_close(fc(x), exact(fc, x));
  }
}

TEST_P(ProductTest, ActivationsAndResidual) {
  for (const auto& shape : kShapes) {
    SCOPED_TRACE(text(shape));
    const auto fc = random_linear(shape);
    const auto x = at::randn({shape.rows, shape.in}), residual = at::randn({shape.rows, shape.out});
    const auto y = exact(fc, x);
    expect_close(fc.gelu(x), at::gelu(y));
    expect_close(fc.quick_gelu(x), y * at::sigmoid(1.702 * y));
    expect_close(fc.add(x, residual), residual.to(at::kDouble) + y);
  }
}

TEST_P(ProductTest, NoBiasAndMoreDimensions) {
  const Linear fc(at::randn({20, 12}), {});
  const auto x = at::randn({2, 3, 5, 12});
  expect_close(fc(x), at::linear(x.to(at::kDouble), fc.weight.to(at::kDouble)));
  EXPECT_EQ(fc(at::randn({0, 12})).sizes(), at::IntArrayRef({0, 20}));
}

TEST_P(ProductTest, TakesViewsThatAreNotContiguous) {
  const auto fc = random_linear({1, 24, 40});
  const auto x = at::randn({24, 31}).t();
  const auto residual = at::randn({40, 31}).t();
  expect_close(fc.add(x, residual), residual.to(at::kDouble) + exact(fc, x));
}

TEST_P(ProductTest, ActivationsFarFromZero) {
  const Linear same(at::eye(64), at::zeros({64}));
  const auto x = at::linspace(-40, 40, 64 * 1001).view({1001, 64});
  const auto y = x.to(at::kBFloat16).to(at::kFloat);  // bf16 keeps these
  expect_close(same.gelu(y), at::gelu(y.to(at::kDouble)));
  expect_close(same.quick_gelu(y), y.to(at::kDouble) * at::sigmoid(1.702 * y.to(at::kDouble)));
}

TEST_P(ProductTest, RowsDoNotDependOnTheirNeighbours) {
  if (GetParam().cpu == CpuLevel::kGeneric) GTEST_SKIP() << "LibTorch promises nothing here";
  const auto fc = random_linear({1, 700, 90});
  const auto x = at::randn({130, 700});
  const auto all = fc(x);
  EXPECT_TRUE(at::equal(all.narrow(0, 77, 1), fc(x.narrow(0, 77, 1))));
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  EXPECT_TRUE(at::equal(all, fc(x)));
  at::set_num_threads(threads);
}

TEST_P(ProductTest, FollowsAWeightThatChanges) {
  const auto fc = random_linear({1, 40, 50});
  const auto x = at::randn({9, 40});
  expect_close(fc(x), exact(fc, x));
  fc.weight.mul_(-2);
  expect_close(fc(x), exact(fc, x));
  fc.bias.add_(1);
  expect_close(fc(x), exact(fc, x));
}

TEST_P(ProductTest, LeavesAutogradAlone) {
  const auto fc = random_linear({1, 40, 50});
  fc.weight.requires_grad_();
  const auto x = at::randn({9, 40});
  fc.gelu(x).sum().backward();
  EXPECT_TRUE(fc.weight.grad().defined());
  const auto frozen = random_linear({1, 40, 50});
  const auto input = at::randn({9, 40}).requires_grad_();
  frozen.add(input, at::randn({9, 50})).sum().backward();
  EXPECT_TRUE(input.grad().defined());
}

TEST(Product, HandlesInfinityAndNan) {
  const Linear same(at::eye(32), at::zeros({32}));
  auto x = at::zeros({2, 32});
  x[0].fill_(std::numeric_limits<float>::quiet_NaN());
  const auto y = same(x);
  EXPECT_TRUE(at::isnan(y[0]).all().item<bool>()) << "NaN must not turn into a number";
  EXPECT_TRUE(at::equal(y[1], x[1]));
}

}  // namespace
}  // namespace vesalius::nn
