#include "checkpoint/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "base/error.h"
#include "base/json.h"

namespace vesalius {
namespace {

constexpr uint64_t kLargestHeader = 100 << 20;  // the format's own limit
constexpr int64_t kLargestCount = int64_t{1} << 46;
constexpr size_t kMostDimensions = 16;

struct TypeRow {
  TensorType type;
  const char* name;
  int64_t bytes;
};

constexpr std::array<TypeRow, 10> kTypes{{{TensorType::kF64, "F64", 8},
                                          {TensorType::kF32, "F32", 4},
                                          {TensorType::kF16, "F16", 2},
                                          {TensorType::kBF16, "BF16", 2},
                                          {TensorType::kI64, "I64", 8},
                                          {TensorType::kI32, "I32", 4},
                                          {TensorType::kI16, "I16", 2},
                                          {TensorType::kI8, "I8", 1},
                                          {TensorType::kU8, "U8", 1},
                                          {TensorType::kBool, "BOOL", 1}}};

template <class... Args>
[[noreturn]] void refuse(const std::string& where, fmt::format_string<Args...> reason,
                         Args&&... args) {
  fail(ErrorCode::kModel,
       "{}: is not a whole safetensors file: {}. Fetch the file again and compare its hash.", where,
       fmt::format(reason, std::forward<Args>(args)...));
}

/// Throws when a key comes twice, which the parser would silently merge.
Json parse_header_json(std::string_view text, const std::string& where) {
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > 4) refuse(where, "its header is nested too deep");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
      refuse(where, "its header names '{}' twice", value.get<std::string>());
    return true;
  };
  try {
    return Json::parse(text, watch);
  } catch (const Json::exception& problem) {
    refuse(where, "its header is not JSON ({})", problem.what());
  }
}

TensorType parse_type(const Json& value, const std::string& name, const std::string& where) {
  const std::string text = value.is_string() ? value.get<std::string>() : "?";
  for (const TypeRow& row : kTypes)
    if (text == row.name) return row.type;
  refuse(where, "tensor '{}' has the unknown type '{}'", name, text);
}

std::vector<int64_t> parse_shape(const Json& value, const std::string& name,
                                 const std::string& where) {
  if (!value.is_array() || value.size() > kMostDimensions)
    refuse(where, "tensor '{}' has no sensible shape", name);
  std::vector<int64_t> shape;
  int64_t count = 1;
  for (const Json& side : value) {
    if (!side.is_number_unsigned())
      refuse(where, "tensor '{}' has a side that is not a number", name);
    const auto size = side.get<uint64_t>();
    if (size > uint64_t(kLargestCount) || (size > 0 && count > kLargestCount / int64_t(size)))
      refuse(where, "tensor '{}' claims to be larger than any file", name);
    shape.push_back(int64_t(size));
    count *= int64_t(size);
  }
  return shape;
}

TensorEntry parse_entry(const std::string& name, const Json& value, const std::string& where) {
  if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets"))
    refuse(where, "tensor '{}' lacks dtype, shape or data_offsets", name);
  const Json& offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned())
    refuse(where, "tensor '{}' has no sensible data_offsets", name);
  TensorEntry entry{.name = name,
                    .type = parse_type(value["dtype"], name, where),
                    .shape = parse_shape(value["shape"], name, where),
                    .begin = offsets[0].get<uint64_t>(),
                    .end = offsets[1].get<uint64_t>()};
  if (entry.end < entry.begin ||
      entry.end - entry.begin != static_cast<uint64_t>(entry.count() * type_bytes(entry.type)))
    refuse(where, "tensor '{}' has {} values but its offsets {} to {} hold another number", name,
           entry.count(), entry.begin, entry.end);
  return entry;
}

/// Sorted by place, the tensors must cover [0, size) exactly.
void check_cover(const std::vector<TensorEntry>& tensors, uint64_t size, const std::string& where) {
  uint64_t at = 0;
  for (const TensorEntry& entry : tensors) {
    if (entry.begin != at)
      refuse(where, "tensor '{}' starts at byte {} where byte {} is due (overlap or gap)",
             entry.name, entry.begin, at);
    at = entry.end;
  }
  if (at != size) refuse(where, "its header describes {} bytes of data, {} are there", at, size);
}

}  // namespace

const char* type_name(TensorType type) { return kTypes[static_cast<size_t>(type)].name; }
int64_t type_bytes(TensorType type) { return kTypes[static_cast<size_t>(type)].bytes; }

int64_t TensorEntry::count() const {
  int64_t count = 1;
  for (const int64_t side : shape) count *= side;
  return count;
}

SafetensorsHeader parse_safetensors_header(Bytes file, const std::string& where) {
  uint64_t length = 0;
  if (file.size() < sizeof length) refuse(where, "it is only {} bytes long", file.size());
  std::memcpy(&length, file.data(), sizeof length);
  if (length > kLargestHeader || length > file.size() - sizeof length)
    refuse(where, "its header claims {} bytes of a file of {}", length, file.size());
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + sizeof length, length);
  const Json json = parse_header_json(text, where);
  if (!json.is_object()) refuse(where, "its header is not an object");
  SafetensorsHeader header{.tensors = {}, .metadata = {}, .data_start = sizeof length + length};
  for (const auto& [name, value] : json.items()) {
    if (name != "__metadata__") {
      header.tensors.push_back(parse_entry(name, value, where));
      continue;
    }
    if (!value.is_object()) refuse(where, "its __metadata__ is not an object");
    for (const auto& [key, text_value] : value.items())
      if (text_value.is_string()) header.metadata[key] = text_value.get<std::string>();
  }
  std::ranges::stable_sort(header.tensors, [](const TensorEntry& a, const TensorEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  check_cover(header.tensors, file.size() - header.data_start, where);
  return header;
}

std::string make_safetensors_header(std::vector<TensorEntry>& tensors,
                                    const std::map<std::string, std::string>& metadata) {
  Json json = Json::object();
  if (!metadata.empty()) json["__metadata__"] = metadata;
  uint64_t at = 0;
  for (TensorEntry& entry : tensors) {
    entry.begin = at;
    entry.end = at += static_cast<uint64_t>(entry.count() * type_bytes(entry.type));
    json[entry.name] = {{"dtype", type_name(entry.type)},
                        {"shape", entry.shape},
                        {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text = dump_json(json);
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text;
}

}  // namespace vesalius
