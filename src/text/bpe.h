// Byte-pair encoding over bytes, with CLIP's end-of-word mark.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/merge_table.h"

namespace vesalius::text {

/// The character that stands for each byte in vocab.json and merges.txt, as UTF-8: printable
/// Latin-1 stands for itself, the other bytes for U+0100 onwards (GPT-2's table). Also in the order
/// of CLIP's vocabulary.
struct ByteLetter {
  uint8_t byte;
  std::string letter;
};
const std::array<ByteLetter, 256>& byte_letters();
inline constexpr std::string_view kEndOfWord = "</w>";

using Vocabulary = std::unordered_map<std::string, int32_t>;
using Merges = std::vector<std::pair<std::string, std::string>>;

class Bpe {
 public:
  /// Error kModel, naming `where`, if a byte or a merge is missing from the vocabulary.
  Bpe(const Vocabulary& vocabulary, const Merges& merges, const std::string& where);

  /// Appends the ids of one word, given as its bytes; at least one.
  void encode_word(std::string_view word, std::vector<int32_t>& ids) const;

 private:
  std::array<int32_t, 256> inner_{}, last_{};  // id of a byte inside a word, and at its end
  MergeTable merges_;
};

}  // namespace vesalius::text
