// Reading of tokenizer.json: each part knows its place, so that an error can name it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace vesalius::text {

/// A value inside a tokenizer.json. All that is not as asked for is an Error kModel.
class JsonPart {
 public:
  JsonPart(const Json& json, std::string where) : json_(&json), where_(std::move(where)) {}

  const Json& json() const { return *json_; }
  const std::string& where() const { return where_; }
  bool is_null() const { return json_->is_null(); }
  /// A member; null where there is none.
  JsonPart operator[](const char* key) const;
  std::vector<JsonPart> items() const;  // of an array
  const std::string& text() const;
  std::string text(std::string_view otherwise) const;  // for null
  bool flag(bool otherwise) const;
  int32_t count() const;       // a whole number from 0 to 2^22: an id, or a length
  char32_t character() const;  // a string of one
  /// The value of the name that it holds.
  template <class Value, size_t count>
  Value one_of(const std::pair<std::string_view, Value> (&values)[count]) const {
    for (const auto& [name, value] : values)
      if (text() == name) return value;
    refuse("is '" + text() + "', which is not supported");
  }
  [[noreturn]] void refuse(std::string_view why) const;

 private:
  const Json* json_;
  std::string where_;
};

/// One kind of a step, and how its part of the file is read.
template <class Step>
struct StepKind {
  std::string_view type;
  Step (*parse)(const JsonPart& part);
};

/// The steps of a part: one, or those of a "Sequence", which lists them under `list`. Null has
/// none.
template <class Step, size_t count>
void parse_steps(const JsonPart& part, const char* list, const StepKind<Step> (&kinds)[count],
                 std::vector<Step>& steps) {
  if (part.is_null()) return;
  const std::string& type = part["type"].text();
  if (type == "Sequence") {
    for (const JsonPart& item : part[list].items()) parse_steps(item, list, kinds, steps);
    return;
  }
  for (const StepKind<Step>& kind : kinds) {
    if (kind.type != type) continue;
    steps.push_back(kind.parse(part));
    return;
  }
  part.refuse("is of the type '" + type + "', which is not supported");
}

}  // namespace vesalius::text
