// Shows Python what the text folder makes of texts. Arguments: FOLDER of the tokenizer, or "fix"
// for the clean-up alone. Standard input has one text a line, its bytes in hexadecimal; one line of
// JSON out each.
#include <iostream>

#include "base/json.h"
#include "hex_lines.h"
#include "text/clip_tokenizer.h"
#include "text/text_cleanup.h"
#include "text/unicode.h"

using namespace vesalius;

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::string what = arguments[1];
  if (what == "fix") {
    for_each_text([](const std::string& text) {
      std::cout << dump_json(text::to_utf8(text::fix_text(text::from_utf8(text)))) << "\n";
    });
    return 0;
  }
  const auto tokenizer = text::ClipTokenizer::load(what);
  for_each_text(
      [&](const std::string& text) { std::cout << dump_json(tokenizer.encode(text)) << "\n"; });
}
