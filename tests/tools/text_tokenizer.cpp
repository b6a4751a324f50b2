// Shows Python what a tokenizer.json gives. Argument: the file. Standard input has one question a
// line, each a JSON object: {"hex": bytes of a text, "special": …, "plain": [[begin, end], …]} for
// ids, {"ids": …, "skip": …} for text; one line of JSON out each.
#include <iostream>

#include "base/json.h"
#include "hex_lines.h"
#include "text/tokenizer.h"

using namespace vesalius;

namespace {

Json answer(const text::Tokenizer& tokenizer, const Json& question) {
  if (question.contains("ids"))
    return tokenizer.decode(question["ids"].get<std::vector<int32_t>>(),
                            question["skip"].get<bool>());
  text::EncodeOptions options{.special = question["special"].get<bool>()};
  for (const Json& span : question["plain"])
    options.plain.push_back({span[0].get<size_t>(), span[1].get<size_t>()});
  return tokenizer.encode(from_hex(question["hex"].get<std::string>()), options);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const auto tokenizer = text::Tokenizer::load(arguments[1]);
  for (std::string line; std::getline(std::cin, line);)
    std::cout << dump_json(answer(tokenizer, parse_json(line, "question"))) << "\n";
}
