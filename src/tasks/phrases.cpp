#include "tasks/phrases.h"

#include <algorithm>

namespace vesalius::tasks {
namespace {
constexpr size_t kGap = 8;
constexpr std::string_view kMarks = ".,;:!?()[]\"";
constexpr std::string_view kSpaces = " \t\r\n\f\v-/";

bool word_matches(const std::string& part, const std::string& word) {
  if (part.back() != '*') return part == word;
  return word.starts_with(std::string_view(part).substr(0, part.size() - 1));
}
}  // namespace

std::vector<std::string> words_of(std::string_view sentence) {
  std::vector<std::string> words;
  bool open = false;  // the last word goes on
  for (const char c : sentence) {
    const bool mark = kMarks.find(c) != std::string_view::npos;
    if (mark || kSpaces.find(c) != std::string_view::npos) {
      open = false;
      if (mark) words.emplace_back(1, c);
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    words.back() += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return words;
}

bool is_mark(std::string_view word) {
  return word.size() == 1 && kMarks.find(word.front()) != std::string_view::npos;
}

Phrase::Phrase(std::string_view text) {
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) parts_.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

std::optional<size_t> Phrase::match(const std::vector<std::string>& words, size_t at) const {
  return match(words, at, 0);
}

std::optional<size_t> Phrase::match(const std::vector<std::string>& words, size_t at,
                                    size_t part) const {
  if (part == parts_.size()) return at;
  if (parts_[part] != "~") {
    if (at >= words.size() || !word_matches(parts_[part], words[at])) return std::nullopt;
    return match(words, at + 1, part + 1);
  }
  for (size_t gap = 0; gap <= kGap && at + gap <= words.size(); ++gap) {
    if (gap > 0 && is_mark(words[at + gap - 1])) break;
    if (const auto end = match(words, at + gap, part + 1)) return end;
  }
  return std::nullopt;
}

std::string joined(const std::vector<std::string>& words, size_t begin, size_t end) {
  std::string out;
  for (size_t i = begin; i < end; ++i) out += (i == begin ? "" : " ") + words[i];
  return out;
}

}  // namespace vesalius::tasks
