// Shows Python what the text folder makes of texts. Arguments: FOLDER of the tokenizer, or "fix"
// for the clean-up alone. Standard input has one text a line, its bytes in hexadecimal; one line of
// JSON out each.
#include <iostream>

#include "base/json.h"
#include "text/clip_tokenizer.h"
#include "text/text_cleanup.h"
#include "text/unicode.h"

using namespace vesalius;

namespace {

std::string from_hex(const std::string& digits) {
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::string what = arguments[1];
  if (what == "fix") {
    for (std::string line; std::getline(std::cin, line);) {
      std::cout << dump_json(text::to_utf8(text::fix_text(text::from_utf8(from_hex(line)))))
                << "\n";
    }
    return 0;
  }
  const auto tokenizer = text::ClipTokenizer::load(what);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << dump_json(tokenizer.encode(from_hex(line))) << "\n";
  }
}
