#include "models/maira2.h"

#include <gtest/gtest.h>

#include <set>

using namespace vesalius;
using namespace vesalius::models;

namespace {

Maira2Config tiny() {
  Maira2Config c;
  c.vision = {.image_size = 28, .patch_size = 14, .hidden = 16, .layers = 2, .heads = 2};
  c.projector = {.in = 16, .out = 32, .layers = 2};
  c.text = {.vocabulary = 50,
            .hidden = 32,
            .intermediate = 48,
            .layers = 1,
            .heads = 4,
            .kv_heads = 4,
            .head_dim = 8,
            .rope = {}};
  c.image_token = 40;
  return c;
}

Maira2 model(const Maira2Config& c = tiny()) { return {Weights(TensorStore::initialised(1)), c}; }

/// Words with so many tokens of images among them.
std::vector<int32_t> ids_with(int64_t images) {
  std::vector<int32_t> ids{1, 5};
  for (int64_t i = 0; i < images; ++i) {
    ids.insert(ids.end(), 4, 40);
    ids.push_back(static_cast<int32_t>(6 + i));
  }
  return ids;
}

template <class Work>
Error error_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::kFailed, "nothing was thrown"};
}

TEST(Maira2, NamesAreThePublishedOnes) {
  const auto store = TensorStore::recording();
  const Maira2 made(Weights(store), {});  // MAIRA-2's own sizes
  EXPECT_EQ(store->taken().size(), 223U + 8U + 291U);
  int64_t count = 0;
  for (const auto& [name, tensor] : store->taken()) count += tensor.numel();
  EXPECT_EQ(count, 6'880'185'600);  // of the fact sheet
  for (const auto* name :
       {"vision_tower.embeddings.mask_token", "vision_tower.encoder.layer.11.layer_scale2.lambda1",
        "multi_modal_projector.layers.6.bias", "language_model.lm_head.weight",
        "language_model.model.layers.31.self_attn.o_proj.weight"})
    EXPECT_TRUE(store->has(name)) << name;
}

TEST(Maira2, CxrReportGenIsTheSameInOtherSizes) {
  Maira2Config c;
  c.projector.out = c.text.hidden = 3072;
  c.text.vocabulary = 32218;
  c.text.intermediate = 8192;
  c.text.head_dim = 96;
  c.text.fused = true;
  const auto store = TensorStore::recording();
  const Maira2 made(Weights(store), c);
  int64_t count = 0;
  for (const auto& [name, tensor] : store->taken()) count += tensor.numel();
  EXPECT_EQ(count, 3'939'289'344);
  EXPECT_TRUE(store->has("language_model.model.layers.0.self_attn.qkv_proj.weight"));
  EXPECT_TRUE(store->has("language_model.model.layers.0.mlp.gate_up_proj.weight"));
}

TEST(Maira2, ImageRowsStandWhereTheirTokensAre) {
  const auto m = model();
  const auto features = at::randn({2, 4, 32});
  const auto ids = ids_with(2);
  const auto x = m.embeds(ids, features);
  EXPECT_TRUE(at::equal(x.narrow(0, 2, 4), features[0]));
  EXPECT_TRUE(at::equal(x.narrow(0, 7, 4), features[1]));
  EXPECT_TRUE(at::equal(x[6], m.language_model.embed_tokens[6]));
  EXPECT_TRUE(at::equal(x[11], m.language_model.embed_tokens[7]));
}

TEST(Maira2, AWrongNumberOfImagesIsRefusedWithTheNumbers) {
  const auto m = model();
  for (const int64_t images : {0, 1, 3}) {
    const auto error = error_of([&] { m.embeds(ids_with(2), at::randn({images, 4, 32})); });
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_NE(std::string(error.what()).find("room for 8 image tokens"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find(fmt::format("give {}", 4 * images)), std::string::npos)
        << error.what();
  }
}

TEST(Maira2, PixelsOfAnotherSizeAreRefused) {
  const auto m = model();
  EXPECT_EQ(m.features(at::randn({3, 3, 28, 28})).sizes(), (std::vector<int64_t>{3, 4, 32}));
  for (const auto& shape : {std::vector<int64_t>{1, 3, 28, 42}, {1, 1, 28, 28}, {3, 28, 28}})
    EXPECT_EQ(error_of([&] { m.features(at::randn(shape)); }).code(), ErrorCode::kUnsupported);
}

TEST(Maira2, ALayerThatThereIsNotIsRefused) {
  for (const int64_t tap : {3, -4}) {
    auto c = tiny();
    c.vision.tap = tap;
    EXPECT_EQ(error_of([&] { model(c); }).code(), ErrorCode::kModel) << tap;
  }
}

TEST(Maira2, PartsThatDoNotFitTogetherAreRefused) {
  auto c = tiny();
  c.projector.out = 16;
  EXPECT_EQ(error_of([&] { model(c); }).code(), ErrorCode::kModel);
}

TEST(Maira2, KeysTellImagesAndPlacesApart) {
  const auto m = model();
  const auto features = at::randn({2, 4, 32});
  const std::vector<uint64_t> hashes{11, 12}, other{11, 13};
  const auto a = m.prompt(ids_with(2), features, hashes);
  const auto b = m.prompt(ids_with(2), features, other);
  ASSERT_EQ(a.keys.size(), a.ids.size());
  EXPECT_EQ(a.keys[1], 5U);
  EXPECT_TRUE(std::equal(a.keys.begin(), a.keys.begin() + 7, b.keys.begin()));
  for (size_t i = 7; i < 11; ++i) EXPECT_NE(a.keys[i], b.keys[i]);
  EXPECT_EQ(a.keys[11], b.keys[11]);
  EXPECT_EQ(std::set(a.keys.begin(), a.keys.end()).size(), a.keys.size());  // no two alike here
  EXPECT_EQ(error_of([&] {
              m.prompt(ids_with(2), features, {hashes.data(), 1});
            }).code(),
            ErrorCode::kUsage);
}

}  // namespace
