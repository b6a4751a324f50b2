// One table a line: {"truth": [class…], "scores": [[score of each class]…]} or {"successes",
// "trials"}. Prints the figures of each as evaluate has them, one JSON object a line.
#include <iostream>

#include "tasks/evaluate.h"

using namespace vesalius;

namespace {

Json figures(const Json& line) {
  if (line.contains("trials"))
    return tasks::figure_json(
        tasks::wilson(line["successes"].get<int64_t>(), line["trials"].get<int64_t>()));
  tasks::Answers answers{.truth = line["truth"].get<std::vector<int>>(),
                         .scores = line["scores"].get<std::vector<std::vector<double>>>()};
  for (size_t c = 0; c < answers.scores.at(0).size(); ++c)
    answers.labels.push_back(std::to_string(c));
  return tasks::evaluate_answers(answers, line.value("seed", uint64_t{0}));
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);)
    std::cout << dump_json(figures(parse_json(line, "line"))) << "\n";
}
