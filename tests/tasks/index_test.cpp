#include "tasks/index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "base/hash.h"
#include "tasks/embed.h"
#include "tasks/fake_model.h"
#include "tasks/index_writer.h"
#include "tasks/scratch.h"
#include "tasks/search.h"

namespace vesalius::tasks {
namespace {

using testing::error_of;
using testing::fake_provenance;
using testing::FakeModel;
using testing::Scratch;

constexpr int64_t kDimension = 16;

IndexOrigin origin(uint64_t seed = 1, const std::string& recipe = "vesalius@1") {
  return IndexOrigin::from_provenance(fake_provenance(FakeModel(seed), recipe));
}

at::Tensor rows(int64_t count, uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  return at::randn({count, kDimension}, generator);
}

void add_rows(IndexWriter writer, const at::Tensor& features, const std::string& name) {
  for (int64_t i = 0; i < features.size(0); ++i)
    writer.add(features[i], {{"path", name + std::to_string(i)}});
  writer.commit();
}

fs::path built(const Scratch& scratch, const at::Tensor& features) {
  add_rows(IndexWriter::create(scratch / "i", origin(), kDimension), features, "first");
  return scratch / "i";
}

TEST(Index, KeepsRowsEntriesAndOrigin) {
  const Scratch scratch;
  const at::Tensor features = rows(5, 3);
  const auto index = Index::open(built(scratch, features));
  EXPECT_EQ(index.header().count, 5);
  EXPECT_EQ(index.header().origin.recipe, "vesalius@1");
  EXPECT_EQ(index.entry(4)["path"], "first4");
  EXPECT_TRUE(at::allclose(index.vector(2), unit_rows(features[2])));
}

TEST(Index, SearchEqualsBruteForce) {
  const Scratch scratch;
  const at::Tensor features = rows(500, 5);
  const auto folder = built(scratch, features);
  add_rows(IndexWriter::append(folder, origin(), kDimension), rows(300, 6), "second");
  const auto index = Index::open(folder);
  const at::Tensor all = unit_rows(at::cat({features, rows(300, 6)}));
  for (int64_t q = 0; q < 20; ++q) {
    const at::Tensor query = rows(20, 7)[q] * 5;  // its length must not matter
    const at::Tensor scores = at::mv(all, unit_rows(query));
    std::vector<int64_t> order(800);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return scores[a].item<float>() > scores[b].item<float>();
    });
    const auto hits = index.search(query, 10);
    ASSERT_EQ(hits.size(), 10U);
    for (size_t k = 0; k < hits.size(); ++k) {
      EXPECT_EQ(hits[k].row, order[k]) << q << " " << k;
      EXPECT_NEAR(hits[k].score, scores[order[k]].item<float>(), 1e-6);
    }
  }
}

TEST(Index, EqualScoresComeInOrderOfRows) {
  const Scratch scratch;
  const at::Tensor one = rows(1, 2);
  const auto index = Index::open(built(scratch, one.repeat({6, 1})));
  const auto hits = index.search(one[0], 3);
  ASSERT_EQ(hits.size(), 3U);
  for (int64_t k = 0; k < 3; ++k) EXPECT_EQ(hits[static_cast<size_t>(k)].row, k);
}

TEST(Index, AskingForMoreThanThereIsGivesAll) {
  const Scratch scratch;
  const auto index = Index::open(built(scratch, rows(3, 1)));
  EXPECT_EQ(index.search(rows(1, 9)[0], 100).size(), 3U);
  EXPECT_TRUE(index.search(rows(1, 9)[0], 0).empty());
}

TEST(Index, RowsCanBeLeftOut) {
  const Scratch scratch;
  const at::Tensor features = rows(4, 1);
  const auto index = Index::open(built(scratch, features));
  const auto hits = index.search(features[2], 4, [](int64_t row) { return row == 2; });
  ASSERT_EQ(hits.size(), 3U);
  for (const auto& hit : hits) EXPECT_NE(hit.row, 2);
}

TEST(Index, RefusesOtherWeightsRecipesAndDimensions) {
  const Scratch scratch;
  const auto folder = built(scratch, rows(2, 1));
  auto message =
      error_of(ErrorCode::kModel, [&] { IndexWriter::append(folder, origin(2), kDimension); });
  EXPECT_NE(message.find("weights"), std::string::npos) << message;
  message = error_of(ErrorCode::kModel,
                     [&] { IndexWriter::append(folder, origin(1, "community@1"), kDimension); });
  EXPECT_NE(message.find("community@1"), std::string::npos) << message;
  error_of(ErrorCode::kModel,
           [&] { IndexWriter::append(folder, origin(1, "vesalius@2"), kDimension); });
  error_of(ErrorCode::kModel, [&] { IndexWriter::append(folder, origin(), kDimension + 1); });
  auto other = origin();
  other.recipe_parameters["quality"] = 95;
  error_of(ErrorCode::kModel, [&] { IndexWriter::append(folder, other, kDimension); });
  error_of(ErrorCode::kModel, [&] { Index::open(folder).search(at::ones({3}), 1); });
  EXPECT_EQ(Index::open(folder).header().count, 2);
}

TEST(Index, ParametersCompareWhateverTheirOrder) {
  auto a = origin(), b = origin();
  a.recipe_parameters = {{"size", 512}, {"quality", 75}};
  b.recipe_parameters = {{"quality", 75}, {"size", 512}};
  EXPECT_NO_THROW(a.check_fits(b, "i"));
}

