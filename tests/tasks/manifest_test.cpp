#include "tasks/manifest.h"

#include <gtest/gtest.h>

#include "tasks/scratch.h"

namespace vesalius::tasks {
namespace {

using testing::error_of;
using testing::Scratch;

TEST(Manifest, CsvReadsQuotesLinesAndMarks) {
  const auto rows = parse_csv(
      "\xEF\xBB\xBFpath,label,note\r\na.png,\"effusion, left\",\"says "
      "\"\"no\"\"\"\r\n\r\nb.png,,\"two\nlines\"",
      "m");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0]["path"], "a.png");
  EXPECT_EQ(rows[0]["label"], "effusion, left");
  EXPECT_EQ(rows[0]["note"], "says \"no\"");
  EXPECT_EQ(rows[1]["label"], "");
  EXPECT_EQ(rows[1]["note"], "two\nlines");
}

TEST(Manifest, CsvKeepsTheOrderOfColumns) {
  const auto rows = parse_csv("z,a,path\n1,2,3\n", "m");
  EXPECT_EQ(rows[0].dump(), R"({"z":"1","a":"2","path":"3"})");
}

TEST(Manifest, EmptyCsvHasNoRows) {
  EXPECT_TRUE(parse_csv("", "m").empty());
  EXPECT_TRUE(parse_csv("path,label\n", "m").empty());
}

struct Wrong {
  const char *name, *text, *says;
};

TEST(Manifest, WrongCsvNamesFileLineAndReason) {
  const Wrong cases[] = {
      {"too many fields", "path,label\na.png,x\nb.png,y,z\n", "line 3 has 3 fields"},
      {"too few fields", "path,label\na.png\n", "line 2 has 1 fields"},
      {"open quote", "path,label\na.png,\"x\n", "line 2: a quotation mark"},
      {"column twice", "path,path\na,b\n", "'path' is named twice"},
      {"text behind a quote", "path,label\n\"a\"b,c\n", "line 2 has"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.name);
    const auto message =
        error_of(ErrorCode::kUnsupported, [&] { parse_csv(one.text, "films.csv"); });
    EXPECT_NE(message.find("films.csv"), std::string::npos) << message;
    EXPECT_NE(message.find(one.says), std::string::npos) << message;
  }
}

TEST(Manifest, JsonLinesReadsObjects) {
  const auto rows = parse_json_lines("{\"path\":\"a\",\"n\":3}\n\n{\"path\":\"b\"}", "m");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(column_text(rows[0], "n"), "3");
  EXPECT_EQ(column_text(rows[1], "n"), "");
}

TEST(Manifest, WrongJsonLinesNamesTheLine) {
  for (const char* text : {"{\"path\":\"a\"}\n[1]\n", "{\"path\":\"a\"}\n{oops\n"}) {
    const auto message =
        error_of(ErrorCode::kUnsupported, [&] { parse_json_lines(text, "m.jsonl"); });
    EXPECT_NE(message.find("m.jsonl"), std::string::npos) << message;
    EXPECT_NE(message.find("line 2"), std::string::npos) << message;
  }
}

TEST(Manifest, ExtensionDecides) {
  const Scratch scratch;
  EXPECT_EQ(read_manifest(scratch.write("m.CSV", "path\na\n")).size(), 1U);
  EXPECT_EQ(read_manifest(scratch.write("m.jsonl", "{\"path\":\"a\"}\n")).size(), 1U);
  const auto other = scratch.write("m.xlsx", "PK");
  error_of(ErrorCode::kUsage, [&] { read_manifest(other); });
  error_of(ErrorCode::kUnsupported, [&] { read_manifest(scratch / "absent.csv"); });
}

}  // namespace
}  // namespace vesalius::tasks
