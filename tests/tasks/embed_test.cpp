#include "tasks/embed.h"

#include <gtest/gtest.h>

#include "tasks/fake_model.h"
#include "tasks/scratch.h"

namespace vesalius::tasks {
namespace {

using testing::FakeModel;
using testing::pixels;
using testing::Scratch;
using testing::tiny_tiff;

std::vector<Source> series(const Scratch& scratch) {
  std::vector<Source> sources;
  for (const char* name : {"a/1.tif", "b/1.tif", "a/2.tif", "a/3.tif"}) {
    const auto path = scratch.write(name, tiny_tiff(pixels(static_cast<int>(sources.size()))));
    sources.push_back({path, path});
  }
  return sources;
}

std::vector<Record> run(const std::vector<Source>& sources, EmbedOptions options) {
  std::vector<Record> records;
  const FakeModel model;
  embed_images(
      model, recipes::make_recipe("vesalius"), sources, options,
      [&](Record&& record) {
        record.features = record.features.clone();
        records.push_back(std::move(record));
      },
      [](const Embedded& embedded) { EXPECT_FALSE(embedded.problem.has_value()); });
  return records;
}

TEST(Embed, ImagesAreNormalisedUnlessRaw) {
  const Scratch scratch;
  const auto sources = series(scratch);
  const auto unit = run(sources, {}), raw = run(sources, {.raw = true});
  ASSERT_EQ(unit.size(), 4U);
  EXPECT_NEAR(unit[0].features.norm().item<float>(), 1, 1e-5);
  EXPECT_GT(std::abs(raw[0].features.norm().item<float>() - 1), 0.01);
  EXPECT_TRUE(at::allclose(unit_rows(raw[0].features), unit[0].features));
  EXPECT_EQ(unit[0].head["kind"], "image");
}

TEST(Embed, PoolsByFolderInOrderOfFirstImage) {
  const Scratch scratch;
  const auto sources = series(scratch);
  const auto single = run(sources, {});
  const auto pooled = run(sources, {.pool = Pool::kMean});
  ASSERT_EQ(pooled.size(), 2U);
  EXPECT_EQ(pooled[0].head["input"], (scratch / "a").string());
  EXPECT_EQ(pooled[0].head["images"], 3);
  EXPECT_EQ(pooled[1].head["images"], 1);
  EXPECT_EQ(pooled[0].head["kind"], "study");
  const at::Tensor expected =
      unit_rows((single[0].features + single[2].features + single[3].features) / 3);
  EXPECT_TRUE(at::allclose(pooled[0].features, expected, 1e-5, 1e-6));
}

TEST(Embed, AStudyVectorIsSevenTimesAsLongAndNotNormalised) {
  const Scratch scratch;
  const auto records = run(series(scratch), {.pool = Pool::kStudy, .pool_by = PoolBy::kAll});
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].features.numel(), 7 * FakeModel::kDimension);
  EXPECT_GT(std::abs(records[0].features.norm().item<float>() - 1), 0.01);
}

TEST(Embed, TextsComeInOrder) {
  const FakeModel model;
  const auto records = embed_texts(model, {"mri brain", ""}, false);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].head["input"], "mri brain");
  EXPECT_EQ(records[0].head["kind"], "text");
  EXPECT_NEAR(records[0].features.norm().item<float>(), 1, 1e-5);
  EXPECT_TRUE(at::isfinite(records[1].features).all().item<bool>());  // a zero vector stays finite
  EXPECT_TRUE(embed_texts(model, {}, false).empty());
}

TEST(Embed, AManifestsColumnsNeverReplaceOurKeys) {
  Embedded embedded{
      .source = {"a.png", "a.png", {{"label", "CT"}, {"model", "mine"}, {"kind", "x"}}}};
  embedded.warnings = {"constant image"};
  const auto head = record_head(embedded, "image");
  EXPECT_EQ(head["kind"], "image");
  EXPECT_EQ(head["label"], "CT");
  EXPECT_EQ(head["column_model"], "mine");
  EXPECT_EQ(head["column_kind"], "x");
  EXPECT_EQ(head["warnings"][0], "constant image");
}

TEST(Embed, PoolByNamesAreChecked) {
  EXPECT_EQ(parse_pool_by("folder"), PoolBy::kFolder);
  EXPECT_THROW(parse_pool_by("patient"), Error);
}

}  // namespace
}  // namespace vesalius::tasks
