#include "text/clip_words.h"

#include "text/unicode.h"

namespace vesalius::text {

namespace {

// The pattern ignores case, and the long s is a case of s.
bool same_letter(char32_t c, char32_t wanted) {
  return c == wanted || (wanted == U's' && c == U'ſ');
}

bool starts_with(std::u32string_view text, std::u32string_view start) {
  if (text.size() < start.size()) return false;
  for (size_t i = 0; i < start.size(); ++i) {
    if (!same_letter(text[i], start[i])) return false;
  }
  return true;
}

size_t fixed_length(std::u32string_view text) {
  static constexpr std::u32string_view kFixed[] = {
      U"<|startoftext|>", U"<|endoftext|>", U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};
  for (const std::u32string_view fixed : kFixed) {
    if (starts_with(text, fixed)) return fixed.size();
  }
  return 0;
}

template <class Test>
size_t run(std::u32string_view text, Test test) {
  size_t length = 0;
  while (length < text.size() && test(text[length])) ++length;
  return length;
}

bool is_other(char32_t c) { return !is_space(c) && !is_letter(c) && !is_number(c); }

size_t word_length(std::u32string_view text) {
  if (const size_t fixed = fixed_length(text)) return fixed;
  if (is_letter(text[0])) return run(text, is_letter);
  return is_number(text[0]) ? 1 : run(text, is_other);
}

}  // namespace

std::vector<std::u32string_view> clip_words(std::u32string_view text) {
  std::vector<std::u32string_view> words;
  while (!text.empty()) {
    const size_t spaces = run(text, is_space);
    text.remove_prefix(spaces);
    if (text.empty()) break;
    const size_t length = word_length(text);
    words.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return words;
}

}  // namespace vesalius::text
