#include "results/csv.h"

namespace vesalius::results {

std::string csv_text(const Json& value) {
  std::string text = value.is_string() ? value.get<std::string>() : dump_json(value);
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_field(const Json& record, const std::string& name) {
  const auto found = record.find(name);
  return found == record.end() || found->is_null() ? "" : csv_text(*found);
}

}  // namespace vesalius::results
