#include "text/tokenizer_json.h"

#include "text/unicode.h"

namespace vesalius::text {

namespace {
constexpr uint64_t kLargest = uint64_t{1} << 22;
}

JsonPart JsonPart::operator[](const char* key) const {
  static const Json nothing;
  if (!json_->is_object()) refuse("is not an object");
  const auto found = json_->find(key);
  return {found == json_->end() ? nothing : *found, where_ + "." + key};
}

std::vector<JsonPart> JsonPart::items() const {
  if (!json_->is_array()) refuse("is not a list");
  std::vector<JsonPart> out;
  out.reserve(json_->size());
  for (const Json& item : *json_)
    out.emplace_back(item, where_ + "[" + std::to_string(out.size()) + "]");
  return out;
}

const std::string& JsonPart::text() const {
  if (!json_->is_string()) refuse("is not a string");
  return json_->get_ref<const std::string&>();
}

std::string JsonPart::text(std::string_view otherwise) const {
  return is_null() ? std::string(otherwise) : text();
}

bool JsonPart::flag(bool otherwise) const {
  if (is_null()) return otherwise;
  if (!json_->is_boolean()) refuse("is neither true nor false");
  return json_->get<bool>();
}

int32_t JsonPart::count() const {
  if (!json_->is_number_unsigned() || json_->get<uint64_t>() >= kLargest)
    refuse("is not a whole number below " + std::to_string(kLargest));
  return json_->get<int32_t>();
}

char32_t JsonPart::character() const {
  const std::u32string characters = from_utf8(text());
  if (characters.size() != 1) refuse("is not one character");
  return characters[0];
}

void JsonPart::refuse(std::string_view why) const {
  fail(ErrorCode::kModel, "{} {}; this tokenizer cannot be used", where_, why);
}

}  // namespace vesalius::text
