#include "models/davit.h"

#include <gtest/gtest.h>

#include <numeric>

#include "nn/trace.h"

using namespace vesalius;
using namespace vesalius::models;

namespace {

DaVitConfig tiny() {
  DaVitConfig c;
  c.dims = {32, 64, 96, 128};
  c.depths = {1, 1, 2, 1};
  c.heads = c.groups = {1, 2, 3, 4};
  return c;
}

at::Tensor pixels(int64_t count, int64_t height, int64_t width) {
  at::manual_seed(1);
  return at::randn({count, 3, height, width});
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

TEST(DaVit, PublishedSizeHasThePublishedTensors) {
  const auto store = TensorStore::initialised(1);
  // Names and shapes alone: depths of the release, an eighth of its width.
  DaVitConfig c;
  c.dims = {32, 64, 128, 256};
  const DaVit tower(Weights(store) / "image_encoder", c);
  EXPECT_EQ(store->taken().size(), 402U);
  EXPECT_TRUE(store->has("image_encoder.convs.0.norm.bias"));
  EXPECT_TRUE(store->has("image_encoder.blocks.2.8.channel_block.channel_attn.fn.qkv.weight"));
  EXPECT_TRUE(store->has("image_encoder.blocks.3.0.spatial_block.window_attn.norm.weight"));
  EXPECT_TRUE(store->has("image_encoder.norms.weight"));
  int64_t values = 0;
  for (const auto& [name, tensor] : store->taken()) values += tensor.numel();
  EXPECT_GT(values, 0);
}

TEST(DaVit, PrenormTakesTheWidthBefore) {
  const auto store = TensorStore::initialised(1);
  const DaVit tower(Weights(store), tiny());
  EXPECT_EQ(tower.convs[0].norm.weight.size(0), 32);
  EXPECT_EQ(tower.convs[1].norm.weight.size(0), 32);
  EXPECT_EQ(tower.convs[3].norm.weight.size(0), 96);
}

TEST(DaVit, AnySizeOfImage) {
  const DaVit tower(Weights(TensorStore::initialised(1)), tiny());
  for (const auto& [height, width] : {std::pair{96, 96}, {224, 224}, {37, 29}, {4, 200}, {1, 1}}) {
    const auto y = tower(pixels(2, height, width));
    EXPECT_EQ(y.sizes(), (std::vector<int64_t>{2, 128})) << height;
    EXPECT_TRUE(at::isfinite(y).all().item<bool>()) << height;
  }
}

TEST(DaVit, ImagesOfABatchDoNotMeet) {
  const DaVit tower(Weights(TensorStore::initialised(1)), tiny());
  const auto x = pixels(3, 100, 60);
  const auto together = tower(x);
  for (int64_t i = 0; i < 3; ++i)
    EXPECT_LT(difference(tower(x.narrow(0, i, 1)), together.narrow(0, i, 1)), 1e-5);
}

TEST(DaVit, DropPathRatesRiseInTheOrderSpatialChannel) {
  const DaVit tower(Weights(TensorStore::initialised(1)), tiny());
  std::vector<double> rates;
  tower(pixels(1, 64, 64), [&](const at::Tensor& branch, double rate) {
    EXPECT_EQ(branch.dim(), 3);  // [batch, tokens, dim]
    rates.push_back(rate);
    return branch;
  });
  ASSERT_EQ(rates.size(), 20U);  // attention and mlp of ten blocks
  for (size_t i = 0; i < rates.size(); ++i)
    EXPECT_NEAR(rates[i], 0.2 * static_cast<double>(i / 2) / 9, 1e-12) << i;
}

TEST(DaVit, DropPathScalesBranches) {
  const DaVit tower(Weights(TensorStore::initialised(1)), tiny());
  const auto x = pixels(2, 64, 64);
  const auto kept = tower(x, [](const at::Tensor& branch, double) { return branch; });
  EXPECT_LT(difference(kept, tower(x)), 1e-5);
  const auto dropped = tower(x, [](const at::Tensor& branch, double) { return branch * 0; });
  EXPECT_GT(difference(dropped, kept), 1e-2);
}

TEST(DaVit, OneBlockWithoutRate) {
  auto c = tiny();
  c.dims = {32};
  c.depths = c.heads = c.groups = {1};
  const DaVit tower(Weights(TensorStore::initialised(1)), c);
  EXPECT_EQ(tower.blocks.size(), 1U);
  EXPECT_EQ(tower.blocks[0][0].rate, 0);
  EXPECT_NEAR(tower.blocks[0][1].rate, 0.2, 1e-12);
  EXPECT_EQ(tower(pixels(1, 20, 20)).size(1), 32);
}

TEST(DaVit, EveryParameterLearns) {
  const auto store = TensorStore::initialised(1);
  const DaVit tower(Weights(store), tiny());
  for (auto [name, parameter] : store->taken()) parameter.requires_grad_();
  at::manual_seed(2);
  (tower(pixels(2, 64, 64)) * at::randn({2, 128})).sum().backward();
  for (const auto& [name, parameter] : store->taken()) {
    ASSERT_TRUE(parameter.grad().defined()) << name;
    EXPECT_TRUE(at::isfinite(parameter.grad()).all().item<bool>()) << name;
    EXPECT_GT(parameter.grad().abs().max().item<double>(), 0) << name;
  }
}

TEST(DaVit, TracesAsTheCheckpointNames) {
  const DaVit tower(Weights(TensorStore::initialised(1)) / "image_encoder", tiny());
  const nn::TraceSink sink;
  tower(pixels(2, 64, 64));
  EXPECT_EQ(sink.tensors().size(), 4U + 10 * 4);
  const auto& stage = sink.tensors().at("image_encoder.blocks.2.1.channel_block.channel_attn");
  EXPECT_EQ(stage.sizes(), (std::vector<int64_t>{2, 4 * 4, 96}));
}

TEST(DaVit, WrongWidthIsNamed) {
  const auto given = TensorStore::initialised(1);
  const DaVit narrow(Weights(given), tiny());
  std::map<std::string, at::Tensor> tensors(given->taken().begin(), given->taken().end());
  const auto store = std::make_shared<TensorStore>("narrow.safetensors", std::move(tensors));
  auto wide = tiny();
  wide.dims[3] = 160;
  const DaVit tower(Weights(store), wide);
  try {
    store->finish();
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("norms.weight: [128] in the file, [160] expected"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
