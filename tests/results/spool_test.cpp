#include "results/spool.h"

#include <gtest/gtest.h>

#include "tasks/scratch.h"

namespace vesalius::results {
namespace {

using testing::error_of;
using testing::Scratch;

std::string numbers(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(i) + ",";
  return text;
}

TEST(Spool, GivesBackWhatItTookHoweverMuch) {
  const Scratch scratch;
  for (const int count : {0, 1, 1000, 400'000}) {  // the last is more than one block of a megabyte
    Spool spool(scratch / "target");
    const std::string all = numbers(count);
    for (size_t at = 0; at < all.size(); at += 4099) {
      const auto part = all.substr(at, 4099);
      spool.write(part.data(), part.size());
    }
    EXPECT_EQ(spool.text(), all);
    FileWriter out(scratch / "copy");
    spool.copy_to(out);
    out.commit();
    EXPECT_EQ(read_text(scratch / "copy"), all) << count;
    fs::remove(scratch / "copy");
  }
}

TEST(Spool, CanBeReadTwiceAndGoesOn) {
  const Scratch scratch;
  Spool spool(scratch / "target");
  spool.write("abc", 3);
  EXPECT_EQ(spool.text(), "abc");
  EXPECT_EQ(spool.text(), "abc");
  spool.write("de\0", 3);
  EXPECT_EQ(spool.text(), std::string("abcde\0", 6));
}

TEST(Spool, GivesBackPieceByPiece) {
  const Scratch scratch;
  Spool spool(scratch / "target");
  spool.write("ab\0cdef", 7);
  for (int pass = 0; pass < 2; ++pass) {
    spool.rewind();
    EXPECT_EQ(spool.next(3), std::string("ab\0", 3));
    EXPECT_EQ(spool.next(0), "");
    EXPECT_EQ(spool.next(4), "cdef");
    const auto message = error_of(ErrorCode::kFailed, [&] { spool.next(1); });
    EXPECT_NE(message.find((scratch / "target").string()), std::string::npos) << message;
  }
}

TEST(Spool, NothingIsSeenInTheFolder) {
  const Scratch scratch;
  Spool spool(scratch / "target");
  spool.write("abc", 3);
  EXPECT_TRUE(fs::is_empty(scratch.path()));
}

TEST(Spool, MakesTheFolderOfItsTarget) {
  const Scratch scratch;
  const Spool spool(scratch / "a/b/target");
  EXPECT_TRUE(fs::is_directory(scratch / "a/b"));
}

TEST(Spool, ErrorsNameTheTarget) {
  const Scratch scratch;
  scratch.write("file", "x");
  const auto blocked = scratch / "file" / "target";
  const auto message = error_of(ErrorCode::kFailed, [&] { Spool spool(blocked); });
  EXPECT_NE(message.find(blocked.string()), std::string::npos) << message;
  EXPECT_NE(message.find("-o"), std::string::npos) << message;
  error_of(ErrorCode::kFailed, [] { Spool spool("/proc/none/target"); });
}

}  // namespace
}  // namespace vesalius::results
