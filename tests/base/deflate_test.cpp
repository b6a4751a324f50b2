#include "base/deflate.h"

#include <gtest/gtest.h>

#include "base/archive_files.h"

namespace vesalius {
namespace {

TEST(Crc32, GivesTheStandardsCheckValue) {
  const std::string text = "123456789";
  EXPECT_EQ(crc32(bytes_of(text)), 0xCBF43926U);
  EXPECT_EQ(crc32(bytes_of("")), 0U);
  const std::string longer = "The quick brown fox jumps over the lazy dog";
  EXPECT_EQ(crc32(bytes_of(longer)), 0x414FA339U);
  for (size_t cut = 0; cut <= longer.size(); ++cut)
    EXPECT_EQ(crc32(bytes_of(longer.substr(cut)), crc32(bytes_of(longer.substr(0, cut)))),
              0x414FA339U);
}

TEST(Deflate, BackAndForthInPieces) {
  for (const Wrapping wrapping : {Wrapping::kRaw, Wrapping::kGzip}) {
    std::vector<uint8_t> content(300000);
    for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<uint8_t>(i * i / 1000);
    Deflater deflater(wrapping);
    std::vector<uint8_t> packed;
    for (size_t at = 0; at < content.size(); at += 7777) {
      deflater.write(Bytes(content).subspan(at, std::min<size_t>(7777, content.size() - at)));
      const std::vector<uint8_t> piece = deflater.take();
      packed.insert(packed.end(), piece.begin(), piece.end());
    }
    deflater.finish();
    const std::vector<uint8_t> rest = deflater.take();
    packed.insert(packed.end(), rest.begin(), rest.end());
    EXPECT_LT(packed.size(), content.size());
    Inflater inflater(packed, wrapping, {"x"});
    std::vector<uint8_t> read(content.size());
    for (size_t at = 0; at < read.size(); at += 1000)
      ASSERT_EQ(inflater.read(read.data() + at, 1000), 1000U);
    EXPECT_EQ(read, content);
    EXPECT_EQ(inflater.read(read.data(), 1), 0U);
    Inflater cut(Bytes(packed).first(packed.size() / 2), wrapping, {"x"});
    EXPECT_THROW(cut.read(read.data(), read.size()), Error);
  }
}

TEST(Deflate, NoMoreThan1032ForOne) {
  EXPECT_TRUE(plausible_deflate(1000, 0));
  EXPECT_TRUE(plausible_deflate(1032 << 10, 1 << 10));
  EXPECT_FALSE(plausible_deflate(1040 << 10, 1 << 10));
  EXPECT_FALSE(plausible_deflate(~uint64_t{0}, 1 << 20));
  std::vector<uint8_t> zeros(1 << 24);
  Deflater deflater(Wrapping::kRaw, 9);
  deflater.write(zeros);
  deflater.finish();
  EXPECT_TRUE(plausible_deflate(zeros.size(), deflater.take().size()));
}

}  // namespace
}  // namespace vesalius
