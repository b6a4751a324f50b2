// media_volume COMMAND ARGUMENT...: what src/media makes of volumes, for Python to compare. One
// line of JSON on standard output and, behind it, `bytes` bytes of values.
//
//   nifti FILE [INDEX]                        its grid and values (float32)
//   canonical FILE CODE                       the same along other axes, and `restored`, true if
//   the
//                                             way back gives grid and values as they were
//   rewrite FILE OUT TYPE [like]              values as TYPE (uint8, int16, uint16, float32) to
//   OUT,
//                                             on FILE's grid or with FILE's header
//   npz FILE                                  `imgs`, and the text prompts where there are any
//   labels FILE NAME                          an array of whole numbers (uint16)
//   write-npz FILE NAME OUT uint8|uint16      the same written again as `segs`
//   dicom [--fill] [--series UID] PATH...     a series
//
// On an Error the line has `error` and `code`, and the exit code is the Error's.
#include <cstdio>
#include <map>
#include <span>
#include <string_view>

#include "base/json.h"
#include "media/dicom_volume.h"
#include "media/nifti.h"
#include "media/npz.h"

namespace vesalius::media {

namespace {
using Arguments = std::span<char*>;

Json grid_json(const Grid& grid) {
  return {{"size", grid.size},     {"origin", grid.origin},
          {"step", grid.step},     {"spacing", {grid.spacing(0), grid.spacing(1), grid.spacing(2)}},
          {"placed", grid.placed}, {"orientation", grid.orientation()}};
}

template <class T>
void print(Json line, const std::vector<T>& values) {
  line["bytes"] = values.size() * sizeof(T);
  std::printf("%s\n", dump_json(line).c_str());
  std::fwrite(values.data(), sizeof(T), values.size(), stdout);
}

void nifti(Arguments arguments) {
  NiftiReadOptions options;
  if (arguments.size() > 1) options.index = std::stoll(arguments[1]);
  const NiftiImage image = read_nifti(arguments[0], options);
  Json line = grid_json(image.volume.grid);
  line["description"] = image.header.descrip;
  print(line, image.volume.values);
}

void reorient(Arguments arguments) {
  const Volume volume = read_nifti(arguments[0]).volume;
  const Canonical turned = canonical(volume, arguments[1]);
  Json line = grid_json(turned.volume.grid);
  line["restored"] =
      turned.original == volume.grid &&
      reordered(turned.volume.values, turned.volume.grid.size, turned.back) == volume.values;
  print(line, turned.volume.values);
}

template <class T>
void rewrite_as(Arguments arguments) {
  const NiftiImage image = read_nifti(arguments[0]);
  NiftiWriteOptions options{.description = "rewritten"};
  if (arguments.size() > 3) options.like = &image.header;
  std::vector<T> values(image.volume.values.begin(), image.volume.values.end());
  write_nifti(arguments[1], image.volume.grid, values, options);
  print(grid_json(image.volume.grid), values);
}

void rewrite(Arguments arguments) {
  const std::string_view type = arguments[2];
  if (type == "uint8") return rewrite_as<uint8_t>(arguments);
  if (type == "int16") return rewrite_as<int16_t>(arguments);
  if (type == "uint16") return rewrite_as<uint16_t>(arguments);
  rewrite_as<float>(arguments);
}

void npz(Arguments arguments) {
  const NpzFile file = NpzFile::open(arguments[0]);
  const Volume volume = read_npz_volume(file);
  Json line = grid_json(volume.grid);
  line["names"] = file.names();
  if (file.has("text_prompts")) {
    const TextPrompts prompts = read_text_prompts(file);
    line["instances"] = prompts.instances;
    for (const auto& [label, text] : prompts.texts) line["prompts"][std::to_string(label)] = text;
  }
  print(line, volume.values);
}

void labels(Arguments arguments) {
  const LabelVolume read = read_npz_labels(NpzFile::open(arguments[0]), arguments[1]);
  print(grid_json(read.grid), read.labels);
}

void rewrite_npz(Arguments arguments) {
  const LabelVolume read = read_npz_labels(NpzFile::open(arguments[0]), arguments[1]);
  if (std::string_view(arguments[3]) == "uint8") {
    write_npz(arguments[2], "segs", read.grid.size,
              std::vector<uint8_t>(read.labels.begin(), read.labels.end()));
  } else {
    write_npz(arguments[2], "segs", read.grid.size, read.labels);
  }
  print(grid_json(read.grid), read.labels);
}

void dicom(Arguments arguments) {
  DicomVolumeOptions options;
  std::vector<fs::path> paths;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--fill") {
      options.gaps = Gaps::kFill;
    } else if (argument == "--series") {
      options.series_uid = arguments[++i];
    } else {
      paths.emplace_back(argument);
    }
  }
  const DicomVolume read = read_dicom_volume(paths, options);
  Json line = grid_json(read.volume.grid);
  line["remarks"] = read.remarks;
  line["series"] = read.info.series_instance_uid;
  line["slices"] = Json::array();
  for (const SliceSource& slice : read.slices)
    line["slices"].push_back({{"file", slice.path.filename().string()},
                              {"sop_instance_uid", slice.sop_instance_uid},
                              {"sop_class_uid", slice.sop_class_uid},
                              {"frame", slice.frame}});
  print(line, read.volume.values);
}
}  // namespace

}  // namespace vesalius::media

int main(int count, char** arguments) {
  using namespace vesalius::media;
  const std::map<std::string_view, std::pair<void (*)(Arguments), int>> commands = {
      {"nifti", {nifti, 1}}, {"canonical", {reorient, 2}}, {"rewrite", {rewrite, 3}},
      {"npz", {npz, 1}},     {"labels", {labels, 2}},      {"write-npz", {rewrite_npz, 4}},
      {"dicom", {dicom, 1}}};
  const auto found = count > 1 ? commands.find(arguments[1]) : commands.end();
  if (found == commands.end() || count - 2 < found->second.second) return 2;
  try {
    found->second.first(Arguments(arguments + 2, static_cast<size_t>(count - 2)));
    return 0;
  } catch (const vesalius::Error& error) {
    const int code = static_cast<int>(error.code());
    std::printf(
        "%s\n",
        vesalius::dump_json({{"error", error.what()}, {"code", code}, {"bytes", 0}}).c_str());
    return code;
  }
}
