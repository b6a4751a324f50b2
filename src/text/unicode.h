// Unicode as the text folder needs it: code points in and out of UTF-8, classes and forms through
// ICU.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vesalius::text {

/// Code points of UTF-8 bytes. Each longest run that is not UTF-8 becomes one U+FFFD, as Unicode
/// (chapter 3, "U+FFFD Substitution of Maximal Subparts") and Python's errors="replace" have it.
std::u32string from_utf8(std::string_view bytes);
std::string to_utf8(std::u32string_view text);

/// One step of decoding: the code point at `bytes[at]` and its length; `valid` is false for a run
/// that is not UTF-8, whose length is then that of the run.
struct Utf8Step {
  char32_t code = 0xFFFD;
  size_t length = 1;
  bool valid = false;
};
Utf8Step utf8_step(std::string_view bytes, size_t at);

enum class NormalForm { kNfc, kNfkc };
std::u32string normalised(std::u32string_view text, NormalForm form);
/// Whether a text may be cut before `c` and its parts normalised each for itself.
bool begins_cluster(char32_t c, NormalForm form);
std::u32string nfc(std::u32string_view text);
std::u32string nfkc(std::u32string_view text);
std::u32string upper(std::u32string_view text);  // full mappings, no language: ß → SS
std::u32string lower(std::u32string_view text);  // with the final sigma

bool is_letter(char32_t c);         // \p{L}
bool is_number(char32_t c);         // \p{N}
bool is_decimal_digit(char32_t c);  // \p{Nd}
int digit_value(char32_t c);        // of a decimal digit of any script
bool is_word(char32_t c);           // \w: letters, marks, decimal digits, joining signs
bool is_white_space(char32_t c);    // White_Space
bool is_space(char32_t c);          // White_Space, and U+001C to U+001F as Python has it

}  // namespace vesalius::text
