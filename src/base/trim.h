// Text without the padding around it.
#pragma once

#include <string_view>

namespace vesalius {

/// A view on `text`, less what stands at its two ends of these characters.
constexpr std::string_view trimmed(std::string_view text, std::string_view padding = " \t\r\n") {
  const size_t first = text.find_first_not_of(padding);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(padding) - first + 1);
}

}  // namespace vesalius