TEST(Index, AppendingIsAllOrNothing) {
  const Scratch scratch;
  const auto folder = built(scratch, rows(2, 1));
  {
    auto writer = IndexWriter::append(folder, origin(), kDimension);
    writer.add(rows(1, 8)[0], {{"path", "lost"}});
  }  // no commit: the run died
  EXPECT_EQ(Index::open(folder).header().count, 2);
  add_rows(IndexWriter::append(folder, origin(), kDimension), rows(3, 8), "more");
  const auto index = Index::open(folder);
  EXPECT_EQ(index.header().count, 5);
  EXPECT_EQ(index.entry(2)["path"], "more0");
}

TEST(Index, OnlyOneAppendsAtATime) {
  const Scratch scratch;
  const auto folder = built(scratch, rows(2, 1));
  const auto first = IndexWriter::append(folder, origin(), kDimension);
  error_of(ErrorCode::kFailed, [&] { IndexWriter::append(folder, origin(), kDimension); });
}

TEST(Index, BuildingOverAnythingElseIsRefused) {
  const Scratch scratch;
  const auto folder = built(scratch, rows(2, 1));
  error_of(ErrorCode::kUsage, [&] { IndexWriter::create(folder, origin(), kDimension); });
  add_rows(IndexWriter::create(folder, origin(7), kDimension, true), rows(4, 2), "new");
  EXPECT_EQ(Index::open(folder).header().count, 4);
  scratch.write("photos/a.png", "x");
  error_of(ErrorCode::kUsage,
           [&] { IndexWriter::create(scratch / "photos", origin(), kDimension); });
  const auto file = scratch.write("file", "x");
  error_of(ErrorCode::kUsage, [&] { IndexWriter::create(file, origin(), kDimension); });
}

TEST(Index, DamageIsFoundAndNamed) {
  struct Damage {
    const char *file, *content;
  };
  const Damage cases[] = {{"vectors-000001.f32", "short"},
                          {"entries-000001.jsonl", "{\"path\":\"a\"}\n"},
                          {"index.json", "{"},
                          {"index.json", "{\"format\":\"vesalius-index\",\"version\":2}"},
                          {"index.json", "[]"}};
  for (const auto& damage : cases) {
    SCOPED_TRACE(std::string(damage.file) + " " + damage.content);
    const Scratch scratch;
    const auto folder = built(scratch, rows(2, 1));
    write_file(folder / damage.file, damage.content);
    const auto message = error_of(ErrorCode::kUnsupported, [&] { Index::open(folder); });
    EXPECT_NE(message.find(damage.file), std::string::npos) << message;
  }
}

TEST(Index, OneFlippedBitIsFound) {
  const Scratch scratch;
  const auto folder = built(scratch, rows(2, 1));
  auto bytes = read_text(folder / "vectors-000001.f32");
  bytes[17] ^= 1;
  write_file(folder / "vectors-000001.f32", bytes);
  const auto message = error_of(ErrorCode::kUnsupported, [&] { Index::open(folder); });
  EXPECT_NE(message.find("SHA-256"), std::string::npos) << message;
}

TEST(Index, HeadersThatLieAreRefused) {
  const Scratch scratch;
  const auto folder = built(scratch, rows(2, 1));
  const auto sound = read_json(folder / "index.json");
  const std::pair<const char*, Json> lies[] = {
      {"dimension", 0},   {"dimension", 1e300},          {"count", 3}, {"count", -1},
      {"segments", {}},   {"segments", "all"},           {"model", 5}, {"format", "other"},
      {"version", "one"}, {"recipe_parameters", nullptr}};
  for (const auto& [key, value] : lies) {
    auto header = sound;
    header[key] = value;
    if (std::string(key) == "recipe_parameters") header.erase(key);
    SCOPED_TRACE(std::string(key) + "=" + value.dump());
    error_of(ErrorCode::kUnsupported, [&] { IndexHeader::parse(header.dump(), "index.json"); });
  }
  auto header = sound;
  header["segments"][0]["vectors"] = "../../etc/passwd";
  error_of(ErrorCode::kUnsupported, [&] { IndexHeader::parse(header.dump(), "index.json"); });
}

TEST(Index, NoIndexSaysHowToMakeOne) {
  const Scratch scratch;
  const auto message = error_of(ErrorCode::kUnsupported, [&] { Index::open(scratch / "absent"); });
  EXPECT_NE(message.find("index build"), std::string::npos) << message;
}

TEST(Search, LeavesOutTheQueryItself) {
  const Scratch scratch;
  const at::Tensor features = rows(3, 1);
  auto writer = IndexWriter::create(scratch / "i", origin(), kDimension);
  Embedded own{.source = {"a.png", "a.png"}, .features = features[0]};
  writer.add(features[0], index_entry(own));
  writer.add(features[1], {{"path", "b.dcm"}, {"sop_instance_uid", "1.2"}, {"frame", 3}});
  writer.add(features[2], {{"path", "c.png"}});
  writer.commit();
  const auto index = Index::open(scratch / "i");
  EXPECT_EQ(find_neighbours(index, features[0], 3).size(), 3U);
  EXPECT_EQ(find_neighbours(index, features[0], 3).front().entry["path"], "a.png");
  EXPECT_EQ(find_neighbours(index, features[0], 3, &own).size(), 2U);
  Embedded moved{.source = {"x/b.dcm", "x/b.dcm"},
                 .identity = {{"sop_instance_uid", "1.2"}, {"frame", 3}}};
  EXPECT_EQ(find_neighbours(index, features[1], 3, &moved).size(), 2U);
  moved.identity["frame"] = 4;  // another frame is another image
  EXPECT_EQ(find_neighbours(index, features[1], 3, &moved).size(), 3U);
}

TEST(Search, HitsCarryPathScoreAndTheRest) {
  const auto hits = hits_json({{0.5, {{"path", "a"}, {"label", "CT"}}}});
  EXPECT_EQ(hits.dump(), R"([{"path":"a","score":0.5,"label":"CT"}])");
}

}  // namespace
}  // namespace vesalius::tasks
