#include "catalog/insight_package.h"

#include <fmt/ranges.h>

#include <array>

#include "catalog/config_yaml.h"
#include "catalog/toml.h"
#include "checkpoint/safetensors.h"

namespace vesalius::catalog {
namespace {

constexpr std::array kTokenizerFiles{"vocab.json", "merges.txt", "special_tokens_map.json",
                                     "tokenizer_config.json"};

fs::path root_of(const fs::path& folder) {
  std::error_code ignored;
  for (const std::string& layout : layouts())
    if (auto root = folder / layout; fs::is_regular_file(root / "config.yaml", ignored))
      return root;
  return {};
}

bool recognises(const fs::path& folder) { return !root_of(folder).empty(); }

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

InstalledFiles installed_files(const Package& package) {
  InstalledFiles files{.weights = fs::path("vision_model") / package.weights.filename()};
  const auto tokenizer = fs::path("language_model") / package.tokenizer.filename();
  for (const char* name : kTokenizerFiles)
    if (fs::exists(package.tokenizer / name))
      files.others.emplace_back(package.tokenizer / name, tokenizer / name);
  files.others.emplace_back(package.config, "config.yaml");
  return files;
}

std::string find_unseeded_tensor(const Package& package, const Seeding& seeding) {
  return find_unseeded(package.weights, seeding);
}

}  // namespace

Family insight_family() {
  return {.name = kInsightFamily,
          .task = Task::kEmbedding,
          .sign = "config.yaml (MedImageInsight)",
          .recipe = "vesalius",
          .added_recipe = "community",
          .recognises = recognises,
          .find = find_insight,
          .check = check_insight,
          .installed = installed_files,
          .outputs = insight_outputs,
          .compare = compare_insight,
          .find_unseeded = find_unseeded_tensor,
          .write_seeded = write_seeded_insight,
          .seeded_work = seeded_insight_work,
          .open_embedding = open_insight};
}

Package find_insight(const fs::path& folder) {
  const fs::path root = root_of(folder);
  if (root.empty())
    fail(ErrorCode::kModel,
         "{}: is not a MedImageInsight package, whatever its card says: there is no config.yaml in "
         "it. Name the folder that was published.",
         folder.string());
  return {.folder = folder,
          .config = root / "config.yaml",
          .weights = find_weights(root),
          .tokenizer = find_tokenizer(root)};
}

void write_package(const fs::path& folder, const models::MedImageInsightConfig& config,
                   const std::map<std::string, at::Tensor>& tensors, const fs::path& tokenizer,
                   const Json& card, const std::string& weights_name) {
  write_file(folder / "config.yaml", write_config(config));
  for (const char* name : kTokenizerFiles)
    if (fs::exists(tokenizer / name))
      write_file(folder / "language_model" / "clip_tokenizer" / name, read_text(tokenizer / name));
  write_safetensors(folder / "vision_model" / weights_name, tensors);
  write_file(folder / "card.toml", card_toml(card));
}

}  // namespace vesalius::catalog
