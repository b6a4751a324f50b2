// One question a line, one JSON answer a line:
//   {"areas": [x, y, z]}                      areas of the 256 neighbourhoods, lengths of the 16
//   {"size", "spacing", "set": FILE}          distances to the set
//   {"size", "mask": FILE}                    labels of its components
//   {"size", "spacing", "truth": FILE, "prediction": FILE, "tolerance"}   all figures
//   {"objects": [FILE, FILE], "iou"}          the match of truth and prediction
// A FILE holds the voxels raw, columns fastest: uint8, of objects uint32.
#include <cstring>
#include <iostream>

#include "base/files.h"
#include "base/json.h"
#include "tasks/distance_transform.h"
#include "tasks/mask_metrics.h"
#include "tasks/surface_distance.h"
#include "tasks/surface_elements.h"

using namespace vesalius;

namespace {

std::vector<uint8_t> bytes(const Json& file) { return read_file(file.get<std::string>()); }

std::vector<uint32_t> words(const Json& file) {
  const auto raw = bytes(file);
  std::vector<uint32_t> result(raw.size() / sizeof(uint32_t));
  std::memcpy(result.data(), raw.data(), result.size() * sizeof(uint32_t));
  return result;
}

Json optional(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json match_json(const tasks::InstanceMatch& match) {
  return {{"matched", match.matched},
          {"missed", match.missed},
          {"invented", match.invented},
          {"matched_dice", match.matched_dice},
          {"f1", optional(match.f1())}};
}

media::Grid grid_of(const Json& line) {
  media::Grid grid;
  grid.size = line["size"].get<std::array<int64_t, 3>>();
  for (size_t axis = 0; axis < 3; ++axis)
    grid.step[axis][axis] = line["spacing"][axis].get<double>();
  return grid;
}

Json figures(const Json& line) {
  const auto truth = bytes(line["truth"]), prediction = bytes(line["prediction"]);
  const media::Grid grid = grid_of(line);
  const auto f =
      tasks::compare_masks(truth, prediction, grid, {.tolerance = line["tolerance"].get<double>()});
  const auto elements = tasks::surface_elements(truth, prediction, grid);
  return {{"dice", optional(f.dice)},
          {"iou", optional(f.iou)},
          {"hausdorff", optional(f.hausdorff)},
          {"hausdorff_95", optional(f.hausdorff_95)},
          {"mean_distance", optional(f.mean_distance)},
          {"surface_dice", optional(f.surface_dice)},
          {"element_distance", optional(tasks::mean_surface_distance(elements))},
          {"volumes", {f.truth_volume, f.predicted_volume}},
          {"instances", match_json(f.instances)}};
}

Json answer(const Json& line) {
  if (line.contains("areas")) {
    const auto spacing = line["areas"].get<media::Vector3>();
    return {{"areas", tasks::surface_areas(spacing)}, {"lengths", tasks::outline_lengths(spacing)}};
  }
  if (line.contains("set")) {
    const media::Grid grid = grid_of(line);
    return tasks::distances_to(bytes(line["set"]),
                               {grid.size, line["spacing"].get<media::Vector3>()});
  }
  if (line.contains("mask"))
    return tasks::connected_components(bytes(line["mask"]),
                                       line["size"].get<std::array<int64_t, 3>>())
        .labels;
  if (line.contains("objects"))
    return match_json(tasks::match_instances(words(line["objects"][0]), words(line["objects"][1]),
                                             line["iou"].get<double>()));
  return figures(line);
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);)
    std::cout << dump_json(answer(parse_json(line, "line"))) << "\n";
}
