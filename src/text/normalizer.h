// The normalizer of a tokenizer.json: what is done to text before it is cut into pieces.
#pragma once

#include <functional>
#include <vector>

#include "text/marked_text.h"
#include "text/tokenizer_json.h"

namespace vesalius::text {

class Normalizer {
 public:
  using Step = std::function<void(MarkedText&)>;

  /// Prepend, Replace, Strip, Lowercase, NFC, NFKC and Sequences of them; null leaves texts as they
  /// are.
  static Normalizer parse(const JsonPart& part);

  /// Error kModel when a file's steps make a text grow without measure.
  void apply(MarkedText& text) const;

 private:
  std::vector<Step> steps_;
};

}  // namespace vesalius::text
