#include "text/unicode.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "base/error.h"

namespace vesalius::text {

namespace {

icu::UnicodeString to_icu(std::u32string_view text) {
  return icu::UnicodeString::fromUTF32(reinterpret_cast<const UChar32*>(text.data()),
                                       static_cast<int32_t>(text.size()));
}

std::u32string from_icu(const icu::UnicodeString& text) {
  std::u32string out;
  out.reserve(text.length());
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    out.push_back(static_cast<char32_t>(text.char32At(i)));
  }
  return out;
}

const icu::Normalizer2& normalizer_of(NormalForm form) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = form == NormalForm::kNfc
                                           ? icu::Normalizer2::getNFCInstance(status)
                                           : icu::Normalizer2::getNFKCInstance(status);
  if (U_FAILURE(status)) {
    fail(ErrorCode::kFailed, "ICU has no normalisation data ({}); reinstall its data package",
         u_errorName(status));
  }
  return *normalizer;
}

// How many bytes a lead byte announces, and the range that its first continuation byte must have
// (Unicode table 3-7): this is what keeps out overlong forms, surrogates and code points past
// U+10FFFF.
struct Lead {
  int length;
  uint8_t low, high;
};

Lead lead_of(uint8_t byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte >= 0xC2 && byte <= 0xDF) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

Utf8Step utf8_step(std::string_view bytes, size_t at) {
  const auto first = static_cast<uint8_t>(bytes[at]);
  const Lead lead = lead_of(first);
  if (lead.length == 0) return {};
  char32_t code = lead.length == 1 ? first : first & (0x7F >> lead.length);
  for (int i = 1; i < lead.length; ++i) {
    const uint8_t next = at + i < bytes.size() ? static_cast<uint8_t>(bytes[at + i]) : 0;
    const uint8_t low = i == 1 ? lead.low : 0x80, high = i == 1 ? lead.high : 0xBF;
    if (next < low || next > high) return {0xFFFD, static_cast<size_t>(i), false};
    code = code << 6 | (next & 0x3F);
  }
  return {code, static_cast<size_t>(lead.length), true};
}

std::u32string from_utf8(std::string_view bytes) {
  std::u32string out;
  out.reserve(bytes.size());
  for (size_t i = 0; i < bytes.size();) {
    const Utf8Step step = utf8_step(bytes, i);
    out.push_back(step.code);
    i += step.length;
  }
  return out;
}

std::string to_utf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    if (c < 0x80) {
      out.push_back(static_cast<char>(c));
      continue;
    }
    const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    const int mark = 0xFF00 >> (more + 1) & 0xFF;  // 110…, 1110…, 11110…
    out.push_back(static_cast<char>(mark | static_cast<int>(c >> (6 * more))));
    for (int i = more - 1; i >= 0; --i)
      out.push_back(static_cast<char>(0x80 | (c >> (6 * i) & 0x3F)));
  }
  return out;
}

std::u32string normalised(std::u32string_view text, NormalForm form) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString out = normalizer_of(form).normalize(to_icu(text), status);
  if (U_FAILURE(status))
    fail(ErrorCode::kFailed, "ICU cannot normalise a text: {}", u_errorName(status));
  return from_icu(out);
}
bool begins_cluster(char32_t c, NormalForm form) {
  return normalizer_of(form).hasBoundaryBefore(static_cast<UChar32>(c)) != 0;
}
std::u32string nfc(std::u32string_view text) { return normalised(text, NormalForm::kNfc); }
std::u32string nfkc(std::u32string_view text) { return normalised(text, NormalForm::kNfkc); }
std::u32string upper(std::u32string_view text) {
  return from_icu(to_icu(text).toUpper(icu::Locale::getRoot()));
}
std::u32string lower(std::u32string_view text) {
  return from_icu(to_icu(text).toLower(icu::Locale::getRoot()));
}

bool is_letter(char32_t c) {
  return (U_MASK(u_charType(static_cast<UChar32>(c))) & U_GC_L_MASK) != 0;
}
bool is_number(char32_t c) {
  return (U_MASK(u_charType(static_cast<UChar32>(c))) & U_GC_N_MASK) != 0;
}
bool is_decimal_digit(char32_t c) {
  return u_charType(static_cast<UChar32>(c)) == U_DECIMAL_DIGIT_NUMBER;
}
int digit_value(char32_t c) { return u_charDigitValue(static_cast<UChar32>(c)); }
bool is_word(char32_t c) {
  constexpr uint32_t kClasses = U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK;
  const auto code = static_cast<UChar32>(c);
  return (U_MASK(u_charType(code)) & kClasses) != 0 || c == 0x200C || c == 0x200D ||
         u_hasBinaryProperty(code, UCHAR_ALPHABETIC) != 0;
}
bool is_white_space(char32_t c) { return u_isUWhiteSpace(static_cast<UChar32>(c)) != 0; }
bool is_space(char32_t c) { return (c >= 0x1C && c <= 0x1F) || is_white_space(c); }

}  // namespace vesalius::text
