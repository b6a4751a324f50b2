// The families of models: what the catalog must know of each to find, check, install, imitate and
// verify one. Whoever adds a family adds a row; nothing else asks for a family by its name.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/golden.h"
#include "catalog/package.h"
#include "checkpoint/seeded.h"

namespace vesalius::catalog {

/// Bytes done; may throw to stop.
using Advance = std::function<void(int64_t)>;

/// Files to be installed and their places below the model's folder.
struct InstalledFiles {
  fs::path weights;
  std::vector<std::pair<fs::path, fs::path>> others;  // from, to
};

/// A seeded package to be written.
struct SeededOrder {
  Card original;  // the description of the model that is imitated
  std::string size;
  Seeding seeding;
  fs::path folder;
};

struct SeededFiles {
  fs::path weights;
  uint64_t tensors = 0;
  Json card = Json::object();  // what the folder's card says beside the common
};

struct Family {
  std::string_view name;  // as cards spell it
  Task task;
  std::string_view sign;          // what its folders are known by, for people
  std::string_view recipe;        // of a bare folder
  std::string_view added_recipe;  // of one that is installed without a card

  bool (*recognises)(const fs::path& folder);
  /// Error kModel says what is missing where.
  Package (*find)(const fs::path& folder);
  /// Every tensor and the tokenizer; and, where the catalog describes it, that it is exactly the
  /// published architecture. Error kModel lists what does not fit.
  void (*check)(const Package& package, const Card* published);
  InstalledFiles (*installed)(const Package& package);
  /// What the model gives for the fixed inputs, and those outputs compared with stored ones.
  Json (*outputs)(const fs::path& folder, const OpenOptions& options, const std::string& reference);
  std::vector<Check> (*compare)(const Json& now, const Json& stored, const std::string& precision);
  /// Name of the first tensor that is not as seeded, or nothing.
  std::string (*find_unseeded)(const Package& package, const Seeding& seeding);
  /// Writes weights and what belongs to them, but the card. Error kUsage for an unknown size.
  SeededFiles (*write_seeded)(const SeededOrder& order, const Advance& advance);
  /// Bytes that writing and hashing a package of that size are.
  int64_t (*seeded_work)(const std::string& size);
  /// Of families that embed: the model behind their interface.
  std::unique_ptr<EmbeddingModel> (*open_embedding)(const fs::path& folder,
                                                    const OpenOptions& options) = nullptr;
};

/// All of them, those first that know their folders by more.
const std::vector<Family>& families();
/// Error kModel for a name that no row has; `where` says who asked.
const Family& family_named(std::string_view name, const std::string& where);

}  // namespace vesalius::catalog
