// The assignment equals scipy's, stored by make_grounding_loss_golden.py.
#include "tasks/assignment.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "checkpoint/safetensors.h"

using namespace vesalius;
using namespace vesalius::tasks;

namespace {

using Pairs = std::vector<std::pair<int64_t, int64_t>>;

TEST(Assignment, WideTallSquareAndSingleAreScipys) {
  const auto golden = read_safetensors(fs::path(VESALIUS_SOURCE_DIR) /
                                       "tests/tasks/golden/grounding_loss.safetensors");
  for (const auto* number : {"0", "1", "2", "3", "4"}) {
    const auto costs = golden.at(std::string("costs.") + number).to(at::kDouble).contiguous();
    const auto theirs = golden.at(std::string("pairs.") + number).to(at::kLong);  // [2, pairs]
    Pairs wanted;
    for (int64_t i = 0; i < theirs.size(1); ++i)
      wanted.emplace_back(theirs[0][i].item<int64_t>(), theirs[1][i].item<int64_t>());
    const std::span all(costs.const_data_ptr<double>(), static_cast<size_t>(costs.numel()));
    EXPECT_EQ(cheapest_assignment(all, costs.size(0), costs.size(1)), wanted) << number;
  }
}

TEST(Assignment, TheCheapestSumIsNotTheCheapestPair) {
  const std::vector<double> costs{1, 2, 2, 100};
  EXPECT_EQ(cheapest_assignment(costs, 2, 2), (Pairs{{0, 1}, {1, 0}}));
}

TEST(Assignment, NobodyGoesWithNobody) {
  EXPECT_TRUE(cheapest_assignment({}, 0, 4).empty());
  EXPECT_TRUE(cheapest_assignment({}, 4, 0).empty());
}

}  // namespace
