#include "catalog/random.h"

#include "catalog/open.h"
#include "catalog/scene.h"
#include "checkpoint/safetensors_header.h"

namespace vesalius::catalog {
namespace {

TEST(TensorList, IsThePublishedFileToTheByte) {
  auto entries = tensor_list(seeded_config("full"));
  int64_t values = 0;
  for (const TensorEntry& entry : entries) values += entry.count();
  EXPECT_EQ(entries.size(), 601U);
  EXPECT_EQ(values, 615'996'417);
  const std::string header = make_safetensors_header(entries);
  EXPECT_EQ(header.size(), 8U + 75'024U);
  EXPECT_EQ(header.size() + 4 * static_cast<size_t>(values), 2'464'060'700U);
}

TEST(TensorList, FollowsTheConfig) {
  auto config = seeded_config("tiny");
  const auto count = tensor_list(config).size();
  ++config.text.layers;
  EXPECT_EQ(tensor_list(config).size(), count + 12);
  ++config.image.depths[2];
  EXPECT_EQ(tensor_list(config).size(), count + 12 + 32);
}

TEST(SeededConfig, KnowsTwoSizes) {
  EXPECT_EQ(seeded_config("full").image.dims.back(), 2048);
  EXPECT_LT(seeded_work("tiny"), 60'000'000);
  for (const char* size : {"", "Full", "huge"})
    EXPECT_TRUE(mentions(refusal(ErrorCode::kUsage, [&] { seeded_config(size); }), "tiny"));
}

class Random : public Scene {};

TEST_F(Random, WritesAPackageThatOpensAndSaysItIsSeeded) {
  int64_t told = 0;
  const auto made =
      write_seeded_package("medimageinsight", "tiny", {.seed = 7, .gains = {{"dw.weight", 0.125F}}},
                           tiny, [&](int64_t bytes) { told += bytes; });
  EXPECT_EQ(told, seeded_work("tiny"));
  EXPECT_EQ(made.bytes, fs::file_size(made.weights));
  const auto opened = open_package(tiny);
  EXPECT_EQ(opened.store->taken().size(), made.tensors);
  const Json& card = opened.package.card;
  EXPECT_EQ(card.at("seeded"), true);
  EXPECT_EQ(card.at("seed"), "7");
  EXPECT_EQ(card.at("gains"), Json::array({"dw.weight=0.125"}));
  EXPECT_EQ(card.at("weights_sha256"), made.sha256);
}

TEST_F(Random, TheSameSeedGivesTheSameFile) {
  const auto first = make_tiny().sha256;
  EXPECT_EQ(make_tiny().sha256, first);  // over a seeded package it may write
  EXPECT_NE(make_tiny(8).sha256, first);
}

TEST_F(Random, NeverWritesOverOtherFiles) {
  write_file(tiny / "thesis.txt", "years of work");
  const auto text = refusal(ErrorCode::kUsage, [&] { make_tiny(); });
  EXPECT_TRUE(mentions(text, tiny.string())) << text;
  EXPECT_EQ(read_text(tiny / "thesis.txt"), "years of work");
}

TEST_F(Random, KnowsOnlyPublishedArchitectures) {
  for (const char* name : {"", "medimageinsigt", "starter-insight"})
    refusal(ErrorCode::kUsage, [&] { write_seeded_package(name, "tiny", {}, tiny); });
  EXPECT_FALSE(fs::exists(tiny));
}

}  // namespace
}  // namespace vesalius::catalog
