// Shows Python what grounded text is read as: a text a line in hexadecimal in; a line of JSON out
// each. With the arguments WIDTH HEIGHT, the boxes of the film beside those of the square.
#include <iostream>

#include "base/json.h"
#include "hex_lines.h"
#include "text/grounded_text.h"

using namespace vesalius;

namespace {

Json numbers(const text::Box& box) { return {box.x0, box.y0, box.x1, box.y1}; }

Json shown(const text::GroundedText& parsed, int width, int height) {
  Json out = {
      {"grounded", parsed.grounded}, {"sentences", Json::array()}, {"repairs", Json::array()}};
  for (const auto& sentence : parsed.sentences) {
    Json square = Json::array(), film = Json::array();
    for (const auto& box : sentence.boxes) {
      square.push_back(numbers(box));
      film.push_back(numbers(text::box_of_film(box, width, height)));
    }
    out["sentences"].push_back({{"text", sentence.text},
                                {"square", square},
                                {"film", film},
                                {"span", {sentence.span.begin, sentence.span.end}},
                                {"complete", sentence.complete}});
  }
  for (const auto& repair : parsed.repairs) out["repairs"].push_back(repair.code);
  return out;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const int width = std::stoi(arguments[1]), height = std::stoi(arguments[2]);
  for_each_text([&](const std::string& text) {
    std::cout << dump_json(shown(text::parse_grounded(text), width, height)) << "\n";
  });
}
