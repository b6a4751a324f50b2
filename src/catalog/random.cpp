#include "catalog/random.h"

#include <fmt/ranges.h>

#include "catalog/family.h"
#include "catalog/shards.h"
#include "catalog/toml.h"
#include "catalog/weights_hash.h"

namespace vesalius::catalog {
namespace {

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
      {"limits", "Untrained: its results mean nothing."},
      {"seeded", true},
      {"seed", std::to_string(seeding.seed)},  // TOML's integers are signed
      {"size", size},
      {"gains", gains}};
}

/// A published model: its card names the files that it was published as.
bool is_published(const Card& card) { return !card.starter && card.details.contains("files"); }

Card original_card(const std::string& model) {
  std::vector<std::string> known;
  for (Card& card : list_cards()) {
    if (!is_published(card)) continue;
    if (card.name == model) return std::move(card);
    known.push_back(card.name);
  }
  fail(ErrorCode::kUsage,
       "there is no published architecture '{}' to imitate. `vesalius models random` takes: {}.",
       model, fmt::join(known, ", "));
}

/// New, empty, or an earlier imitation of the same model.
void check_target(const fs::path& folder, const std::string& model) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored) || fs::is_empty(folder, ignored)) return;
  if (is_package(folder)) {
    const Card card = card_of_package(find_package(folder));
    if (card.seeded && card.name == model) return;
  }
  fail(ErrorCode::kUsage, "{}: holds other files. Give -o a folder that is new or empty.",
       folder.string());
}

}  // namespace

int64_t seeded_work(const std::string& size, const std::string& model) {
  const Card card = original_card(model);
  return family_named(card.family, model).seeded_work(size);
}

SeededPackage write_seeded_package(const std::string& model, const std::string& size,
                                   const Seeding& seeding, const fs::path& folder,
                                   const std::function<void(int64_t)>& advance) {
  const SeededOrder order{original_card(model), size, seeding, folder};
  const Family& family = family_named(order.original.family, model);
  family.seeded_work(size);  // refuses an unknown size before anything is written
  check_target(folder, model);
  const SeededFiles files = family.write_seeded(order, advance);
  SeededPackage made{.folder = folder, .weights = files.weights, .tensors = files.tensors};
  made.bytes = static_cast<uint64_t>(weight_bytes(made.weights));
  made.sha256 = file_sha256(made.weights, advance);
  remember_sha256(made.weights, made.sha256);
  Json details = seeded_card(order.original, size, seeding);
  details.update(files.card);
  details["weights_sha256"] = made.sha256;
  details["weights_bytes"] = made.bytes;
  write_file(folder / "card.toml", card_toml(details));
  return made;
}

}  // namespace vesalius::catalog
