#include "text/splitting.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace vesalius::text {

namespace {

constexpr std::pair<std::string_view, Delimiter> kDelimiters[] = {
    {"Removed", Delimiter::kRemoved},
    {"Isolated", Delimiter::kIsolated},
    {"MergedWithPrevious", Delimiter::kMergedWithPrevious},
    {"MergedWithNext", Delimiter::kMergedWithNext},
    {"Contiguous", Delimiter::kContiguous}};

/// Whether a part joins the one before it.
bool joins(const TextPart& before, const TextPart& part, Delimiter way) {
  switch (way) {
    case Delimiter::kContiguous:
      return before.match == part.match;
    case Delimiter::kMergedWithPrevious:
      return part.match && !before.match;
    case Delimiter::kMergedWithNext:
      return before.match && !part.match;
    case Delimiter::kRemoved:
    case Delimiter::kIsolated:
      return false;
  }
  return false;
}

}  // namespace

Delimiter parse_delimiter(const JsonPart& part) { return part.one_of(kDelimiters); }

std::vector<TextPart> parts_of(const std::vector<Span>& matches, size_t size, bool invert) {
  std::vector<TextPart> parts;
  size_t at = 0;
  for (const Span match : matches) {
    if (at != match.begin) parts.push_back({{at, match.begin}, invert});
    parts.push_back({match, !invert});
    at = match.end;
  }
  if (at != size) parts.push_back({{at, size}, invert});
  return parts;
}

std::vector<Span> split(const std::vector<TextPart>& parts, Delimiter way) {
  std::vector<Span> out;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (way == Delimiter::kRemoved && parts[i].match) continue;
    if (i > 0 && joins(parts[i - 1], parts[i], way))
      out.back().end = parts[i].span.end;
    else
      out.push_back(parts[i].span);
  }
  return out;
}

}  // namespace vesalius::text
