// The model of a tokenizer.json: byte-pair encoding from characters, with bytes for those that its
// vocabulary does not have.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/bpe.h"
#include "text/merge_table.h"
#include "text/tokenizer_json.h"

namespace vesalius::text {

class BpeModel {
 public:
  /// Words met before in the same text, and their ids.
  using Words = std::unordered_map<std::string, std::vector<int32_t>>;

  /// Error kModel, also for what a text model of today does not have: dropout, prefixes and
  /// suffixes of subwords.
  explicit BpeModel(const JsonPart& model);

  const Vocabulary& vocabulary() const { return vocabulary_; }

  /// Appends the ids of a piece. Characters that have neither a token nor bytes become the unknown
  /// token, or nothing where there is none.
  void encode(std::string_view piece, Words& words, std::vector<int32_t>& ids) const;

 private:
  void read_merges(const JsonPart& merges);
  void find_bytes();
  std::vector<int32_t> characters(std::string_view word) const;
  bool append_bytes(std::string_view character, std::vector<int32_t>& ids) const;
  int32_t unknown() const;
  void encode_word(std::string_view word, Words& words, std::vector<int32_t>& ids) const;

  Vocabulary vocabulary_;
  MergeTable merges_;
  std::array<int32_t, 256> bytes_{};  // ids of <0x00> to <0xFF>; -1 for none
  std::string unknown_token_;
  bool has_unknown_, fuse_unknown_, byte_fallback_, ignore_merges_;
  bool words_apart_ = false;  // no merge reaches over the beginning of a word
};

}  // namespace vesalius::text
