#include "catalog/random.h"

#include <fmt/ranges.h>

#include "catalog/catalog.h"
#include "catalog/config_yaml.h"
#include "catalog/package.h"
#include "catalog/toml.h"
#include "catalog/weights_hash.h"
#include "text/clip_files.h"

namespace vesalius::catalog {
namespace {

// As in the community mirror; the file's name is spelled so.
constexpr const char* kRoot = "2024.09.27";
constexpr const char* kWeights = "vision_model/medimageinsigt-v1.0.0.pt";
constexpr const char* kTokenizer = "language_model/clip_tokenizer_4.16.2";

models::MedImageInsightConfig tiny_config() {
  models::MedImageInsightConfig c;
  c.image_size = 96;
  c.image.dims = {32, 64, 96, 128};
  c.image.depths = {1, 1, 2, 1};
  c.image.heads = c.image.groups = {1, 2, 3, 4};
  c.text.width = 64;
  c.text.heads = 2;
  c.text.layers = 3;
  c.projection = 48;
  return c;
}

/// The description of the model that is imitated; its figures and files are not the copy's.
Json seeded_card(const Card& original, const std::string& size, const Seeding& seeding) {
  std::vector<std::string> gains;
  for (const Gain& gain : seeding.gains)
    gains.push_back(fmt::format("{}={}", gain.suffix, gain.factor));
  return Json{
      {"name", original.name},
      {"family", original.family},
      {"title", original.title + ", seeded weights"},
      {"publisher", "written by vesalius models random"},
      {"licence", "values by arithmetic: free of rights; tokenizer files: MIT (OpenAI CLIP)"},
      {"recipe", original.recipe},
      {"intended_use", "Tests, benchmarks and demonstrations of loading."},
      {"limits", "Untrained: its vectors mean nothing."},
      {"seeded", true},
      {"seed", std::to_string(seeding.seed)},  // TOML's integers are signed
      {"size", size},
      {"gains", gains}};
}

Card original_card(const std::string& model) {
  const auto card = find_card(model);
  if (card && !card->starter && card->family == "medimageinsight") return *card;
  fail(ErrorCode::kUsage,
       "there is no published architecture '{}' to imitate. `vesalius models random` takes: "
       "medimageinsight.",
       model);
}

void check_target(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored) || fs::is_empty(folder, ignored)) return;
  if (is_package(folder) && card_of_package(find_package(folder)).seeded) return;
  fail(ErrorCode::kUsage, "{}: holds other files. Give -o a folder that is new or empty.",
       folder.string());
}

}  // namespace

std::vector<TensorEntry> tensor_list(const models::MedImageInsightConfig& config) {
  const auto store = TensorStore::recording();
  const models::MedImageInsight model(Weights(store), config);
  std::vector<TensorEntry> entries;
  for (const auto& [name, tensor] : store->taken())
    entries.push_back({.name = name, .shape = tensor.sizes().vec()});
  return entries;
}

models::MedImageInsightConfig seeded_config(const std::string& size) {
  if (size == "full") return {};
  if (size == "tiny") return tiny_config();
  fail(ErrorCode::kUsage, "--size {}: choose full or tiny.", size);
}

int64_t seeded_work(const std::string& size) {
  auto entries = tensor_list(seeded_config(size));
  const auto header = static_cast<int64_t>(make_safetensors_header(entries).size());
  return header + 2 * static_cast<int64_t>(entries.back().end);  // values written, file hashed
}

SeededPackage write_seeded_package(const std::string& model, const std::string& size,
                                   const Seeding& seeding, const fs::path& folder,
                                   const std::function<void(int64_t)>& advance) {
  const auto config = seeded_config(size);
  const auto card = original_card(model);
  check_target(folder);
  const auto entries = tensor_list(config);
  SeededPackage made{.folder = folder,
                     .weights = folder / kRoot / kWeights,
                     .tensors = static_cast<uint64_t>(entries.size())};
  write_seeded(made.weights, entries, seeding, advance);
  text::write_clip_tokenizer(folder / kRoot / kTokenizer, catalog_folder() / "clip" / "merges.txt");
  write_file(folder / kRoot / "config.yaml", write_config(config));
  made.bytes = fs::file_size(made.weights);
  made.sha256 = file_sha256(made.weights, advance);
  remember_sha256(made.weights, made.sha256);
  Json details = seeded_card(card, size, seeding);
  details["weights_sha256"] = made.sha256;
  details["weights_bytes"] = made.bytes;
  write_file(folder / "card.toml", card_toml(details));
  return made;
}

}  // namespace vesalius::catalog
