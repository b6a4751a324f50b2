// Tokenizers small enough to follow by hand, and files that are refused. tokenizer_test.py compares
// with the reference library.
#include "text/tokenizer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <numeric>

#include "base/json.h"

namespace vesalius::text {
namespace {

using Ids = std::vector<int32_t>;

/// SentencePiece-style: unknown 0, begin 1, end 2, ▁ 3, a 4, b 5, ▁a 6, ab 7, ▁ab 8, bytes of é.
Json small() {
  return parse_json(R"({
    "version": "1.0",
    "added_tokens": [
      {"id": 0, "content": "<unk>", "special": true}, {"id": 1, "content": "<s>", "special": true},
      {"id": 2, "content": "</s>", "special": true},
      {"id": 11, "content": "<obj>", "normalized": false},
      {"id": 12, "content": "<image>", "special": true}],
    "normalizer": {"type": "Sequence", "normalizers": [
      {"type": "Prepend", "prepend": "▁"},
      {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
    "pre_tokenizer": null,
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                 {"Sequence": {"id": "A", "type_id": 0}}],
      "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
    "decoder": {"type": "Sequence", "decoders": [
      {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
      {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
    "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
      "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "▁": 3, "a": 4, "b": 5, "▁a": 6, "ab": 7, "▁ab": 8,
                "<0xC3>": 9, "<0xA9>": 10},
      "merges": ["a b", ["▁", "ab"], "▁ a"]}})",
                    "test");
}

class TokenizerFile : public testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::temp_directory_path() / ("vesalius_tokenizer_" + std::to_string(::getpid()));
  }
  void TearDown() override { fs::remove(path_); }

  Tokenizer load(const Json& json) { return load(dump_json(json)); }
  Tokenizer load(const std::string& text) {
    write_file(path_, text);
    return Tokenizer::load(path_);
  }
  std::string refusal(const Json& json) {
    try {
      load(json);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kModel);
      return error.what();
    }
    return "";
  }

