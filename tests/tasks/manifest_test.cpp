#include "tasks/manifest.h"

#include <gtest/gtest.h>

#include <random>

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
      {"text behind a quote", "path,label\n\"a\"b,c\n", "line 2: text stands behind"},
      {"a row that would fall into two", "path,label\na,\"b\"c,d\n", "line 2: text stands behind"},
      {"one column", "path\n\"two\nlines\"x\n", "line 3: text stands behind"},
      {"a quote behind a quote", "path\n\"a\" \"b\"\n", "line 2: text stands behind"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.name);
    const auto message =
        error_of(ErrorCode::kUnsupported, [&] { parse_csv(one.text, "films.csv"); });
    EXPECT_NE(message.find("films.csv"), std::string::npos) << message;
    EXPECT_NE(message.find(one.says), std::string::npos) << message;
  }
}

/// A field as RFC 4180 has it, quoted where it must be or `always`.
std::string quoted(const std::string& value, bool always) {
  if (!always && value.find_first_of("\",\r\n") == std::string::npos) return value;
  std::string text = "\"";
  for (const char c : value) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + '"';
}

TEST(Manifest, WhatIsWrittenAsRfc4180ComesBack) {
  const std::string parts[] = {"a", "\"", ",", "\r\n", "\n", " ", "ü", "|", "\"\"", "'"};
  std::mt19937_64 random(8);
  for (int round = 0; round < 200; ++round) {
    const size_t columns = 2 + random() % 3, count = random() % 5;
    const std::string end = round % 2 == 0 ? "\n" : "\r\n";
    std::vector<Json> table(count, Json::object());
    std::string text = round % 3 == 0 ? "\xEF\xBB\xBF" : "";
    for (size_t i = 0; i < columns; ++i) text += (i > 0 ? ",c" : "c") + std::to_string(i);
    for (Json& row : table)
      for (size_t i = 0; i < columns; ++i) {
        std::string value;
        for (size_t left = random() % 5; left > 0; --left) value += parts[random() % 10];
        row["c" + std::to_string(i)] = value;
        text += (i > 0 ? "," : end) + quoted(value, random() % 4 == 0);
      }
    if (round % 5 > 0) text += end;
    EXPECT_EQ(parse_csv(text, "m"), table) << text;
  }
}

TEST(Manifest, LinesMayEndInAnyWay) {
  for (const char* text :
       {"path\na\nb", "path\r\na\r\nb\r\n", "path\ra\rb\r", "path\n\na\n\n\nb\n"})
    EXPECT_EQ(Json(parse_csv(text, "m")).dump(), R"([{"path":"a"},{"path":"b"}])") << text;
  const auto rows =
      parse_json_lines("\xEF\xBB\xBF{\"path\":\"a\"}\r\n \r\n{\"path\":\"b\"}\r\n", "m");
  EXPECT_EQ(Json(rows).dump(), R"([{"path":"a"},{"path":"b"}])");
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
