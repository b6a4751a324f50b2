// Shows Python what a recipe makes of a file. Standard input has one job a line, as JSON:
//   {"recipe", "parameters", "path", "out", "size", "frame", "normalise", "mean", "std"}; the
//   answer is a line of JSON,
// {"warnings"} with the pixels in the file `out` (u8, or float32 when normalised), or {"error",
// "code"}.
#include <algorithm>
#include <iostream>

#include "recipes/recipe.h"

using namespace vesalius;

namespace {

Json run(const Json& job) {
  const auto recipe =
      recipes::make_recipe(job.at("recipe"), job.value("parameters", Json::object()));
  recipes::ModelInput input;
  input.size = job.value("size", 480);
  for (const auto& [key, to] : {std::pair{"mean", &input.mean}, {"std", &input.std}})
    if (job.contains(key)) std::ranges::copy(job.at(key).get<std::vector<float>>(), *to);
  const std::string path = job.at("path");
  const std::vector<uint8_t> bytes = read_file(path);
  const recipes::Prepared prepared =
      recipes::prepare(recipe, input, bytes, path, job.value("frame", 0));
  std::string raw(prepared.rgb.begin(), prepared.rgb.end());
  if (job.value("normalise", false)) {
    std::vector<float> values(prepared.rgb.size());
    recipes::normalise(prepared, input, values.data());
    raw.assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  }
  write_file(std::string(job.at("out")), raw);
  return {{"warnings", prepared.warnings}, {"id", recipe.id()}, {"parameters", recipe.parameters}};
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    Json answer;
    try {
      answer = run(parse_json(line, "a job"));
    } catch (const Error& error) {
      answer = {{"error", error.what()}, {"code", static_cast<int>(error.code())}};
    }
    std::cout << dump_json(answer) << "\n";
  }
}
