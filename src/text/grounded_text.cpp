#include "text/grounded_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "text/grounded_boxes.h"
#include "text/grounded_recovery.h"

namespace vesalius::text {

namespace {

/// The insides of BEGIN … END BEGIN … END, if there is nothing else in `whole`.
std::optional<std::vector<Span>> tiles(std::string_view text, Span whole, std::string_view begin,
                                       std::string_view end) {
  std::vector<Span> found;
  size_t at = whole.begin;
  const std::string_view within = text.substr(0, whole.end);
  while (find_token(within, begin, at) != std::string_view::npos) {
    if (!within.substr(at).starts_with(begin)) return {};
    const size_t inside = at + begin.size(), stop = find_token(within, end, inside);
    if (stop == std::string_view::npos) return {};
    found.push_back({inside, stop});
    at = stop + end.size();
  }
  if (at != whole.end) return {};
  return found;
}

bool holds(std::string_view text, Span span, std::string_view token) {
  return find_token(text.substr(0, span.end), token, span.begin) != std::string_view::npos;
}

/// Box after box, with the four coordinates somewhere in each, as the published parser wants them.
bool strict_boxes(std::string_view text, Span boxes, const GroundingTokens& tokens,
                  GroundedSentence& sentence, std::vector<Repair>& repairs) {
  const auto insides = tiles(text, boxes, tokens.box_begin, tokens.box_end);
  if (!insides) return false;
  for (const Span inside : *insides) {
    const auto corners = find_corners(text, inside);
    if (!corners || !in_range(*corners, tokens.bins)) return false;
    note_extra(text, inside, *corners, repairs);
    note_inverted(*corners, inside.begin, repairs);
    sentence.boxes.push_back(box_of(*corners, tokens.bins));
    sentence.box_spans.push_back(corners->span);
  }
  return true;
}

bool strict_sentence(std::string_view text, Span inside, const GroundingTokens& tokens,
                     GroundedSentence& sentence, std::vector<Repair>& repairs) {
  sentence.span = {inside.begin - tokens.begin.size(), inside.end + tokens.end.size()};
  if (holds(text, inside, tokens.begin))
    repairs.push_back({"token-in-text",
                       fmt::format("a sentence holds another '{}'; kept as text", tokens.begin),
                       inside.begin});
  const size_t first = find_token(text.substr(0, inside.end), tokens.box_begin, inside.begin);
  if (first == std::string_view::npos) {
    sentence.text = cut(text, without_space(text, inside, Side::kLeft));
    return !holds(text, inside, tokens.box_end);
  }
  sentence.text = cut(text, without_space(text, {inside.begin, first}, Side::kBoth));
  return strict_boxes(text, {first, inside.end}, tokens, sentence, repairs);
}

/// What the published parser gives; nothing where it stops with an error.
std::optional<GroundedText> parse_strictly(std::string_view text, Span whole,
                                           const GroundingTokens& tokens) {
  const auto items = tiles(text, whole, tokens.begin, tokens.end);
  if (!items) return {};
  GroundedText parsed{.grounded = true};
  for (const Span inside : *items) {
    GroundedSentence sentence;
    if (!strict_sentence(text, inside, tokens, sentence, parsed.repairs)) return {};
    parsed.sentences.push_back(std::move(sentence));
  }
  return parsed;
}

int bin_of(double coordinate, int bins) {
  // Not a number falls into the first.
  return coordinate > 0 ? static_cast<int>(std::min(coordinate * bins, bins - 1.0)) : 0;
}

struct Square {
  int side, left, top;
};

Square centre_square(int width, int height) {
  const int side = std::min(width, height);
  return {side, (width - side) / 2, (height - side) / 2};
}

}  // namespace

GroundedText parse_grounded(std::string_view text, const GroundingTokens& tokens) {
  const Span whole = without_space(text, {0, text.size()}, Side::kBoth);
  const bool grounded = holds(text, whole, tokens.begin) || holds(text, whole, tokens.end) ||
                        holds(text, whole, tokens.box_begin) || holds(text, whole, tokens.box_end);
  if (!grounded) {
    GroundedText plain;
    if (whole.begin < whole.end) plain.sentences.push_back({cut(text, whole), {}, whole, true});
    return plain;
  }
  if (auto parsed = parse_strictly(text, whole, tokens)) return std::move(*parsed);
  return recover_grounded(text, whole, tokens);
}

std::string write_grounded(const std::vector<GroundedSentence>& sentences,
                           const GroundingTokens& tokens) {
  std::string text;
  for (const GroundedSentence& sentence : sentences) {
    text += tokens.begin + sentence.text;
    for (const Box& box : sentence.boxes) {
      const auto bin = [&](double coordinate) { return bin_of(coordinate, tokens.bins); };
      text += fmt::format("{}<x{}><y{}><x{}><y{}>{}", tokens.box_begin, bin(box.x0), bin(box.y0),
                          bin(box.x1), bin(box.y1), tokens.box_end);
    }
    text += tokens.end;
  }
  return text;
}

Box box_of_film(const Box& square, int width, int height) {
  const Square crop = centre_square(width, height);
  const auto x = [&](double v) { return std::trunc(v * crop.side + crop.left) / width; };
  const auto y = [&](double v) { return std::trunc(v * crop.side + crop.top) / height; };
  return {x(square.x0), y(square.y0), x(square.x1), y(square.y1)};
}

Box box_of_square(const Box& film, int width, int height) {
  const Square crop = centre_square(width, height);
  const auto inside = [&](double pixels) { return std::clamp(pixels / crop.side, 0.0, 1.0); };
  const auto x = [&](double v) { return inside(v * width - crop.left); };
  const auto y = [&](double v) { return inside(v * height - crop.top); };
  return {x(film.x0), y(film.y0), x(film.x1), y(film.y1)};
}

}  // namespace vesalius::text
