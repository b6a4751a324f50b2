#include "tasks/pipeline.h"

#include <gtest/gtest.h>

#include "tasks/embed.h"
#include "tasks/fake_model.h"
#include "tasks/scratch.h"

namespace vesalius::tasks {
namespace {

using testing::error_of;
using testing::FakeModel;
using testing::pixels;
using testing::Scratch;
using testing::tiny_tiff;

/// `count` small images, every `bad`th of them cut short.
std::vector<Source> images(const Scratch& scratch, int count, int bad = 0) {
  std::vector<Source> sources;
  for (int i = 0; i < count; ++i) {
    const bool broken = bad > 0 && i % bad == bad - 1;
    const std::string file = tiny_tiff(pixels(i));
    const auto path = scratch.write(std::to_string(i) + ".tif", broken ? file.substr(0, 20) : file);
    sources.push_back({path, path});
  }
  return sources;
}

std::vector<Embedded> run(const FakeModel& model, const std::vector<Source>& sources,
                          const PipelineOptions& options = {}) {
  std::vector<Embedded> all;
  embed_sources(model, recipes::make_recipe("vesalius"), sources, options,
                [&](Embedded&& embedded) {
                  if (embedded.features.defined()) embedded.features = embedded.features.clone();
                  all.push_back(std::move(embedded));
                });
  return all;
}

TEST(Pipeline, KeepsOrderWhateverBatchAndWorkers) {
  const Scratch scratch;
  const FakeModel model;
  const auto sources = images(scratch, 23);
  const auto reference = run(model, sources, {.workers = 1, .batch = 1});
  for (const auto& [workers, batch] : {std::pair{2, 1}, {4, 7}, {3, 64}}) {
    const auto all = run(model, sources, {.workers = workers, .batch = batch});
    ASSERT_EQ(all.size(), sources.size());
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(all[i].source.input, sources[i].input);
      EXPECT_TRUE(at::allclose(all[i].features, reference[i].features, 1e-5, 1e-5)) << i;
    }
  }
}

TEST(Pipeline, ImagesDiffer) {
  const Scratch scratch;
  const auto all = run(FakeModel(), images(scratch, 2));
  EXPECT_GT((all[0].features - all[1].features).abs().max().item<float>(), 1e-3);
}

TEST(Pipeline, BatchesAreFilledAndBounded) {
  const Scratch scratch;
  const FakeModel model;
  run(model, images(scratch, 23), {.batch = 5});
  EXPECT_EQ(model.batches, 5);
  EXPECT_EQ(model.largest_batch, 5);
}

TEST(Pipeline, ABadFileDoesNotStopTheRest) {
  const Scratch scratch;
  const auto all = run(FakeModel(), images(scratch, 12, 4), {.batch = 5});
  Tally tally;
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].problem.has_value(), i % 4 == 3) << i;
    EXPECT_EQ(all[i].features.defined(), i % 4 != 3) << i;
    tally.add(all[i]);
  }
  EXPECT_EQ(tally.done, 9);
  EXPECT_EQ(tally.failed, 3);
  EXPECT_EQ(tally.exit_code(), 3);
  EXPECT_NE(tally.problems[0].find("3.tif"), std::string::npos) << tally.problems[0];
}

TEST(Pipeline, NothingDoneGivesTheFirstProblemsOwnCode) {
  const Scratch scratch;
  Tally tally;
  for (const auto& embedded : run(FakeModel(), {{"/no/such.png", "/no/such.png"}}))
    tally.add(embedded);
  EXPECT_EQ(tally.exit_code(), 4);
  EXPECT_EQ(Tally().exit_code(), 0);
}

TEST(Pipeline, WhatIsNoImageIsSkippedInFoldersAndFailsByName) {
  const Scratch scratch;
  const auto text =
      scratch.write("notes.txt", "not an image, but long enough to look at twice or more");
  Source source{text, text};
  EXPECT_TRUE(run(FakeModel(), {source})[0].problem.has_value());
  source.found = true;
  const auto all = run(FakeModel(), {source});
  EXPECT_TRUE(all[0].skipped);
  EXPECT_FALSE(all[0].problem.has_value());
}

TEST(Pipeline, AStopKeepsWhatIsDone) {
  const Scratch scratch;
  int asked = 0;
  const auto all =
      run(FakeModel(), images(scratch, 20), {.batch = 2, .stop = [&] { return ++asked >= 6; }});
  ASSERT_EQ(all.size(), 6U);
  for (const auto& embedded : all) EXPECT_TRUE(embedded.features.defined());
}

TEST(Pipeline, AnUnlistableFolderIsAProblemOfItsOwn) {
  const Source source{"locked", "locked", Json::object(), true, "locked: cannot be read"};
  const auto all = run(FakeModel(), {source});
  ASSERT_TRUE(all[0].problem.has_value());
  EXPECT_STREQ(all[0].problem->what(), "locked: cannot be read");
}

/// A model whose answers are not numbers.
class NanModel : public FakeModel {
 public:
  at::Tensor embed_images(const at::Tensor& pixels) const override {
    return at::full({pixels.size(0), kDimension}, std::numeric_limits<float>::quiet_NaN());
  }
};

TEST(Pipeline, AnswersThatAreNotFiniteAreRefused) {
  const Scratch scratch;
  const NanModel model;
  const auto all = run(model, images(scratch, 1));
  ASSERT_TRUE(all[0].problem.has_value());
  EXPECT_FALSE(all[0].features.defined());
}

TEST(Frames, ChoicesAndTheirErrors) {
  using Frames = std::vector<int>;
  EXPECT_EQ(FrameChoice::parse("middle").of(5, "x"), Frames{2});
  EXPECT_EQ(FrameChoice::parse("middle").of(1, "x"), Frames{0});
  EXPECT_EQ(FrameChoice::parse("first").of(5, "x"), Frames{0});
  EXPECT_EQ(FrameChoice::parse("4").of(5, "x"), Frames{4});
  EXPECT_EQ(FrameChoice::parse("all").of(3, "x"), (Frames{0, 1, 2}));
  for (const char* wrong : {"", "-1", "last", "3x", "99999999999"})
    error_of(ErrorCode::kUsage, [&] { FrameChoice::parse(wrong); });
  const auto message =
      error_of(ErrorCode::kUnsupported, [] { FrameChoice::parse("5").of(5, "us.dcm"); });
  EXPECT_NE(message.find("us.dcm"), std::string::npos) << message;
}

TEST(Frames, AllOfAMultiFrameDicomAndItsIdentity) {
  const fs::path file = fs::path(VESALIUS_SOURCE_DIR) /
                        ".venv/lib/python3.11/site-packages/pydicom/data" /
                        "test_files/examples_ybr_color.dcm";
  if (!fs::exists(file)) GTEST_SKIP() << file << " is not there";
  const Source source{file.string(), file.string()};
  const auto middle = run(FakeModel(), {source});
  ASSERT_EQ(middle.size(), 1U);
  ASSERT_FALSE(middle[0].problem.has_value()) << middle[0].problem->what();
  EXPECT_EQ(middle[0].identity["frames"], 30);
  EXPECT_EQ(middle[0].identity["frame"], 15);
  EXPECT_TRUE(middle[0].identity.contains("sop_instance_uid"));
  const auto all = run(FakeModel(), {source}, {.frames = FrameChoice::parse("all"), .batch = 4});
  ASSERT_EQ(all.size(), 30U);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(all[static_cast<size_t>(i)].identity["frame"], i);
  EXPECT_TRUE(at::allclose(all[15].features, middle[0].features));
}

}  // namespace
}  // namespace vesalius::tasks
