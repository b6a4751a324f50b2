#include "results/json_line.h"

#include <array>
#include <charconv>

namespace vesalius::results {
namespace {

/// An object's text without its braces.
std::string inside(const Json& object) {
  const std::string text = dump_json(object);
  return text.substr(1, text.size() - 2);
}

std::string joined(std::initializer_list<std::string> parts) {
  std::string line;
  for (const auto& part : parts)
    if (!part.empty()) line += (line.empty() ? "" : ",") + part;
  return "{" + line + "}";
}

}  // namespace

std::string shortest(float value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::string json_line(const Json& head, const at::Tensor& features, const Json& provenance) {
  const at::Tensor values = features.contiguous();
  std::string list = "\"features\":[";
  const float* value = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i) {
    if (i > 0) list += ',';
    list += shortest(value[i]);
  }
  return joined({inside(head), list + "]", inside(provenance)});
}

std::string json_line(const Json& head, const Json& provenance) {
  return joined({inside(head), inside(provenance)});
}

}  // namespace vesalius::results
