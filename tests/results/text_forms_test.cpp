// Numbers and fields as text: what reads back equal, and what a spreadsheet would take apart.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/hash.h"
#include "results/csv.h"
#include "results/json_line.h"
#include "tasks/manifest.h"

namespace vesalius::results {
namespace {

constexpr float kLeast = std::numeric_limits<float>::denorm_min();
constexpr float kMost = std::numeric_limits<float>::max();

TEST(Shortest, IsWhatAPersonWouldWrite) {
  const std::pair<float, const char*> cases[] = {{0.0F, "0"},       {-0.0F, "-0"},
                                                 {1.0F, "1"},       {-2.5F, "-2.5"},
                                                 {0.1F, "0.1"},     {1.0F / 3, "0.33333334"},
                                                 {1e-7F, "1e-07"},  {16777216.0F, "16777216"},
                                                 {kLeast, "1e-45"}, {kMost, "3.4028235e+38"},
                                                 {1e20F, "1e+20"}};
  for (const auto& [value, text] : cases) EXPECT_EQ(shortest(value), text);
}

TEST(Shortest, ReadsBackToTheBit) {
  for (uint32_t i = 0; i < 20'000; ++i) {
    const auto bits = static_cast<uint32_t>(fnv1a64(std::to_string(i)));
    const auto value = std::bit_cast<float>(bits);
    if (!std::isfinite(value)) continue;
    const std::string text = shortest(value);
    EXPECT_EQ(std::bit_cast<uint32_t>(std::strtof(text.c_str(), nullptr)), bits) << text;
    EXPECT_LE(text.size(), 15U) << text;  // sign, nine digits, point, e-45
  }
}

TEST(JsonLine, AnyStridesAndLengths) {
  const auto matrix = at::arange(6, at::kFloat).view({2, 3});
  EXPECT_EQ(json_line(Json::object(), matrix.t()[1], Json::object()), R"({"features":[1,4]})");
  EXPECT_EQ(json_line(Json{{"k", "v"}}, matrix[1].narrow(0, 1, 1), Json{{"p", nullptr}}),
            R"({"k":"v","features":[4],"p":null})");
}

TEST(JsonLine, StaysOneLineWhateverTheStrings) {
  const Json head = {{"input", "two\nlines\r\t\"quoted\" \\ \x01"}, {"\n", "key"}};
  const auto line = json_line(head, at::zeros({1}), {{"path", "\xFF\xC3"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto parsed = Json::parse(line);
  EXPECT_EQ(parsed["input"], head["input"]);
  EXPECT_EQ(parsed["\n"], "key");
  EXPECT_NE(parsed["path"].get<std::string>().find("\xEF\xBF\xBD"), std::string::npos);
}

TEST(Csv, EveryFieldComesBackFromOurReader) {
  const std::vector<std::string> values{
      "plain",      "",           " spaced ", "a,b",      "\"",  "\"\"",     "a\"b\"c",
      "line\nfeed", "cr\rlf\r\n", "=SUM(A1)", "\xC3\xA9", ",,,", "'single'", "\t"};
  std::string text = "first,value,last\n";
  for (const auto& value : values) text += "x," + csv_text(value) + ",y\n";
  const auto rows = tasks::parse_csv(text, "t");
  ASSERT_EQ(rows.size(), values.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i]["value"], values[i]);
    EXPECT_EQ(rows[i]["last"], "y") << values[i];
  }
}

TEST(Csv, OtherTypesAreWrittenAsJson) {
  const std::pair<Json, const char*> cases[] = {{true, "true"},
                                                {-3, "-3"},
                                                {0.5, "0.5"},
                                                {{1, 2}, "\"[1,2]\""},
                                                {{"a"}, "\"[\"\"a\"\"]\""},
                                                {Json::object(), "{}"},
                                                {Json{{"k", 1}}, "\"{\"\"k\"\":1}\""}};
  for (const auto& [value, text] : cases) EXPECT_EQ(csv_text(value), text);
}

TEST(Csv, AnAbsentFieldIsEmptyAndAnEmptyOneToo) {
  const Json record = {{"a", nullptr}, {"b", ""}, {"c", false}};
  for (const auto& [name, text] :
       {std::pair{"a", ""}, std::pair{"b", ""}, std::pair{"c", "false"}, std::pair{"d", ""}})
    EXPECT_EQ(csv_field(record, name), text) << name;
}

}  // namespace
}  // namespace vesalius::results
