#include "checkpoint/weights.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace vesalius;

namespace {

std::shared_ptr<TensorStore> store_of(std::map<std::string, at::Tensor> tensors) {
  return std::make_shared<TensorStore>("model.safetensors", std::move(tensors));
}

std::string finish_error(const TensorStore& store, const std::vector<std::string>& leftovers = {}) {
  try {
    store.finish(leftovers);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel);
    return error.what();
  }
  return {};
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Weights, ScopesJoinNamesWithDots) {
  const Weights root(store_of({}));
  EXPECT_EQ(root.name(), "");
  EXPECT_EQ((root / "blocks").name(), "blocks");
  EXPECT_EQ((root / "blocks" / 2 / 11 / "ffn.norm").name(), "blocks.2.11.ffn.norm");
}

TEST(Weights, TakesTheTensorItself) {
  const auto tensor = at::randn({3, 2});
  const Weights w(store_of({{"fc.weight", tensor}, {"scale", at::ones({})}}));
  EXPECT_TRUE((w / "fc")("weight", {3, 2}).is_same(tensor));
  EXPECT_EQ(w("scale", {}).dim(), 0);
  EXPECT_TRUE(w.store().has("scale"));
  EXPECT_FALSE(w.store().has("shift"));
  EXPECT_EQ(finish_error(w.store()), "");
}

TEST(Weights, OneErrorListsEverything) {
  const auto store = store_of(
      {{"a", at::zeros({2, 3})}, {"extra.one", at::zeros({4})}, {"extra.two", at::zeros({})}});
  const Weights w(store);
  w("a", {3, 2});
  (w / "b")("weight", {5});
  w("c", {});
  const auto error = finish_error(*store);
  EXPECT_TRUE(says(error, "model.safetensors")) << error;
  EXPECT_TRUE(says(error, "5 of its tensors")) << error;
  EXPECT_TRUE(says(error, "mis-shaped a: [2, 3] in the file, [3, 2] expected")) << error;
  EXPECT_TRUE(says(error, "missing b.weight [5]")) << error;
  EXPECT_TRUE(says(error, "missing c []")) << error;
  EXPECT_TRUE(says(error, "extra extra.one [4]")) << error;
  EXPECT_TRUE(says(error, "extra extra.two []")) << error;
}

TEST(Weights, WhatIsMissingTakesNoMemory) {
  const auto store = store_of({});
  const auto tensor = store->take("huge", {1 << 20, 1 << 20});  // 4 TiB if it were there
  EXPECT_EQ(tensor.size(0), 1 << 20);
  EXPECT_TRUE(says(finish_error(*store), "missing huge"));
}

TEST(Weights, LeftoversMayStay) {
  const auto store = store_of(
      {{"head.weight", at::zeros({1})}, {"head.bias", at::zeros({1})}, {"header", at::zeros({1})}});
  EXPECT_TRUE(says(finish_error(*store, {"head.*"}), "1 of its tensors"));
  EXPECT_TRUE(says(finish_error(*store, {"head.*"}), "extra header"));
  EXPECT_EQ(finish_error(*store, {"head.*", "header"}), "");
  EXPECT_EQ(finish_error(*store, {"head*"}), "");
  EXPECT_TRUE(says(finish_error(*store, {"head"}), "3 of its tensors"));
}

TEST(Weights, TiedTensorsAreCountedOnce) {
  const auto store = store_of({{"a", at::zeros({2})}, {"b", at::zeros({2})}});
  store->take("b", {2});
  store->take("a", {2});
  store->take("b", {2});
  ASSERT_EQ(store->taken().size(), 2U);
  EXPECT_EQ(store->taken()[0].first, "b");
  EXPECT_EQ(store->taken()[1].first, "a");
}

TEST(Weights, RecordingKnowsShapesWithoutMemory) {
  const auto store = TensorStore::recording();
  const Weights w(store);
  w("huge", {1 << 20, 1 << 20});
  w("scalar", {});
  ASSERT_EQ(store->taken().size(), 2U);
  EXPECT_EQ(store->taken()[0].second.sizes(), (std::vector<int64_t>{1 << 20, 1 << 20}));
  EXPECT_EQ(finish_error(*store), "");
}

TEST(Initialised, DependsOnSeedAndNameAlone) {
  const auto first = TensorStore::initialised(1), second = TensorStore::initialised(1);
  const auto a = first->take("a.weight", {64, 32});
  first->take("b.weight", {64, 32});
  second->take("b.weight", {64, 32});
  EXPECT_TRUE(a.equal(second->take("a.weight", {64, 32})));
  EXPECT_FALSE(a.equal(first->take("b.weight", {64, 32})));
  EXPECT_FALSE(a.equal(TensorStore::initialised(2)->take("a.weight", {64, 32})));
  EXPECT_TRUE(a.is_same(first->take("a.weight", {64, 32})));  // a parameter, not a new draw
  EXPECT_EQ(finish_error(*first), "");
}

struct Start {
  const char* name;
  std::vector<int64_t> shape;
  double mean, std;
};

TEST(Initialised, StartsThatTrain) {
  const auto store = TensorStore::initialised(3);
  const Start starts[] = {
      {"image_encoder.x.fn.qkv.weight", {768, 256}, 0, 0.02},
      {"lang_encoder.x.mlp.c_proj.weight", {256, 1024}, 0, 1.0 / 32},  // texts start apart
      {"convs.1.proj.weight", {64, 64, 3, 3}, 0, 1.0 / 24},
      {"conv1.fn.dw.weight", {2048, 1, 3, 3}, 0, 0.02},
      {"lang_encoder.token_embedding.weight", {500, 64}, 0, 0.2},
      {"lang_encoder.positional_embedding", {77, 256}, 0, 0.1},
      {"image_projection", {256, 400}, 0, 1.0 / 16},  // applied as x @ p
      {"x.norm.weight", {64}, 1, 0},
      {"x.norm.bias", {64}, 0, 0},
      {"x.attn.in_proj_bias", {64}, 0, 0},
      {"logit_scale", {}, std::log(1 / 0.07), 0},
  };
  for (const auto& start : starts) {
    const auto tensor = store->take(start.name, start.shape).to(at::kDouble);
    const double mean = tensor.mean().item<double>();
    const double std = (tensor - start.mean).square().mean().sqrt().item<double>();
    EXPECT_NEAR(mean, start.mean, 0.05 * start.std + 1e-6) << start.name;
    EXPECT_NEAR(std, start.std, 0.05 * start.std + 1e-6) << start.name;
  }
}

}  // namespace
