#include "catalog/package.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "catalog/config_yaml.h"
#include "catalog/toml.h"
#include "checkpoint/safetensors.h"

namespace vesalius::catalog {
namespace {

constexpr uint64_t kLargestCard = 1 << 20;

/// Where a package may begin below the folder that the user names.
const std::vector<std::string>& layouts() {
  static const std::vector<std::string> all{"", "artifacts/checkpoints", "2024.09.27",
                                            "artifacts/checkpoints/2024.09.27"};
  return all;
}

fs::path root_of(const fs::path& folder) {
  std::error_code ignored;
  for (const std::string& layout : layouts())
    if (auto root = folder / layout; fs::is_regular_file(root / "config.yaml", ignored))
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
