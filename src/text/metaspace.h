// SentencePiece's way with spaces (Kudo & Richardson 2018, arXiv:1808.06226): a visible sign stands
// for each, and one is put before the text.
#pragma once

#include <string>
#include <string_view>

#include "text/tokenizer_json.h"

namespace vesalius::text {

/// Where a sign is put before a text that does not begin with one.
enum class MetaspacePrefix { kNever, kFirst, kAlways };

struct Metaspace {
  std::string sign = "\u2581";
  MetaspacePrefix prefix = MetaspacePrefix::kAlways;
  bool split = true;

  /// "prepend_scheme", or "add_prefix_space" of older files.
  static Metaspace parse(const JsonPart& part);

  std::string marked(std::string_view text, bool first) const;
};

}  // namespace vesalius::text
