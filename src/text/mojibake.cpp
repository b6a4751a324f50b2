#include "text/mojibake.h"

#include <algorithm>
#include <unordered_set>

#include "text/mojibake_bytes.h"
#include "text/mojibake_signs.h"
#include "text/single_byte.h"

namespace vesalius::text {

namespace {

const CodePage& windows_1252() { return code_pages()[1]; }

bool is_ascii(std::u32string_view text) {
  return std::all_of(text.begin(), text.end(), [](char32_t c) { return c < 0x80; });
}

// The text again, read as UTF-8 from the bytes that it has in this code page.
std::optional<std::u32string> reread(const std::u32string& text, const CodePage& page) {
  std::optional<std::string> bytes = page.encode(text);
  if (!bytes) return std::nullopt;
  // Mac Roman is left out: there an en dash before a space looks like a damaged sequence.
  if (page.name != "macintosh") bytes = restore_nonbreaking_spaces(*bytes);
  if (page.has_holes) bytes = replace_lost_sequences(*bytes);
  return decode_lenient(*bytes);
}

// Characters that bytes of UTF-8 turn into, by their place in a sequence.
struct Clues {
  std::unordered_set<char32_t> first_of[5];  // leads of sequences of 2, 3 and 4
  std::unordered_set<char32_t> continuation, strict;
};

// Clues come from the encodings that agree with Latin-1 in their layout: the first seven.
const Clues& clues() {
  static const Clues made = [] {
    Clues c;
    for (size_t page = 0; page < 7; ++page) {
      const auto& decoded = code_pages()[page].decoded;
      c.first_of[2].insert(decoded.begin() + 0xC2, decoded.begin() + 0xE0);
      c.first_of[3].insert(decoded.begin() + 0xE0, decoded.begin() + 0xF0);
      c.first_of[4].insert({decoded[0xF0], decoded[0xF3]});  // other leads have nothing assigned
      c.continuation.insert(decoded.begin() + 0x80, decoded.begin() + 0xC0);
    }
    c.strict = c.continuation;
    for (const char32_t common : std::u32string_view(U"–—―‘’‚“”„•…")) c.strict.erase(common);
    c.continuation.insert(U' ');  // for U+00A0
    return c;
  }();
  return made;
}

// The length of a run of sequences that look like UTF-8, at `at`; 0 if none starts there.
size_t run_length(std::u32string_view text, size_t at) {
  const auto sequence = [&](size_t from) -> size_t {
    for (size_t length = 2; length <= 4; ++length) {
      if (text.size() - from < length || !clues().first_of[length].contains(text[from])) continue;
      const std::u32string_view rest = text.substr(from + 1, length - 1);
      if (std::all_of(rest.begin(), rest.end(),
                      [](char32_t c) { return clues().continuation.contains(c); })) {
        return length;
      }
    }
    return 0;
  };
  size_t end = at;
  while (end < text.size()) {
    const size_t length = sequence(end);
    if (length == 0) break;
    end += length;
  }
  return end - at;
}

// Repairs runs inside a text that as a whole fits no encoding.
std::u32string fix_embedded(const std::u32string& text) {
  std::u32string out;
  for (size_t at = 0; at < text.size();) {
    const bool inside = at > 0 && clues().strict.contains(text[at - 1]);
    const size_t length = inside ? 0 : run_length(text, at);
    if (length == 0) {
      out.push_back(text[at++]);
      continue;
    }
    const std::u32string run = text.substr(at, length);
    // A run that is the whole text would come back here for ever.
    out += length < text.size() && looks_like_mojibake(run) ? fix_encoding(run) : run;
    at += length;
  }
  return out;
}

std::u32string one_layer(const std::u32string& text) {
  if (is_ascii(text) || !looks_like_mojibake(text)) return text;
  for (const CodePage& page : code_pages()) {
    if (auto fixed = reread(text, page)) return *fixed;
  }
  std::u32string fixed = fix_embedded(text);
  return fixed != text ? fixed : fix_c1_controls(text);
}

}  // namespace

std::u32string fix_c1_controls(std::u32string text) {
  for (char32_t& c : text) {
    if (c >= 0x80 && c <= 0x9F) c = windows_1252().decoded[c];
  }
  return text;
}

std::u32string fix_encoding(std::u32string text) {
  while (true) {
    std::u32string fixed = one_layer(text);
    if (fixed == text) return fixed;
    text = std::move(fixed);
  }
}

}  // namespace vesalius::text
