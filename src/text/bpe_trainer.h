// Learns a small SentencePiece-style byte-pair encoding from lines of text (Sennrich et al. 2016,
// arXiv:1508.07909; Kudo & Richardson 2018, arXiv:1808.06226).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/tokenizer_file.h"

namespace vesalius::text {

struct TokenizerPlan {
  int32_t vocabulary_size = 2000;    // control tokens, 256 bytes, characters and merges
  double coverage = 0.9995;          // share of the text whose characters get tokens, not bytes
  std::vector<NewToken> added = {};  // behind the vocabulary, in this order
};

/// A tokenizer.json (see tokenizer_file). Words are cut before their space, and between letters,
/// digits and other signs: no token mixes them, and every digit stands alone. The same lines give
/// the same file. Fewer tokens than planned where nothing is left that occurs twice. Error kUsage
/// for a plan without room for the bytes and characters.
Json train_tokenizer(const std::vector<std::string>& lines, const TokenizerPlan& plan);

}  // namespace vesalius::text
