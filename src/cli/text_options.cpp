#include "cli/text_options.h"

#include <sstream>

namespace vesalius::cli {

void add_text_options(CLI::App& command, TextOptions& options) {
  command.add_option("--text", options.texts, "A text; may be repeated")
      ->type_name("TEXT")
      ->expected(1)
      ->take_all();
  command.add_option("--texts", options.file, "A file with one text a line")->type_name("FILE");
}

std::vector<std::string> read_texts(const TextOptions& options) {
  std::vector<std::string> texts = options.texts;
  if (options.file.empty()) return texts;
  std::istringstream lines(read_text(options.file));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) texts.push_back(line);
  }
  if (texts.empty())
    fail(ErrorCode::kUnsupported, "{}: holds no text. Write one a line.", options.file);
  return texts;
}

}  // namespace vesalius::cli
