#include "text/mojibake_signs.h"

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "text/unicode.h"

namespace vesalius::text {

namespace {

// Categories of characters, one bit each.
enum Category : uint32_t {
  kCommon = 1 << 0,  // harmless alone: non-breaking space, dashes, the apostrophe
  kC1 = 1 << 1,      // control characters that only a wrong decoding produces
  kBad = 1 << 2,     // signs that hardly stand in plain text, such as ¬ or †
  kLaw = 1 << 3,     // § ¶
  kCurrency = 1 << 4,
  kStart = 1 << 5,        // opening punctuation
  kEnd = 1 << 6,          // closing punctuation
  kNumeric = 1 << 7,      // fractions, superscripts, operators
  kKaomoji = 1 << 8,      // letters used to draw faces
  kUpper = 1 << 9,        // accented capitals
  kLower = 1 << 10,       // accented small letters
  kUpperAlien = 1 << 11,  // Greek and Cyrillic capitals, thorn
  kLowerAlien = 1 << 12,  // Greek and Cyrillic small letters
  kBox = 1 << 13,         // box drawing
  kAsciiUpper = 1 << 14,
  kAsciiLower = 1 << 15,
};

struct Members {
  Category category;
  std::u32string_view characters;  // "a-c" is a range
};

constexpr Members kMembers[] = {
    {kCommon, U"\u00A0\u00AD´·–-―’…"},
    {kC1, U"\x80-\x9F"},
    {kBad, U"¤¦¨ª¬¯¸ºƒˆˇ˘˛˜†‡‰⌐◊\uFFFD"},
    {kLaw, U"§¶"},
    {kCurrency, U"¢£¥₧€"},
    {kStart, U"¡©«¿΄΅‘‚“„•‹\uF8FF"},
    {kEnd, U"®»˝”›™"},
    {kNumeric, U"±-³µ¹¼-¾×÷⁄№∂∆∏∑√∞∩∫≈≠≡≤≥"},
    {kKaomoji, U"°Ò-ÖÙ-Üò-öø-üŌŐŪŲ"},
    {kUpper, U"À-ÑØÜÝĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĹĻĽŁŃŅŇŒŘŚŞŠŢŤŮŰŸŹŻŽҐ"},
    {kLower, U"ß-ñüāăąćčďđēėęěğģīįķĺļľłœŕśşšťźżžґ\uFB01\uFB02"},
    {kUpperAlien, U"ÞΆΈ-ΊΌΎΏΑ-ΫЁ-Я"},
    {kLowerAlien, U"ά-ωа-џ"},
    {kBox, U"│┌┐┘├┤┬┼═-╬▀▄█▌▐-▓"},
    {kAsciiUpper, U"A-Z"},
    {kAsciiLower, U"a-z"},
};

template <class Visit>
void for_each_character(std::u32string_view set, Visit visit) {
  for (size_t i = 0; i < set.size(); ++i) {
    const bool range = i + 2 < set.size() && set[i + 1] == U'-';
    const char32_t last = range ? set[i + 2] : set[i];
    for (char32_t c = set[i]; c <= last; ++c) visit(c);
    if (range) i += 2;
  }
}

uint32_t categories_of(char32_t c) {
  static const std::unordered_map<char32_t, uint32_t> table = [] {
    std::unordered_map<char32_t, uint32_t> made;
    for (const Members& members : kMembers) {
      for_each_character(members.characters, [&](char32_t m) { made[m] |= members.category; });
    }
    return made;
  }();
  const auto found = table.find(c);
  return found == table.end() ? 0 : found->second;
}

bool is_space_character(char32_t c) { return is_space(c); }
bool is_word_character(char32_t c) { return c == U'_' || is_letter(c) || is_number(c); }
bool is_not_ascii_letter(char32_t c) {
  return (categories_of(c) & (kAsciiUpper | kAsciiLower)) == 0;
}
bool is_not_newline(char32_t c) { return c != U'\n'; }

// What one position of a sign may hold: a category, one of some characters, or what a test says.
struct Place {
  uint32_t categories = 0;
  std::u32string_view characters;
  bool (*test)(char32_t) = nullptr;

