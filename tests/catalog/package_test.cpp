// Folders and cards as people leave them.
#include "catalog/package.h"
#include "catalog/toml.h"

#include "scene.h"

namespace vesalius::catalog {
namespace {

class Packages : public Scene {
 protected:
  /// The parts of a package, without sense in them, in `layout` below `name`.
  fs::path hollow(const std::string& name, const std::string& layout) const {
    const fs::path at = root / name / layout;
    write_file(at / "config.yaml", "x: 1\n");
    write_file(at / "vision_model" / "m.pt", "weights");
    write_file(at / "language_model" / "clip_tokenizer" / "vocab.json", "{}");
    write_file(at / "language_model" / "clip_tokenizer" / "merges.txt", "");
    return root / name;
  }
};

TEST_F(Packages, EveryPublishedLayoutIsFound) {
  for (const std::string layout :
       {"", "artifacts/checkpoints", "2024.09.27", "artifacts/checkpoints/2024.09.27"}) {
    const auto folder = hollow("p", layout);
    EXPECT_TRUE(is_package(folder)) << layout;
    const auto package = find_package(folder);
    EXPECT_EQ(package.config, folder / layout / "config.yaml");
    EXPECT_EQ(package.weights, folder / layout / "vision_model" / "m.pt");
    EXPECT_EQ(package.tokenizer, folder / layout / "language_model" / "clip_tokenizer");
    EXPECT_TRUE(package.card.empty());
    fs::remove_all(folder);
  }
}

TEST_F(Packages, ATokenizerMayLieInTheFolderItself) {
  const auto folder = hollow("p", "");
  for (const char* name : {"vocab.json", "merges.txt"}) {
    fs::rename(folder / "language_model/clip_tokenizer" / name, folder / "language_model" / name);
  }
  EXPECT_EQ(find_package(folder).tokenizer, folder / "language_model");
}

TEST_F(Packages, WhatIsMissingIsSaidWithItsPlace) {
  struct Case {
    const char* removed;
    const char* says;
  };
  const Case cases[] = {{"config.yaml", "no config.yaml"},
                        {"vision_model", "holds 0 weights files"},
                        {"vision_model/m.pt", "holds 0 weights files"},
                        {"language_model", "has no tokenizer"},
                        {"language_model/clip_tokenizer/vocab.json", "has no tokenizer"},
                        {"language_model/clip_tokenizer/merges.txt", "has no tokenizer"}};
  for (const auto& c : cases) {
    const auto folder = hollow("p", "");
    fs::remove_all(folder / c.removed);
    const auto message = refusal(ErrorCode::kModel, [&] { find_package(folder); });
    EXPECT_TRUE(mentions(message, c.says)) << c.removed << ": " << message;
    EXPECT_TRUE(mentions(message, folder.string())) << message;
    fs::remove_all(folder);
  }
}

TEST_F(Packages, TwoWeightsFilesAreOneTooMany) {
  const auto folder = hollow("p", "2024.09.27");
  write_file(folder / "2024.09.27/vision_model/n.safetensors", "x");
  EXPECT_TRUE(
      mentions(refusal(ErrorCode::kModel, [&] { find_package(folder); }), "holds 2 weights files"));
  fs::remove(folder / "2024.09.27/vision_model/n.safetensors");
  write_file(folder / "2024.09.27/vision_model/README.md", "other files are none of ours");
  EXPECT_NO_THROW(find_package(folder));
}

TEST_F(Packages, WhatIsNoFolderIsRefused) {
  write_file(root / "file", "x");
  for (const auto& place : {root / "file", root / "nowhere", fs::path("")}) {
    const auto message = refusal(ErrorCode::kModel, [&] { find_package(place); });
    EXPECT_TRUE(mentions(message, "is no folder")) << message;
    EXPECT_TRUE(mentions(message, "models list")) << message;
    EXPECT_FALSE(is_package(place));
  }
  fs::create_directories(root / "p" / "config.yaml");  // a folder of that name is no config
  EXPECT_FALSE(is_package(root / "p"));
}

TEST_F(Packages, TheCardIsFoundBesideOrAbove) {
  const auto folder = hollow("p", "2024.09.27");
  write_file(folder / "card.toml", "name = \"mine\"\nseeded = true\n");
  for (const auto& place : {folder, folder / "2024.09.27"}) {
    const auto card = card_of_package(find_package(place));
    EXPECT_EQ(card.name, "mine") << place;
    EXPECT_TRUE(card.seeded) << place;
  }
  // Of an ordinary folder the one above is somebody else's.
  const auto other = hollow("q/inner", "");
  write_file(root / "q" / "card.toml", "name = \"not this one\"\n");
  EXPECT_EQ(card_of_package(find_package(other)).name, "inner");
}

TEST_F(Packages, ABareFolderIsDescribedByWhatItIs) {
  const auto card = card_of_package(find_package(hollow("my-model", "")));
  EXPECT_EQ(card.name, "my-model");
  EXPECT_EQ(card.family, "medimageinsight");
  EXPECT_EQ(card.recipe, "vesalius");
  EXPECT_FALSE(card.seeded);
  EXPECT_FALSE(card.starter);
}

TEST(CardToml, ComesBackAsItWasWritten) {
  const Json cards[] = {
      Json::object(),
      {{"name", "a"}, {"seeded", true}, {"steps", 12}, {"score", 0.5}},
      {{"text", "quotes \" and \\ and 'single'\nand lines\ttabs"}, {"unicode", "Zürich 像"}},
      {{"odd key", 1}, {"a.b", 2}, {"", 3}},
      {{"training", {{"program", "vesalius"}, {"seed", -3}, {"deeper", {{"x", "y"}}}}}},
      {{"list", {"a", "b"}}, {"empty", Json::array()}, {"shares", {0.25, 0.75}}},
  };
  for (const auto& card : cards) {
    const auto text = card_toml(card);
    // toml++ sorts its keys; so does nlohmann::json.
    EXPECT_EQ(nlohmann::json(parse_toml(text, "card")), nlohmann::json(card)) << text;
  }
}

TEST(CardToml, ListsKeepTheTypesOfWhatIsInThem) {
  const std::pair<Json, const char*> cases[] = {
      {{1, 2, 3}, "[1,2,3]"},
      {{-9007199254740993, 9223372036854775807}, "[-9007199254740993,9223372036854775807]"},
      {{1.0, 2.5}, "[1.0,2.5]"},
      {{true, false}, "[true,false]"},
      {{"1", "true"}, R"(["1","true"])"},
      {{"a", 1, 0.5, true}, R"(["a",1,0.5,true])"},
  };
  for (const auto& [list, text] : cases) {
    const Json again = parse_toml(card_toml({{"list", list}}), "card");
    EXPECT_EQ(again["list"].dump(), text);
    const Json deeper = parse_toml(card_toml({{"made", {{"list", list}}}}), "card");
    EXPECT_EQ(deeper["made"]["list"].dump(), text);
  }
}

TEST(CardToml, ListsKeepListsAndTables) {
  const char* lists[] = {
      "[[1,2],[],[[0.5]]]",
      R"([{"file":"a","sizes":[1,2]},{"file":"b","made":{"by":"c"}}])",
      R"([1,{"x":true},["y",{}]])",
  };
  for (const char* text : lists) {
    const auto list = nlohmann::json::parse(text);
    const auto card =
        card_toml({{"list", Json::parse(text)}, {"t", {{"list", Json::parse(text)}}}});
    const nlohmann::json again = parse_toml(card, "card");
    EXPECT_EQ(again["list"], list) << card;
    EXPECT_EQ(again["t"]["list"], list) << card;
  }
}

TEST(CardToml, WhatTomlHasNoWordForIsRefusedWithItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"a": [1, null]})", "card.a[]: "},
      {R"({"made": {"with": [{"x": [null]}]}})", "card.made.with[].x[]: "},
      {R"({"n": 9223372036854775808})", "card.n: "},
      {R"({"n": 18446744073709551615})", "cannot hold 18446744073709551615"},
  };
  for (const auto& [card, says] : cases) {
    const auto message = refusal(ErrorCode::kModel, [&] { card_toml(Json::parse(card)); });
    EXPECT_TRUE(mentions(message, says)) << message;
  }
  EXPECT_EQ(parse_toml(card_toml(Json::parse(R"({"a": null, "b": {"c": null, "d": 1}})")), "card"),
            Json::parse(R"({"b": {"d": 1}})"));
}

