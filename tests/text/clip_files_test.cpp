// Files of a tokenizer that lie: each refusal names the file and the place in it.
#include "text/clip_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"

namespace vesalius::text {
namespace {

class LyingFiles : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override { fs::remove_all(folder); }
  fs::path folder = fs::temp_directory_path() / ("vesalius-clip-" + std::to_string(::getpid()));

  fs::path file(const std::string& content) const {
    write_file(folder / "file", content);
    return folder / "file";
  }
};

template <class Read>
void expect_refused(Read read, const fs::path& path, const std::string& says) {
  try {
    read(path);
    ADD_FAILURE() << "taken; should say " << says;
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.code(), ErrorCode::kModel) << message;
    EXPECT_NE(message.find(path.string()), std::string::npos) << message;
    EXPECT_NE(message.find(says), std::string::npos) << message;
  }
}

TEST_F(LyingFiles, AMergeIsTwoTokensAndItsLineIsNamed) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "must say '#version'"},
      {"\n#version\n", "must say '#version'"},
      {" #version\na b\n", "must say '#version'"},
      {"\xEF\xBB\xBF#version\na b\n", "must say '#version'"},
      {"#version\nab\n", "line 2 "},
      {"#version\na b\n c\n", "line 3 "},
      {"#version\na b\nc \n", "line 3 "},
      {"#version\na b\nc  d\n", "line 3 "},
      {"#version\na b\nc d e\n", "line 3 "},
      {"#version\na b\n\nc d\n", "line 3 "},
      {"#version\na b\nc d\n \n", "line 4 "},
  };
  for (const auto& [content, says] : cases) {
    SCOPED_TRACE(content);
    expect_refused(read_merges, file(content), says);
  }
}

TEST_F(LyingFiles, MergesEndWithOrWithoutALine) {
  const Merges wanted = {{"a", "b"}, {"ab", "c</w>"}};
  for (const char* content : {"#version: 0.2\na b\nab c</w>", "#version: 0.2\na b\nab c</w>\n"})
    EXPECT_EQ(read_merges(file(content)), wanted) << content;
  for (const char* content : {"#version", "#version: 0.2\n"})
    EXPECT_EQ(read_merges(file(content)), Merges()) << content;
}

TEST_F(LyingFiles, AnIdIsAFreeSmallWholeNumber) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "not an object"},
      {"null", "not an object"},
      {"{\"a\": 0", "not an object"},
      {"[\"a\", \"b\"]", "not an object"},
      {"{}", "not an object"},
      {R"({"a": -1})", "token 'a' has the id -1"},
      {R"({"a": 1.5})", "token 'a' has the id 1.5"},
      {R"({"a": "1"})", "token 'a' has the id \"1\""},
      {R"({"a": true})", "token 'a' has the id true"},
      {R"({"a": null})", "token 'a' has the id null"},
      {R"({"a": [1]})", "token 'a' has the id [1]"},
      {R"({"a": 16777216})", "token 'a' has the id 16777216"},
      {R"({"a": 4294967296})", "token 'a' has the id 4294967296"},
      {R"({"a": 99999999999999999999})", "token 'a' has the id"},
      {R"({"a": 7, "b": 8, "c": 7})", "token 'c' has the id 7"},
  };
  for (const auto& [content, says] : cases) {
    SCOPED_TRACE(content);
    expect_refused(read_vocabulary, file(content), says);
  }
  const Vocabulary wanted = {{"a", 16777215}, {"é</w>", 0}, {"", 5}};
  EXPECT_EQ(read_vocabulary(file(R"({"a": 16777215, "\u00e9</w>": 0, "": 5})")), wanted);
}

}  // namespace
}  // namespace vesalius::text
