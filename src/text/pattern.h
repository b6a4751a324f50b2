// What a tokenizer.json looks for in text: a fixed string or a regular expression.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"
#include "text/tokenizer_json.h"

namespace vesalius::text {

class Pattern {
 public:
  /// {"String": …} or {"Regex": …}. The expressions were written for Oniguruma; what ICU might read
  /// otherwise (\w, \h, (?m) …) is refused.
  static Pattern parse(const JsonPart& part);
  static Pattern literal(std::string text);
  static Pattern regex(const std::string& expression, const JsonPart& part);

  /// Matches from left to right, none of them over another, empty ones not behind another. Error
  /// kModel if an expression takes seconds or too much memory.
  std::vector<Span> find_all(std::string_view text) const;

 private:
  struct Regex;
  std::string literal_;
  std::shared_ptr<const Regex> regex_;  // of an expression
};

}  // namespace vesalius::text
