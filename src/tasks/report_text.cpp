#include "tasks/report_text.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>
#include <span>

#include "tasks/finding_labels.h"

namespace vesalius::tasks {
namespace {

// Below these a sentence is marked. A token that the model thinks as likely as not has log 0.5.
constexpr double kUnlikely = -1.2, kVague = 0.1, kDisputed = 0.5;

bool is_coordinate(std::string_view token) {
  return token.size() > 3 && token[0] == '<' && (token[1] == 'x' || token[1] == 'y') &&
         std::isdigit(static_cast<unsigned char>(token[2])) != 0 && token.back() == '>';
}

std::string trimmed(std::string_view text) {
  const auto space = [](unsigned char c) { return std::isspace(c) != 0; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

/// Plain findings are one text for the published parser; here they are taken sentence by sentence.
std::vector<text::GroundedSentence> plain_sentences(const std::string& text) {
  std::vector<text::GroundedSentence> sentences;
  for (const text::Span& span : split_sentences(text))
    sentences.push_back(
        {.text = trimmed(std::string_view(text).substr(span.begin, span.end - span.begin)),
         .span = span});
  return sentences;
}

std::string plain_words(std::string_view text) {
  std::string words;
  for (const char c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      words += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return words;
}

bool same_labels(const std::vector<FindingLabel>& a, const std::vector<FindingLabel>& b) {
  return std::ranges::equal(a, b, [](const FindingLabel& x, const FindingLabel& y) {
    return x.name == y.name && x.polarity == y.polarity;
  });
}

bool says_the_same(const ReportSentence& a, const ReportSentence& b) {
  if (!a.labels.empty()) return same_labels(a.labels, b.labels);
  return plain_words(a.text) == plain_words(b.text);
}

/// Nothing for no numbers.
template <class Numbers>
std::optional<double> mean_of(const Numbers& numbers) {
  if (numbers.empty()) return {};
  return std::accumulate(numbers.begin(), numbers.end(), 0.0) / static_cast<double>(numbers.size());
}

/// What the sentence's tokens tell of how far to trust it.
void add_probabilities(const WrittenText& written, const text::GroundedSentence& parsed,
                       ReportSentence& sentence) {
  const text::Span tokens = written.tokens_of(parsed.span);
  sentence.first_token = tokens.begin;
  sentence.token_count = tokens.end - tokens.begin;
  sentence.mean_log_probability =
      mean_of(std::span(written.log_probs()).subspan(tokens.begin, sentence.token_count));
  std::vector<double> known;
  for (const text::Span& box : parsed.box_spans) {
    sentence.box_probabilities.push_back(written.box_probabilities(box));
    if (const auto& four = sentence.box_probabilities.back())
      known.insert(known.end(), four->begin(), four->end());
  }
  sentence.box_sharpness = mean_of(known);
}

bool has_no_area(const text::Box& box) { return !(box.x1 > box.x0 && box.y1 > box.y0); }

}  // namespace

void WrittenText::add(int32_t id, float log_prob) {
  ids_.push_back(id);
  log_probs_.push_back(log_prob);
  text_ = tokenizer_->decode(ids_);
  // A letter that comes in several tokens stands longer while it is not whole.
  for (auto end = ends_.rbegin(); end != ends_.rend() && *end > text_.size(); ++end)
    *end = text_.size();
  ends_.push_back(text_.size());
}

text::Span WrittenText::tokens_of(text::Span bytes) const {
  const auto after = [&](size_t byte) {  // tokens that end there or before
    return static_cast<size_t>(std::ranges::upper_bound(ends_, byte) - ends_.begin());
  };
  if (bytes.begin >= bytes.end) return {};
  const size_t begin = after(bytes.begin), last = after(bytes.end - 1);
  return {begin, std::min(last + 1, ids_.size())};
}

BoxProbabilities WrittenText::box_probabilities(text::Span bytes) const {
  std::array<double, 4> found{};
  size_t count = 0;
  const text::Span tokens = tokens_of(bytes);
  for (size_t i = tokens.begin; i < tokens.end; ++i) {
    if (!is_coordinate(tokenizer_->token(ids_[i]))) continue;
    if (count == found.size()) return {};
    found[count++] = std::exp(log_probs_[i]);
  }
  return count == found.size() ? BoxProbabilities(found) : std::nullopt;
}

std::vector<text::Span> split_sentences(std::string_view text) {
  std::vector<text::Span> spans;
  const auto add = [&](size_t begin, size_t end) {
    if (!trimmed(text.substr(begin, end - begin)).empty()) spans.push_back({begin, end});
  };
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool line = text[i] == '\n';
    const bool stop =
        (text[i] == '.' || text[i] == '!' || text[i] == '?') &&
        (i + 1 == text.size() ||
         (std::isspace(static_cast<unsigned char>(text[i + 1])) != 0 &&
          (i + 2 >= text.size() || std::islower(static_cast<unsigned char>(text[i + 2])) == 0)));
    if (!line && !stop) continue;
    add(begin, i + 1);
    begin = i + 1;
  }
  add(begin, text.size());
  return spans;
}

void read_written(const WrittenText& written, const text::GroundingTokens& tokens, Report& report) {
  report.raw_text = written.text();
  report.output_ids = written.ids();
  report.output_log_probabilities = written.log_probs();
  auto parsed = text::parse_grounded(report.raw_text, tokens);
  report.repairs = std::move(parsed.repairs);
  if (!parsed.grounded) parsed.sentences = plain_sentences(report.raw_text);
  report.sentences.clear();
  for (auto& one : parsed.sentences) {
    ReportSentence sentence{.text = trimmed(one.text), .square_boxes = one.boxes};
    for (const auto& box : one.boxes)
      sentence.boxes.push_back(
          text::box_of_film(box, report.frontal.shown.width, report.frontal.shown.height));
    sentence.labels = label_sentence(sentence.text);
    add_probabilities(written, one, sentence);
    report.sentences.push_back(std::move(sentence));
  }
}

double agreement(const ReportSentence& sentence, const std::vector<Report>& samples) {
  const auto agrees = [&](const Report& sample) {
    return std::ranges::any_of(sample.sentences, [&](const ReportSentence& other) {
      return says_the_same(sentence, other);
    });
  };
  return samples.empty() ? 0
                         : static_cast<double>(std::ranges::count_if(samples, agrees)) /
                               static_cast<double>(samples.size());
}

void mark_sentences(Report& report) {
  for (ReportSentence& s : report.sentences) {
    const auto mark = [&](std::string why) { s.marks.push_back(std::move(why)); };
    if (s.mean_log_probability && *s.mean_log_probability < kUnlikely)
      mark("the model was unsure of its words");
    if (s.box_sharpness && *s.box_sharpness < kVague) mark("the model was unsure where");
    if (s.agreement && *s.agreement < kDisputed)
      mark(fmt::format("only {:.0f} % of further samples say so", 100 * *s.agreement));
    if (std::ranges::any_of(s.boxes, has_no_area)) mark("a box without an area");
    if (report.context.prior) continue;
    if (const auto words = temporal_words(s.text); !words.empty())
      mark(fmt::format("speaks of change ('{}'), but there was no prior film", words.front()));
  }
}

}  // namespace vesalius::tasks
