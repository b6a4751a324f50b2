// Shows Python the ways between an input and a model's planes. One job a line, as JSON; the answer
// is a line of JSON, {"error", "code"} where it failed. Arrays are raw, little-endian, in files.
//   {"do": "planes", "path", "out", …}: float32 [end - begin, 3, side, side]
//   {"do": "shown", "path", "out", "slice", …}: u8 [rows, columns, 3]
//   {"do": "values", "path", "out", …}: float32, of the input's grid
//   {"do": "back", "path", "masks", "out", …}: u8 [slices, side, side] to u8 on the input's grid
//   {"do": "probabilities", "way", "rows", "columns", "side", "logits", "shape", "out"}
//   {"do": "bytes" or "stretched", "intensity", "values", "out"}: of float32 values
#include <ATen/ATen.h>

#include <cstring>
#include <functional>
#include <iostream>
#include <map>

#include "base/files.h"
#include "base/json.h"
#include "tasks/plane_masks.h"
#include "tasks/planes.h"

using namespace vesalius;

namespace {

template <class T>
std::vector<T> read_values(const Json& path) {
  const std::vector<uint8_t> bytes = read_file(path.get<std::string>());
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

void write_bytes(const Json& job, const void* data, size_t size) {
  write_file(job.at("out").get<std::string>(), {static_cast<const char*>(data), size});
}

template <class T>
void write_values(const Json& job, const std::vector<T>& values) {
  write_bytes(job, values.data(), values.size() * sizeof(T));
}

tasks::SegmentInput read_input(const Json& job) {
  tasks::SegmentInputOptions options;
  options.modality = job.value("modality", "");
  options.body_part = job.value("body_part", "");
  options.frame = job.value("frame", 0);
  if (job.contains("volume")) options.nifti_volume = job["volume"].get<int64_t>();
  return tasks::read_segment_input(job.at("path").get<std::string>(), options);
}

tasks::PlaneOptions plane_options(const Json& job) {
  tasks::PlaneOptions options;
  options.version = job.value("version", 2);
  options.side = job.value("side", int64_t{512});
  options.intensity = job.value("intensity", "auto");
  options.as_is = job.value("as_is", false);
  return options;
}

Json told(const tasks::SegmentInput& input) {
  const media::Grid& grid = input.volume.grid;
  Json slices = Json::array();
  for (const media::SliceSource& slice : input.slices) slices.push_back(slice.sop_instance_uid);
  return {{"kind", input.kind == tasks::InputKind::kPicture ? "picture" : "volume"},
          {"modality", input.modality},
          {"body_part", input.body_part},
          {"eight_bit", input.eight_bit},
          {"size", grid.size},
          {"spacing", {grid.spacing(0), grid.spacing(1), grid.spacing(2)}},
          {"placed", grid.placed},
          {"orientation", grid.orientation()},
          {"slices", slices},
          {"prompts", input.prompts ? input.prompts->texts.size() : 0},
          {"remarks", input.remarks}};
}

Json planes(const Json& job) {
  const tasks::SegmentInput input = read_input(job);
  const tasks::Planes made(input, plane_options(job));
  const at::Tensor batch =
      made.batch(job.value("begin", int64_t{0}), job.value("end", made.count())).contiguous();
  write_bytes(job, batch.const_data_ptr<float>(), batch.nbytes());
  const tasks::Padding& padding = made.layout().padding;
  Json answer = told(input);
  answer["shape"] = batch.sizes().vec();
  answer["count"] = made.count();
  answer["intensity"] = made.intensity().name;
  answer["padding"] = {padding.top, padding.bottom, padding.left, padding.right};
  return answer;
}

Json shown(const Json& job) {
  const tasks::SegmentInput input = read_input(job);
  const media::Image image =
      tasks::Planes(input, plane_options(job)).shown(job.value("slice", int64_t{0}));
  write_values(job, image.data);
  return {{"shape", {image.height, image.width, 3}}};
}

Json values(const Json& job) {
  const tasks::SegmentInput input = read_input(job);
  write_values(job, input.volume.values);
  return told(input);
}

// Slice by slice, as a program that keeps memory flat does it.
Json back(const Json& job) {
  const tasks::SegmentInput input = read_input(job);
  const tasks::Planes made(input, plane_options(job));
  std::vector<uint8_t> masks = read_values<uint8_t>(job.at("masks"));
  const int64_t side = made.layout().side;
  const at::Tensor all = at::from_blob(masks.data(), {made.count(), side, side}, at::kByte);
  std::vector<uint8_t> grid(static_cast<size_t>(input.volume.grid.voxels()));
  for (int64_t i = 0; i < made.count(); ++i)
    tasks::put_on_grid(tasks::on_slices(all.narrow(0, i, 1), made.layout()), i, made.slicing(),
                       grid);
  write_values(job, grid);
  return Json::object();
}

Json probabilities(const Json& job) {
  static const std::map<std::string, tasks::PlaneWay> ways{
      {"picture-v1", tasks::PlaneWay::kPictureV1},
      {"slice-v1", tasks::PlaneWay::kSliceV1},
      {"picture-v2", tasks::PlaneWay::kPictureV2},
      {"slice-v2", tasks::PlaneWay::kSliceV2}};
  const tasks::PlaneLayout layout =
      tasks::layout_of(ways.at(job.at("way")), job.at("rows"), job.at("columns"), job.at("side"));
  std::vector<float> logits = read_values<float>(job.at("logits"));
  const auto shape = job.at("shape").get<std::vector<int64_t>>();
  const at::Tensor made =
      tasks::probabilities(at::from_blob(logits.data(), shape, at::kFloat), layout).contiguous();
  write_bytes(job, made.const_data_ptr<float>(), made.nbytes());
  return {{"shape", made.sizes().vec()}};
}

Json bytes(const Json& job) {
  const recipes::Intensity intensity = recipes::make_intensity(job.at("intensity"));
  const std::vector<float> read = read_values<float>(job.at("values"));
  const recipes::Bounds bounds = recipes::bounds_of(intensity, read);
  write_values(job, recipes::to_bytes(read, bounds));
  return {{"low", bounds.low}, {"high", bounds.high}};
}

Json stretched(const Json& job) {
  const recipes::Intensity intensity = recipes::make_intensity(job.at("intensity"));
  write_values(job, recipes::stretched(intensity, read_values<float>(job.at("values"))));
  return Json::object();
}

}  // namespace

int main() {
  const std::map<std::string, std::function<Json(const Json&)>> jobs{
      {"planes", planes},
      {"shown", shown},
      {"values", values},
      {"back", back},
      {"bytes", bytes},
      {"stretched", stretched},
      {"probabilities", probabilities}};
  for (std::string line; std::getline(std::cin, line);) {
    Json answer;
    try {
      const Json job = parse_json(line, "a job");
      answer = jobs.at(job.at("do"))(job);
    } catch (const Error& error) {
      answer = {{"error", error.what()}, {"code", static_cast<int>(error.code())}};
    }
    std::cout << dump_json(answer) << "\n" << std::flush;
  }
}
