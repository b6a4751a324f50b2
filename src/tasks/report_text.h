// From a model's tokens to sentences with their boxes and what tells how far to trust them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/report.h"
#include "text/tokenizer.h"

namespace vesalius::tasks {

/// A model's text so far: how many bytes it had after each token, so that sentences find theirs.
class WrittenText {
 public:
  explicit WrittenText(const text::Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}
  /// The end of text is not added.
  void add(int32_t id, float log_prob);
  const std::string& text() const { return text_; }
  const std::vector<int32_t>& ids() const { return ids_; }
  const std::vector<float>& log_probs() const { return log_probs_; }
  /// The tokens [begin, end) that bytes [begin, end) come from; none for no bytes.
  text::Span tokens_of(text::Span bytes) const;
  /// Of the coordinate tokens that these bytes come from, if they are four.
  BoxProbabilities box_probabilities(text::Span bytes) const;

 private:
  const text::Tokenizer* tokenizer_;
  std::string text_;
  std::vector<int32_t> ids_;
  std::vector<float> log_probs_;
  std::vector<size_t> ends_;
};

/// Bytes of the sentences of plain text: cut behind '.', '!' and '?' before a space and a capital,
/// and at line breaks.
std::vector<text::Span> split_sentences(std::string_view text);

/// Fills sentences, repairs and warnings of a report from what was written.
void read_written(const WrittenText& written, const text::GroundingTokens& tokens, Report& report);

/// Share of the samples that say the same as a sentence: the same labels with the same polarity,
/// or, where it has none, the same words.
double agreement(const ReportSentence& sentence, const std::vector<Report>& samples);

/// Marks what a human should look at twice: unlikely words, vague boxes, little agreement, words of
/// change where there was nothing to compare with, boxes without an area.
void mark_sentences(Report& report);

}  // namespace vesalius::tasks
