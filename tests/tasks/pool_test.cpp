#include "tasks/pool.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

at::Tensor column(std::initializer_list<float> values) {
  return at::tensor(std::vector<float>(values)).view({-1, 1});
}

TEST(Pool, HandComputedValues) {
  const at::Tensor x = column({1, 2, 4, 9});
  EXPECT_FLOAT_EQ(pool_features(x, Pool::kMean).item<float>(), 4);
  EXPECT_FLOAT_EQ(pool_features(x, Pool::kMedian).item<float>(), 3);
  EXPECT_FLOAT_EQ(pool_features(x, Pool::kMax).item<float>(), 9);
  // (9 + 4 + 0 + 25) / 3 = 38/3
  EXPECT_NEAR(pool_features(x, Pool::kStd).item<float>(), 3.5590261, 1e-6);
}

TEST(Pool, StudyVectorHasSevenStatisticsInOrder) {
  const at::Tensor x = at::cat({column({1, 2, 4, 9}), column({0, 0, 0, 8})}, 1);
  const at::Tensor study = pool_features(x, Pool::kStudy);
  // As pandas.DataFrame.describe() gives them: mean, std, min, 25 %, 50 %, 75 %, max.
  const std::vector<float> expected{4, 2, 3.5590261F, 4, 1, 0, 1.75F, 0, 3, 0, 5.25F, 2, 9, 8};
  ASSERT_EQ(study.numel(), 14);
  for (int64_t i = 0; i < 14; ++i)
    EXPECT_NEAR(study[i].item<float>(), expected[static_cast<size_t>(i)], 1e-5) << i;
}

TEST(Pool, OneImageHasNoDeviation) {
  const at::Tensor study = pool_features(column({5}), Pool::kStudy);
  EXPECT_TRUE(at::isfinite(study).all().item<bool>());
  EXPECT_EQ(study[1].item<float>(), 0);
  EXPECT_EQ(study[0].item<float>(), 5);
}

TEST(Pool, NamesAreChecked) {
  EXPECT_EQ(parse_pool("median"), Pool::kMedian);
  EXPECT_THROW(parse_pool("average"), Error);
  EXPECT_THROW(pool_features(column({1}), Pool::kNone), Error);
}

}  // namespace
}  // namespace vesalius::tasks
