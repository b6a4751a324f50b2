// The loss and its gradients equal the published ones, stored by make_segment_loss_golden.py.
#include "tasks/segment_loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "checkpoint/safetensors.h"

using namespace vesalius;
using namespace vesalius::tasks;

namespace {

double difference(const at::Tensor& a, const at::Tensor& reference) {
  return ((a - reference).abs().max() / reference.abs().max()).item<double>();
}

TEST(SegmentLoss, ValueAndGradientsAreThePublished) {
  std::map<std::string, at::Tensor> golden = read_safetensors(
      fs::path(VESALIUS_SOURCE_DIR) / "tests/tasks/golden/segment_loss.safetensors");
  std::map<std::string, at::Tensor> leaves;
  for (const auto* name : {"masks", "edges", "existence"})
    leaves[name] = golden.at(name).clone().requires_grad_();
  const auto loss = segment_loss({.masks = leaves["masks"].squeeze(1),
                                  .edges = leaves["edges"].squeeze(1),
                                  .existence = leaves["existence"]},
                                 golden.at("truth"));
  EXPECT_NEAR(loss.item<double>(), golden.at("loss").item<double>(), 1e-5);
  loss.backward();
  for (const auto* name : {"masks", "edges", "existence"})
    EXPECT_LT(difference(leaves[name].grad(), golden.at(std::string("gradient.") + name)), 1e-4)
        << name;
}

TEST(SegmentLoss, EdgesAreThePublished) {
  const auto golden = read_safetensors(fs::path(VESALIUS_SOURCE_DIR) /
                                       "tests/tasks/golden/segment_loss.safetensors");
  EXPECT_TRUE(at::equal(edges_of(golden.at("truth")), golden.at("edges_of_truth").squeeze(1)));
}

TEST(SegmentLoss, AnAbsentTargetAsksForExistenceAlone) {
  const auto logits = at::randn({1, 6, 6}).requires_grad_();
  const auto existence = at::zeros({1}).requires_grad_();
  const auto loss =
      segment_loss({.masks = logits, .edges = {}, .existence = existence}, at::zeros({1, 6, 6}));
  EXPECT_NEAR(loss.item<double>(), std::log(2), 1e-6);
  loss.backward();
  EXPECT_EQ(logits.grad().abs().max().item<double>(), 0);
  EXPECT_GT(existence.grad().item<double>(), 0);
}

}  // namespace
