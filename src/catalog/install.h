// Putting a package under $VESALIUS_HOME, and taking it away.
#pragma once

#include <functional>
#include <string>

#include "catalog/catalog.h"
#include "catalog/package.h"

namespace vesalius::catalog {

struct InstallOptions {
  bool link = false;                     // hard links instead of copies
  std::function<void(int64_t)> advance;  // bytes copied and hashed; may throw to stop
};

struct Installed {
  Card card;
  std::string weights_sha256;
  std::string remark;  // what the user should know about the weights' origin; may be empty
};

/// Bytes that install_package() will report to `advance`.
int64_t install_work(const Package& package);

/// The package at `from` that the catalog's description of `name` means, where it holds several.
Package package_to_install(const std::string& name, const fs::path& from);

/// Checks the package at `from` whole (config, every tensor, tokenizer) and puts it in
/// home()/models/NAME, beside first and then renamed. A model of the catalog must have exactly its
/// published architecture. Error kModel lists what does not fit; kUsage for a bad or taken name.
Installed install_package(const std::string& name, const fs::path& from,
                          const InstallOptions& options = {});

/// Error kModel when no such model is installed under home().
void remove_package(const std::string& name);

}  // namespace vesalius::catalog
