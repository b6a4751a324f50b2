// One question a line, one JSON answer a line:
//   {"cdf": [[x, a, b]…]}            beta_cdf of each
//   {"fit": [value…]}                [a, b]
//   {"modality", "target", "features": [[4]…]}   the statistic of each, null where there is none
//   {"probability": [p…], "rgb": [byte…]}        the features
// With {"table": true}: the published parameters, in the form of target_dist.json.
#include <iostream>

#include "base/json.h"
#include "tasks/existence.h"

using namespace vesalius;

namespace {

Json answer(const Json& line) {
  Json result = Json::array();
  if (line.contains("table"))
    return parse_json(tasks::existence_json(tasks::published_existence()), "table");
  if (line.contains("fit")) {
    const auto beta = tasks::fit_beta(line["fit"].get<std::vector<double>>());
    return {beta.a, beta.b};
  }
  if (line.contains("probability"))
    return tasks::mask_features(line["probability"].get<std::vector<float>>(),
                                line["rgb"].get<std::vector<uint8_t>>());
  if (line.contains("cdf")) {
    for (const auto& q : line["cdf"])
      result.push_back(
          tasks::beta_cdf(q[0].get<double>(), {q[1].get<double>(), q[2].get<double>()}));
    return result;
  }
  for (const auto& features : line["features"]) {
    const auto value = tasks::existence_statistic(
        features.get<tasks::MaskFeatures>(), tasks::published_existence(),
        line["modality"].get<std::string>(), line["target"].get<std::string>());
    result.push_back(value ? Json(*value) : Json(nullptr));
  }
  return result;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);)
    std::cout << dump_json(answer(parse_json(line, "line"))) << "\n";
}
