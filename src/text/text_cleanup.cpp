#include "text/text_cleanup.h"

#include <algorithm>
#include <unordered_map>

#include "text/html_entities.h"
#include "text/mojibake.h"
#include "text/unicode.h"

namespace vesalius::text {

namespace {

using Replacements = std::unordered_map<char32_t, std::u32string>;

std::u32string replace_characters(const std::u32string& text, const Replacements& replacements) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    const auto found = replacements.find(c);
    if (found == replacements.end()) {
      out.push_back(c);
    } else {
      out += found->second;
    }
  }
  return out;
}

// Latin ligatures and digraphs that exist for the sake of typesetting or of old encodings.
const Replacements& ligatures() {
  static const Replacements table = {
      {U'Ĳ', U"IJ"},  {U'ĳ', U"ij"},  {U'ŉ', U"ʼn"}, {U'Ǳ', U"DZ"}, {U'ǲ', U"Dz"}, {U'ǳ', U"dz"},
      {U'Ǆ', U"DŽ"},  {U'ǅ', U"Dž"},  {U'ǆ', U"dž"}, {U'Ǉ', U"LJ"}, {U'ǈ', U"Lj"}, {U'ǉ', U"lj"},
      {U'Ǌ', U"NJ"},  {U'ǋ', U"Nj"},  {U'ǌ', U"nj"}, {U'ﬀ', U"ff"}, {U'ﬁ', U"fi"}, {U'ﬂ', U"fl"},
      {U'ﬃ', U"ffi"}, {U'ﬄ', U"ffl"}, {U'ﬅ', U"ſt"}, {U'ﬆ', U"st"},
  };
  return table;
}

// Fullwidth Latin, halfwidth Katakana and Hangul, and the ideographic space.
const Replacements& widths() {
  static const Replacements table = [] {
    Replacements made = {{U'\u3000', U" "}};
    for (char32_t c = 0xFF01; c < 0xFFF0; ++c) {
      const std::u32string standard = nfkc({&c, 1});
      if (standard != std::u32string_view(&c, 1)) made[c] = standard;
    }
    return made;
  }();
  return table;
}

std::u32string straighten_quotes(std::u32string text) {
  for (char32_t& c : text) {
    if (c == 0x02BC || (c >= 0x2018 && c <= 0x201B)) c = U'\'';
    if (c >= 0x201C && c <= 0x201F) c = U'"';
  }
  return text;
}

std::u32string unify_line_breaks(const std::u32string& text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (c == U'\r' && i + 1 < text.size() && text[i + 1] == U'\n') continue;
    const bool line_break = c == U'\r' || c == 0x2028 || c == 0x2029 || c == 0x85;
    out.push_back(line_break ? U'\n' : c);
  }
  return out;
}

// "ESC [ 1 ; 31 m" and the like: what colours a terminal.
size_t escape_length(const std::u32string& text, size_t at) {
  if (text.compare(at, 2, U"\x1B[") != 0) return 0;
  size_t end = at + 2;
  while (end < text.size() && (text[end] == U';' || is_decimal_digit(text[end]))) ++end;
  if (end == text.size()) return 0;
  const char32_t last = text[end] | 32;
  return last >= U'a' && last <= U'z' && text[end] < 0x80 ? end + 1 - at : 0;
}

std::u32string remove_terminal_escapes(const std::u32string& text) {
  std::u32string out;
  for (size_t at = 0; at < text.size();) {
    const size_t length = escape_length(text, at);
    if (length == 0) out.push_back(text[at]);
    at += std::max<size_t>(length, 1);
  }
  return out;
}

// Control characters without effect on what is seen; C1 is kept, it tells of mojibake.
bool is_idle_control(char32_t c) {
  return c < 0x09 || c == 0x0B || (c >= 0x0E && c < 0x20) || c == 0x7F ||
         (c >= 0x206A && c < 0x2070) || c == 0xFEFF || (c >= 0xFFF9 && c < 0xFFFD);
}

// The repairs that need characters beyond ASCII to have anything to do.
std::u32string repair_characters(std::u32string text) {
  text = fix_c1_controls(fix_encoding(std::move(text)));
  text = replace_characters(replace_characters(text, ligatures()), widths());
  return straighten_quotes(std::move(text));
}

bool is_ascii(std::u32string_view text) {
  return std::all_of(text.begin(), text.end(), [](char32_t c) { return c < 0x80; });
}

// One pass of every repair. There are no surrogates to join: well-formed UTF-8 holds none.
std::u32string repair_once(std::u32string text, bool html) {
  if (html) text = unescape_html(text);
  const bool plain = is_ascii(text);
  if (!plain) text = repair_characters(std::move(text));
  text = remove_terminal_escapes(unify_line_breaks(text));
  std::erase_if(text, is_idle_control);
  return plain ? text : nfc(text);
}

std::u32string fix_line(std::u32string line, bool html) {
  while (true) {
    std::u32string repaired = repair_once(line, html);
    if (repaired == line) return repaired;
    line = std::move(repaired);
  }
}

std::u32string collapse_spaces(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    if (!is_space(c)) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != U' ') {
      out.push_back(U' ');
    }
  }
  if (!out.empty() && out.back() == U' ') out.pop_back();
  return out;
}

}  // namespace

std::u32string fix_text(std::u32string_view text) {
  std::u32string out;
  bool html =
      true;  // until a '<' shows that the text is HTML itself, whose references mean something
  for (size_t at = 0; at < text.size();) {
    const size_t newline = text.find(U'\n', at);
    const size_t end = newline == std::u32string_view::npos ? text.size() : newline + 1;
    const std::u32string_view line = text.substr(at, end - at);
    html = html && line.find(U'<') == std::u32string_view::npos;
    out += fix_line(std::u32string(line), html);
    at = end;
  }
  return out;
}

std::u32string clean_text(std::u32string_view text) {
  return lower(collapse_spaces(fix_text(text)));
}

}  // namespace vesalius::text
