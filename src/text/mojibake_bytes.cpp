#include "text/mojibake_bytes.h"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "text/unicode.h"

namespace vesalius::text {

namespace {

struct Range {
  uint8_t low, high;
};
using ByteSet = std::vector<Range>;
using Pattern = std::vector<ByteSet>;

bool contains(const ByteSet& set, char byte) {
  const auto value = static_cast<uint8_t>(byte);
  return std::any_of(set.begin(), set.end(),
                     [&](const Range& range) { return value >= range.low && value <= range.high; });
}

bool stands_at(const Pattern& pattern, std::string_view bytes, size_t at) {
  if (bytes.size() - at < pattern.size()) return false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (!contains(pattern[i], bytes[at + i])) return false;
  }
  return true;
}

// The length of the first pattern that stands at `at`; 0 if none does.
size_t match(const std::vector<Pattern>& patterns, std::string_view bytes, size_t at) {
  for (const Pattern& pattern : patterns) {
    if (stands_at(pattern, bytes, at)) return pattern.size();
  }
  return 0;
}

template <class Replace>
std::string replace_all(std::string_view bytes, const std::vector<Pattern>& patterns,
                        Replace replace) {
  std::string out;
  out.reserve(bytes.size());
  for (size_t at = 0; at < bytes.size();) {
    const size_t length = match(patterns, bytes, at);
    if (length == 0) {
      out.push_back(bytes[at++]);
    } else {
      out += replace(bytes.substr(at, length));
      at += length;
    }
  }
  return out;
}

ByteSet bytes_of(std::initializer_list<int> values) {
  ByteSet set;
  for (const int value : values)
    set.push_back({static_cast<uint8_t>(value), static_cast<uint8_t>(value)});
  return set;
}

ByteSet operator|(ByteSet left, const ByteSet& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

const ByteSet kAnyContinuation = {{0x80, 0xBF}};

// Sequences with one space in the place of A0. Only lead bytes whose character with A0 is a common
// one are trusted: in two bytes U+00A0 à Š Π Р ٠, in three not the Mongolian and Samaritan rows, in
// four only F0. 85 is left out because an ellipsis is more often what it stands for.
const std::vector<Pattern>& spaces_for_a0() {
  static const ByteSet space = bytes_of({0x20});
  static const ByteSet other = {{0x80, 0x84}, {0x86, 0x9F}, {0xA1, 0xBF}};
  static const std::vector<Pattern> patterns = {
      {bytes_of({0xC2, 0xC3, 0xC5, 0xCE, 0xD0, 0xD9}), space},
      {bytes_of({0xE2, 0xE3}), space, other},
      {{{0xE0, 0xE3}}, other, space},
      {bytes_of({0xF0}), space, kAnyContinuation, kAnyContinuation},
      {bytes_of({0xF0}), kAnyContinuation, space, kAnyContinuation},
      {bytes_of({0xF0}), kAnyContinuation, kAnyContinuation, space},
  };
  return patterns;
}

// A sequence of `lead` and `count` continuation bytes of which one, at `lost`, is 1A or '?', others
// may be 1A.
Pattern lossy(ByteSet lead, size_t count, size_t lost) {
  Pattern pattern = {std::move(lead)};
  for (size_t i = 0; i < count; ++i) {
    pattern.push_back(i == lost ? bytes_of({0x1A, '?'}) : bytes_of({0x1A}) | kAnyContinuation);
  }
  return pattern;
}

const std::vector<Pattern>& lost_sequences() {
  static const std::vector<Pattern> patterns = [] {
    const ByteSet lost = bytes_of({0x1A, '?'}), first = {{0xA0, 0xAF}}, second = {{0xB0, 0xBF}};
    const ByteSet any = lost | kAnyContinuation, ed = bytes_of({0xED});
    std::vector<Pattern> made = {
        {{{0xC2, 0xDF}}, bytes_of({0x1A})},
        {{{0xC2, 0xC3}}, bytes_of({'?'})},
        {ed, first, lost, ed, second, any},
        {ed, first, any, ed, second, lost},
    };
    for (size_t i = 0; i < 2; ++i) made.push_back(lossy({{0xE0, 0xEF}}, 2, i));
    for (size_t i = 0; i < 3; ++i) made.push_back(lossy({{0xF0, 0xF4}}, 3, i));
    made.push_back({bytes_of({0x1A})});
    return made;
  }();
  return patterns;
}

// "Ã " as a word of its own was "à" before its A0 became a space and two spaces became one: keep a
// space. Portuguese contractions such as "às" and "àquele" are one word and are left to the general
// rule.
std::string separate_a_grave(std::string_view bytes) {
  std::string out;
  for (size_t at = 0; at < bytes.size(); ++at) {
    out.push_back(bytes[at]);
    if (bytes.substr(at, 2) != "\xC3 ") continue;
    const std::string_view after = bytes.substr(at + 2);
    const bool one_word = after.starts_with(' ') || after.starts_with("quele") ||
                          after.starts_with("quela") || after.starts_with("quilo") ||
                          after.starts_with("s ");
    if (!one_word) out.push_back('\xA0');
  }
  return out;
}

// The code point of six bytes of CESU-8 at the start of `bytes`: two surrogates, three bytes each.
std::optional<char32_t> surrogate_pair(std::string_view bytes) {
  static const Pattern pattern = {bytes_of({0xED}), {{0xA0, 0xAF}}, kAnyContinuation,
                                  bytes_of({0xED}), {{0xB0, 0xBF}}, kAnyContinuation};
  if (!stands_at(pattern, bytes, 0)) return std::nullopt;
  const auto bits = [&](size_t at, int mask) { return static_cast<char32_t>(bytes[at] & mask); };
  return 0x10000 + (bits(1, 0x0F) << 16) + (bits(2, 0x3F) << 10) + (bits(4, 0x0F) << 6) +
         bits(5, 0x3F);
}

bool is_java_zero(std::string_view rest) {
  // ftfy's pattern also takes C0 before the newline that ends the text.
  return rest.starts_with("\xC0\x80") || rest == "\xC0\n";
}

}  // namespace

std::string restore_nonbreaking_spaces(std::string_view bytes) {
  bool any = false;
  for (size_t at = 0; at < bytes.size() && !any; ++at) any = match(spaces_for_a0(), bytes, at) != 0;
  if (!any) return std::string(bytes);
  return replace_all(separate_a_grave(bytes), spaces_for_a0(), [](std::string_view sequence) {
    std::string restored(sequence);
    std::replace(restored.begin(), restored.end(), ' ', '\xA0');
    return restored;
  });
}

std::string replace_lost_sequences(std::string_view bytes) {
  return replace_all(bytes, lost_sequences(), [](std::string_view) { return to_utf8(U"\uFFFD"); });
}

std::optional<std::u32string> decode_lenient(std::string_view bytes) {
  std::u32string out;
  for (size_t at = 0; at < bytes.size();) {
    const std::string_view rest = bytes.substr(at);
    if (is_java_zero(rest)) {
      out.push_back(0);
      at += 2;
    } else if (const auto pair = surrogate_pair(rest)) {
      out.push_back(*pair);
      at += 6;
    } else {
      const Utf8Step step = utf8_step(bytes, at);
      if (!step.valid) return std::nullopt;
      out.push_back(step.code);
      at += step.length;
    }
  }
  return out;
}

}  // namespace vesalius::text
