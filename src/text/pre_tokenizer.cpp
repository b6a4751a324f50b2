#include "text/pre_tokenizer.h"

#include <array>
#include <utility>

#include "text/bpe.h"
#include "text/metaspace.h"
#include "text/pattern.h"
#include "text/splitting.h"
#include "text/unicode.h"

namespace vesalius::text {

namespace {

// How GPT-2 cuts (Radford et al. 2019, its encoder): contractions, and words, numbers and signs
// with the space before them.
constexpr const char* kGpt2Words =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

void cut(const Piece& piece, const std::vector<Span>& spans, std::vector<Piece>& out) {
  for (const Span span : spans) {
    if (span.begin == span.end) continue;
    Piece& part = out.emplace_back();
    part.text.assign(piece.text, span.begin, span.end - span.begin);
    part.first = piece.first && span.begin == 0;
  }
}

void cut(const Piece& piece, const Pattern& pattern, bool invert, Delimiter way,
         std::vector<Piece>& out) {
  cut(piece, split(parts_of(pattern.find_all(piece.text), piece.text.size(), invert), way), out);
}

PreTokenizer::Step parse_split(const JsonPart& part) {
  return [pattern = Pattern::parse(part["pattern"]), way = parse_delimiter(part["behavior"]),
          invert = part["invert"].flag(false)](const Piece& piece, std::vector<Piece>& out) {
    cut(piece, pattern, invert, way, out);
  };
}

PreTokenizer::Step parse_digits(const JsonPart& part) {
  const auto way =
      part["individual_digits"].flag(false) ? Delimiter::kIsolated : Delimiter::kContiguous;
  return [way](const Piece& piece, std::vector<Piece>& out) {
    std::vector<Span> digits;
    for (size_t at = 0; at < piece.text.size();) {
      const Utf8Step step = utf8_step(piece.text, at);
      if (is_number(step.code)) digits.push_back({at, at + step.length});
      at += step.length;
    }
    cut(piece, split(parts_of(digits, piece.text.size(), false), way), out);
  };
}

PreTokenizer::Step parse_metaspace(const JsonPart& part) {
  const Metaspace metaspace = Metaspace::parse(part);
  return [metaspace, pattern = Pattern::literal(metaspace.sign)](const Piece& piece,
                                                                 std::vector<Piece>& out) {
    const Piece with_signs{metaspace.marked(piece.text, piece.first), piece.first};
    if (metaspace.split)
      cut(with_signs, pattern, false, Delimiter::kMergedWithNext, out);
    else
      out.push_back(with_signs);
  };
}

std::string letters_of(std::string_view bytes) {
  static const auto letters = [] {
    std::array<std::string, 256> made;
    for (const auto& [byte, letter] : byte_letters()) made[byte] = letter;
    return made;
  }();
  std::string out;
  for (const char byte : bytes) out += letters[static_cast<uint8_t>(byte)];
  return out;
}

PreTokenizer::Step parse_byte_level(const JsonPart& part) {
  const bool prefix = part["add_prefix_space"].flag(true), words = part["use_regex"].flag(true);
  return [prefix, words, pattern = Pattern::regex(kGpt2Words, part)](const Piece& piece,
                                                                     std::vector<Piece>& out) {
    const bool spaced = prefix && !piece.text.starts_with(' ');
    const Piece whole{(spaced ? " " : "") + piece.text, piece.first};
    const size_t before = out.size();
    if (words)
      cut(whole, pattern, false, Delimiter::kIsolated, out);
    else
      out.push_back(whole);
    for (size_t i = before; i < out.size(); ++i) out[i].text = letters_of(out[i].text);
  };
}

constexpr StepKind<PreTokenizer::Step> kKinds[] = {
    {"Metaspace", parse_metaspace},
    {"ByteLevel", parse_byte_level},
    {"Split", parse_split},
    {"Digits", parse_digits},
};

}  // namespace

PreTokenizer PreTokenizer::parse(const JsonPart& part) {
  PreTokenizer out;
  parse_steps(part, "pretokenizers", kKinds, out.steps_);
  return out;
}

std::vector<Piece> PreTokenizer::apply(Piece piece) const {
  std::vector<Piece> pieces;
  pieces.push_back(std::move(piece));
  for (const Step& step : steps_) {
    std::vector<Piece> next;
    for (const Piece& each : pieces) step(each, next);
    pieces = std::move(next);
  }
  return pieces;
}

}  // namespace vesalius::text
