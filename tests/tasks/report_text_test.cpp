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

/// A text whose tokens all have probabilities of their own: exp(-0.01), exp(-0.02), ….
struct Counted {
  WrittenText text{tokenizer()};
  std::vector<std::pair<std::string, double>> coordinates;  // token, probability

  explicit Counted(std::string_view words) {
    for (const int32_t id : tokenizer().encode(words, {.special = false})) {
      const auto log_prob = -0.01F * static_cast<float>(text.ids().size() + 1);
      text.add(id, log_prob);
      const std::string token(tokenizer().token(id));
      if (token.starts_with("<x") || token.starts_with("<y"))
        coordinates.emplace_back(token, std::exp(log_prob));
    }
  }
  Report report() const {
    Report made;
    made.frontal.shown = {.width = 100, .height = 100};
    read_written(text, {}, made);
    return made;
  }
};

TEST(ReadWritten, BoxesKnowTheProbabilitiesOfTheirCoordinates) {
  const Counted counted(
      "<obj>A.<box><x10><y20><x50><y60></box><box><x1><y2><x3><y4></box></obj>"
      "<obj>B.<box><x5><y6><x7><y8></box></obj>");
  const auto report = counted.report();
  ASSERT_EQ(report.sentences.size(), 2U);
  ASSERT_EQ(counted.coordinates.size(), 12U);
  size_t at = 0;
  for (const auto& sentence : report.sentences) {
    ASSERT_EQ(sentence.box_probabilities.size(), sentence.boxes.size());
    double sum = 0;
    for (const auto& box : sentence.box_probabilities) {
      ASSERT_TRUE(box);
      for (const double p : *box) {
        EXPECT_DOUBLE_EQ(p, counted.coordinates[at].second) << counted.coordinates[at].first;
        sum += counted.coordinates[at++].second;
      }
    }
    EXPECT_NEAR(*sentence.box_sharpness,
                sum / static_cast<double>(4 * sentence.box_probabilities.size()), 1e-12);
  }
}

TEST(ReadWritten, SentencesNameTheirTokens) {
  const Counted counted("<obj>The heart is large.</obj><obj>No effusion.</obj>");
  const auto report = counted.report();
  ASSERT_EQ(report.output_log_probabilities.size(), report.output_ids.size());
  size_t next = 0;
  for (const auto& sentence : report.sentences) {
    EXPECT_EQ(sentence.first_token, next);
    ASSERT_GT(sentence.token_count, 0U);
    double sum = 0;
    for (size_t i = 0; i < sentence.token_count; ++i)
      sum += report.output_log_probabilities[next++];
    EXPECT_NEAR(*sentence.mean_log_probability, sum / static_cast<double>(sentence.token_count),
                1e-6);
  }
  EXPECT_EQ(next, report.output_ids.size());
}

TEST(ReadWritten, RecoveredBoxesKnowTheirTokensToo) {
  const auto probabilities = [](const std::string& words) {
    const Counted counted(words);
    const auto report = counted.report();
    EXPECT_EQ(report.sentences.at(0).boxes.size(), 1U) << words;
    const auto box = report.sentences[0].box_probabilities.at(0);
    EXPECT_TRUE(box) << words;
    return box && box->front() == counted.coordinates.end()[-4].second &&
           box->back() == counted.coordinates.back().second;
  };
  EXPECT_TRUE(probabilities("<obj>A.<box><x9><x1><y2><x3><y4></box></obj>"));  // the last four
  EXPECT_TRUE(probabilities("<obj>A.<box><x1> <y2> and <x3> <y4></box></obj>"));
  EXPECT_TRUE(probabilities("<obj>A.<x1><y2><x3><y4></box></obj>"));
  EXPECT_TRUE(probabilities("<obj>A.</obj><box><x1><y2><x3><y4></box>"));
  EXPECT_TRUE(probabilities("<obj>A.<box><x1><y2><x3><y4></obj>"));
}

TEST(ReadWritten, CoordinatesInLettersHaveNoProbabilityOfTheirOwn) {
  WrittenText text(tokenizer());
  // <x1> in bytes.
  for (const char* token : {"<obj>", "T", "<box>", "<0x3C>", "<0x78>", "<0x31>", "<0x3E>", "<y2>",
                            "<x3>", "<y4>", "</box>", "</obj>"})
    text.add(tokenizer().id_of(token).value(), -0.5F);
  Report report;
  report.frontal.shown = {.width = 100, .height = 100};
  read_written(text, {}, report);
  const auto& sentence = report.sentences.at(0);
  ASSERT_EQ(sentence.boxes.size(), 1U) << text.text();
  ASSERT_EQ(sentence.box_probabilities.size(), 1U);
  EXPECT_FALSE(sentence.box_probabilities[0]);
  EXPECT_FALSE(sentence.box_sharpness);
  EXPECT_TRUE(sentence.mean_log_probability);
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
