#include "tasks/index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
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

TEST(Index, TheSameRowsInManySegmentsAreTheSameIndex) {
  const Scratch scratch;
  const at::Tensor features = rows(23, 4);
  const auto whole = Index::open(built(scratch, features));
  const auto folder = scratch / "parts";
  add_rows(IndexWriter::create(folder, origin(), kDimension), features.narrow(0, 0, 1), "a");
  for (const auto& [from, count] : {std::pair{1, 5}, {6, 0}, {6, 16}, {22, 1}})
    add_rows(IndexWriter::append(folder, origin(), kDimension), features.narrow(0, from, count),
             "b");
  const auto parts = Index::open(folder);
  EXPECT_EQ(parts.header().count, 23);
  EXPECT_EQ(parts.entry(22)["path"], "b0");
  for (int64_t q = 0; q < 23; ++q) {
    const auto one = whole.search(features[q], 23), other = parts.search(features[q], 23);
    ASSERT_EQ(one.size(), other.size());
    EXPECT_EQ(one[0].row, q);  // of all rows the nearest is itself
    EXPECT_NEAR(one[0].score, 1, 1e-6);
    EXPECT_TRUE(parts.vector(q).equal(whole.vector(q)));
    for (size_t k = 0; k < one.size(); ++k) EXPECT_EQ(one[k].row, other[k].row) << q << " " << k;
  }
}

TEST(Index, FewerHitsAreTheFirstOfMore) {
  const Scratch scratch;
  at::Tensor features = rows(40, 3);
  features.narrow(0, 20, 20).copy_(features.narrow(0, 0, 20));  // every score twice
  const auto index = Index::open(built(scratch, features));
  const auto odd = [](int64_t row) { return row % 2 == 1; };
  for (const auto& leave_out :
       {std::function<bool(int64_t)>(), std::function<bool(int64_t)>(odd)}) {
    const auto all = index.search(features[7], 40, leave_out);
    EXPECT_EQ(all.size(), leave_out ? 20U : 40U);
    for (int64_t k = 1; k < 40; k += 6) {
      const auto some = index.search(features[7], k, leave_out);
      ASSERT_EQ(some.size(), std::min<size_t>(static_cast<size_t>(k), all.size()));
      for (size_t i = 0; i < some.size(); ++i) EXPECT_EQ(some[i].row, all[i].row) << k;
    }
  }
}

TEST(Index, RowsThatAreNoNumbersAreNobodysNeighbours) {
  const Scratch scratch;
  at::Tensor features = rows(60, 3);
  for (int64_t row = 1; row < 60; row += 2)
    features[row][3] = std::numeric_limits<float>::quiet_NaN();
  const auto index = Index::open(built(scratch, features));
  const auto hits = index.search(rows(1, 9)[0], 60);
  ASSERT_EQ(hits.size(), 30U);
  for (size_t k = 0; k < hits.size(); ++k) {
    EXPECT_EQ(hits[k].row % 2, 0);
    if (k > 0) {
      EXPECT_LE(hits[k].score, hits[k - 1].score);
    }
  }
  EXPECT_TRUE(index.search(features[1], 5).empty());
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
