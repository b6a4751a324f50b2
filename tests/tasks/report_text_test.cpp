#include "tasks/report_text.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/files.h"
#include "tasks/films.h"
#include "tasks/report_writer.h"
#include "text/bpe_trainer.h"
#include "text/tokenizer_file.h"

namespace vesalius::tasks {
namespace {

using Words = std::vector<std::string>;

Words words_of(std::string_view text) {
  Words sentences;
  for (const auto& span : split_sentences(text))
    sentences.emplace_back(text.substr(span.begin, span.end - span.begin));
  return sentences;
}

TEST(SplitSentences, AtStopsBeforeCapitalsAndAtLines) {
  EXPECT_EQ(words_of("Heart is large. No effusion."), (Words{"Heart is large.", " No effusion."}));
  EXPECT_EQ(words_of("A tube, e.g. a line, 1.5 cm deep. 2 clips"),
            (Words{"A tube, e.g. a line, 1.5 cm deep.", " 2 clips"}));
  EXPECT_EQ(words_of("One\nTwo\n\n"), (Words{"One\n", "Two\n"}));
  EXPECT_TRUE(words_of(" \n ").empty());
  EXPECT_TRUE(words_of("").empty());
}

/// A tokenizer of single bytes with MAIRA-2's tokens behind them.
const text::Tokenizer& tokenizer() {
  static const text::Tokenizer made = [] {
    const auto path = fs::temp_directory_path() / "vesalius-report-text.json";
    write_file(path, dump_json(text::train_tokenizer(
                         {"The heart is large. No effusion."},
                         {.vocabulary_size = 300, .added = text::maira2_added_tokens()})));
    return text::Tokenizer::load(path);
  }();
  return made;
}

WrittenText written(std::string_view text, float coordinate) {
  WrittenText made(tokenizer());
  for (const int32_t id : tokenizer().encode(text, {.special = false})) {
    const auto token = tokenizer().token(id);
    const bool place = token.starts_with("<x") || token.starts_with("<y");
    made.add(id, place ? coordinate : -0.1F);
  }
  return made;
}

Report report_of(std::string_view text, float coordinate = -0.5F, int width = 200,
                 int height = 100) {
  Report report;
  report.frontal.shown = {.width = width, .height = height};
  read_written(written(text, coordinate), {}, report);
  return report;
}

const std::string kHeart = "<obj>The heart is large.<box><x10><y20><x50><y60></box></obj>";

TEST(ReadWritten, SentencesKnowTheirTokens) {
  const auto report = report_of(kHeart + "<obj>No effusion.</obj>");
  ASSERT_EQ(report.sentences.size(), 2U);
  const auto& [heart, none] = std::tie(report.sentences[0], report.sentences[1]);
  EXPECT_EQ(heart.text, "The heart is large.");
  EXPECT_NEAR(*heart.box_sharpness, std::exp(-0.5), 1e-6);
  EXPECT_LT(*heart.mean_log_probability, -0.1);
  EXPECT_GT(*heart.mean_log_probability, -0.5);
  EXPECT_FALSE(none.box_sharpness);
  EXPECT_NEAR(*none.mean_log_probability, -0.1, 1e-6);
  EXPECT_TRUE(report.repairs.empty());
}

TEST(ReadWritten, BoxesAreOfTheWholeFilm) {
  const auto report = report_of(kHeart);
  const auto& box = report.sentences.at(0).boxes.at(0);
  // A square of 100 in a film of 200 x 100 begins at 50: int(0.105 * 100 + 50) / 200.
  EXPECT_DOUBLE_EQ(box.x0, 60 / 200.0);
  EXPECT_DOUBLE_EQ(box.x1, 100 / 200.0);
  EXPECT_DOUBLE_EQ(box.y0, 20 / 100.0);
  EXPECT_DOUBLE_EQ(report.sentences[0].square_boxes[0].x0, 0.105);
}

TEST(ReadWritten, BrokenTextIsKept) {
  const auto report = report_of("<obj>The heart is large.<box><x10><y20>");
  ASSERT_EQ(report.sentences.size(), 1U);
  EXPECT_TRUE(report.sentences[0].boxes.empty());
  EXPECT_FALSE(report.repairs.empty());
}

TEST(Marks, SayWhyToLookTwice) {
  auto report = report_of(kHeart + "<obj>No new effusion.</obj>", -4.0F);
  report.sentences[1].agreement = 0.25;
  mark_sentences(report);
  const auto said = [&](size_t sentence, std::string_view what) {
    for (const auto& mark : report.sentences[sentence].marks)
      if (mark.find(what) != std::string::npos) return true;
    return false;
  };
  EXPECT_TRUE(said(0, "unsure where"));
  EXPECT_TRUE(said(1, "25 %"));
  EXPECT_TRUE(said(1, "no prior film"));
  EXPECT_FALSE(said(0, "no prior film"));
  report.context.prior = true;
  report.sentences[1].marks.clear();
  mark_sentences(report);
  EXPECT_FALSE(said(1, "no prior film"));
}

TEST(Agreement, IsOfLabelsOrOfWords) {
  const auto heart = report_of("The heart is enlarged.").sentences.at(0);
  ASSERT_FALSE(heart.labels.empty());
  EXPECT_EQ(agreement(heart, {report_of("There is cardiomegaly."), report_of("No effusion.")}),
            0.5);
  ReportSentence plain{.text = "Clips are seen."};
  Report same, other;
  same.sentences = {{.text = "clips are seen"}};
  other.sentences = {{.text = "Clips are not seen."}};
  EXPECT_EQ(agreement(plain, {same, other}), 0.5);
  EXPECT_EQ(agreement(plain, {}), 0);
}

TEST(UnseenOf, TellsOfWideAndTallFilms) {
  const auto film = [](int width, int height) {
    return Film{.path = {}, .shown = {.width = width, .height = height}, .dicom = {}};
  };
  EXPECT_TRUE(unseen_of(film(1000, 985)).empty());
  EXPECT_NE(unseen_of(film(1000, 500)).find("25 % at the left and right"), std::string::npos);
  EXPECT_NE(unseen_of(film(500, 1000)).find("top and bottom"), std::string::npos);
}

TEST(Limits, AreThePublishedOnes) {
  EXPECT_EQ(usual_limit(text::ReportTask::kFindings), 300);
  EXPECT_EQ(usual_limit(text::ReportTask::kGroundedFindings), 450);
  EXPECT_EQ(usual_limit(text::ReportTask::kPhrase), 150);
}

}  // namespace
}  // namespace vesalius::tasks
