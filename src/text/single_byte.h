// The single-byte encodings that UTF-8 is most often mistaken for.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vesalius::text {

/// One code page. Bytes without a meaning stand for the code point of their own number, as browsers
/// have it.
struct CodePage {
  std::string name;
  bool has_holes =
      false;  // was not complete: then byte 1A stands for U+FFFD, "something was lost here"
  std::array<char32_t, 256> decoded{};
  std::unordered_map<char32_t, uint8_t> encoded;

  /// The bytes that this text would have been, if all of it can have come from this page.
  std::optional<std::string> encode(std::u32string_view text) const;
};

/// Latin-1, Windows 1252, 1251, 1250, 1253, 1254, 1257, ISO 8859-2, Mac Roman, IBM 437: the order
/// in which ftfy tries them.
const std::vector<CodePage>& code_pages();

}  // namespace vesalius::text
