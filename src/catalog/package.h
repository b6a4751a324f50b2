// A model's folder in a published layout: which family's it is, and where its parts lie.
#pragma once

#include <string>

#include "base/files.h"
#include "base/json.h"
#include "catalog/catalog.h"

namespace vesalius::catalog {

struct Package {
  std::string family;          // a row of families(): "medimageinsight", "biomedparse-v2"
  fs::path folder;             // as given
  fs::path config;             // config.yaml, where the family has one
  fs::path weights;            // whatever its ending says
  fs::path tokenizer;          // the folder with its files, where the family's has one
  Json card = Json::object();  // card.toml beside them, when there is one
};

/// Finds the parts in a folder as published, or in one of ours. Its card says of which family it
/// is, else what lies in it; where it holds several, `expected` decides. Error kModel says what is
/// missing where.
Package find_package(const fs::path& folder, const std::string& expected = {});
/// The package's own card; for a bare published folder, one that says so much as its layout tells.
Card card_of_package(const Package& package);
/// True if `folder` looks like one at all.
bool is_package(const fs::path& folder);

/// Error kModel, naming the commands for it, when the package's model does something else.
void require_task(const Package& package, Task task);

/// Where a package may begin below the folder that the user names, in the order of looking.
const std::vector<std::string>& layouts();
std::vector<fs::path> sorted_entries(const fs::path& folder);

}  // namespace vesalius::catalog
