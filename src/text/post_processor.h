// The post-processor of a tokenizer.json: the tokens that stand before and behind a text.
#pragma once

#include <cstdint>
#include <vector>

#include "text/tokenizer_json.h"

namespace vesalius::text {

class PostProcessor {
 public:
  /// TemplateProcessing (its template for one text), ByteLevel, which only moves offsets, and
  /// Sequences of them with one template.
  static PostProcessor parse(const JsonPart& part);

  /// `special`: with the tokens; else the text's ids where the template puts them.
  std::vector<int32_t> apply(std::vector<int32_t> ids, bool special) const;

 private:
  struct Slot {
    bool text;
    std::vector<int32_t> ids;  // of a special token
  };
  void read(const JsonPart& part);
  void read_template(const JsonPart& part);

  std::vector<Slot> slots_;
};

}  // namespace vesalius::text
