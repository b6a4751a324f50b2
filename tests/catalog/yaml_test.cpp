#include "catalog/yaml.h"

#include <gtest/gtest.h>

using namespace vesalius;
using catalog::parse_yaml;

namespace {

TEST(Yaml, ReadsPlainData) {
  const std::vector<std::pair<const char*, const char*>> cases{
      {"a: 1", R"({"a":1})"},
      {"a: -7\nb: +3", R"({"a":-7,"b":3})"},
      {"a: 0.5\nb: 1e-3\nc: -.5\nd: 2.", R"({"a":0.5,"b":0.001,"c":-0.5,"d":2.0})"},
      {"a: yes\nb: False\nc: on\nd: NO", R"({"a":true,"b":false,"c":true,"d":false})"},
      {"a: ~\nb:\nc: null", R"({"a":null,"b":null,"c":null})"},
      {"a: '1'\nb: \"true\"", R"({"a":"1","b":"true"})"},          // quoted: text
      {"a: !!python/object:os.system rm", R"({"a":"rm"})"},        // constructs nothing
      {"a: ${HOME}\nb: $PATH", R"({"a":"${HOME}","b":"$PATH"})"},  // not expanded
      {"a: nan\nb: inf\nc: .inf\nd: 1_000", R"({"a":"nan","b":"inf","c":".inf","d":"1_000"})"},
      {"a: 99999999999999999999", R"({"a":1e+20})"},  // beyond 64 bits
      {"a: {b: [1, [2, x]], c: {}}", R"({"a":{"b":[1,[2,"x"]],"c":{}}})"},
      {"a:\n- 1\n- b: 2\n", R"({"a":[1,{"b":2}]})"},
      {"1: x\ntrue: y", R"({"1":"x","true":"y"})"},  // keys are text
      {"# only a remark", "null"},
      {"", "null"},
      {"word", R"("word")"},
      {"a: &x 1", R"({"a":1})"},          // an anchor unused
      {"a: 1\n---\nb: 2", R"({"a":1})"},  // the first document
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(dump_json(parse_yaml(text, "f")), expected) << text;
}

TEST(Yaml, DottedKeysOverride) {
  const std::vector<std::pair<const char*, const char*>> cases{
      {"a: {b: 1, c: 2}\na.b: 3", R"({"a":{"b":3,"c":2}})"},
      {"a.b: 3\na: {b: 1}", R"({"a":{"b":3}})"},  // wherever it stands
      {"a: {b: [{c: 1}, {c: 2}]}\na.b[1].c: 9", R"({"a":{"b":[{"c":1},{"c":9}]}})"},
      {"a.b.c: 1", R"({"a":{"b":{"c":1}}})"},
      {"a: [1, 2, 3]\na[0]: 7", R"({"a":[7,2,3]})"},
      {"a: {x.y: 1}", R"({"a":{"x.y":1}})"},  // only at the top
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(dump_json(parse_yaml(text, "f")), expected) << text;
}

TEST(Yaml, BrokenTextIsNamedByItsLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"a: 1\n  b: 2\n", "line 2"},
      {"a: 1\nb: [1, 2\nc: 3\n", "line 3"},
      {"a:\n  - 1\n\tb: 2\n", "line 3"},
      {"a: 1\n\n# remark\nb: 'open", "line 4"},
      {"a: 1\nb: }\n", "line 2"},
      {"a: 1\nb: @x\n", "line 2"},
      {"a: 1\r\nb: 2\r\na: 3\r\n", "line 3"},
      {"%YAML 3.x\n---\na: 1\n", "line 1"},
  };
  for (const auto& [text, says] : cases) {
    try {
      parse_yaml(text, "folder/config.yaml");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
      EXPECT_TRUE(std::string(error.what()).starts_with("folder/config.yaml: ")) << error.what();
    }
  }
}

TEST(Yaml, EditorsLeaveTheirMarks) {
  const std::string same = R"({"a":[1,2],"b":{"c":"x"}})";
  for (const char* text : {"a: [1, 2]\nb:\n  c: x\n",
                           "\xEF\xBB\xBF"
                           "a: [1, 2]\nb:\n  c: x\n",
                           "a: [1, 2]\r\nb:\r\n  c: x\r\n", "---\na:\n- 1\n- 2\nb: {c: x}\n...\n",
                           "a: [1,   2]   # two\nb: {c: x}", "a: [1, 2,]\nb: {c: 'x',}"})
    EXPECT_EQ(dump_json(parse_yaml(text, "f")), same) << text;
}

std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Yaml, RefusesWhatIsHostileOrBroken) {
  const std::vector<std::tuple<const char*, std::string, const char*>> cases{
      {"aliases", "a: &x [1]\nb: *x", "line 2 has an alias"},
      {"a thousand million laughs",
       "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\nd: [*c,*c,*c]", "alias"},
      {"merge keys", "a: &x {b: 1}\nc: {<<: *x}", "alias"},
      {"the same key twice", "a: 1\nb: 2\na: 3", "line 3 has the key 'a' a second time"},
      {"a list as a key", "? [1]\n: 2", "no plain text"},
      {"an alias as a key", "a: &x 1\n*x : 2", "alias"},
      {"deep lists", repeated("[", 40) + repeated("]", 40), "too deep"},
      {"very deep lists", repeated("[", 100000), "cannot be read"},
      {"very many values", "[" + repeated("1,", 30000) + "]", "more than"},
      {"a tab for indentation", "a:\n\tb: 1", "cannot be read"},
      {"no end", "a: [1, 2", "cannot be read"},
      {"an override past a list's end", "a: [1]\na[4000000000]: 2", "leads nowhere"},
      {"an override into a list by name", "a: [1]\na.b: 2", "leads nowhere"},
      {"an override into a number", "a: 1\na.b: 2", "leads nowhere"},
      {"a deep override", repeated("a.", 100) + "b: 1", "too deep"},
  };
  for (const auto& [what, text, says] : cases) {
    try {
      parse_yaml(text, "bad.yaml");
      ADD_FAILURE() << what << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kModel) << what;
      EXPECT_TRUE(std::string(error.what()).starts_with("bad.yaml: ")) << error.what();
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos)
          << what << ": " << error.what();
    }
  }
}

}  // namespace