  fs::path path_;
};

TEST_F(TokenizerFile, Encodes) {
  const Tokenizer tokenizer = load(small());
  EXPECT_EQ(tokenizer.encode("ab a"), (Ids{1, 8, 6}));
  EXPECT_EQ(tokenizer.encode("ab a", {.special = false}), (Ids{8, 6}));
  EXPECT_EQ(tokenizer.encode(""), Ids{1});
  EXPECT_EQ(tokenizer.encode("b\u00e9"), (Ids{1, 3, 5, 9, 10}));
  EXPECT_EQ(tokenizer.encode("xyz"), (Ids{1, 3, 0}));
  EXPECT_EQ(tokenizer.encode("<obj>a<image> a"), (Ids{1, 11, 6, 12, 3, 6}));
  EXPECT_EQ(tokenizer.encode("</s>"), (Ids{1, 2}));
}

TEST_F(TokenizerFile, Decodes) {
  const Tokenizer tokenizer = load(small());
  EXPECT_EQ(tokenizer.decode(Ids{1, 8, 6}), "ab a");
  EXPECT_EQ(tokenizer.decode(Ids{11, 6, 9, 10, 12}), "<obj> a\u00e9");
  EXPECT_EQ(tokenizer.decode(Ids{12, 5}, false), "<image>b");
  EXPECT_EQ(tokenizer.decode(Ids{9, 5}), "\uFFFDb");
  EXPECT_EQ(tokenizer.decode(Ids{}), "");
  EXPECT_THROW(tokenizer.decode(Ids{13}), Error);
  EXPECT_THROW(tokenizer.decode(Ids{-1}), Error);
}

TEST_F(TokenizerFile, NamesItsTokens) {
  const Tokenizer tokenizer = load(small());
  EXPECT_EQ(tokenizer.size(), 13);
  EXPECT_EQ(tokenizer.id_of("<image>"), 12);
  EXPECT_EQ(tokenizer.id_of("\u2581ab"), 8);
  EXPECT_EQ(tokenizer.id_of("none"), std::nullopt);
  EXPECT_EQ(tokenizer.token(12), "<image>");
  EXPECT_EQ(tokenizer.token(13), "");
  EXPECT_EQ(tokenizer.token(-5), "");
}

TEST_F(TokenizerFile, UsersWordsAreNeverControlTokens) {
  const Tokenizer tokenizer = load(small());
  const std::string text = "a<image>b<image>";
  const Ids told = tokenizer.encode(text, {.plain = {{1, 8}}});
  EXPECT_EQ(std::ranges::count(told, 12), 1);
  // One byte of the user's is enough, and what reaches past the end is harmless.
  for (size_t at = 1; at < 8; ++at)
    EXPECT_EQ(std::ranges::count(tokenizer.encode(text, {.plain = {{at, at + 1}}}), 12), 1) << at;
  EXPECT_EQ(std::ranges::count(tokenizer.encode(text, {.plain = {{0, 999}, {9, 2}}}), 12), 0);
  EXPECT_EQ(tokenizer.encode(text, {.plain = {{0, 1}, {8, 9}}}), tokenizer.encode(text));
}

TEST_F(TokenizerFile, UsersWordsAreNoNormalisedTokensEither) {
  Json json = small();
  json["normalizer"] = {{"type", "Lowercase"}};
  json["added_tokens"][3] = {{"id", 11}, {"content", "AB"}, {"normalized", true}};
  const Tokenizer tokenizer = load(json);
  EXPECT_EQ(tokenizer.encode("aBAb", {.special = false}), (Ids{11, 11}));
  EXPECT_EQ(tokenizer.encode("aBAb", {.special = false, .plain = {{0, 1}}}), (Ids{7, 11}));
}

TEST_F(TokenizerFile, AShorterTokenOfTheProgrammersIsStillFound) {
  Json json = small();
  json["added_tokens"].push_back({{"id", 13}, {"content", "<obj>a"}, {"normalized", false}});
  const Tokenizer tokenizer = load(json);
  EXPECT_EQ(tokenizer.encode("<obj>a"), (Ids{1, 13}));
  EXPECT_EQ(tokenizer.encode("<obj>a", {.plain = {{5, 6}}}), (Ids{1, 11, 6}));
}

TEST_F(TokenizerFile, MegabytesTakeMoments) {
  Json json = small();
  json["added_tokens"].push_back(
      {{"id", 13}, {"content", "\n"}, {"normalized", false}, {"lstrip", true}, {"rstrip", true}});
  const Tokenizer tokenizer = load(json);
  const auto begin = std::chrono::steady_clock::now();
  for (const char* piece :
       {"a", "ab", "ab ", " ", "<", "<obj>", "<obj", "\u00e9", "x", "\n", "\n "}) {
    std::string text;
    while (text.size() < 1'000'000) text += piece;
    const Ids ids = tokenizer.encode(text);
    EXPECT_GT(ids.size(), 1u);
    EXPECT_FALSE(tokenizer.decode(ids, false).empty());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

struct Refused {
  const char* pointer;  // where something else is put
  const char* json;
  const char* named;  // in the error
};

TEST_F(TokenizerFile, RefusesWhatItDoesNotUnderstand) {
  const Refused cases[] = {
      {"/normalizer", R"({"type": "BertNormalizer"})",
       "normalizer is of the type 'BertNormalizer'"},
      {"/normalizer", R"({"type": "Sequence", "normalizers": [{"type": "Nmt"}]})", "[0]"},
      {"/normalizer", R"({"type": "Prepend"})", "normalizer.prepend"},
      {"/normalizer", R"([])", "normalizer is not an object"},
      {"/pre_tokenizer", R"({"type": "Whitespace"})", "'Whitespace'"},
      {"/pre_tokenizer", R"({"type": "Metaspace", "replacement": "ab"})", "one character"},
      {"/pre_tokenizer",
       R"({"type": "Metaspace", "replacement": "_", "prepend_scheme": "sometimes"})", "sometimes"},
      {"/pre_tokenizer",
       R"({"type": "Metaspace", "replacement": "_", "prepend_scheme": "first",
           "add_prefix_space": false})",
       "contradicts"},
      {"/pre_tokenizer", R"({"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated"})",
       "regular expression"},
      {"/pre_tokenizer",
       R"({"type": "Split", "pattern": {"Regex": "\\w+"}, "behavior": "Isolated"})", "\\w"},
      {"/pre_tokenizer",
       R"({"type": "Split", "pattern": {"Regex": "(?m)a"}, "behavior": "Isolated"})", "(?m)"},
      {"/pre_tokenizer", R"({"type": "Split", "pattern": {"Regex": "a"}, "behavior": "Cut"})",
       "'Cut'"},
      {"/post_processor", R"({"type": "BertProcessing"})", "'BertProcessing'"},
      {"/post_processor", R"({"type": "TemplateProcessing", "single": []})", "single"},
      {"/post_processor/special_tokens", R"({})", "<s>"},
      {"/post_processor/special_tokens/<s>/ids", R"([77])", "77"},
      {"/decoder", R"({"type": "WordPiece"})", "'WordPiece'"},
      {"/decoder", R"({"type": "Strip", "content": " ", "start": -1, "stop": 0})", "start"},
      {"/model/type", R"("Unigram")", "model.type"},
      {"/model/dropout", "0.1", "dropout"},
      {"/model/end_of_word_suffix", R"("</w>")", "end_of_word_suffix"},
      {"/model/continuing_subword_prefix", R"("##")", "continuing_subword_prefix"},
      {"/model/vocab", "[]", "vocab"},
      {"/model/vocab/a", "-4", "whole number"},
      {"/model/vocab/a", "99999999", "whole number"},
      {"/model/vocab/a", "5", "5 twice"},
      {"/model/merges", R"(["a c"])", "'c'"},
      {"/model/merges", R"(["a b a"])", "two tokens"},
      {"/model/merges", R"([["a", "b", "a"]])", "two tokens"},
      {"/model/merges", R"([7])", "7"},
      {"/added_tokens/3/id", "14", "14"},
      {"/added_tokens/3/content", R"("")", "0 bytes"},
      {"/added_tokens/3/content", R"("<image>")", "second time"},
      {"/added_tokens", "{}", "not a list"},
  };
  for (const Refused& each : cases) {
    Json json = small();
    json[Json::json_pointer(each.pointer)] = parse_json(each.json, "test");
    const std::string error = refusal(json);
    EXPECT_NE(error.find(each.named), std::string::npos) << each.json << "\n" << error;
    EXPECT_NE(error.find(path_.string()), std::string::npos) << error;
  }
  EXPECT_THROW(load(std::string("{")), Error);
  EXPECT_THROW(load(std::string("[]")), Error);
  EXPECT_THROW(Tokenizer::load("/nowhere/tokenizer.json"), Error);
}

TEST_F(TokenizerFile, AnUnknownTokenThatIsNotThereIsToldWhenItIsNeeded) {
  Json json = small();
  json["model"]["unk_token"] = "[UNK]";
  const Tokenizer tokenizer = load(json);
  EXPECT_EQ(tokenizer.encode("ab"), (Ids{1, 8}));
  EXPECT_THROW(tokenizer.encode("xyz"), Error);
}

TEST_F(TokenizerFile, StepsThatInflateTextsAreStopped) {
  Json json = small();
  Json steps = Json::array();
  for (int i = 0; i < 60; ++i)
    steps.push_back({{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aaaaaaaa"}});
  json["normalizer"]["normalizers"] = steps;
  EXPECT_THROW(load(json).encode("a"), Error);
  json["normalizer"] = nullptr;
  json["decoder"]["decoders"] = steps;
  EXPECT_THROW(load(json).decode(Ids{4}), Error);
}

TEST_F(TokenizerFile, ExpressionsThatNeverEndAreStopped) {
  Json json = small();
  json["pre_tokenizer"] = {{"type", "Split"},
                           {"pattern", {{"Regex", "(?:a+)+(?:a+)+(?:a+)+b"}}},
                           {"behavior", "Isolated"}};
  EXPECT_THROW(load(json).encode(std::string(400, 'a')), Error);
}

}  // namespace
}  // namespace vesalius::text
