#include "text/bpe.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <set>

#include "base/error.h"
#include "text/clip_files.h"
#include "text/clip_tokenizer.h"
#include "text/clip_words.h"

namespace vesalius::text {
namespace {

const fs::path kMerges = fs::path(VESALIUS_SOURCE_DIR) / "catalog/clip/merges.txt";

class Folder : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("vesalius_text_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

using ClipFiles = Folder;
using ClipTokenizerFolder = Folder;

TEST(ByteLetters, EveryByteHasALetterOfItsOwn) {
  std::set<uint8_t> bytes;
  std::set<std::string> letters;
  for (const ByteLetter& entry : byte_letters()) {
    bytes.insert(entry.byte);
    letters.insert(entry.letter);
  }
  EXPECT_EQ(bytes.size(), 256U);
  EXPECT_EQ(letters.size(), 256U);
  EXPECT_EQ(byte_letters().front().letter, "!");
}

// A vocabulary of bytes and a few merges.
Bpe small_bpe(const Merges& merges) { return {vocabulary_of(merges), merges, "test"}; }

TEST(Bpe, LowRanksGoFirstAndLeftToRight) {
  const Merges merges = {{"a", "a"}, {"aa", "a</w>"}, {"b", "a"}};
  const Bpe bpe = small_bpe(merges);
  const Vocabulary vocabulary = vocabulary_of(merges);
  const auto encode = [&](const char* word) {
    std::vector<int32_t> ids;
    bpe.encode_word(word, ids);
    return ids;
  };
  EXPECT_EQ(encode("a"), (std::vector<int32_t>{vocabulary.at("a</w>")}));
  EXPECT_EQ(encode("aaa"), (std::vector<int32_t>{vocabulary.at("aaa</w>")}));
  EXPECT_EQ(encode("aaaa"), (std::vector<int32_t>{vocabulary.at("aa"), vocabulary.at("a"),
                                                  vocabulary.at("a</w>")}));
  EXPECT_EQ(encode("baab"), (std::vector<int32_t>{vocabulary.at("b"), vocabulary.at("aa"),
                                                  vocabulary.at("b</w>")}));
}

TEST(Bpe, AMergeOutsideTheVocabularyIsAModelError) {
  const Vocabulary vocabulary = vocabulary_of({{"a", "b"}});
  try {
    const Bpe bpe(vocabulary, {{"a", "c"}}, "somewhere");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel);
    EXPECT_NE(std::string(error.what()).find("somewhere"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("'ac'"), std::string::npos);
  }
}

TEST(ClipWords, CutsAsThePatternDoes) {
  struct Case {
    std::u32string text;
    std::vector<std::u32string_view> words;
  };
  const Case cases[] = {
      {U"", {}},
      {U"  ", {}},
      {U"x-ray 12", {U"x", U"-", U"ray", U"1", U"2"}},
      {U"it's", {U"it", U"'s"}},
      {U"'ſ", {U"'ſ"}},
      {U"''s", {U"''", U"s"}},
      {U"'lls", {U"'ll", U"s"}},
      {U"...a", {U"...", U"a"}},
      {U"<|endoftext|>a", {U"<|endoftext|>", U"a"}},
      {U"<|endoftext|", {U"<|", U"endoftext", U"|"}},
      {U"é日本", {U"é日本"}},
  };
  for (const Case& c : cases) EXPECT_EQ(clip_words(c.text), c.words);
}

TEST_F(ClipFiles, TheVocabularyFollowsFromTheMerges) {
  const Merges merges = read_merges(kMerges);
  EXPECT_EQ(merges.size(), 48894U);
  const Vocabulary vocabulary = vocabulary_of(merges);
  EXPECT_EQ(vocabulary.size(), 49408U);
  EXPECT_EQ(vocabulary.at(kBeginToken), 49406);
  EXPECT_EQ(vocabulary.at(kEndToken), 49407);
  const fs::path published = fs::path(VESALIUS_SOURCE_DIR) / "../shared/data/tokenizers/clip";
  if (!fs::exists(published)) GTEST_SKIP() << "../shared/data/tokenizers/clip is not there";
  EXPECT_EQ(vocabulary, read_vocabulary(published / "vocab.json"));
  EXPECT_EQ(merges, read_merges(published / "merges.txt"));
}

TEST_F(ClipFiles, WhatIsWrittenCanBeRead) {
  write_clip_tokenizer(folder_ / "tokenizer", kMerges);
  EXPECT_EQ(read_vocabulary(folder_ / "tokenizer/vocab.json"), vocabulary_of(read_merges(kMerges)));
  for (const char* name : {"special_tokens_map.json", "tokenizer_config.json"}) {
    EXPECT_GT(fs::file_size(folder_ / "tokenizer" / name), 100U) << name;
  }
  const auto tokenizer = ClipTokenizer::load(folder_ / "tokenizer");
  EXPECT_EQ(tokenizer.vocabulary(), 49408);
  EXPECT_EQ(
      tokenizer.encode("x-ray chest anteroposterior Pneumonia"),
      (std::vector<int32_t>{49406, 343, 268, 3077, 10563, 514, 20727, 22881, 2498, 42906, 49407}));
}

TEST_F(ClipTokenizerFolder, ContextCutsAndKeepsTheEnd) {
  write_clip_tokenizer(folder_, kMerges);
  const auto tokenizer = ClipTokenizer::load(folder_);
  EXPECT_EQ(tokenizer.encode(""), (std::vector<int32_t>{49406, 49407}));
  std::string text;
  for (int i = 0; i < 200; ++i) text += "lung ";
  const std::vector<int32_t> ids = tokenizer.encode(text);
  EXPECT_EQ(ids.size(), 77U);
  EXPECT_EQ(ids.back(), tokenizer.end());
  EXPECT_EQ(tokenizer.encode(text, 5).size(), 5U);
  EXPECT_EQ(tokenizer.encode(text, 2), (std::vector<int32_t>{49406, 49407}));
  EXPECT_THROW(tokenizer.encode(text, 1), Error);
}

// Texts made to be expensive: each must end in well under a second.
TEST_F(ClipTokenizerFolder, HostileTextsEndSoon) {
  write_clip_tokenizer(folder_, kMerges);
  const auto tokenizer = ClipTokenizer::load(folder_);
  std::string nested = "&";
  for (int i = 0; i < 100000; ++i) nested += "amp;";
  std::string mojibake;
  for (int i = 0; i < 100000; ++i) mojibake += "\xC3\x83\xC2\xA9";
  for (const std::string& text :
       {std::string(1 << 22, 'x'), nested, mojibake, std::string(1 << 20, '\xFF')}) {
    EXPECT_LE(tokenizer.encode(text).size(), 77U);
  }
}

struct BadFile {
  const char *name, *content;
};

TEST_F(ClipTokenizerFolder, FoldersThatDoNotFitAreModelErrors) {
  const BadFile cases[] = {
      {"merges.txt", "i n\n"},
      {"merges.txt", "#version: 0.2\nin\n"},
      {"merges.txt", "#version\na b c"},
      {"merges.txt", "#version\n\xC3 \xA9\n"},
      {"vocab.json", "[]"},
      {"vocab.json", "{}"},
      {"vocab.json", R"({"a": -1})"},
      {"vocab.json", R"({"a": 1, "b": 1})"},
      {"vocab.json", R"({"a": "x"})"},
      {"vocab.json", R"({"a": 0})"},
  };
  for (const BadFile& bad : cases) {
    write_clip_tokenizer(folder_, kMerges);
    write_file(folder_ / bad.name, bad.content);
    try {
      ClipTokenizer::load(folder_);
      ADD_FAILURE() << bad.content;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kModel) << error.what();
    }
  }
  fs::remove(folder_ / "vocab.json");
  EXPECT_THROW(ClipTokenizer::load(folder_), Error);
}

}  // namespace
}  // namespace vesalius::text
