#include "tasks/report_similarity.h"

#include <gtest/gtest.h>

#include "tasks/embed.h"
#include "tasks/fake_model.h"
#include "tasks/scratch.h"

namespace vesalius::tasks {
namespace {

using testing::error_of;
using testing::FakeModel;
using testing::Scratch;

const std::vector<std::string> kSentences = {"x-ray chest pneumonia", "", "A naïve sentence."};

/// A TIFF of 4 x 4 pixels as the film.
Report report_on(const Scratch& scratch, const std::vector<std::string>& sentences = kSentences) {
  Report report;
  report.frontal.path = scratch.write("film.tif", testing::tiny_tiff(testing::pixels(3)));
  for (const std::string& text : sentences) report.sentences.push_back({.text = text});
  return report;
}

/// The image as `vesalius embed` embeds it.
at::Tensor embedded(const catalog::EmbeddingModel& model, const std::string& path) {
  at::Tensor vector;
  embed_images(
      model, recipes::make_recipe(model.card().recipe), {{path, path}}, {},
      [&](Record&& record) { vector = record.features.clone(); }, [](const Embedded&) {});
  return vector;
}

double cosine_of(const at::Tensor& a, const at::Tensor& b) {
  return at::cosine_similarity(a.to(at::kDouble), b.to(at::kDouble), 0).item<double>();
}

std::unique_ptr<catalog::EmbeddingModel> starter(bool texts = true) {
  ::setenv("VESALIUS_CATALOG", VESALIUS_SOURCE_DIR "/catalog", 1);
  return catalog::open_embedding_model("starter-insight",
                                       {.device = "cpu", .precision = "fp32", .texts = texts});
}

TEST(Similarity, IsTheCosineOfWhatEmbedGives) {
  const Scratch scratch;
  const auto model = starter();
  auto report = report_on(scratch);
  add_similarity(*model, report);
  const auto film = embedded(*model, report.frontal.path);
  for (const ReportSentence& sentence : report.sentences) {
    ASSERT_TRUE(sentence.similarity);
    const auto words = model->embed_texts({sentence.text})[0];
    EXPECT_NEAR(*sentence.similarity, cosine_of(film, words), 1e-5) << sentence.text;
  }
  EXPECT_GT(std::abs(*report.sentences[0].similarity - *report.sentences[2].similarity), 1e-3);
}

TEST(Similarity, WithoutSentencesNothingIsEmbedded) {
  const Scratch scratch;
  const FakeModel model;
  auto report = report_on(scratch, {});
  add_similarity(model, report);
  EXPECT_EQ(model.batches, 0);
}

TEST(Similarity, AModelOpenedForImagesAloneIsNamed) {
  const Scratch scratch;
  auto report = report_on(scratch);
  const auto model = starter(/*texts=*/false);
  EXPECT_NE(
      error_of(ErrorCode::kFailed, [&] { add_similarity(*model, report); }).find("images alone"),
      std::string::npos);
  EXPECT_FALSE(report.sentences[0].similarity);
}

}  // namespace
}  // namespace vesalius::tasks
