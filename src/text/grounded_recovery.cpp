#include "text/grounded_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "text/grounded_boxes.h"
#include "text/unicode.h"

namespace vesalius::text {

namespace {

enum class Kind { kText, kBegin, kEnd, kBoxBegin, kBoxEnd };

struct Lexeme {
  Kind kind;
  Span span;
};

/// The tokens in `whole` and the text between them. The next place of each token is kept, so that a
/// megabyte of one of them is read once.
std::vector<Lexeme> lexemes_of(std::string_view text, Span whole, const GroundingTokens& tokens) {
  struct Next {
    Kind kind;
    std::string_view token;
    size_t at;
  };
  const std::string_view within = text.substr(0, whole.end);
  Next next[] = {{Kind::kBegin, tokens.begin, 0},
                 {Kind::kEnd, tokens.end, 0},
                 {Kind::kBoxBegin, tokens.box_begin, 0},
                 {Kind::kBoxEnd, tokens.box_end, 0}};
  for (Next& each : next) each.at = find_token(within, each.token, whole.begin);
  std::vector<Lexeme> out;
  for (size_t at = whole.begin; at < whole.end;) {
    for (Next& each : next)
      if (each.at < at) each.at = find_token(within, each.token, at);
    const Next& first = *std::ranges::min_element(next, {}, &Next::at);
    const size_t start = std::min(first.at, whole.end);
    if (start > at) out.push_back({Kind::kText, {at, start}});
    at = start;
    if (at == whole.end) break;
    at += first.token.size();
    out.push_back({first.kind, {start, at}});
  }
  return out;
}

bool has_words(std::string_view text, Span span) {
  for (size_t at = span.begin; at < span.end;) {
    const Utf8Step step = utf8_step(text, at);
    if (is_letter(step.code) || is_number(step.code)) return true;
    at += step.length;
  }
  return false;
}

class Recovery {
 public:
  Recovery(std::string_view text, Span whole, const GroundingTokens& tokens)
      : text_(text), tokens_(tokens), lexemes_(lexemes_of(text, whole, tokens)) {}

  GroundedText run() {
    out_.grounded = true;
    while (next_ < lexemes_.size()) {
      const Lexeme lexeme = lexemes_[next_++];
      switch (lexeme.kind) {
        case Kind::kText:
          take_text(lexeme.span);
          break;
        case Kind::kBegin:
          begin_sentence(lexeme.span);
          break;
        case Kind::kEnd:
          end_sentence(lexeme.span);
          break;
        case Kind::kBoxBegin:
          take_box(lexeme.span);
          break;
        case Kind::kBoxEnd:
          take_unopened_box(lexeme.span);
          break;
      }
    }
    if (open_) break_off();
    return std::move(out_);
  }

 private:
  void note(const char* code, std::string message, size_t at) {
    out_.repairs.push_back({code, std::move(message), at});
  }
  GroundedSentence& last() { return out_.sentences.back(); }

  void take_text(Span span) {
    if (open_ && last().boxes.empty()) {
      last().text += cut(text_, span);
      return;
    }
    const Span words = without_space(text_, span, Side::kBoth);
    if (!has_words(text_, words)) {
      note("stray-space", "white space or punctuation between the items; left out", span.begin);
    } else if (open_) {
      note("text-after-box", "words after a box; joined to the sentence", span.begin);
      last().text += " " + cut(text_, words);
    } else {
      note("stray-text", "words outside of an item; kept as a sentence", words.begin);
      out_.sentences.push_back({cut(text_, words), {}, words, true});
    }
  }

  void begin_sentence(Span token) {
    if (open_) {
      note("missing-end",
           fmt::format("a sentence has no '{}'; ended where the next begins", tokens_.end),
           token.begin);
      close(token.begin);
    }
    out_.sentences.push_back({.span = token});
    open_ = true;
  }

  void end_sentence(Span token) {
    if (open_) return close(token.end);
    note("missing-begin", fmt::format("'{}' without '{}'; left out", tokens_.end, tokens_.begin),
         token.begin);
  }

  void close(size_t end) {
    GroundedSentence& sentence = last();
    const Side side = sentence.boxes.empty() ? Side::kLeft : Side::kBoth;
    sentence.text =
        cut(sentence.text, without_space(sentence.text, {0, sentence.text.size()}, side));
    sentence.span.end = end;
    open_ = false;
  }

  void break_off() {
    const size_t end = lexemes_.back().span.end;
    note("truncated", "the text breaks off inside a sentence", end);
    close(end);
    last().complete = false;
    if (last().text.empty() && last().boxes.empty()) out_.sentences.pop_back();
  }

  void take_box(Span token) {
    Span inside{token.end, token.end};
    if (next_ < lexemes_.size() && lexemes_[next_].kind == Kind::kText)
      inside = lexemes_[next_++].span;
    const bool closed = next_ < lexemes_.size() && lexemes_[next_].kind == Kind::kBoxEnd;
    const bool at_end = next_ == lexemes_.size();
    if (closed) ++next_;
    if (!closed && !at_end)
      note("unclosed-box", fmt::format("a box has no '{}'", tokens_.box_end), token.begin);
    if (const auto corners = find_corners(text_, inside)) {
      note_extra(text_, inside, *corners, out_.repairs);
      return add_box(*corners, token.begin);
    }
    if (const auto corners = gather_corners(text_, inside)) {
      note_extra(text_, inside, *corners, out_.repairs);
      return add_box({corners->bins, inside}, token.begin);
    }
    // What breaks off in the middle of a box is told once, as truncated.
    if (!at_end || closed || !open_)
      note("bad-box", fmt::format("'{}' is not four coordinates; left out", cut(text_, inside)),
           token.begin);
  }

  /// Coordinates and the end of a box, without its beginning: they stand in the sentence's text.
  void take_unopened_box(Span token) {
    note("missing-box-begin", fmt::format("'{}' without '{}'", tokens_.box_end, tokens_.box_begin),
         token.begin);
    if (!open_) return;
    std::string& words = last().text;
    const auto corners = find_corners(words, {0, words.size()});
    if (!corners || corners->span.end != words.size()) return;
    const size_t length = words.size() - corners->span.begin;
    words.resize(corners->span.begin);
    add_box({corners->bins, {token.begin - length, token.begin}}, token.begin);
  }

  void add_box(const Corners& corners, size_t at) {
    if (out_.sentences.empty()) return note("stray-box", "a box before any sentence; left out", at);
    if (!open_) note("stray-box", "a box outside of an item; given to the sentence before it", at);
    if (!in_range(corners, tokens_.bins))
      note("coordinate-range",
           fmt::format("a coordinate is past the last, {}; taken as the last", tokens_.bins - 1),
           at);
    note_inverted(corners, at, out_.repairs);
    last().boxes.push_back(box_of(corners, tokens_.bins));
    last().box_spans.push_back(corners.span);
  }

  std::string_view text_;
  const GroundingTokens& tokens_;
  std::vector<Lexeme> lexemes_;
  size_t next_ = 0;
  bool open_ = false;  // the last sentence's end has not come yet
  GroundedText out_;
};

}  // namespace

GroundedText recover_grounded(std::string_view text, Span whole, const GroundingTokens& tokens) {
  return Recovery(text, whole, tokens).run();
}

}  // namespace vesalius::text
