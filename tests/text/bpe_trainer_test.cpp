#include "text/bpe_trainer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "text/tokenizer.h"

namespace vesalius::text {
namespace {

const std::vector<std::string> kLines{"the lungs are clear", "the lungs are clear.",
                                      "the heart is large, 12 cm", "caf\u00e9 the the"};

Tokenizer loaded(const Json& json) {
  const fs::path path =
      fs::temp_directory_path() / ("vesalius_trainer_" + std::to_string(::getpid()));
  write_file(path, dump_json(json));
  Tokenizer tokenizer = Tokenizer::load(path);
  fs::remove(path);
  return tokenizer;
}

std::vector<std::string> spelled(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::string> out;
  for (const int32_t id : tokenizer.encode(text)) out.emplace_back(tokenizer.token(id));
  return out;
}

TEST(TrainTokenizer, LearnsTheCommonestPairs) {
  const Json json = train_tokenizer(kLines, {.vocabulary_size = 400, .coverage = 1});
  const Tokenizer tokenizer = loaded(json);
  using Words = std::vector<std::string>;
  EXPECT_EQ(spelled(tokenizer, "the lungs"), (Words{"<s>", "\u2581the", "\u2581lungs"}));
  EXPECT_EQ(spelled(tokenizer, "clear."), (Words{"<s>", "\u2581clear", "."}));
  EXPECT_EQ(spelled(tokenizer, "12"), (Words{"<s>", "\u2581", "1", "2"}));
  for (const std::string& line : kLines) EXPECT_EQ(tokenizer.decode(tokenizer.encode(line)), line);
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("\u65e5 \n")), "\u65e5 \n");  // as bytes
}

TEST(TrainTokenizer, IsOfThePlannedSize) {
  for (const int32_t size : {280, 285, 290}) {
    const Tokenizer tokenizer =
        loaded(train_tokenizer(kLines, {.vocabulary_size = size, .added = {{"<x>"}}}));
    EXPECT_EQ(tokenizer.size(), size + 1);
    EXPECT_EQ(tokenizer.id_of("<x>"), size);
  }
  EXPECT_THROW(train_tokenizer(kLines, {.vocabulary_size = 259}), Error);
  // Nothing more occurs twice.
  EXPECT_LT(loaded(train_tokenizer(kLines, {.vocabulary_size = 9000})).size(), 400);
  EXPECT_EQ(loaded(train_tokenizer({}, {.vocabulary_size = 260})).size(), 260);
}

TEST(TrainTokenizer, RareCharactersStayBytes) {
  std::vector<std::string> lines(200, "the lungs are clear");
  lines.push_back("\u65e5");
  EXPECT_EQ(loaded(train_tokenizer(lines, {.vocabulary_size = 300})).id_of("\u65e5"), std::nullopt);
  const auto all = loaded(train_tokenizer(lines, {.vocabulary_size = 300, .coverage = 1}));
  EXPECT_TRUE(all.id_of("\u65e5").has_value());
}

TEST(PaddedTokenizer, MovesAddedTokensBehindTheFilling) {
  const std::vector<NewToken> added = maira2_added_tokens();
  ASSERT_EQ(added.size(), 207u);
  const Json json = train_tokenizer(kLines, {.vocabulary_size = 300, .added = added});
  const Tokenizer small = loaded(json), large = loaded(padded_tokenizer(json, 32000));
  EXPECT_EQ(large.size(), 32207);
  for (size_t i = 0; i < added.size(); ++i)
    EXPECT_EQ(large.id_of(added[i].content), 32000 + static_cast<int32_t>(i));
  EXPECT_EQ(large.id_of("<image>"), 32204);
  EXPECT_EQ(large.id_of("<y0>"), 32102);
  const std::string text = "the lungs<filler_0> <filler_31000>";
  EXPECT_EQ(large.encode(text), small.encode(text));
  EXPECT_EQ(large.decode(large.encode("<obj>clear<image>")), "<obj> clear");
  EXPECT_THROW(padded_tokenizer(json, 270), Error);
}

}  // namespace
}  // namespace vesalius::text
