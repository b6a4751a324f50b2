// What holds of every text, tried on many drawn ones.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>

#include "text/bpe.h"
#include "text/clip_files.h"
#include "text/clip_tokenizer.h"
#include "text/single_byte.h"
#include "text/text_cleanup.h"
#include "text/unicode.h"

namespace vesalius::text {
namespace {

const fs::path kMerges = fs::path(VESALIUS_SOURCE_DIR) / "catalog/clip/merges.txt";

/// Pieces that the clean-up has something to do with, beside plain words.
const std::vector<std::string>& pieces() {
  static const std::vector<std::string> all{
      "lung",       "X-ray",        " ",       "  ",     "\t",      "\r\n",   "\n",
      "&amp;",      "&lt;",         "&#x41;",  "&nGt;",  "&",       ";",      "<",
      "caf\u00e9",  "\u00c3\u00a9", "\xFF",    "\uff21", "\u3000",  "\ufb03", "\u2019",
      "\u2028",     "\u0130",       "e\u0301", "\x01",   "\x1B[1m", "\ufeff", "\u65e5\u672c",
      "\U0001f600", "1,5",          "\u00b5m", "\u00df"};
  return all;
}

std::string drawn(std::mt19937& random) {
  std::string text;
  for (auto count = random() % 12; count > 0; --count) text += pieces()[random() % pieces().size()];
  return text;
}

TEST(CleanText, LeavesSingleSpacesSmallLettersAndNothingUnseen) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = drawn(random);
    const std::u32string clean = clean_text(from_utf8(text));
    EXPECT_EQ(lower(clean), clean) << text;
    EXPECT_EQ(clean.find(U"  "), std::u32string::npos) << text;
    EXPECT_FALSE(clean.starts_with(U' ') || clean.ends_with(U' ')) << text;
    EXPECT_TRUE(std::ranges::none_of(clean, [](char32_t c) { return c < 0x20 || c == 0x7F; }))
        << text;
    EXPECT_LE(to_utf8(clean).size(), 3 * text.size()) << text;  // "\xFF" becomes three bytes
  }
}

TEST(FixText, WhatIsCleanStaysAsItIs) {
  std::mt19937 random(2);
  const std::vector<std::string> plain{
      "lung",   "opacity", " ",   ", ",     "\n", "caf\u00e9",  "5 mm\u00b2", "&",  "a < b",
      "\u65e5", "\u0436",  "(R)", "\u00df", "?",  "\U0001f600", "x;y",        "#1", "100 %"};
  for (int i = 0; i < 5'000; ++i) {
    std::string text;
    for (auto count = random() % 10; count > 0; --count) text += plain[random() % plain.size()];
    EXPECT_EQ(to_utf8(fix_text(from_utf8(text))), text);
  }
}

/// UTF-8 read as Windows 1252, as a careless program reads it.
std::u32string garbled(const std::u32string& text) {
  std::u32string out;
  for (const char byte : to_utf8(text))
    out.push_back(code_pages()[1].decoded[static_cast<uint8_t>(byte)]);
  return out;
}

TEST(FixText, UndoesWhatTheWrongCodePageDid) {
  const std::u32string words[] = {U"caf\u00e9",
                                  U"na\u00efve",
                                  U"\u00c4rztin",
                                  U"Se\u00f1or",
                                  U"\u0436\u0438\u0437\u043d\u044c",
                                  U"\u65e5\u672c\u8a9e",
                                  U"M\u00e9ni\u00e8re",
                                  U"\u03b1\u03b2\u03b3 ray"};
  for (const auto& word : words) {
    std::u32string text = word;
    for (int layer = 1; layer <= 2; ++layer) {
      text = garbled(text);
      ASSERT_NE(text, word);
      EXPECT_EQ(to_utf8(fix_text(text)), to_utf8(word)) << layer;
    }
  }
}

class Tokens : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder() = fs::temp_directory_path() / ("vesalius_properties_" + std::to_string(::getpid()));
    write_clip_tokenizer(folder(), kMerges);
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }
  static fs::path& folder() {
    static fs::path path;
    return path;
  }
};

/// The words that ids stand for, each with a space behind it; begin and end left out.
std::string spelled(const std::vector<int32_t>& ids) {
  static const auto letters_of = [] {
    std::map<int32_t, std::string> made;
    for (const auto& [letters, id] : vocabulary_of(read_merges(kMerges))) made[id] = letters;
    return made;
  }();
  static const auto byte_of = [] {
    std::map<char32_t, char> made;
    for (const auto& [byte, letter] : byte_letters())
      made[from_utf8(letter)[0]] = static_cast<char>(byte);
    return made;
  }();
  std::string text;
  for (size_t i = 1; i + 1 < ids.size(); ++i) {
    std::string letters = letters_of.at(ids[i]);
    const bool last = letters.ends_with(kEndOfWord);
    if (last) letters.resize(letters.size() - kEndOfWord.size());
    for (const char32_t letter : from_utf8(letters)) text += byte_of.at(letter);
    if (last) text += ' ';
  }
  return text;
}

std::string without_spaces(std::string text) {
  std::erase(text, ' ');
  return text;
}

TEST_F(Tokens, SpellTheCleanedTextAgain) {
  const auto tokenizer = ClipTokenizer::load(folder());
  std::mt19937 random(3);
  for (int i = 0; i < 2'000; ++i) {
    const std::string text = drawn(random);
    const auto ids = tokenizer.encode(text, 1000);
    EXPECT_EQ(ids.front(), tokenizer.begin());
    EXPECT_EQ(ids.back(), tokenizer.end());
    EXPECT_EQ(without_spaces(spelled(ids)), without_spaces(to_utf8(clean_text(from_utf8(text)))));
  }
}

TEST_F(Tokens, AShorterContextIsAPrefixAndAnEnd) {
  const auto tokenizer = ClipTokenizer::load(folder());
  std::mt19937 random(4);
  for (int i = 0; i < 300; ++i) {
    const std::string text = drawn(random) + " " + drawn(random);
    const auto whole = tokenizer.encode(text, 1000);
    for (const int context : {2, 3, 7, 77}) {
      auto expected = whole;
      if (expected.size() > static_cast<size_t>(context)) {
        expected.resize(static_cast<size_t>(context));
        expected.back() = tokenizer.end();
      }
      EXPECT_EQ(tokenizer.encode(text, context), expected) << text;
    }
  }
}

}  // namespace
}  // namespace vesalius::text
