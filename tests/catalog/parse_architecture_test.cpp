// Names and shapes of the published files, and what a card may say of other sizes.
#include "catalog/parse_architecture.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "catalog/catalog.h"
#include "catalog/scene.h"

namespace vesalius::catalog {
namespace {

const fs::path kNames = fs::path(VESALIUS_SOURCE_DIR) / "../shared/specs/names";

/// "name [shape] definition" of every tensor, sorted.
std::vector<std::string> ours(int version) {
  std::vector<std::string> lines;
  for (const auto& entry : tensor_list(published_architecture(version)))
    lines.push_back(fmt::format("{} {}{}", entry.name, dump_json(Json(entry.shape)),
                                entry.values.empty() ? "" : " definition"));
  std::ranges::sort(lines);
  return lines;
}

std::vector<std::string> listed(const Json& published) {
  std::vector<std::string> lines;
  for (const Json& tensor : published.at("tensors"))
    lines.push_back(fmt::format("{} {}{}", tensor.at("name").get<std::string>(),
                                dump_json(tensor.at("shape")),
                                tensor.at("fill") == "definition" ? " definition" : ""));
  std::ranges::sort(lines);
  return lines;
}

class Names : public testing::TestWithParam<int> {};

TEST_P(Names, AreThoseOfThePublishedFile) {
  const fs::path file = kNames / fmt::format("biomedparse-v{}.json", GetParam());
  if (!fs::exists(file)) GTEST_SKIP() << file << " is not on this machine";
  EXPECT_EQ(ours(GetParam()), listed(read_json(file)));
}

INSTANTIATE_TEST_SUITE_P(Published, Names, testing::Values(1, 2));

TEST(ParseArchitecture, HasThePublishedNumbersOfTensorsAndValues) {
  const std::pair<int64_t, int64_t> known[] = {{1131, 450'663'426}, {1050, 371'798'784}};
  for (const int version : {1, 2}) {
    int64_t values = 0;
    const auto entries = tensor_list(published_architecture(version));
    for (const auto& entry : entries) values += entry.count();
    EXPECT_EQ(std::ssize(entries), known[version - 1].first);
    EXPECT_EQ(values, known[version - 1].second);
  }
}

TEST(ParseArchitecture, TheCatalogsCardsSayThePublishedSizes) {
  ::setenv("VESALIUS_CATALOG", VESALIUS_SOURCE_DIR "/catalog", 1);
  const std::pair<const char*, int> cards[] = {
      {"biomedparse-v1", 1}, {"biomedparse-v2", 2}, {"medimageparse", 2}, {"medimageparse3d", 2}};
  for (const auto& [name, version] : cards) {
    const auto card = find_card(name);
    ASSERT_TRUE(card) << name;
    const auto& table = card->details.at("architecture");
    EXPECT_EQ(nlohmann::json(table),
              nlohmann::json(write_architecture(published_architecture(version))))
        << name;
    EXPECT_FALSE(card->licence.empty() || card->publisher.empty() || card->limits.empty());
    EXPECT_EQ(card->details.at("/files/weights/tensors"_json_pointer),
              tensor_list(published_architecture(version)).size());
  }
}

TEST(ParseArchitecture, ComesBackAsItWasWritten) {
  for (const int version : {1, 2})
    for (const auto& one : {published_architecture(version), tiny_architecture(version)}) {
      const Json table = write_architecture(one);
      EXPECT_EQ(write_architecture(read_architecture(table, version, "card")), table);
    }
}

TEST(ParseArchitecture, FollowsTheTable) {
  Json table = write_architecture(tiny_architecture(2));
  const auto before = tensor_list(read_architecture(table, 2, "card")).size();
  table["layers"] = table["layers"].get<int>() + 1;
  // Cross attention and self-attention six tensors each, feed-forward six; existence 6 + 6.
  EXPECT_EQ(tensor_list(read_architecture(table, 2, "card")).size(), before + 30);
  table["output_channels"] = 10;
  EXPECT_GT(tensor_list(read_architecture(table, 2, "card")).size(), before + 30);
}

TEST(ParseArchitecture, ImpossibleSizesAreRefusedWithTheirKey) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"embed_dim": 0})", "embed_dim = 0"},
      {R"({"embed_dim": -1})", "from 1 to"},
      {R"({"embed_dim": 9223372036854775807})", "embed_dim"},
      {R"({"embed_dim": "192"})", "embed_dim = \"192\""},
      {R"({"embed_dim": 1.5})", "embed_dim = 1.5"},
      {R"({"depths": [2, 2, 18]})", "4 numbers"},
      {R"({"depths": [2, 2, 18, 0]})", "depths = 0"},
      {R"({"depths": 4})", "depths = 4"},
      {R"({"dim": 100})", "dim = 100 is no multiple"},
      {R"({"heads": 7})", "7 heads"},
      {R"({"text_heads": 5})", "5 heads"},
      {R"({"image_size": 500})", "image_size = 500"},
      {R"({"edge_queries": 16})", "16 are for edges"},
      {R"({"biomed_width": 32})", "no 'biomed_width' in version 2"},
      {R"({"backbone": "FocalNet-L"})", "no 'backbone'"},
      {R"([1])", "it is no table"},
      {R"("large")", "it is no table"}};
  for (const auto& [table, says] : cases) {
    const auto text = refusal(ErrorCode::kModel,
                              [&] { read_architecture(Json::parse(table), 2, "x/card.toml"); });
    EXPECT_TRUE(mentions(text, says)) << text;
    EXPECT_TRUE(text.starts_with("x/card.toml: ")) << text;
  }
}

}  // namespace
}  // namespace vesalius::catalog
