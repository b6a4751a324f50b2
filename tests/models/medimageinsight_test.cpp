#include "models/medimageinsight.h"

#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "nn/trace.h"

using namespace vesalius;
using namespace vesalius::models;

namespace {

MedImageInsightConfig tiny() {
  MedImageInsightConfig c;
  c.image_size = 64;
  c.image.dims = {32, 32, 64, 64};
  c.image.depths = {1, 1, 1, 1};
  c.image.heads = c.image.groups = {1, 1, 2, 2};
  c.text = {.vocabulary = 100, .context = 12, .width = 32, .heads = 2, .layers = 1};
  c.projection = 24;
  return c;
}

TEST(MedImageInsight, DefaultsAreTheReleasedModels) {
  const MedImageInsightConfig c;
  EXPECT_EQ(c.image_size, 480);
  EXPECT_EQ(c.image.dims.back(), 2048);
  EXPECT_EQ(c.image.window, 12);
  EXPECT_EQ(c.text.vocabulary, 49408);
  EXPECT_EQ(c.text.layers, 16);
  EXPECT_FALSE(c.text.autoregressive);
}

TEST(MedImageInsight, TakesEveryTensorByItsName) {
  const auto store = TensorStore::initialised(1);
  const MedImageInsight model(Weights(store), tiny());
  EXPECT_TRUE(store->has("image_projection"));
  EXPECT_TRUE(store->has("lang_projection"));
  EXPECT_TRUE(store->has("lang_encoder.ln_final.bias"));
  EXPECT_NEAR(model.logit_scale.item<double>(), std::log(1 / 0.07), 1e-6);
  EXPECT_NO_THROW(store->finish());
}

TEST(MedImageInsight, ACausalTextTowerIsRefused) {
  auto c = tiny();
  c.text.autoregressive = true;
  EXPECT_THROW(MedImageInsight(Weights(TensorStore::initialised(1)), c), Error);
}

TEST(MedImageInsight, BothTowersMeetInOneSpace) {
  const MedImageInsight model(Weights(TensorStore::initialised(1)), tiny());
  at::manual_seed(1);
  const nn::TraceSink sink;
  const auto images = model.embed_images(at::randn({2, 3, 64, 64}));
  const auto texts = model.embed_tokens({{98, 5, 99}, {98, 99}, {98, 7, 8, 99}});
  EXPECT_EQ(images.sizes(), (std::vector<int64_t>{2, 24}));
  EXPECT_EQ(texts.sizes(), (std::vector<int64_t>{3, 24}));
  for (const auto* name :
       {"input", "image_encoder.norms", "image_features", "lang_encoder.ln_final", "text_features"})
    EXPECT_TRUE(sink.tensors().contains(name)) << name;
  EXPECT_TRUE(sink.tensors().at("text_features").equal(texts));
}

TEST(MedImageInsight, ManyImagesRunInSeveralPasses) {
  const MedImageInsight model(Weights(TensorStore::initialised(1)), tiny());
  at::manual_seed(3);
  const auto x = at::randn({130, 3, 64, 64});  // a pass takes 127
  const auto whole = model.embed_images(x);    // with autograd: one pass
  const c10::NoGradGuard no_grad;
  const auto passes = model.embed_images(x);
  EXPECT_EQ(passes.sizes(), whole.sizes());
  EXPECT_GT(at::cosine_similarity(passes, whole).min().item<double>(), 1 - 1e-5);
  for (const int64_t i : {0, 126, 127, 129})
    EXPECT_LT((model.embed_images(x.narrow(0, i, 1))[0] - passes[i]).abs().max().item<double>(),
              1e-4)
        << i;
}

TEST(MedImageInsight, HalfPrecisionWeightsGiveFp32Vectors) {
  const auto full = TensorStore::initialised(1);
  const MedImageInsight exact(Weights(full), tiny());
  std::map<std::string, at::Tensor> halves;
  for (const auto& [name, tensor] : full->taken()) halves[name] = tensor.to(at::kBFloat16);
  const auto store = std::make_shared<TensorStore>("halves", std::move(halves));
  const MedImageInsight model(Weights(store), tiny());
  at::manual_seed(1);
  const auto x = at::randn({2, 3, 64, 64});
  const auto images = model.embed_images(x), texts = model.embed_tokens({{98, 5, 99}});
  EXPECT_EQ(images.scalar_type(), at::kFloat);
  EXPECT_EQ(texts.scalar_type(), at::kFloat);
  EXPECT_GT(at::cosine_similarity(images, exact.embed_images(x)).min().item<double>(), 0.98);
  EXPECT_GT(at::cosine_similarity(texts, exact.embed_tokens({{98, 5, 99}})).min().item<double>(),
            0.98);
}

TEST(L2Normalise, LengthOneAndZeroStaysZero) {
  const auto x = at::tensor({3.0, 4.0, 0.0, 0.0}).view({2, 2});
  EXPECT_TRUE(at::allclose(l2_normalise(x), at::tensor({0.6, 0.8, 0.0, 0.0}).view({2, 2})));
  EXPECT_EQ(l2_normalise(at::zeros({0, 4})).size(0), 0);
}

}  // namespace
