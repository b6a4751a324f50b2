#include "catalog/hugging_face.h"

#include <array>
#include <functional>

#include "catalog/shards.h"

namespace vesalius::catalog {
namespace {

constexpr std::array kOtherFiles{
    "config.json",           "tokenizer.json",           "tokenizer.model",
    "tokenizer_config.json", "special_tokens_map.json",  "added_tokens.json",
    "processor_config.json", "preprocessor_config.json", "generation_config.json",
    "chat_template.json",    "chat_template.jinja"};

bool says(const fs::path& config, std::string_view model_type) {
  try {
    const Json table = read_json(config);
    return table.is_object() && table.value("model_type", "") == model_type;
  } catch (const std::exception&) {
    return false;  // another model's file, or a damaged one: its card could tell
  }
}

fs::path root_of(const fs::path& folder, const std::function<bool(const fs::path&)>& wanted) {
  std::error_code ignored;
  for (const std::string& layout : layouts())
    if (const auto config = folder / layout / "config.json";
        fs::is_regular_file(config, ignored) && wanted(config))
      return folder / layout;
  return {};
}

fs::path find_weights(const fs::path& root) {
  std::error_code ignored;
  for (const char* name : {kShardIndex, "model.safetensors", "weights.safetensors"})
    if (fs::is_regular_file(root / name, ignored)) return root / name;
  fail(ErrorCode::kModel,
       "{}: has neither model.safetensors nor {}. Name the folder that was published.",
       root.string(), kShardIndex);
}

}  // namespace

bool says_model_type(const fs::path& folder, std::string_view model_type) {
  return !root_of(folder, [&](const fs::path& config) { return says(config, model_type); }).empty();
}

Package find_hugging_face(const fs::path& folder, std::string_view kind) {
  const auto root = root_of(folder, [](const fs::path&) { return true; });
  if (root.empty())
    fail(ErrorCode::kModel,
         "{}: is no package of {}, whatever its card says: there is no config.json in it. Name the "
         "folder that was published.",
         folder.string(), kind);
  return {.folder = folder,
          .config = root / "config.json",
          .weights = find_weights(root),
          .tokenizer = root};
}

InstalledFiles hugging_face_files(const Package& package) {
  InstalledFiles files{.weights = package.weights.filename()};
  for (const char* name : kOtherFiles)
    if (fs::exists(package.tokenizer / name))
      files.others.emplace_back(package.tokenizer / name, name);
  return files;
}

Json read_beside(const fs::path& folder, const char* name) {
  const auto file = folder / name;
  std::error_code ignored;
  return fs::exists(file, ignored) ? read_json(file) : Json::object();
}

}  // namespace vesalius::catalog
