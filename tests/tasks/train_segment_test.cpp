#include "tasks/train_segment.h"

#include <gtest/gtest.h>

#include "catalog/parse_open.h"
#include "catalog/segmentation_model.h"
#include "results_png.h"
#include "tasks/scratch.h"
#include "tasks/segment_step.h"

using namespace vesalius;
using namespace vesalius::tasks;
using vesalius::testing::Scratch;

namespace {

constexpr int kSide = 64;

/// A bright disc on grey noise, and its mask.
void draw(const fs::path& folder, int number) {
  const int x = 20 + 5 * number, y = 40 - 4 * number, radius = 9 + number;
  std::vector<uint8_t> image, mask;
  for (int row = 0; row < kSide; ++row)
    for (int column = 0; column < kSide; ++column) {
      const bool in = (column - x) * (column - x) + (row - y) * (row - y) < radius * radius;
      image.push_back(static_cast<uint8_t>((in ? 200 : 60) + (row * 7 + column * 13) % 24));
      mask.push_back(in ? 255 : 0);
    }
  write_grey_png(folder / ("image" + std::to_string(number) + ".png"), kSide, kSide, image);
  write_grey_png(folder / ("mask" + std::to_string(number) + ".png"), kSide, kSide, mask);
}

std::vector<OutlinedImage> discs(const fs::path& folder, int count) {
  std::vector<OutlinedImage> images;
  for (int i = 0; i < count; ++i) {
    draw(folder, i);
    const auto n = std::to_string(i);
    images.push_back({folder / ("image" + n + ".png"),
                      "picture",
                      {{"disc", folder / ("mask" + n + ".png")}, {"square", {}}}});
  }
  return images;
}

catalog::ParseArchitecture tiny(int version) {
  const models::TransformerConfig transformer{.dim = 32, .heads = 2, .feedforward = 32};
  catalog::ParseArchitecture architecture{.version = version, .image_size = kSide, .model = {}};
  auto& c = architecture.model;
  c.backbone.embed_dim = 8;
  c.backbone.depths = {1, 1, 1, 1};
  c.backbone.focal_levels = 2;
  c.pixel_decoder = {.transformer = transformer, .encoder_layers = 1, .groups = 8};
  c.text.width = 16;
  c.text.heads = 2;
  c.text.layers = 1;
  c.boltzformer = {.transformer = transformer, .queries = 4, .layers = 1};
  c.edge_queries = 1;
  c.output_channels = 4;
  c.seem = {.transformer = transformer, .queries = 6, .layers = 2};
  c.biomed = {.width = 8, .layers = 1, .vocabulary = 8};
  return architecture;
}

struct Scene {
  Scratch scratch;
  text::ClipTokenizer tokenizer = catalog::clip_tokenizer();
  SegmentTrainee trainee;
  SegmentTrainOptions options;

  explicit Scene(int version)
      : trainee{.architecture = tiny(version), .tensors = {}, .tokenizer = &tokenizer} {
    const auto store = TensorStore::initialised(3);
    catalog::make_parse_model(store, trainee.architecture);
    for (const auto& [name, tensor] : store->taken()) trainee.tensors[name] = tensor;
    options.epochs = 1;
    options.learning_rate = 3e-3;
    options.optimizer.smoothing = 0;
    options.optimizer.weight_decay = 0;
    options.sampling = {.batch = 4, .prompts = 2, .negatives = 0.3, .seed = 5};
    options.sampling.augmentation.on = false;
    options.freeze = {"token_embedding"};
    options.seed = 5;
    options.quiet = true;
  }

  TrainResult train(const std::vector<OutlinedImage>& images, const StopRequest& stop = {},
                    std::vector<Json>* lines = nullptr) const {
    return train_segment(
        trainee, images, images, options,
        [&](const Json& line) {
          if (lines != nullptr) lines->push_back(line);
        },
        stop);
  }
};

/// Either version of BiomedParse.
class TrainSegment : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Versions, TrainSegment, ::testing::Values(1, 2),
                         ::testing::PrintToStringParamName());

TEST_P(TrainSegment, FewImagesAreLearntByHeart) {
  Scene scene(GetParam());
  scene.options.epochs = 120;
  std::vector<Json> lines;
  const auto images = discs(scene.scratch.path(), 4);
  scene.train(images, {}, &lines);
  EXPECT_GT(lines.back().at("validation_dice").get<double>(), 0.93);
  EXPECT_GT(lines.back().at("existence_auroc").get<double>(), 0.95);
  const auto& disc = lines.back().at("targets").at("disc");
  EXPECT_GT(disc.at("nsd").get<double>(), 0.9);
  EXPECT_LT(disc.at("hd95").get<double>(), 3);
}

