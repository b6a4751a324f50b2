// media_seg seg FILE: one line of JSON about a DICOM segmentation, then its voxels, one segment
// behind the other. With `on GRID.json` behind it, on that grid.
// media_seg rtstruct FILE GRID.json: the same of a structure set, drawn on a grid (size, origin,
// step, placed). What cannot be read gives a line with `error` and `code`, and that exit code.
#include <cstdio>
#include <string_view>

#include "base/json.h"
#include "media/dicom_seg.h"
#include "media/rtstruct.h"

namespace vesalius::media {

namespace {
Grid read_grid(const fs::path& path) {
  const Json json = read_json(path);
  Grid grid;
  json.at("size").get_to(grid.size);
  json.at("origin").get_to(grid.origin);
  json.at("step").get_to(grid.step);
  grid.placed = json.value("placed", true);
  return grid;
}

Json grid_json(const Grid& grid) {
  return {
      {"size", grid.size}, {"origin", grid.origin}, {"step", grid.step}, {"placed", grid.placed}};
}

Json code_json(const Code& code) { return {code.value, code.scheme, code.meaning}; }

Json segment_json(const Segment& segment) {
  Json json{{"label", segment.label},
            {"description", segment.description},
            {"category", code_json(segment.category)},
            {"type", code_json(segment.type)},
            {"colour", segment.colour}};
  if (segment.modifier) json["modifier"] = code_json(*segment.modifier);
  if (segment.region) json["region"] = code_json(*segment.region);
  return json;
}

void print(const Json& header, const std::vector<const std::vector<uint8_t>*>& masks) {
  std::printf("%s\n", dump_json(header).c_str());
  for (const auto* mask : masks) std::fwrite(mask->data(), 1, mask->size(), stdout);
}

void print_seg(const fs::path& path, const char* grid) {
  Segmentation read = read_dicom_seg(path);
  if (grid != nullptr) read = on_grid(std::move(read), read_grid(grid), path.string());
  Json header{{"grid", grid_json(read.grid)}, {"fractional", read.fractional}};
  std::vector<const std::vector<uint8_t>*> masks;
  for (const Segment& segment : read.segments) {
    header["segments"].push_back(segment_json(segment));
    masks.push_back(&segment.voxels);
  }
  print(header, masks);
}

void print_rtstruct(const fs::path& path, const fs::path& grid_path) {
  const StructureSet read = read_rtstruct(path);
  const Grid grid = read_grid(grid_path);
  Json header{{"label", read.label}, {"frame_of_reference", read.frame_of_reference}};
  std::vector<std::vector<uint8_t>> masks;
  std::vector<const std::vector<uint8_t>*> shown;
  for (const Structure& structure : read.structures) {
    header["structures"].push_back({{"number", structure.number},
                                    {"name", structure.name},
                                    {"colour", structure.colour},
                                    {"contours", structure.contours.size()}});
    masks.push_back(rasterise(structure, grid));
  }
  for (const auto& mask : masks) shown.push_back(&mask);
  print(header, shown);
}

int run(int argc, char** argv) {
  const std::string_view what = argc > 2 ? argv[1] : "";
  try {
    if (what == "seg") {
      print_seg(argv[2], argc > 4 ? argv[4] : nullptr);
    } else if (what == "rtstruct" && argc > 3) {
      print_rtstruct(argv[2], argv[3]);
    } else {
      fail(ErrorCode::kUsage, "media_seg seg FILE [on GRID] | rtstruct FILE GRID");
    }
  } catch (const Error& error) {
    const Json line{{"error", error.what()}, {"code", static_cast<int>(error.code())}};
    std::printf("%s\n", dump_json(line).c_str());
    return static_cast<int>(error.code());
  }
  return 0;
}
}  // namespace

}  // namespace vesalius::media

int main(int argc, char** argv) { return vesalius::media::run(argc, argv); }
