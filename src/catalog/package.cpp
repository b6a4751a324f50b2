#include "catalog/package.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "catalog/family.h"
#include "catalog/toml.h"

namespace vesalius::catalog {
namespace {

constexpr uint64_t kLargestCard = 1 << 20;

/// The package around a folder that a layout puts inside one, named itself.
fs::path outer_folder(const fs::path& folder) {
  const auto clean = folder.has_filename() ? folder : folder.parent_path();
  if (clean.filename() == "2024.09.27") return folder / "..";
  const auto parent = clean.parent_path().filename();
  if (clean.filename() == "checkpoints" && parent == "artifacts") return folder / "../..";
  return {};
}

/// The card in the folder, where its layout begins, or, as seeded weights must say so even when
/// somebody names the folder inside, around it.
Json read_card(const fs::path& folder) {
  std::vector<fs::path> places;
  places.reserve(layouts().size() + 1);
  for (const std::string& layout : layouts()) places.push_back(folder / layout);
  if (const auto outer = outer_folder(folder); !outer.empty()) places.push_back(outer);
  std::error_code ignored;
  for (const fs::path& place : places) {
    const auto card = place / "card.toml";
    if (fs::exists(card, ignored)) return parse_toml(read_text(card, kLargestCard), card.string());
  }
  return Json::object();
}

std::vector<const Family*> families_of(const fs::path& folder) {
  std::vector<const Family*> found;
  for (const Family& family : families())
    if (family.recognises(folder)) found.push_back(&family);
  // A download of BiomedParse has a config.yaml too, all that MedImageInsight's is known by.
  std::erase_if(found, [&](const Family* family) { return family->task != found.front()->task; });
  return found;
}

[[noreturn]] void refuse_unknown(const fs::path& folder) {
  std::vector<std::string_view> signs;
  signs.reserve(families().size());
  for (const Family& family : families()) signs.push_back(family.sign);
  fail(ErrorCode::kModel,
       "{}: is not a package of any model that is known here: there is no {} in it, in "
       "artifacts/checkpoints/ or in 2024.09.27/. Name the folder that was published.",
       folder.string(), fmt::join(signs, ", no "));
}

/// One folder with the weights of several models must not be taken for whichever comes first.
[[noreturn]] void refuse_several(const fs::path& folder, const std::vector<const Family*>& found) {
  std::vector<std::string_view> names;
  names.reserve(found.size());
  for (const Family* family : found) names.push_back(family->name);
  fail(ErrorCode::kModel,
       "{0}: holds the weights of {1}. Install the one that you want by its name: `vesalius models "
       "add {2} --from {0}`.",
       folder.string(), fmt::join(names, " and of "), names.front());
}

const Family& family_of(const fs::path& folder, const Json& card, const std::string& expected) {
  if (card.contains("family") && card["family"].is_string())
    return family_named(card["family"].get<std::string>(), folder.string());
  const auto found = families_of(folder);
  if (found.empty()) refuse_unknown(folder);
  for (const Family* family : found)
    if (family->name == expected) return *family;
  if (found.size() > 1) refuse_several(folder, found);
  return *found.front();
}

/// Of a task, for people.
struct TaskWords {
  const char *kind, *commands;
};

TaskWords words_of(Task task) {
  switch (task) {
    case Task::kEmbedding:
      return {"an embedding model", "vesalius embed, classify, index and search"};
    case Task::kSegmentation:
      return {"a segmentation model", "vesalius segment"};
    case Task::kReport:
      return {"a report model", "vesalius report"};
  }
  fail(ErrorCode::kFailed, "task {} has no words", static_cast<int>(task));
}

}  // namespace

const std::vector<std::string>& layouts() {
  static const std::vector<std::string> all{"", "artifacts/checkpoints", "2024.09.27",
                                            "artifacts/checkpoints/2024.09.27"};
  return all;
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::error_code problem;
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder, problem)) entries.push_back(entry.path());
  std::ranges::sort(entries);
  return entries;
}

bool is_package(const fs::path& folder) { return !families_of(folder).empty(); }

Package find_package(const fs::path& folder, const std::string& expected) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    fail(ErrorCode::kModel,
         "{}: is no folder. Name an installed model (`vesalius models list`) or the folder of a "
         "published package.",
         folder.string());
  Json card = read_card(folder);
  const Family& family = family_of(folder, card, expected);
  Package package = family.find(folder);
  package.family = family.name;
  package.card = std::move(card);
  return package;
}

void require_task(const Package& package, Task task) {
  const Family& family = family_named(package.family, package.folder.string());
  if (family.task == task) return;
  fail(ErrorCode::kModel,
       "{}: is {} ({}), which is for {}. Here {} is needed: `vesalius models list` shows all.",
       package.folder.string(), words_of(family.task).kind, family.name,
       words_of(family.task).commands, words_of(task).kind);
}

}  // namespace vesalius::catalog
