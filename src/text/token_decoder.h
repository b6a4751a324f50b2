// The decoder of a tokenizer.json: tokens → text.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "text/tokenizer_json.h"

namespace vesalius::text {

class TokenDecoder {
 public:
  using Step = std::function<void(std::vector<std::string>&)>;

  /// Replace, ByteFallback, Fuse, Strip, Metaspace, ByteLevel and Sequences of them; null joins
  /// tokens with a space between.
  static TokenDecoder parse(const JsonPart& part);

  std::string apply(std::vector<std::string> tokens) const;

 private:
  bool spaced_ = false;
  std::vector<Step> steps_;
};

}  // namespace vesalius::text
