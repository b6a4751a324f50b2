// Cutting a text at what a pattern found.
#pragma once

#include <cstddef>
#include <vector>

#include "text/tokenizer.h"
#include "text/tokenizer_json.h"

namespace vesalius::text {

/// What becomes of the matches that a text is cut at.
enum class Delimiter { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };
Delimiter parse_delimiter(const JsonPart& part);

/// A match, or what lies between two.
struct TextPart {
  Span span;
  bool match;
};

/// All of a text of `size` bytes, in order; `invert` takes matches for the rest and the rest for
/// matches.
std::vector<TextPart> parts_of(const std::vector<Span>& matches, size_t size, bool invert);

/// The pieces. A run of matches is joined to a neighbour one by one: of "a--b" merged with the
/// next, the pieces are "a", "-", "-b".
std::vector<Span> split(const std::vector<TextPart>& parts, Delimiter way);

}  // namespace vesalius::text