TEST_P(TrainSegment, TheDecoderAloneLeavesTheTowers) {
  Scene scene(GetParam());
  scene.options.part = TrainedPart::kDecoder;
  scene.options.freeze.clear();
  const auto result = scene.train(discs(scene.scratch.path(), 4));
  int moved = 0;
  for (const auto& [name, value] : result.weights) {
    const bool same = at::equal(value, scene.trainee.tensors.at(name));
    const bool tower = name.starts_with("backbone.") || name.starts_with("pixel_") ||
                       name.find("lang") != std::string::npos;
    EXPECT_TRUE(same || !tower) << name;
    moved += same ? 0 : 1;
  }
  EXPECT_GT(moved, 20);
}

TEST_P(TrainSegment, LowRankUpdatesEndInTheWeights) {
  Scene scene(GetParam());
  scene.options.part = TrainedPart::kLowRank;
  scene.options.rank = 2;
  scene.options.epochs = 3;
  scene.options.freeze.clear();
  const auto result = scene.train(discs(scene.scratch.path(), 4));
  EXPECT_EQ(result.weights.size(), scene.trainee.tensors.size());
  int moved = 0;
  for (const auto& [name, value] : result.weights) {
    const auto change = value - scene.trainee.tensors.at(name);
    if (change.abs().max().item<double>() == 0) continue;
    ++moved;
    ASSERT_EQ(change.dim(), 2) << name;
    const auto sizes = at::linalg_svdvals(change);
    const auto rest = sizes.slice(0, 2).sum() / sizes[0];
    EXPECT_LT(rest.item<double>(), 1e-3) << name;  // of rank two
  }
  EXPECT_GT(moved, 8);
}

TEST_P(TrainSegment, AResumedRunEndsInTheSameWeights) {
  Scene scene(GetParam());
  scene.options.epochs = 4;
  const auto images = discs(scene.scratch.path(), 4);
  const auto whole = scene.train(images);
  scene.options.state = scene.scratch / "state.safetensors";
  int asked = 0;
  EXPECT_FALSE(scene.train(images, [&] { return ++asked > 2; }).finished);
  scene.options.resume = true;
  const auto resumed = scene.train(images);
  ASSERT_TRUE(resumed.finished);
  for (const auto& [name, value] : whole.weights)
    EXPECT_TRUE(at::equal(value, resumed.weights.at(name))) << name;
}

TEST(TrainSegmentVersion1, WhatNoPassAsksForStays) {
  const Scene scene(1);
  const auto result = scene.train(discs(scene.scratch.path(), 4));
  int unused = 0, moved = 0;
  for (const auto& [name, value] : result.weights) {
    const bool same = at::equal(value, scene.trainee.tensors.at(name));
    if (models::BiomedParseV1::is_unused(name))
      unused += same ? 1 : 100;
    else
      moved += same ? 0 : 1;
  }
  EXPECT_EQ(unused, 30);  // BiomedBERT of one layer, and the strokes'
  EXPECT_GT(moved, 100);
}

TEST(TrainSegmentVersion1, APromptAskedTwiceCountsOnce) {
  const Scene scene(1);
  const auto model = catalog::make_parse_model(
      std::make_shared<TensorStore>("tiny", scene.trainee.tensors), scene.trainee.architecture);
  const auto mask = at::zeros({1, 1, kSide, kSide});
  mask.narrow(2, 0, 20).fill_(1);
  const OutlineBatch once{
      .pixels = at::full({1, 3, kSide, kSide}, 90.0), .masks = mask, .prompts = {"disc"}};
  const OutlineBatch twice{.pixels = once.pixels,
                           .masks = mask.expand({1, 2, kSide, kSide}),
                           .prompts = {"disc", "disc"}};
  const auto loss = [&](const OutlineBatch& batch) {
    return batch_loss(*model, scene.tokenizer, batch,
                      {.uniforms = catalog::generated_uniforms(3), .drop = {}}, /*bf16=*/false)
        .item<double>();
  };
  EXPECT_EQ(loss(once), loss(twice));
}

TEST(TrainSegmentFiles, ImagesThatCannotBeReadAreRefusedTogether) {
  Scene scene(2);
  write_file(scene.scratch / "broken.png", "no picture");
  EXPECT_THROW(scene.train({{scene.scratch / "broken.png", "", {{"disc", {}}}}}), Error);
}

}  // namespace
