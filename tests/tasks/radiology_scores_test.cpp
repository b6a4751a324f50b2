#include "tasks/radiology_scores.h"

#include <gtest/gtest.h>

namespace vesalius::tasks {
namespace {

using Boxes = std::vector<text::Box>;
const Boxes kAll{{0, 0, 1, 1}}, kHalf{{0, 0, 0.5, 1}}, kMore{{0, 0, 0.505, 1}};

TEST(RadFact, SharesOfAReport) {
  const auto shares = radfact_shares({{true, {}, {}},
                                      {false, {}, {}},
                                      {true, kHalf, kAll},     // inside
                                      {true, kAll, {}},        // evidence without boxes
                                      {false, kHalf, kAll}});  // boxes alone do not count
  EXPECT_DOUBLE_EQ(shares.logical.value(), 3.0 / 5);
  EXPECT_DOUBLE_EQ(shares.spatial.value(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(shares.grounding.value(), 1.0 / 2);
}

TEST(RadFact, HalfIsNotMoreThanHalf) {
  EXPECT_EQ(radfact_shares({{true, kAll, kHalf}}).spatial, 0);
  EXPECT_EQ(radfact_shares({{true, kAll, kMore}}).spatial, 1);
}

TEST(RadFact, NoShareOfNothing) {
  const auto none = radfact_shares({});
  EXPECT_FALSE(none.logical || none.spatial || none.grounding);
  const auto refused = radfact_shares({{false, kAll, kAll}});
  EXPECT_EQ(refused.spatial, 0);
  EXPECT_FALSE(refused.grounding);
}

TEST(RadFact, F1) {
  EXPECT_DOUBLE_EQ(f1_of(0.5, 1), 2.0 / 3);
  EXPECT_EQ(f1_of(0, 0), 0);
}

TEST(RadCliq, MeansGiveTheIntercept) {
  EXPECT_NEAR(radcliq_v0({0.53984, 0.63125, 0.77168, 0.46074}), 1.641667, 1e-12);
  EXPECT_NEAR(radcliq_v1({0.53792, 0.61757, 0.76479, 0.9}), 0, 1e-12);
}

TEST(RadCliq, OneDeviationGivesTheWeight) {
  const RadCliqInput mean{0.53984, 0.63125, 0.77168, 0.46074};
  auto up = mean;
  up.radgraph += 0.30183;
  EXPECT_NEAR(radcliq_v0(up) - radcliq_v0(mean), -0.47963, 1e-12);
  up = mean, up.bertscore += 0.22467;
  EXPECT_NEAR(radcliq_v0(up) - radcliq_v0(mean), -0.67622, 1e-12);
  up = mean, up.chexbert += 0.2475;
  EXPECT_NEAR(radcliq_v0(up) - radcliq_v0(mean), -0.46367, 1e-12);
  up = mean, up.bleu_2 += 0.30337;
  EXPECT_NEAR(radcliq_v0(up) - radcliq_v0(mean), 0.21659, 1e-12);
}

TEST(RadCliq, OfAPerfectReport) {
  // By hand: -0.37708 * 1.52587 - 0.37030 * 1.70491 - 0.25262 * 0.92624.
  EXPECT_NEAR(radcliq_v1({1, 1, 1, 1}), -1.44069, 2e-5);
}

}  // namespace
}  // namespace vesalius::tasks
