#include "media/walk.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/error.h"
#include "dicom_files.h"

namespace vesalius::media {
namespace {

using testing::Spec;

class Walk : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("walk_test_" + std::to_string(::getpid()));
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override {
    std::error_code ignored;
    fs::permissions(root_ / "locked", fs::perms::owner_all, ignored);
    fs::remove_all(root_, ignored);
  }
  void write(const std::string& name, const std::vector<uint8_t>& bytes) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  void png(const std::string& name) { write(name, {0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0}); }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const Found& found : walk_folder(root_))
      out.push_back(found.path.lexically_relative(root_).string() + found.problem);
    return out;
  }
  fs::path root_;
};

using Names = std::vector<std::string>;

TEST(NaturalLess, OrdersNumbersByValue) {
  const Names sorted = {"",     "1",     "1a",   "2",       "02",       "10",        "a",
                        "a1b2", "a1b10", "a2b1", "slice 2", "slice 10", "slice 10.5"};
  for (size_t i = 0; i < sorted.size(); ++i) {
    for (size_t j = 0; j < sorted.size(); ++j) {
      if (sorted[i] == "2" && sorted[j] == "02") continue;  // equal in value: by their bytes
      if (sorted[i] == "02" && sorted[j] == "2") continue;
      EXPECT_EQ(natural_less(sorted[i], sorted[j]), i < j) << sorted[i] << " and " << sorted[j];
    }
  }
  EXPECT_TRUE(natural_less("02", "2"));
  EXPECT_FALSE(natural_less("2", "02"));
  EXPECT_TRUE(natural_less("9", "99999999999999999999999999999"));
}

TEST(MayBeImage, ByTheFirstBytes) {
  const auto may = [](std::vector<uint8_t> head) { return may_be_image(head); };
  EXPECT_TRUE(may({0xFF, 0xD8, 0xFF, 0xE0}));
  EXPECT_TRUE(may({'M', 'M', 0, 42, 0, 0, 0, 8}));
  EXPECT_TRUE(may({'I', 'I', 43, 0, 8, 0, 0, 0}));  // BigTIFF
  EXPECT_TRUE(may(testing::dicom({}, {1, 2, 3, 4, 5, 6})));
  EXPECT_FALSE(may({'#', '!', '/', 'b', 'i', 'n'}));
  EXPECT_FALSE(may({}));
}

TEST(MayBeImage, ReportsAndDirectoriesAreNone) {
  const auto object = [](const char* sop_class) {
    return testing::with_meta("1.2.840.10008.1.2.1", sop_class, testing::describe({}).bytes());
  };
  EXPECT_FALSE(may_be_image(object("1.2.840.10008.1.3.10")));           // DICOMDIR
  EXPECT_FALSE(may_be_image(object("1.2.840.10008.5.1.4.1.1.88.11")));  // a report
  EXPECT_TRUE(may_be_image(object("1.2.840.10008.5.1.4.1.1.999")));     // unknown: may be an image
  // A report whose preamble is a TIFF header stays a report.
  std::vector<uint8_t> both = object("1.2.840.10008.5.1.4.1.1.88.11");
  std::copy_n(std::vector<uint8_t>{'I', 'I', 42, 0}.begin(), 4, both.begin());
  EXPECT_FALSE(may_be_image(both));
}

TEST_F(Walk, ListsFilesInAStableOrder) {
  for (const char* name : {"b/10.png", "b/9.png", "a.png", "b/c/1", "z/2.txt"}) png(name);
  for (const char* name : {".hidden.png", ".git/1.png", "b/DICOMDIR"}) png(name);
  EXPECT_EQ(names(), (Names{"a.png", "b/9.png", "b/10.png", "b/c/1", "z/2.txt"}));
}

TEST_F(Walk, LinksInCirclesAreNotFollowed) {
  png("a/1.png");
  fs::create_symlink(root_ / "a/1.png", root_ / "a/2.png");
  fs::create_directory_symlink(root_, root_ / "a/up");
  fs::create_directory_symlink(root_ / "a", root_ / "b");
  fs::create_symlink(root_ / "nowhere", root_ / "dangling.png");
  EXPECT_EQ(names(), (Names{"a/1.png", "a/2.png"}));
  const auto through_a_link = walk_folder(root_ / "b");  // named, so it is entered
  ASSERT_EQ(through_a_link.size(), 2U);
  EXPECT_EQ(through_a_link[0].path, root_ / "b/1.png");
}

TEST_F(Walk, AFolderThatCannotBeReadIsNamedAndTheRestIsListed) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads every folder";
  png("locked/1.png");
  png("m.png");
  fs::permissions(root_ / "locked", fs::perms::none);
  EXPECT_EQ(names(), (Names{"lockedPermission denied", "m.png"}));
}

TEST_F(Walk, GroupsSeriesAndSortsTheirSlices) {
  const auto slice = [&](const char* name, Spec spec) {
    write(name, testing::dicom(spec, {1, 2, 3, 4, 5, 6}));
  };
  slice("1", {.series = "1.1", .position = "0\\0\\5", .instance = "1"});
  slice("2", {.series = "1.1", .position = "0\\0\\-5", .instance = "2"});
  slice("3", {.series = "1.2", .instance = "30"});
  slice("4", {.series = "1.2", .instance = "4"});
  slice("5", {.series = "1.1", .position = "0\\0\\0.5", .instance = "3"});
  slice("6", {.series = "1.1", .position = "0\\0\\0.5", .instance = "1"});
  write("7", {'n', 'o'});
  std::vector<fs::path> paths;
  for (const char* name : {"1", "2", "3", "4", "5", "6", "7"}) paths.push_back(root_ / name);
  const SeriesGroups groups = group_series(paths);
  const auto names_of = [](const Series& series) {
    std::string out;
    for (const fs::path& path : series.files) out += path.filename().string();
    return out;
  };
  ASSERT_EQ(groups.series.size(), 2U);
  EXPECT_EQ(groups.series[0].uid, "1.1");
  EXPECT_EQ(names_of(groups.series[0]), "2651");
  EXPECT_EQ(names_of(groups.series[1]), "43");
  ASSERT_EQ(groups.failures.size(), 1U);
  EXPECT_NE(groups.failures[0].find("not a DICOM file"), std::string::npos);
}

}  // namespace
}  // namespace vesalius::media
