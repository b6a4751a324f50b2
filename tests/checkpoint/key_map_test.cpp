#include "checkpoint/key_map.h"

#include <gtest/gtest.h>

using namespace vesalius;

namespace {

struct Case {
  std::vector<Rename> lines;
  const char *from, *to;
};

const std::vector<Rename> kVisual{{"^visual", "image_encoder"}};

TEST(KeyMap, Renames) {
  const std::vector<Case> cases{
      {{}, "a.b.c", "a.b.c"},
      {{{"b", "x"}}, "a.b.c", "a.x.c"},
      {{{"b", "x"}}, "a.bb.c", "a.bb.c"},  // whole components only
      {{{"b", "x"}}, "b.b", "x.b"},        // the first match, once
      {{{"^b", "x"}}, "a.b", "a.b"},       // bound to the start
      {{{"^b", "x"}}, "b.a", "x.a"},
      {{{"b$", "x"}}, "b.a.b", "b.a.x"},             // bound to the end
      {{{"a.b", ""}}, "a.b.c", "c"},                 // dropped
      {{{"a.b", "p.q.r"}}, "z.a.b.c", "z.p.q.r.c"},  // longer
      {{{"layers.{i}.blocks.{j}", "stages.{j}.{i}"}}, "layers.1.blocks.22.w", "stages.22.1.w"},
      {{{"layers.{i}", "stages.{i}"}}, "layers.one.w", "layers.one.w"},  // {i}: digits
      {{{"{block}.conv1.{part}$", "{block}.c.{part}"}}, "0.spatial.conv1.bias", "0.spatial.c.bias"},
      {{{"{block}.conv1.{part}$", "{block}.c.{part}"}}, "s.conv1.fn.bias", "s.conv1.fn.bias"},
      {{{"a", "b"}, {"b", "c"}}, "a.x", "c.x"},  // one line after another
      {{{"a.b.c.d", "x"}}, "a.b", "a.b"},        // longer than the name
      {{{"b", "x"}}, "", ""},
      {{{"b", "x"}}, "a..b.", "a..x."},  // odd names survive
  };
  for (const Case& one : cases) EXPECT_EQ(KeyMap(one.lines)(one.from), one.to) << one.from;
}

TEST(KeyMap, AppliesToTheKeysOfAMap) {
  const KeyMap map(kVisual);
  const auto out = map.apply(std::map<std::string, int>{{"visual.a", 1}, {"b", 2}}, "f.pt");
  EXPECT_EQ(out, (std::map<std::string, int>{{"b", 2}, {"image_encoder.a", 1}}));
}

TEST(KeyMap, TwoSpellingsOfOneTensorAreAnError) {
  const KeyMap map(kVisual);
  try {
    map.apply(std::map<std::string, int>{{"visual.a", 1}, {"image_encoder.a", 2}}, "f.pt");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel);
    EXPECT_NE(std::string(error.what()).find("f.pt"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("'image_encoder.a'"), std::string::npos);
  }
}

}  // namespace
