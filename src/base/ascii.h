// Text without the padding around it, and in small letters.
#pragma once

#include <string>
#include <string_view>

namespace vesalius {

/// A view on `text`, less what stands at its two ends of these characters.
constexpr std::string_view trimmed(std::string_view text, std::string_view padding = " \t\r\n") {
  const size_t first = text.find_first_not_of(padding);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(padding) - first + 1);
}

/// `text` with a to z for A to Z; other bytes stay.
inline std::string lowered(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

}  // namespace vesalius
