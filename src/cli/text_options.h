// --text and --texts, of embed and search.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace vesalius::cli {

struct TextOptions {
  std::vector<std::string> texts;
  std::string file;
};
void add_text_options(CLI::App& command, TextOptions& options);
/// The texts given, then those of the file: one a line, empty lines skipped.
std::vector<std::string> read_texts(const TextOptions& options);

}  // namespace vesalius::cli
