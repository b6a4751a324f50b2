#include "catalog/weights_hash.h"

#include "base/hash.h"
#include "catalog/scene.h"

namespace vesalius::catalog {
namespace {

class Hashes : public Scene {
 protected:
  fs::path file = root / "weights.bin";
  std::string cached() const {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(root / "cache/vesalius/hashes", ignored))
      return entry.path().string();
    return {};
  }
};

TEST_F(Hashes, OfAFileIsThatOfItsBytes) {
  const std::string large(9'000'001, 'x');  // several pieces and a rest
  for (const std::string& content : {std::string(), std::string("abc"), large}) {
    write_file(file, content);
    int64_t told = 0;
    EXPECT_EQ(file_sha256(file, [&](int64_t bytes) { told += bytes; }), sha256(content));
    EXPECT_EQ(told, static_cast<int64_t>(content.size()));
  }
  const auto text = refusal(ErrorCode::kUnsupported, [&] { file_sha256(root / "absent"); });
  EXPECT_TRUE(mentions(text, "absent"));
}

TEST_F(Hashes, AreComputedOnceAndKept) {
  write_file(file, "abc");
  EXPECT_EQ(known_sha256(file), "");
  EXPECT_EQ(WeightsHash(file).get(), sha256("abc"));
  EXPECT_EQ(known_sha256(file), sha256("abc"));
}

TEST_F(Hashes, FollowARenameAndAHardLink) {
  write_file(file, "abc");
  remember_sha256(file, sha256("abc"));
  fs::rename(file, root / "moved");
  fs::create_hard_link(root / "moved", root / "linked");
  EXPECT_EQ(known_sha256(root / "moved"), sha256("abc"));
  EXPECT_EQ(known_sha256(root / "linked"), sha256("abc"));
}

TEST_F(Hashes, AreForgottenWhenTheFileChanges) {
  write_file(file, "abc");
  remember_sha256(file, sha256("abc"));
  const auto before = fs::last_write_time(file);
  {
    std::FILE* same = std::fopen(file.c_str(), "r+b");  // the same inode and size
    std::fputs("abd", same);
    std::fclose(same);
  }
  fs::last_write_time(file, before + std::chrono::milliseconds(1));
  EXPECT_EQ(known_sha256(file), "");
  EXPECT_EQ(WeightsHash(file).get(), sha256("abd"));
}

TEST_F(Hashes, ADamagedCacheIsAsGoodAsNone) {
  write_file(file, "abc");
  for (const char* content : {"", "{", "[]", "{\"content\": 3, \"sha256\": \"x\"}"}) {
    remember_sha256(file, sha256("abc"));
    write_file(cached(), content);
    EXPECT_EQ(known_sha256(file), "") << content;
  }
}

TEST_F(Hashes, NoCacheIsNoError) {
  write_file(file, "abc");
  write_file(root / "cache", "a file where the folder should be");
  EXPECT_EQ(WeightsHash(file).get(), sha256("abc"));
  EXPECT_EQ(known_sha256(file), "");
}

TEST_F(Hashes, AnUnreadableFileIsSaidWhenAsked) {
  const WeightsHash hash(root / "absent");
  refusal(ErrorCode::kUnsupported, [&] { (void)hash.get(); });
}

}  // namespace
}  // namespace vesalius::catalog
