#include "text/post_processor.h"

#include <algorithm>
#include <utility>

namespace vesalius::text {

PostProcessor PostProcessor::parse(const JsonPart& part) {
  PostProcessor out;
  if (!part.is_null()) out.read(part);
  if (out.slots_.empty()) out.slots_.push_back({true, {}});
  return out;
}

void PostProcessor::read(const JsonPart& part) {
  const std::string& type = part["type"].text();
  if (type == "Sequence") {
    for (const JsonPart& item : part["processors"].items()) read(item);
  } else if (type == "TemplateProcessing") {
    if (!slots_.empty()) part.refuse("is a second template, which is not supported");
    read_template(part);
  } else if (type != "ByteLevel") {
    part.refuse("is of the type '" + type + "', which is not supported");
  }
}

void PostProcessor::read_template(const JsonPart& part) {
  for (const JsonPart& piece : part["single"].items()) {
    const JsonPart special = piece["SpecialToken"], sequence = piece["Sequence"];
    if (special.is_null()) {
      if (sequence["id"].text() != "A") sequence.refuse("is not the text");
      slots_.push_back({true, {}});
      continue;
    }
    Slot slot{false, {}};
    const JsonPart token = part["special_tokens"][special["id"].text().c_str()];
    for (const JsonPart& id : token["ids"].items()) slot.ids.push_back(id.count());
    slots_.push_back(std::move(slot));
  }
  const auto texts = std::ranges::count_if(slots_, [](const Slot& slot) { return slot.text; });
  if (texts != 1) part["single"].refuse("does not name the text once");
}

std::vector<int32_t> PostProcessor::apply(std::vector<int32_t> ids, bool special) const {
  std::vector<int32_t> out;
  for (const Slot& slot : slots_) {
    if (slot.text)
      out.insert(out.end(), ids.begin(), ids.end());
    else if (special)
      out.insert(out.end(), slot.ids.begin(), slot.ids.end());
  }
  return out;
}

}  // namespace vesalius::text
