// The figures of texts where they can be told by hand; report_metrics_test.py has the packages'.
#include "tasks/text_metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "tasks/porter_stemmer.h"

namespace vesalius::tasks {
namespace {

using Strings = std::vector<std::string>;

TEST(Bleu, OfEqualTextsIsOne) {
  const Strings reference{"no pleural effusion is seen"};
  for (const double value : bleu(bleu_counts(reference[0], reference))) EXPECT_NEAR(value, 1, 1e-8);
}

TEST(Bleu, WordsAreClippedAndCapitalsCount) {
  const auto counts = bleu_counts("the the The", Strings{"the lungs"});
  EXPECT_EQ(counts.matched[0], 1);
  EXPECT_EQ(counts.written[0], 3);
}

TEST(Bleu, ShortTextsPayByTheClosestReference) {
  const Strings references{"a b c d e f", "a b c d", "a b"};
  EXPECT_EQ(bleu_counts("a b c", references).reference_length, 2);  // as near as 4, and shorter
  const auto half = bleu(bleu_counts("a b", Strings{"a b c d"}));
  EXPECT_NEAR(half[0], std::exp(-1), 1e-8);
}

TEST(RougeL, LongestCommonSubsequence) {
  // "lungs clear" of 3 and 4 words.
  EXPECT_DOUBLE_EQ(rouge_l("Lungs are CLEAR.", "the lungs look clear", false), 4.0 / 7);
  EXPECT_EQ(rouge_l("...", "the lungs", false), 0);
}

TEST(RougeL, StemsOnlyWordsOfMoreThanThreeLetters) {
  EXPECT_EQ(rouge_l("opacities", "opacity", false), 0);
  EXPECT_EQ(rouge_l("opacities", "opacity", true), 1);
  EXPECT_EQ(rouge_l("ups", "up", true), 0);
}

TEST(CiderD, EqualTextsGetTen) {
  const Strings texts{"no pleural effusion is seen", "heart size is within limits"};
  const std::vector<Strings> references{{texts[0]}, {texts[1]}};
  for (const double value : cider_d(texts, references)) EXPECT_NEAR(value, 10, 1e-9);
}

TEST(CiderD, WordsOfEveryReferenceWeighNothing) {
  const Strings texts{"lungs", "lungs"};
  const std::vector<Strings> references{{"lungs"}, {"lungs"}};
  for (const double value : cider_d(texts, references)) EXPECT_EQ(value, 0);
}

TEST(CiderD, EachTextNeedsReferences) {
  const Strings texts{"lungs", "heart"};
  EXPECT_THROW(cider_d(texts, std::vector<Strings>{{"lungs"}}), Error);
  EXPECT_THROW(cider_d(texts, std::vector<Strings>{{"lungs"}, {}}), Error);
}

TEST(PorterStemmer, Steps) {
  const std::vector<std::pair<const char*, const char*>> cases{
      {"caresses", "caress"},  {"ponies", "poni"},
      {"dies", "die"},         {"died", "die"},
      {"agreed", "agre"},      {"hopping", "hop"},
      {"filing", "file"},      {"enjoy", "enjoy"},
      {"happy", "happi"},      {"relational", "relat"},
      {"theology", "theolog"}, {"sky", "sky"},
      {"adoption", "adopt"},   {"controlling", "control"},
      {"cavities", "caviti"},  {"of", "of"}};
  for (const auto& [word, stem] : cases) EXPECT_EQ(porter_stem(word), stem);
}

}  // namespace
}  // namespace vesalius::tasks
