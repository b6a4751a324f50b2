// Trains a tokenizer for Python to look at: LINES SIZE BASE OUT. The lines of a file, a vocabulary
// of SIZE tokens filled up to BASE, MAIRA-2's added tokens behind them, written as tokenizer.json.
#include <sstream>
#include <string>

#include "base/files.h"
#include "text/bpe_trainer.h"

using namespace vesalius;

int main(int count, char** arguments) {
  if (count != 5) return 2;
  std::istringstream file(read_text(arguments[1]));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  const text::TokenizerPlan plan{.vocabulary_size = std::stoi(arguments[2]),
                                 .added = text::maira2_added_tokens()};
  const Json trained =
      text::padded_tokenizer(text::train_tokenizer(lines, plan), std::stoi(arguments[3]));
  write_file(arguments[4], dump_json(trained, 1));
}
