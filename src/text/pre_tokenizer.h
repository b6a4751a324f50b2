// The pre-tokenizer of a tokenizer.json: normalised text → the pieces that are tokenised each for
// itself.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "text/tokenizer_json.h"

namespace vesalius::text {

struct Piece {
  std::string text;
  bool first = false;  // begins where the whole text does
};

class PreTokenizer {
 public:
  /// A piece, and where to put those that it becomes.
  using Step = std::function<void(const Piece&, std::vector<Piece>&)>;

  /// Metaspace, ByteLevel, Split, Digits and Sequences of them; null leaves texts whole.
  static PreTokenizer parse(const JsonPart& part);

  std::vector<Piece> apply(Piece piece) const;

 private:
  std::vector<Step> steps_;
};

}  // namespace vesalius::text
