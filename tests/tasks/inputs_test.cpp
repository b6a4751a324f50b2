#include "tasks/inputs.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tasks/scratch.h"

namespace vesalius::tasks {
namespace {

using testing::error_of;
using testing::Scratch;

std::vector<std::string> names(const std::vector<Source>& sources, const Scratch& scratch) {
  std::vector<std::string> result;
  for (const auto& source : sources)
    result.push_back(fs::path(source.file).lexically_relative(scratch.path()).string());
  return result;
}

std::vector<Source> gather(std::vector<std::string> inputs, std::string manifest = "",
                           const std::string& list = "") {
  std::istringstream stream(list);
  return gather_inputs({std::move(inputs), std::move(manifest)}, stream);
}

TEST(Inputs, FoldersAreWalkedInOrderOfNames) {
  const Scratch scratch;
  for (const char* name : {"b/slice 10.png", "b/slice 2.png", "a.png", ".hidden.png", "b/DICOMDIR"})
    scratch.write(name, "x");
  EXPECT_EQ(names(gather({scratch.path().string()}), scratch),
            (std::vector<std::string>{"a.png", "b/slice 2.png", "b/slice 10.png"}));
}

TEST(Inputs, FilesKeepTheirOrderAndMissingOnesStay) {
  const Scratch scratch;
  const auto here = scratch.write("here.png", "x");
  const auto sources = gather({"/not/there.png", here});
  ASSERT_EQ(sources.size(), 2U);
  EXPECT_EQ(sources[0].input, "/not/there.png");
  EXPECT_FALSE(sources[0].found);
  EXPECT_FALSE(sources[1].found);
}

TEST(Inputs, WhatAFolderHoldsIsFoundNotNamed) {
  const Scratch scratch;
  scratch.write("a.png", "x");
  EXPECT_TRUE(gather({scratch.path().string()}).at(0).found);
}

TEST(Inputs, ADashReadsAList) {
  const Scratch scratch;
  const auto a = scratch.write("a.png", "x");
  scratch.write("more/b.png", "x");
  EXPECT_EQ(names(gather({"-"}, "", a + "\r\n\n" + (scratch / "more").string() + "\n"), scratch),
            (std::vector<std::string>{"a.png", "more/b.png"}));
}

TEST(Inputs, ManifestCarriesItsColumnsAndLooksBesideItself) {
  const Scratch scratch;
  scratch.write("set/a.png", "x");
  const auto manifest = scratch.write("set/m.csv", "label,path\nCT,a.png\nMR,/elsewhere/b.png\n");
  const auto sources = gather({}, manifest);
  ASSERT_EQ(sources.size(), 2U);
  EXPECT_EQ(sources[0].input, "a.png");
  EXPECT_EQ(sources[0].file, (scratch / "set/a.png").string());
  EXPECT_EQ(sources[0].columns.dump(), R"({"label":"CT"})");
  EXPECT_EQ(sources[1].file, "/elsewhere/b.png");
}

TEST(Inputs, ALinkedFolderIsNotEntered) {
  const Scratch scratch;
  scratch.write("a.png", "x");
  fs::create_directory_symlink(scratch.path(), scratch / "loop");
  EXPECT_EQ(names(gather({scratch.path().string()}), scratch), std::vector<std::string>{"a.png"});
}

TEST(Inputs, WrongUseIsRefused) {
  const Scratch scratch;
  error_of(ErrorCode::kUsage, [&] { gather({}); });
  const auto no_path = scratch.write("m.csv", "file,label\na.png,CT\n");
  const auto message = error_of(ErrorCode::kUnsupported, [&] { gather({}, no_path); });
  EXPECT_NE(message.find("row 1"), std::string::npos) << message;
  const auto empty = scratch.write("e.csv", "path,label\n,CT\n");
  error_of(ErrorCode::kUnsupported, [&] { gather({}, empty); });
}

}  // namespace
}  // namespace vesalius::tasks
