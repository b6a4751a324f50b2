#include "base/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>

#include "base/error.h"

namespace vesalius {
namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("vesalius-files-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  size_t entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }
  fs::path folder_;
};

TEST_F(Files, WhatIsWrittenIsReadAndMapped) {
  const std::string text("a\0b\n", 4);
  write_file(folder_ / "new" / "x", text);
  EXPECT_EQ(read_text(folder_ / "new" / "x"), text);
  const auto mapped = MappedFile::open(folder_ / "new" / "x");
  ASSERT_EQ(mapped->bytes().size(), text.size());
  EXPECT_EQ(std::memcmp(mapped->bytes().data(), text.data(), text.size()), 0);
  write_file(folder_ / "empty", "");
  EXPECT_TRUE(MappedFile::open(folder_ / "empty")->bytes().empty());
  EXPECT_TRUE(read_file(folder_ / "empty").empty());
}

TEST_F(Files, APipeIsRefusedWithoutWaitingForAWriter) {
  const auto pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const fs::path& path : {pipe, folder_, fs::path("/dev/null")}) {
    for (const bool map : {false, true}) {
      try {
        map ? void(MappedFile::open(path)) : void(read_file(path));
        ADD_FAILURE() << path;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
        EXPECT_EQ(error.what(), path.string() + ": is not a file.");
      }
    }
  }
}

TEST_F(Files, WithoutCommitNothingStays) {
  {
    FileWriter writer(folder_ / "x");
    writer.write("half");
    EXPECT_FALSE(fs::exists(folder_ / "x"));
  }
  EXPECT_EQ(entries(), 0U);
}

TEST_F(Files, AnOlderFileStaysUntilTheNewOneIsWhole) {
  write_file(folder_ / "x", "old");
  FileWriter writer(folder_ / "x");
  writer.write("new");
  EXPECT_EQ(read_text(folder_ / "x"), "old");
  writer.commit();
  EXPECT_EQ(read_text(folder_ / "x"), "new");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, ErrorsNameThePath) {
  const auto message = [](const auto& action) -> std::string {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  const auto missing = folder_ / "missing";
  EXPECT_NE(message([&] { read_file(missing); }).find("missing"), std::string::npos);
  EXPECT_NE(message([&] { MappedFile::open(missing); }).find("missing"), std::string::npos);
  EXPECT_NE(message([&] { read_file(folder_); }).find("not a file"), std::string::npos);
  write_file(folder_ / "long", "12345");
  EXPECT_NE(message([&] { read_file(folder_ / "long", 4); }).find("at most 4"), std::string::npos);
  write_file(folder_ / "plain", "x");
  EXPECT_NE(message([&] { write_file(folder_ / "plain" / "y", "x"); }).find("cannot be written"),
            std::string::npos);
}

TEST_F(Files, AFullDiskIsSaidAndLeavesNothing) {
  // /dev/full takes a rename's place badly, so the writer is pointed at it through its stream's
  // size.
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const fs::path linked =
      folder_ / ("." + std::string("x.") + std::to_string(::getpid()) + ".part");
  fs::create_symlink("/dev/full", linked);
  FileWriter writer(folder_ / "x");
  const std::string block(1 << 16, 'x');
  EXPECT_THROW(
      {
        for (int i = 0; i < 4; ++i) writer.write(block);
        writer.commit();
      },
      Error);
  EXPECT_FALSE(fs::exists(folder_ / "x"));
}

}  // namespace
}  // namespace vesalius
