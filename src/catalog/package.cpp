#include "catalog/package.h"

#include <fmt/ranges.h>
#define TOML_MAX_NESTED_VALUES 16
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "catalog/config_yaml.h"
#include "checkpoint/safetensors.h"

namespace vesalius::catalog {
namespace {

constexpr uint64_t kLargestCard = 1 << 20;
constexpr int64_t kMostDots = 100;  // in a line: every dot of a key is a table inside a table

/// Where a package may begin below the folder that the user names.
const std::vector<std::string>& layouts() {
  static const std::vector<std::string> all{"", "artifacts/checkpoints", "2024.09.27",
                                            "artifacts/checkpoints/2024.09.27"};
  return all;
}

fs::path root_of(const fs::path& folder) {
  std::error_code ignored;
  for (const std::string& layout : layouts())
    if (const auto root = folder / layout; fs::is_regular_file(root / "config.yaml", ignored))
      return root;
  return {};
}

/// True for the folder that a layout puts inside the package, named itself.
bool is_inner(const fs::path& folder) {
  const auto name = folder.has_filename() ? folder.filename() : folder.parent_path().filename();
  return name == "2024.09.27";
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::error_code problem;
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder, problem)) entries.push_back(entry.path());
  std::ranges::sort(entries);
  return entries;
}

fs::path find_weights(const fs::path& root) {
  std::vector<fs::path> found;
  for (const auto& file : sorted_entries(root / "vision_model"))
    if (file.extension() == ".pt" || file.extension() == ".safetensors") found.push_back(file);
  if (found.size() != 1)
    fail(ErrorCode::kModel,
         "{}: holds {} weights files (.pt or .safetensors) where one is expected.",
         (root / "vision_model").string(), found.size());
  return found.front();
}

fs::path find_tokenizer(const fs::path& root) {
  std::vector<fs::path> candidates = sorted_entries(root / "language_model");
  candidates.insert(candidates.begin(), root / "language_model");
  std::error_code ignored;
  for (const auto& folder : candidates)
    if (fs::exists(folder / "vocab.json", ignored) && fs::exists(folder / "merges.txt", ignored))
      return folder;
  fail(ErrorCode::kModel, "{}: has no tokenizer (vocab.json and merges.txt).",
       (root / "language_model").string());
}

/// The parser bounds how deep values nest, but not keys: a.a.a… would be as deep as it is long, and
/// the stack is not.
void refuse_deep_keys(std::string_view text, const std::string& where) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1);
    if (std::ranges::count(text.substr(0, end + 1), '.') > kMostDots)
      fail(ErrorCode::kModel, "{}: is not a valid card (a line has more than {} dots).", where,
           kMostDots);
    text.remove_prefix(end + 1);
  }
}

Json to_json(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    Json object = Json::object();
    for (const auto& [key, value] : *table) object[std::string(key.str())] = to_json(value);
    return object;
  }
  if (const auto* array = node.as_array()) {
    Json list = Json::array();
    for (const auto& value : *array) list.push_back(to_json(value));
    return list;
  }
  if (const auto value = node.value_exact<std::string>()) return *value;
  if (const auto value = node.value_exact<bool>()) return *value;
  if (const auto value = node.value_exact<int64_t>()) return *value;
  if (const auto value = node.value_exact<double>()) return *value;
  std::ostringstream text;  // dates
  node.visit([&](const auto& n) {
    if constexpr (toml::is_value<decltype(n)>) text << n.get();
  });
  return text.str();
}

/// Tables go behind the plain values, as TOML wants it.
toml::table to_toml(const Json& object) {
  toml::table table;
  for (const auto& [key, value] : object.items()) {
    if (value.is_object()) table.insert(key, to_toml(value));
    if (value.is_string()) table.insert(key, value.get<std::string>());
    if (value.is_boolean()) table.insert(key, value.get<bool>());
    if (value.is_number_integer()) table.insert(key, value.get<int64_t>());
    if (value.is_number_float()) table.insert(key, value.get<double>());
    if (!value.is_array()) continue;
    toml::array list;
    for (const Json& item : value) {
      if (item.is_string()) list.push_back(item.get<std::string>());
      if (item.is_boolean()) list.push_back(item.get<bool>());
      if (item.is_number_integer()) list.push_back(item.get<int64_t>());
      if (item.is_number_float()) list.push_back(item.get<double>());
    }
    table.insert(key, std::move(list));
  }
  return table;
}

}  // namespace

bool is_package(const fs::path& folder) { return !root_of(folder).empty(); }

Package find_package(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    fail(ErrorCode::kModel,
         "{}: is no folder. Name an installed model (`vesalius models list`) or the folder of a "
         "published package.",
         folder.string());
  const fs::path root = root_of(folder);
  if (root.empty())
    fail(ErrorCode::kModel,
         "{}: is not a MedImageInsight package: there is no config.yaml in it, in "
         "artifacts/checkpoints/ or in 2024.09.27/. Name the folder that was published.",
         folder.string());
  Package package{.folder = folder,
                  .config = root / "config.yaml",
                  .weights = find_weights(root),
                  .tokenizer = find_tokenizer(root)};
  // Seeded weights must say so even when somebody names the folder inside.
  for (const fs::path& place : {folder, root, folder / ".."}) {
    if (place.filename() == ".." && !is_inner(folder)) continue;
    const auto card = place / "card.toml";
    if (!fs::exists(card, ignored)) continue;
    package.card = parse_toml(read_text(card, kLargestCard), card.string());
    break;
  }
  return package;
}

Json parse_toml(const std::string& text, const std::string& where) {
  refuse_deep_keys(text, where);
  try {
    return to_json(toml::parse(text, where));
  } catch (const toml::parse_error& problem) {
    std::ostringstream reason;
    reason << problem;
    fail(ErrorCode::kModel, "{}: is not a valid card ({}).", where, reason.str());
  }
}

std::string card_toml(const Json& card) {
  std::ostringstream text;
  text << to_toml(card) << "\n";
  return text.str();
}

void write_package(const fs::path& folder, const models::MedImageInsightConfig& config,
                   const std::map<std::string, at::Tensor>& tensors, const fs::path& tokenizer,
                   const Json& card, const std::string& weights_name) {
  write_file(folder / "config.yaml", write_config(config));
  for (const char* name :
       {"vocab.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json"})
    if (fs::exists(tokenizer / name))
      write_file(folder / "language_model" / "clip_tokenizer" / name, read_text(tokenizer / name));
  write_safetensors(folder / "vision_model" / weights_name, tensors);
  write_file(folder / "card.toml", card_toml(card));
}

}  // namespace vesalius::catalog
