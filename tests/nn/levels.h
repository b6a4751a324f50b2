// The kinds of CPU that kernel tests run as, and how close to float64 each has to be.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "nn/plan.h"

namespace vesalius::nn {

/// Kernels as one kind of CPU has them; `tolerance` is relative to the largest reference value.
struct Level {
  CpuLevel cpu;
  Precision precision;
  double tolerance;
};

/// Those of this machine; generic goes through plain LibTorch.
inline std::vector<Level> levels() {
  std::vector<Level> all{{CpuLevel::kGeneric, Precision::kFp32, 2e-6},
                         {CpuLevel::kAvx2, Precision::kFp32, 2e-6},
                         {CpuLevel::kAvx512, Precision::kFp32, 2e-6},
                         {CpuLevel::kAvx512Bf16, Precision::kBf16, 1e-2}};
  std::erase_if(all, [](const Level& level) { return level.cpu > cpu_level(); });
  return all;
}

inline std::string level_name(const testing::TestParamInfo<Level>& info) {
  return std::string(name_of(info.param.cpu));
}

/// Runs as one kind of CPU, without autograd.
class LevelTest : public testing::TestWithParam<Level> {
 protected:
  LevelTest() : cpu_(GetParam().cpu), plan_(GetParam().precision) { at::manual_seed(7); }

  /// `ours` against a reference in float64.
  void expect_close(const at::Tensor& ours, const at::Tensor& reference, double slack = 1) const {
    ASSERT_EQ(ours.sizes(), reference.sizes());
    const double largest = reference.abs().max().item<double>();
    const double difference = (ours.to(at::kDouble) - reference).abs().max().item<double>();
    EXPECT_LE(difference, slack * GetParam().tolerance * largest) << "of " << largest;
  }

 private:
  CpuLevelScope cpu_;
  PlanScope plan_;
};

}  // namespace vesalius::nn
