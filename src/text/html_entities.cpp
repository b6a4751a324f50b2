#include "text/html_entities.h"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <unordered_map>

#include "text/single_byte.h"
#include "text/unicode.h"

namespace vesalius::text {

namespace {

using Entities = std::unordered_map<std::string, std::u32string>;

// In capitals these are references of their own, with or without a semicolon behind them.
bool starts_like_a_short_reference(const std::string& name) {
  static constexpr std::array<const char*, 8> kShort = {"AMP", "COPY", "ETH", "GT",
                                                        "LT",  "QUOT", "REG", "THORN"};
  return std::any_of(kShort.begin(), kShort.end(),
                     [&](const char* start) { return name.rfind(start, 0) == 0; });
}

Entities read_table() {
  Entities entities;
  std::istringstream words(kHtmlEntities);
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    std::u32string value;
    std::istringstream codes(word.substr(equals + 1));
    for (std::string code; std::getline(codes, code, '+');) {
      value.push_back(static_cast<char32_t>(std::stoul(code, nullptr, 16)));
    }
    entities[word.substr(0, equals)] = value;
  }
  return entities;
}

std::string ascii_capitals(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return name;
}

const Entities& entities() {
  static const Entities all = [] {
    Entities made = read_table();
    const Entities published = made;
    for (const auto& [name, value] : published) {
      const bool small =
          std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
      const std::string capitals = ascii_capitals(name);
      if (small && !published.contains(capitals) && !starts_like_a_short_reference(capitals)) {
        made[capitals] = upper(value);
      }
    }
    return made;
  }();
  return all;
}

bool is_noncharacter(uint32_t code) {
  return (code & 0xFFFE) == 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF);
}

bool is_control(uint32_t code) {
  return (code >= 0x01 && code <= 0x08) || code == 0x0B || (code >= 0x0E && code <= 0x1F) ||
         (code >= 0x7F && code <= 0x9F);
}

// What HTML makes of a number: Windows 1252 for the C1 range, nothing for characters that must not
// be.
std::u32string character(uint32_t code) {
  if (code == 0) return U"\uFFFD";
  if (code >= 0x80 && code <= 0x9F) return {code_pages()[1].decoded[code]};
  if ((code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) return U"\uFFFD";
  if (is_control(code) || is_noncharacter(code)) return {};
  return {static_cast<char32_t>(code)};
}

// `digits` is what stands between "&#" and ";".
std::optional<std::u32string> numeric(const std::string& digits) {
  const bool hexadecimal = !digits.empty() && (digits[0] == 'x' || digits[0] == 'X');
  const std::string number = digits.substr(hexadecimal ? 1 : 0);
  const char* allowed = hexadecimal ? "0123456789abcdefABCDEF" : "0123456789";
  if (number.empty() || number.find_first_not_of(allowed) != std::string::npos) return std::nullopt;
  uint32_t code = 0;
  for (const char c : number) {
    const uint32_t digit = c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
    code = std::min<uint32_t>(code * (hexadecimal ? 16 : 10) + digit, 0x110000);
  }
  if (code == ';') return std::nullopt;
  return character(code);
}

std::optional<std::u32string> value_of(const std::string& reference) {
  if (reference.rfind('#', 0) == 0) return numeric(reference.substr(1));
  const auto found = entities().find(reference);
  return found == entities().end() ? std::nullopt : std::optional(found->second);
}

bool is_ascii_alphanumeric(char32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The length of "&name;" or "&#name;" with 1 to 24 letters and digits at `at`; 0 if there is none.
size_t reference_length(const std::u32string& text, size_t at) {
  constexpr size_t kLongest = 24;
  size_t end = at + 1;
  if (end < text.size() && text[end] == U'#') ++end;
  const size_t start = end;
  while (end < text.size() && end - start < kLongest && is_ascii_alphanumeric(text[end])) ++end;
  const bool whole = end > start && end < text.size() && text[end] == U';';
  return whole ? end + 1 - at : 0;
}

}  // namespace

std::u32string unescape_html(const std::u32string& text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t length = text[at] == U'&' ? reference_length(text, at) : 0;
    if (length == 0) {
      out.push_back(text[at++]);
      continue;
    }
    const std::string name = to_utf8(std::u32string_view(text).substr(at + 1, length - 2));
    const std::optional<std::u32string> value = value_of(name);
    out += value ? *value : text.substr(at, length);
    at += length;
  }
  return out;
}

}  // namespace vesalius::text