TEST(CardToml, DatesAreTextAndTypesAreKept) {
  const auto card = parse_toml(
      "date = 2024-09-27\ntime = 2024-09-27T10:00:00Z\nwhole = 3\nreal = 3.0\nflag = false\n"
      "hex = 0x10\nmulti = \"\"\"\na\nb\"\"\"\n",
      "card");
  EXPECT_EQ(card["date"], "2024-09-27");
  EXPECT_TRUE(card["time"].get<std::string>().starts_with("2024-09-27"));
  EXPECT_TRUE(card["whole"].is_number_integer());
  EXPECT_TRUE(card["real"].is_number_float());
  EXPECT_EQ(card["flag"], false);
  EXPECT_EQ(card["hex"], 16);
  EXPECT_EQ(card["multi"], "a\nb");
}

TEST(CardToml, BrokenAndHostileCardsAreNamed) {
  std::string dots = "a";
  for (int i = 0; i < 5000; ++i) dots += ".a";
  std::string nested;
  for (int i = 0; i < 5000; ++i) nested += "[";
  const std::pair<std::string, const char*> cases[] = {
      {"name = ", "line 1"},
      {"name = \"open", "not a valid card"},
      {"a = 1\na = 2", "line 2"},
      {"[t]\nx = 1\n[t]\nx = 2", "not a valid card"},
      {"a = 99999999999999999999", "not a valid card"},
      {"a = \"\xFF\"", "not a valid card"},
      {dots + " = 1", "more than 100 dots"},
      {"a = " + nested, "not a valid card"},
      {"just words", "not a valid card"},
      {"[= true]", "not a valid card"},
      {"a = 19\u027E", "not a valid card"},
      {"a = 1\u00B5m", "not a valid card"},
  };
  for (const auto& [text, says] : cases) {
    const auto message = refusal(ErrorCode::kModel, [&] { parse_toml(text, "x/card.toml"); });
    EXPECT_TRUE(message.starts_with("x/card.toml: ")) << message.substr(0, 100);
    EXPECT_TRUE(mentions(message, says)) << text.substr(0, 30) << ": " << message.substr(0, 200);
  }
}

}  // namespace
}  // namespace vesalius::catalog
