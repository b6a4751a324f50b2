#include "base/json.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.h"

namespace vesalius {
namespace {

std::string message_of(std::string_view text, std::string_view where = "request body") {
  try {
    parse_json(text, where);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    return error.what();
  }
  return "";
}

TEST(ParseJson, TakesWhatTheStandardAllows) {
  const std::pair<const char*, const char*> cases[] = {
      {" \n\t1 ", "1"},
      {"-0.5e-3", "-0.0005"},
      {R"("\u00e9\ud83d\ude00\/")", "\"\u00e9\U0001F600/\""},
      {R"({"a":{"b":[true,false,null]}})", R"({"a":{"b":[true,false,null]}})"},
      {"[]", "[]"},
      {R"({"":0})", R"({"":0})"},
      {"9007199254740993", "9007199254740993"},  // more than a double holds exactly
      {"18446744073709551615", "18446744073709551615"},
  };
  for (const auto& [text, written] : cases) EXPECT_EQ(dump_json(parse_json(text, "t")), written);
}

TEST(ParseJson, NamesThePlaceAndWhereItGoesWrong) {
  const std::pair<const char*, const char*> cases[] = {{"{\"a\":1,}", "column 8"},
                                                       {"[1 2]", "column 4"},
                                                       {"{'a':1}", "column 2"},
                                                       {"nul", "column 4"},
                                                       {"[1]]", "column 4"},
                                                       {"{\"a\"}", "column 5"},
                                                       {"{\"a\":1\n,\"b\":x}", "line 2"},
                                                       {"\"open", "column"},
                                                       {"01", "column 2"},
                                                       {"[NaN]", "column 2"},
                                                       {"\"\t\"", "column"},
                                                       {"\"\\x\"", "column"},
                                                       {"\"\xFF\"", "column"},
                                                       {"\"\\ud800\"", "column"}};
  for (const auto& [text, place] : cases) {
    const auto message = message_of(text);
    EXPECT_TRUE(message.starts_with("request body: is not valid JSON")) << text << ": " << message;
    EXPECT_NE(message.find(place), std::string::npos) << text << ": " << message;
  }
}

TEST(ParseJson, DepthIsBoundedWhateverNests) {
  const auto nested = [](const std::string& open, const std::string& close, int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += open;
    text += "1";
    for (int i = 0; i < depth; ++i) text += close;
    return text;
  };
  EXPECT_EQ(message_of(nested("[", "]", 150)), "");
  EXPECT_EQ(message_of(nested("{\"a\":", "}", 150)), "");
  for (const auto& text : {nested("[", "]", 300), nested("{\"a\":", "}", 300),
                           nested("[{\"a\":", "}]", 150), std::string(1'000'000, '[')})
    EXPECT_NE(message_of(text).find("deeper than 200"), std::string::npos);
}

TEST(ReadJson, NamesTheFile) {
  const fs::path file =
      fs::temp_directory_path() / ("vesalius-json-" + std::to_string(::getpid()) + ".json");
  write_file(file, "{\"a\":");
  try {
    read_json(file);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos);
  }
  write_file(file, "{\"a\":[1]}");
  EXPECT_EQ(read_json(file)["a"][0], 1);
  fs::remove(file);
  EXPECT_THROW(read_json(file), Error);
}

TEST(DumpJson, IndentsAndReplacesBrokenText) {
  EXPECT_EQ(dump_json(Json{{"b", 1}, {"a", {2}}}, 2), "{\n  \"b\": 1,\n  \"a\": [\n    2\n  ]\n}");
  EXPECT_EQ(dump_json("a\xE2\x82"), "\"a\xEF\xBF\xBD\"");  // cut in the middle of a sign
  EXPECT_EQ(dump_json(std::string("\0\x1F", 2)), R"("\u0000\u001f")");
  EXPECT_EQ(dump_json(0.1), "0.1");
}

}  // namespace
}  // namespace vesalius
