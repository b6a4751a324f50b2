#include "checkpoint/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/json.h"

namespace vesalius {
namespace {

// The format allows 100 MB; the largest published models need less than 4.
constexpr uint64_t kLargestHeader = 32 << 20;
constexpr uint64_t kLargestCount = uint64_t{1} << 46;
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

/// Reads the header as the parser meets it: no tree is built, so a header costs no more memory than
/// its own size, and no time beyond a look at each name.
class Reader : public nlohmann::json_sax<nlohmann::json> {
 public:
  Reader(SafetensorsHeader& header, const std::string& where) : header_(header), where_(where) {}

  bool start_object(size_t /*size*/) override {
    if (in_list_ || depth_ > 1) bad_value();
    if (++depth_ == 2) entry_ = {.name = name_};
    seen_ = 0;
    return true;
  }
  bool end_object() override {
    if (--depth_ == 1 && name_ != kMetadata) header_.tensors.push_back(finished());
    return true;
  }
  bool key(std::string& text) override {
    if (depth_ == 2) return field_ = text, true;
    name_ = text;
    if (!names_.insert(text).second) refuse(where_, "its header names '{}' twice", text);
    return true;
  }
  bool start_array(size_t /*size*/) override {
    if (depth_ != 2 || in_list_ || (field_ != "shape" && field_ != "data_offsets")) bad_value();
    in_list_ = true;
    list_.clear();
    return true;
  }
  bool end_array() override {
    in_list_ = false;
    field_ == "shape" ? take_shape() : take_offsets();
    return true;
  }
  bool string(std::string& text) override {
    if (depth_ != 2 || in_list_) bad_value();
    if (name_ == kMetadata) return header_.metadata[field_] = text, true;
    if (field_ != "dtype") bad_value();
    const auto row = std::ranges::find(kTypes, std::string_view(text), &TypeRow::name);
    if (row == kTypes.end()) refuse(where_, "tensor '{}' has the unknown type '{}'", name_, text);
    entry_.type = row->type;
    seen_ |= kTypeSeen;
    return true;
  }
  bool number_unsigned(uint64_t value) override {
    if (!in_list_ || list_.size() >= kMostDimensions) bad_value();
    list_.push_back(value);
    return true;
  }
  bool number_integer(int64_t /*value*/) override { bad_value(); }
  bool number_float(double /*value*/, const std::string& /*text*/) override { bad_value(); }
  bool boolean(bool /*value*/) override { bad_value(); }
  bool null() override { bad_value(); }
  bool binary(nlohmann::json::binary_t& /*value*/) override { bad_value(); }
  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::json::exception& problem) override {
    refuse(where_, "its header is not JSON ({})", problem.what());
  }

 private:
  static constexpr std::string_view kMetadata = "__metadata__";
  enum Seen : unsigned { kTypeSeen = 1, kShapeSeen = 2, kOffsetsSeen = 4, kAllSeen = 7 };

  [[noreturn]] void bad_value() const {
    if (depth_ == 0) refuse(where_, "its header is not an object");
    refuse(where_, "'{}' has a value of the wrong kind{}", name_,
           depth_ == 2 ? " for " + field_ : std::string());
  }

  void take_shape() {
    uint64_t stride = 1;  // as LibTorch multiplies it, where a side of zero counts as one
    for (const uint64_t side : list_) {
      if (side > kLargestCount || stride > kLargestCount / std::max<uint64_t>(side, 1))
        refuse(where_, "tensor '{}' claims to be larger than any file", name_);
      stride *= std::max<uint64_t>(side, 1);
    }
    entry_.shape.assign(list_.begin(), list_.end());
    seen_ |= kShapeSeen;
  }

  void take_offsets() {
    if (list_.size() != 2) bad_value();
    entry_.begin = list_[0];
    entry_.end = list_[1];
    seen_ |= kOffsetsSeen;
  }

  TensorEntry finished() {
    if (seen_ != kAllSeen) refuse(where_, "'{}' lacks dtype, shape or data_offsets", name_);
    if (entry_.end < entry_.begin ||
        entry_.end - entry_.begin !=
            static_cast<uint64_t>(entry_.count() * type_bytes(entry_.type)))
      refuse(where_, "tensor '{}' has {} values but its offsets {} to {} hold another number",
             name_, entry_.count(), entry_.begin, entry_.end);
    return std::move(entry_);
  }

  SafetensorsHeader& header_;
  const std::string& where_;
  std::unordered_set<std::string> names_;
  std::string name_, field_;
  std::vector<uint64_t> list_;
  TensorEntry entry_;
  unsigned seen_ = 0;
  int depth_ = 0;
  bool in_list_ = false;
};

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
  SafetensorsHeader header{.tensors = {}, .metadata = {}, .data_start = sizeof length + length};
  Reader reader(header, where);
  nlohmann::json::sax_parse(text, &reader);
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
  std::ranges::sort(tensors, [](const TensorEntry& a, const TensorEntry& b) {
    const auto bytes = [](const TensorEntry& entry) { return -type_bytes(entry.type); };
    return std::pair(bytes(a), std::string_view(a.name)) <
           std::pair(bytes(b), std::string_view(b.name));
  });
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
