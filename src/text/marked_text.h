// Text on its way to tokens, with what each byte came from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace vesalius::text {

inline constexpr char kUser = 1;   // a user's words: not to become a control token
inline constexpr char kFirst = 2;  // of the first character of the whole text

/// UTF-8 and as many marks.
struct MarkedText {
  std::string text, marks;

  bool touches_user(size_t begin, size_t end) const;
  MarkedText cut(size_t begin, size_t end) const;
  void append(std::string_view more, char mark);
};

/// Bytes as valid UTF-8 (U+FFFD for what is not), with `users` marked.
MarkedText marked(std::string_view bytes, const std::vector<Span>& users);

}  // namespace vesalius::text
