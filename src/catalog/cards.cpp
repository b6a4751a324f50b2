// Cards: the ones that come with the program, and those of installed models.
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

#include "base/progress.h"
#include "catalog/catalog.h"
#include "catalog/family.h"
#include "catalog/toml.h"

namespace vesalius::catalog {
namespace {

constexpr uint64_t kLargestCard = 1 << 20;

std::string text_of(const Json& card, const char* key) {
  return card.contains(key) && card[key].is_string() ? card[key].get<std::string>() : std::string();
}

bool flag_of(const Json& card, const char* key) {
  return card.contains(key) && card[key].is_boolean() && card[key].get<bool>();
}

Card make_card(Json details, const std::string& name, const fs::path& folder) {
  Card card{.name = text_of(details, "name"),
            .family = text_of(details, "family"),
            .title = text_of(details, "title"),
            .publisher = text_of(details, "publisher"),
            .licence = text_of(details, "licence"),
            .source = text_of(details, "source"),
            .intended_use = text_of(details, "intended_use"),
            .limits = text_of(details, "limits"),
            .recipe = text_of(details, "recipe"),
            .seeded = flag_of(details, "seeded"),
            .starter = flag_of(details, "starter"),
            .folder = folder};
  card.details = std::move(details);
  if (card.name.empty()) card.name = name;
  return card;
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code problem;
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder, problem)) entries.push_back(entry.path());
  std::ranges::sort(entries);
  return entries;
}

/// Puts a card in place of one with the same name: an installed model over its description.
void add_card(std::vector<Card>& cards, Card card) {
  const auto same = std::ranges::find(cards, card.name, &Card::name);
  if (same == cards.end()) {
    cards.push_back(std::move(card));
  } else {
    *same = std::move(card);
  }
}

/// A card that cannot be read is said and left out: it must not stand in the way of other models.
void add_folder(std::vector<Card>& cards, const fs::path& folder) {
  const fs::path file = folder / "card.toml";
  std::error_code ignored;
  if (!fs::exists(file, ignored) || !is_package(folder)) return;
  try {
    add_card(cards, make_card(parse_toml(read_text(file, kLargestCard), file.string()),
                              folder.filename().string(), folder));
  } catch (const Error& problem) {
    warn(problem.what());
  }
}

void add_folders(std::vector<Card>& cards, const fs::path& parent) {
  for (const fs::path& folder : entries_of(parent))
    if (!folder.filename().string().starts_with('.')) add_folder(cards, folder);
}

}  // namespace

fs::path home() {
  if (const char* set = std::getenv("VESALIUS_HOME"); set != nullptr && *set != '\0') return set;
  if (const char* user = std::getenv("HOME"); user != nullptr && *user != '\0')
    return fs::path(user) / ".local/share/vesalius";
  return fs::temp_directory_path() / "vesalius";
}

fs::path catalog_folder() {
  if (const char* set = std::getenv("VESALIUS_CATALOG"); set != nullptr && *set != '\0') return set;
  std::error_code problem;
  const fs::path program = fs::read_symlink("/proc/self/exe", problem).parent_path();
  if (auto beside = program / "../share/vesalius/catalog"; fs::exists(beside, problem))
    return beside;
  return fs::path(VESALIUS_SOURCE_DIR) / "catalog";
}

std::vector<Card> list_cards() {
  std::vector<Card> cards;
  for (const fs::path& file : entries_of(catalog_folder()))
    if (file.extension() == ".toml")
      add_card(cards,
               make_card(parse_toml(read_text(file), file.string()), file.stem().string(), {}));
  add_folders(cards, catalog_folder());
  add_folders(cards, home() / "models");
  return cards;
}

std::optional<Card> find_card(const std::string& name) {
  for (Card& card : list_cards())
    if (card.name == name) return std::move(card);
  return std::nullopt;
}

Card card_of_package(const Package& package) {
  Card card = make_card(package.card, package.folder.filename().string(), package.folder);
  if (card.family.empty()) card.family = package.family;
  if (card.recipe.empty())
    card.recipe = family_named(package.family, package.folder.string()).recipe;
  return card;
}

fs::path model_folder(const std::string& name, const std::vector<std::string>& usual) {
  const auto cards = list_cards();
  const auto installed = [&](const std::string& wanted) -> fs::path {
    const auto found = std::ranges::find(cards, wanted, &Card::name);
    return found == cards.end() ? fs::path() : found->folder;
  };
  for (const std::string& wanted : name.empty() ? usual : std::vector{name})
    if (auto folder = installed(wanted); !folder.empty()) return folder;
  if (name.empty())
    fail(ErrorCode::kModel,
         "no model is installed for this ({}). Add one with `vesalius models add NAME --from "
         "FOLDER`.",
         fmt::join(usual, ", "));
  std::error_code ignored;
  if (fs::is_directory(name, ignored)) return name;
  std::vector<std::string> known;
  known.reserve(cards.size());
  for (const Card& card : cards)
    known.push_back(card.name + (card.folder.empty() ? " (not installed)" : ""));
  fail(ErrorCode::kModel,
       "model '{}' is neither installed nor a folder. Known: {}. Add one with `vesalius models add "
       "NAME --from FOLDER`.",
       name, fmt::join(known, ", "));
}

}  // namespace vesalius::catalog
