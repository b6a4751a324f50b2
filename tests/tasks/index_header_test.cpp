// index.json as other hands may have left it: every field gone, of another type, or out of bounds.
#include <gtest/gtest.h>

#include "tasks/index.h"
#include "tasks/index_writer.h"
#include "tasks/scratch.h"

namespace vesalius::tasks {
namespace {

using testing::error_of;
using testing::Scratch;

const std::string kSum(64, 'a');

IndexHeader sound() {
  IndexHeader header{{"fake", kSum, "vesalius@1", "fp32", "cpu"}, 4, 5, {}};
  header.origin.recipe_parameters = {{"window", "lung"}};
  header.segments = {{"vectors-000001.f32", "entries-000001.jsonl", kSum, kSum, 3},
                     {"vectors-000002.f32", "entries-000002.jsonl", kSum, kSum, 2}};
  return header;
}

std::string error_for(const Json& json) {
  return error_of(ErrorCode::kUnsupported,
                  [&] { IndexHeader::parse(dump_json(json), "x/index.json"); });
}

TEST(IndexHeader, ComesBackAsItWasWritten) {
  const auto text = dump_json(sound().to_json());
  const auto header = IndexHeader::parse(text, "x");
  EXPECT_EQ(dump_json(header.to_json()), text);
  EXPECT_EQ(header.segments.at(1).count, 2);
  EXPECT_EQ(header.origin.recipe_parameters["window"], "lung");
}

TEST(IndexHeader, EveryFieldIsNeeded) {
  for (const char* key : {"format", "version", "dimension", "count", "model", "weights_sha256",
                          "recipe", "recipe_parameters", "precision", "device", "segments"}) {
    Json json = sound().to_json();
    json.erase(key);
    const auto message = error_for(json);
    EXPECT_NE(message.find("'" + std::string(key) + "' is missing"), std::string::npos) << message;
    EXPECT_TRUE(message.starts_with("x/index.json: ")) << message;
    EXPECT_NE(message.find("build it again"), std::string::npos) << message;
  }
  for (const char* key : {"vectors", "entries", "vectors_sha256", "entries_sha256", "count"}) {
    Json json = sound().to_json();
    json["segments"][1].erase(key);
    EXPECT_NE(error_for(json).find("'" + std::string(key) + "' is missing"), std::string::npos);
  }
}

TEST(IndexHeader, ValuesOfOtherKindsAreNamed) {
  struct Case {
    const char* key;
    Json value;
    const char* says;
  };
  const Case cases[] = {
      {"format", "faiss", "vesalius-index"},
      {"format", 1, "'format' is not a text"},
      {"version", "1", "'version' is not a whole number"},
      {"version", 1.0, "'version' is not a whole number"},
      {"dimension", 0, "from 1 to 65536"},
      {"dimension", 65537, "from 1 to 65536"},
      {"dimension", -4, "'dimension'"},
      {"dimension", "4", "'dimension'"},
      {"count", -1, "'count'"},
      {"count", 1e300, "'count'"},
      {"count", 6, "fewer rows"},
      {"count", 4, "more rows"},
      {"model", nullptr, "'model' is not a text"},
      {"weights_sha256", 7, "'weights_sha256' is not a text"},
      {"segments", Json::object(), "not a list"},
      {"segments", Json::array({1}), "not a JSON object"},
      {"segments", Json::array(), "fewer rows"},
  };
  for (const auto& c : cases) {
    Json json = sound().to_json();
    json[c.key] = c.value;
    const auto message = error_for(json);
    EXPECT_NE(message.find(c.says), std::string::npos) << c.key << ": " << message;
  }
}

TEST(IndexHeader, SumsOfRowsCannotWrap) {
  Json json = sound().to_json();
  for (const auto& huge : {Json(INT64_MAX), Json(UINT64_MAX), Json(int64_t{1} << 41)}) {
    json["segments"][0]["count"] = huge;
    EXPECT_NE(error_for(json).find("'count'"), std::string::npos);
  }
}

TEST(IndexHeader, FilesLieInTheIndexAlone) {
  for (const char* name :
       {"../../etc/passwd", "/etc/passwd", "a/b", "", ".", "..", ".hidden", "./x"})
    for (const char* key : {"vectors", "entries"}) {
      Json json = sound().to_json();
      json["segments"][0][key] = name;
      EXPECT_NE(error_for(json).find("plain file name"), std::string::npos) << name;
    }
  Json json = sound().to_json();
  json["segments"][0]["vectors"] = std::string("a\0b", 3);
  EXPECT_NE(error_for(json).find("plain file name"), std::string::npos);
}

TEST(IndexHeader, AnotherVersionSaysWhichOneIsRead) {
  for (const int version : {0, 2, 99}) {
    Json json = sound().to_json();
    json["version"] = version;
    const auto message = error_for(json);
    EXPECT_NE(message.find("version " + std::to_string(version)), std::string::npos) << message;
    EXPECT_NE(message.find("reads version 1"), std::string::npos) << message;
  }
}

TEST(IndexHeader, WhatIsNoObjectIsNoIndex) {
  for (const char* text : {"", "[]", "null", "7", "\"index\"", "{", "{}", "{\"format\":null}"})
    error_of(ErrorCode::kUnsupported, [&] { IndexHeader::parse(text, "x"); });
}

TEST(IndexOrigin, SaysWhatDiffersAndWhatToDo) {
  const IndexOrigin origin = sound().origin;
  struct Case {
    const char* what;
    IndexOrigin other;
    std::vector<std::string> says;  // empty: it fits
  };
  auto changed = [&](auto change) {
    IndexOrigin other = origin;
    change(other);
    return other;
  };
  const Case cases[] = {
      {"the same", origin, {}},
      {"another name of the same weights", changed([](auto& o) { o.model = "alias"; }), {}},
      {"another precision", changed([](auto& o) { o.precision = "bf16"; }), {}},
      {"another device", changed([](auto& o) { o.device = "cuda:0"; }), {}},
      {"other weights",
       changed([](auto& o) { o.weights_sha256 = std::string(64, 'b'); }),
       {"my.index", "aaaaaaaaaaaa", "bbbbbbbbbbbb", "--model"}},
      {"another recipe",
       changed([](auto& o) { o.recipe = "community@1"; }),
       {"vesalius@1", "community@1", "--recipe"}},
      {"a newer recipe",
       changed([](auto& o) { o.recipe = "vesalius@2"; }),
       {"vesalius@1", "vesalius@2"}},
      {"other parameters",
       changed([](auto& o) { o.recipe_parameters["window"] = "bone"; }),
       {"lung", "bone"}},
      {"one parameter more", changed([](auto& o) { o.recipe_parameters["more"] = 1; }), {"more"}},
  };
  for (const auto& c : cases) {
    if (c.says.empty()) {
      EXPECT_NO_THROW(origin.check_fits(c.other, "my.index")) << c.what;
      continue;
    }
    const auto message =
        error_of(ErrorCode::kModel, [&] { origin.check_fits(c.other, "my.index"); });
    for (const auto& part : c.says)
      EXPECT_NE(message.find(part), std::string::npos) << c.what << ": " << message;
  }
}

TEST(IndexWriter, ManySegmentsReadAsOne) {
  const Scratch scratch;
  const auto folder = scratch / "many.index";
  const IndexOrigin origin = sound().origin;
  int64_t row = 0;
  for (int segment = 0; segment < 6; ++segment) {
    auto writer = segment == 0 ? IndexWriter::create(folder, origin, 3)
                               : IndexWriter::append(folder, origin, 3);
    for (int i = 0; i <= segment; ++i, ++row)
      writer.add(at::tensor({1.0F, static_cast<float>(row), 0.5F}),
                 {{"path", std::to_string(row)}, {"segment", segment}});
    writer.commit();
  }
  const auto index = Index::open(folder);
  ASSERT_EQ(index.header().count, 21);
  for (int64_t i = 0; i < 21; ++i) {
    EXPECT_EQ(index.entry(i)["path"], std::to_string(i));
    EXPECT_NEAR(index.vector(i).norm().item<double>(), 1, 1e-6);
    EXPECT_NEAR((index.vector(i)[1] / index.vector(i)[0]).item<double>(), static_cast<double>(i),
                1e-4);
  }
  const auto hits = index.search(at::tensor({0.0F, 1.0F, 0.0F}), 4);
  for (size_t i = 0; i < hits.size(); ++i) EXPECT_EQ(hits[i].row, 20 - static_cast<int64_t>(i));
}

TEST(IndexWriter, EntriesOfAnyTextStayOneLine) {
  const Scratch scratch;
  const std::vector<std::string> paths{"two\nlines", "quote\"", "\xFF\xFE", "", "\xE2\x80\xA8"};
  auto writer = IndexWriter::create(scratch / "i", sound().origin, 2);
  for (const auto& path : paths) writer.add(at::ones({2}), {{"path", path}});
  writer.commit();
  const auto index = Index::open(scratch / "i");
  EXPECT_EQ(index.entry(0)["path"], paths[0]);
  EXPECT_EQ(index.entry(1)["path"], paths[1]);
  EXPECT_EQ(index.entry(4)["path"], paths[4]);
}

TEST(IndexWriter, ReplacingDropsWhatTheOldOneNamed) {
  const Scratch scratch;
  for (const bool replace : {false, true}) {
    auto writer = IndexWriter::create(scratch / "i", sound().origin, 2, replace);
    writer.add(at::ones({2}), {{"path", replace ? "new" : "old"}});
    writer.commit();
  }
  const auto index = Index::open(scratch / "i");
  EXPECT_EQ(index.header().count, 1);
  EXPECT_EQ(index.entry(0)["path"], "new");
  int vectors = 0;
  for (const auto& entry : fs::directory_iterator(scratch / "i"))
    vectors += entry.path().filename().string().starts_with("vectors-") ? 1 : 0;
  EXPECT_EQ(vectors, 1);
}

}  // namespace
}  // namespace vesalius::tasks
