#include "tasks/pairs.h"

#include <gtest/gtest.h>

#include <fstream>

namespace vesalius::tasks {
namespace {

class Pairs : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("vesalius-pairs-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name) << content;
    return folder_ / name;
  }
  fs::path folder_;
};

TEST_F(Pairs, ManifestWithOneOrSeveralTexts) {
  const auto one = read_pairs(write("a.csv", "path,text\nx.png,chest film\n/y.png,\"a, b\"\n"));
  ASSERT_EQ(one.pairs.size(), 2U);
  EXPECT_EQ(one.pairs[0].path, (folder_ / "x.png").string());
  EXPECT_EQ(one.pairs[1].path, "/y.png");
  EXPECT_EQ(one.pairs[1].texts, std::vector<std::string>{"a, b"});
  const auto many =
      read_pairs(write("b.csv", "path,texts\nx.png,x-ray|x-ray chest||x-ray chest pneumonia\n"));
  EXPECT_EQ(many.pairs[0].texts,
            (std::vector<std::string>{"x-ray", "x-ray chest", "x-ray chest pneumonia"}));
}

TEST_F(Pairs, FaultyManifestsAreNamedWithTheirRow) {
  for (const char* content :
       {"path,text\nx.png,\n", "path,text\n,words\n", "path\nx.png\n", "path,text\n"}) {
    const auto file = write("bad.csv", content);
    try {
      read_pairs(file);
      FAIL() << content;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
      EXPECT_NE(std::string(error.what()).find("bad.csv"), std::string::npos) << error.what();
    }
  }
}

// "aGVsbG8=" is base64 of "hello".
TEST_F(Pairs, PublishedTsv) {
  const auto set = read_pair_tsv(write("i.tsv", "a\taGVsbG8=\r\nb\taGVsbG8=\n"),
                                 write("t.tsv",
                                       "a\t{\"class_id\": 1, \"class_name\": \"polyp\"}\n"
                                       "b\t{\"caption\": \"two\\twords\"}\n"));
  ASSERT_EQ(set.pairs.size(), 2U);
  EXPECT_EQ(set.pairs[0].path, "a");
  EXPECT_EQ(set.pairs[0].texts, std::vector<std::string>{"polyp"});
  EXPECT_EQ(set.pairs[1].texts, std::vector<std::string>{"two\twords"});
  EXPECT_THROW(load_pair(set.pairs[0], recipes::make_recipe("vesalius"), 8),
               Error);  // "hello" is no image
}

TEST_F(Pairs, FaultyTsv) {
  const auto good = write("i.tsv", "a\taGVsbG8=\n");
  EXPECT_THROW(read_pair_tsv(good, write("t.tsv", "")), Error);
  EXPECT_THROW(read_pair_tsv(good, write("t.tsv", "b\t{\"caption\": \"x\"}\n")), Error);
  EXPECT_THROW(read_pair_tsv(good, write("t.tsv", "a\t{\"nothing\": 1}\n")), Error);
  EXPECT_THROW(read_pair_tsv(good, write("t.tsv", "a {\"caption\": \"x\"}\n")), Error);
  EXPECT_THROW(read_pair_tsv(folder_ / "missing.tsv", good), Error);
  const auto broken =
      read_pair_tsv(write("j.tsv", "a\t###\n"), write("t.tsv", "a\t{\"caption\": \"x\"}\n"));
  EXPECT_THROW(load_pair(broken.pairs[0], recipes::make_recipe("vesalius"), 8), Error);
}

}  // namespace
}  // namespace vesalius::tasks
