#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "base/hash.h"
#include "base/json.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/version.h"

namespace vesalius {
namespace {

TEST(Error, CarriesCodeAndSentence) {
  try {
    fail(ErrorCode::kModel, "{}: has {} tensors", "x.pt", 3);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel);
    EXPECT_STREQ(error.what(), "x.pt: has 3 tensors");
  }
  EXPECT_EQ(static_cast<int>(ErrorCode::kDevice), 6);
}

TEST(Hash, KnownDigests) {
  EXPECT_EQ(sha256(std::string_view("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256(std::string_view("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(fnv1a64(""), 0xCBF29CE484222325ULL);
  EXPECT_EQ(fnv1a64("a"), 0xAF63DC4C8601EC8CULL);
}

TEST(Json, KeepsOrderAndNamesWhatIsWrong) {
  EXPECT_EQ(dump_json(parse_json(R"({"b":1,"a":[2]})", "x")), R"({"b":1,"a":[2]})");
  for (const std::string& bad :
       {std::string("{"), std::string(""), std::string("[1,]"), std::string(5000, '[')}) {
    try {
      parse_json(bad, "request body");
      FAIL() << bad.substr(0, 10);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
      EXPECT_NE(std::string(error.what()).find("request body"), std::string::npos);
    }
  }
}

TEST(Json, InvalidUtf8IsReplacedNotThrownOn) {
  EXPECT_NO_THROW(dump_json(Json{{"path", "\xff\xfe"}}));
}

TEST(ParallelFor, DoesEveryNumberOnce) {
  std::vector<std::atomic<int>> seen(1000);
  parallel_for(
      1000, [&](int64_t i) { ++seen[static_cast<size_t>(i)]; }, 4);
  EXPECT_TRUE(std::ranges::all_of(seen, [](const auto& count) { return count == 1; }));
  parallel_for(0, [](int64_t) { FAIL() << "called for nothing"; });
}

TEST(ParallelFor, TheFirstErrorComesBackWhenAllIsDone) {
  std::atomic<int> done{0};
  EXPECT_THROW(parallel_for(
                   50,
                   [&](int64_t i) {
                     ++done;
                     if (i == 7) fail(ErrorCode::kFailed, "seven");
                   },
                   3),
               Error);
  EXPECT_EQ(done, 50);
}

TEST(Progress, QuietAndShortWorkPrintNothing) {
  testing::internal::CaptureStderr();
  {
    Progress quick("Quick", 3);
    quick.advance(3);
    Progress quiet("Quiet", 0, true);
    quiet.advance();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  testing::internal::CaptureStderr();
  warn("a line");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "a line\n");
}

TEST(Version, IsThreeNumbers) {
  const std::string text = version();
  EXPECT_EQ(std::ranges::count(text, '.'), 2);
  EXPECT_NE(std::string(kResearchUse).find("not a medical device"), std::string::npos);
}

}  // namespace
}  // namespace vesalius