  bool takes(char32_t c) const {
    return (categories != 0 && (categories_of(c) & categories) != 0) ||
           characters.find(c) != std::u32string_view::npos || (test != nullptr && test(c));
  }
};

Place in(uint32_t categories, std::u32string_view characters = {}) {
  return {categories, characters};
}
Place one(std::u32string_view characters) { return {0, characters}; }
Place that(bool (*test)(char32_t)) { return {0, {}, test}; }

using Sign = std::vector<Place>;

constexpr uint32_t kAccented = kLower | kUpper;
constexpr uint32_t kAscii = kAsciiLower | kAsciiUpper;
constexpr uint32_t kMarks = kAccented | kBox | kStart | kEnd | kCurrency | kNumeric | kLaw;
constexpr std::u32string_view kLossy = U"ŸŠ®°µ»";

// Neighbours that do not belong together, whatever the encoding was.
std::vector<Sign> general_signs() {
  return {
      {in(kC1)},
      {in(kMarks | kBad), in(kBad)},
      {in(kAscii), in(kLowerAlien | kUpperAlien), in(kBad)},
      {in(kBad), in(kMarks)},
      {in(kLower | kLowerAlien | kBox | kEnd | kCurrency | kNumeric), in(kUpper)},
      {in(kBox | kEnd | kCurrency | kNumeric), in(kLower)},
      {in(kLower | kBox | kEnd), in(kCurrency)},
      {that(is_space_character), in(kUpper), in(kCurrency)},
      {in(kUpper | kBox), in(kNumeric | kLaw)},
      {in(kAccented | kBox | kCurrency | kEnd), in(kStart), in(kNumeric)},
      {in(kAccented | kCurrency | kNumeric | kBox | kLaw), in(kEnd), in(kStart)},
      {in(kCurrency | kNumeric | kBox), in(kStart)},
      {in(kAsciiLower), in(kUpper), in(kStart | kCurrency)},
      {in(kBox), in(kKaomoji)},
      {in(kAccented | kCurrency | kNumeric | kStart | kEnd | kLaw), in(kBox)},
      {in(kBox), in(kEnd)},
      {in(kAccented), in(kStart | kEnd), that(is_word_character)},
      {one(U"Œœ"), that(is_not_ascii_letter)},
      {in(kUpper), one(U"°")},
  };
}

// What UTF-8 of some script looks like in the encoding it is most often read in.
std::vector<Sign> script_signs() {
  const Place arabic_second = in(kCommon | kCurrency | kBad | kNumeric | kStart, kLossy);
  const Place cyrillic = in(kC1 | kBad | kStart | kEnd | kCurrency, U"°µ");
  const Place greek = in(kC1 | kBad | kStart | kEnd | kCurrency, U"°");
  return {
      // Latin letters and punctuation in Windows 1252
      {one(U"ÂÃÎÐ"), in(kStart | kEnd, U"€œŠš¢£Ÿž\u00A0\u00AD®©°·»–—´")},
      {one(U"×"), one(U"²³")},
      {one(U"à"), one(U"²µ¹¼½¾")},
      {one(U"Ã"), one(U"\u00A0¡")},
      {in(kAsciiLower), one(U"ÃÂ"), one(U" ")},
      {in(kAsciiLower), that(is_space_character), one(U"ÃÂ"), one(U" ")},
      {in(kAsciiLower | kEnd, U".,?!"), one(U"Â"), in(kStart | kEnd, U" ")},
      // Arabic in Windows 1252
      {one(U"ØÙ"), arabic_second, one(U"ØÙ"), arabic_second},
      // Mac Roman
      {one(U"√"), one(U"±∂†≠®™´≤≥¥µø")},
      {one(U"≈"), one(U"°¢")},
      {one(U"‚"), one(U"Ä"), one(U"ìîïòôúùû†°¢π")},
      {one(U"‚"), one(U"âó"), one(U"àä°ê")},
      // Windows 1251: punctuation, then Cyrillic
      {one(U"в"), one(U"Ђ")},
      {one(U"ВГРС"), cyrillic, one(U"ВГРС")},
      {one(U"Г"), one(U"ў"), one(U"В"), one(U"Ђ"), one(U"В"), that(is_not_newline),
       in(kAscii, U" ")},
      // Windows 1253: punctuation, then Greek
      {one(U"β"), one(U"€"), one(U"™\u00A0Ά\u00AD®°")},
      {one(U"ΒΓΞΟ"), greek, one(U"ΒΓΞΟ")},
      // Windows 1257
      {one(U"ā"), one(U"€")},
  };
}

bool stands_at(const Sign& sign, std::u32string_view text, size_t at) {
  if (text.size() - at < sign.size()) return false;
  for (size_t i = 0; i < sign.size(); ++i) {
    if (!sign[i].takes(text[at + i])) return false;
  }
  return true;
}

const std::vector<Sign>& signs() {
  static const std::vector<Sign> all = [] {
    std::vector<Sign> made = general_signs();
    for (Sign& sign : script_signs()) made.push_back(std::move(sign));
    return made;
  }();
  return all;
}

}  // namespace

bool looks_like_mojibake(std::u32string_view text) {
  // Only at the start is a lone letter before a space a sign; elsewhere it is a word of some
  // languages.
  if (text.size() > 1 && (text[0] == U'Ã' || text[0] == U'Â') && text[1] == U' ') return true;
  for (size_t at = 0; at < text.size(); ++at) {
    for (const Sign& sign : signs()) {
      if (stands_at(sign, text, at)) return true;
    }
  }
  return false;
}

}  // namespace vesalius::text
