#include "levels.h"
#include "nn/layers.h"
#include "nn/plan.h"

namespace vesalius::nn {
namespace {

class PackedWeightTest : public LevelTest {
 protected:
  std::shared_ptr<const PackedWeight::Layout> get() {
    return packed_.get(*planned_kernels(), weight_, bias_);
  }
  void SetUp() override {
    LevelTest::SetUp();
    if (planned_kernels() == nullptr) GTEST_SKIP() << "this CPU level has no kernels";
  }

  PackedWeight packed_;
  at::Tensor weight_ = at::randn({70, 33}), bias_ = at::randn({70}), x_ = at::randn({5, 33});
};
INSTANTIATE_TEST_SUITE_P(Cpu, PackedWeightTest, testing::ValuesIn(levels()), level_name);

TEST_P(PackedWeightTest, TheSecondCallsLayoutIsKept) {
  const auto first = get(), second = get(), third = get();
  EXPECT_NE(first, second);
  EXPECT_EQ(second, third);
  EXPECT_TRUE(at::equal(packed_product(*first, x_), packed_product(*second, x_)));
}

TEST_P(PackedWeightTest, AChangedWeightOrBiasIsLaidOutAnew) {
  get();
  const auto before = get();
  weight_.mul_(2);
  EXPECT_NE(get(), before);
  bias_.add_(1);
  expect_close(packed_product(*get(), x_),
               at::linear(x_.to(at::kDouble), weight_.to(at::kDouble), bias_.to(at::kDouble)));
  weight_ = weight_.clone();
  const auto moved = get();
  EXPECT_EQ(get(), get());
  EXPECT_NE(get(), moved);
}

TEST_P(PackedWeightTest, TwoPrecisionsDontShareALayout) {
  get();
  const auto before = get();
  const PlanScope other(GetParam().precision == Precision::kBf16 ? Precision::kFp32
                                                                 : Precision::kBf16);
  get();
  EXPECT_EQ(get()->kernels, planned_kernels());
  EXPECT_EQ(before == get(), before->kernels == planned_kernels());
}

}  // namespace
}  // namespace vesalius::nn
