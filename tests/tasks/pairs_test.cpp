#include "tasks/pairs.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "tasks/scratch.h"

namespace vesalius::tasks {
namespace {

class Pairs : public ::testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& content) const {
    return scratch_.write(name, content);
  }
  testing::Scratch scratch_;
};

TEST_F(Pairs, ManifestWithOneOrSeveralTexts) {
  const auto one = read_pairs(write("a.csv", "path,text\nx.png,chest film\n/y.png,\"a, b\"\n"));
  ASSERT_EQ(one.pairs.size(), 2U);
  EXPECT_EQ(one.pairs[0].path, (scratch_ / "x.png").string());
  EXPECT_EQ(one.pairs[1].path, "/y.png");
  EXPECT_EQ(one.pairs[1].texts, std::vector<std::string>{"a, b"});
  const auto many =
      read_pairs(write("b.csv", "path,texts\nx.png,x-ray|x-ray chest||x-ray chest pneumonia\n"));
  EXPECT_EQ(many.pairs[0].texts,
            (std::vector<std::string>{"x-ray", "x-ray chest", "x-ray chest pneumonia"}));
}

TEST_F(Pairs, NothingButBarsIsNoText) {
  EXPECT_THROW(read_pairs(write("a.csv", "path,texts\nx.png,||\n")), Error);
  const auto set =
      read_pairs(write("b.jsonl",
                       "{\"path\": \"x.png\", \"text\": null, \"texts\": \"|a|\"}\r\n"
                       "{\"path\": \"x.png\", \"text\": \"a|b\", \"texts\": \"c\"}\r\n"));
  EXPECT_EQ(set.pairs[0].texts, std::vector<std::string>{"a"});
  EXPECT_EQ(set.pairs[1].texts, std::vector<std::string>{"a|b"});  // one text, whatever it holds
  EXPECT_EQ(set.pairs[0].path, set.pairs[1].path);                 // twice is two pairs
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

TEST_F(Pairs, AnImageInATsvIsTheImageOfAFile) {
  const std::string file = testing::tiny_tiff(testing::pixels(3));
  std::string coded(4 * ((file.size() + 2) / 3), '\0');
  EVP_EncodeBlock(reinterpret_cast<uint8_t*>(coded.data()),
                  reinterpret_cast<const uint8_t*>(file.data()), static_cast<int>(file.size()));
  const auto tsv = read_pair_tsv(write("i.tsv", "a\t" + coded + "\n"),
                                 write("t.tsv", "a\t{\"class_name\": \"\", \"caption\": \"x\"}\n"));
  EXPECT_EQ(tsv.pairs[0].texts, std::vector<std::string>{"x"});
  const auto recipe = recipes::make_recipe("vesalius");
  const auto image = load_pair(tsv.pairs[0], recipe, 8);
  EXPECT_EQ(image.data, load_pair({write("a.tif", file).string(), {"x"}, {}}, recipe, 8).data);
  EXPECT_EQ(image.data.size(), size_t{8 * 8 * 3});
}

TEST_F(Pairs, FaultyTsv) {
  const auto good = write("i.tsv", "a\taGVsbG8=\n");
  EXPECT_THROW(read_pair_tsv(good, write("t.tsv", "")), Error);
  EXPECT_THROW(read_pair_tsv(good, write("t.tsv", "b\t{\"caption\": \"x\"}\n")), Error);
  EXPECT_THROW(read_pair_tsv(good, write("t.tsv", "a\t{\"nothing\": 1}\n")), Error);
  EXPECT_THROW(read_pair_tsv(good, write("t.tsv", "a\t{\"caption\": \"\"}\n")), Error);
  EXPECT_THROW(read_pair_tsv(good, write("t.tsv", "a\t[\"caption\"]\n")), Error);
  EXPECT_THROW(read_pair_tsv(good, write("t.tsv", "a {\"caption\": \"x\"}\n")), Error);
  EXPECT_THROW(read_pair_tsv(scratch_ / "missing.tsv", good), Error);
  const auto broken =
      read_pair_tsv(write("j.tsv", "a\t###\n"), write("t.tsv", "a\t{\"caption\": \"x\"}\n"));
  EXPECT_THROW(load_pair(broken.pairs[0], recipes::make_recipe("vesalius"), 8), Error);
}

}  // namespace
}  // namespace vesalius::tasks
