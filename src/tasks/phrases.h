// Phrases found in the words of a sentence.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vesalius::tasks {

/// A sentence in lower case, taken apart at spaces, hyphens and slashes; each punctuation mark is a
/// word of its own.
std::vector<std::string> words_of(std::string_view sentence);

/// "heart ~ enlarge*": `*` ends a word anyhow, `~` stands for up to eight words of one clause.
class Phrase {
 public:
  explicit Phrase(std::string_view text);
  /// Where the phrase that begins at word `at` ends, one behind it; nothing if none begins there.
  std::optional<size_t> match(const std::vector<std::string>& words, size_t at) const;

 private:
  std::optional<size_t> match(const std::vector<std::string>& words, size_t at, size_t part) const;
  std::vector<std::string> parts_;
};

/// Words `begin` to `end`, joined by spaces.
std::string joined(const std::vector<std::string>& words, size_t begin, size_t end);

bool is_mark(std::string_view word);  // of punctuation

}  // namespace vesalius::tasks
