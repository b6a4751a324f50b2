// results_seg JOB.json: writes the DICOM objects that a job asks for.
//   files     the source series        grid   size, origin, step, placed
//   segments  [{label, voxels: FILE}]  fractional   seg, rtstruct: what to write, and where
// results_seg terms: a term in JSON for each line of standard input.
// What cannot be done gives a line with `error` and `code`, and that exit code.
#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>

#include "base/json.h"
#include "results/dicom_object.h"
#include "results/rtstruct_writer.h"
#include "results/seg_writer.h"
#include "results/terminology.h"

namespace vesalius::results {

namespace {
media::Segmentation read_segmentation(const Json& job) {
  media::Segmentation out;
  out.fractional = job.value("fractional", false);
  const Json& grid = job.at("grid");
  grid.at("size").get_to(out.grid.size);
  grid.at("origin").get_to(out.grid.origin);
  grid.at("step").get_to(out.grid.step);
  out.grid.placed = grid.value("placed", true);
  for (const Json& item : job.at("segments")) {
    const std::string label = item.at("label");
    const Term term = find_term(label);
    out.segments.push_back({label, item.value("description", ""), term.category, term.type,
                            term.modifier, term.region, term.colour,
                            read_file(item.at("voxels").get<std::string>())});
  }
  return out;
}

void run_job(const fs::path& path) {
  const Json job = read_json(path);
  std::vector<fs::path> files;
  for (const Json& file : job.at("files")) files.emplace_back(file.get<std::string>());
  const DicomSource source = read_dicom_source(files);
  const media::Segmentation segmentation = read_segmentation(job);
  const Algorithm algorithm{"MedImageParse (test)", "1.0", "seed 7"};
  if (job.contains("seg")) {
    write_dicom_seg(job.at("seg").get<std::string>(), segmentation, source, algorithm);
  }
  if (job.contains("rtstruct")) {
    write_rtstruct(job.at("rtstruct").get<std::string>(), segmentation, source, algorithm);
  }
}

Json code_json(const std::optional<media::Code>& code) {
  return code ? Json{code->value, code->scheme, code->meaning} : Json();
}

void print_terms() {
  for (std::string line; std::getline(std::cin, line);) {
    const Term term = find_term(line);
    const Json json{{"words", line},
                    {"known", term.known},
                    {"category", code_json(term.category)},
                    {"type", code_json(term.type)},
                    {"modifier", code_json(term.modifier)},
                    {"region", code_json(term.region)},
                    {"colour", term.colour}};
    std::printf("%s\n", dump_json(json).c_str());
  }
}

int run(int argc, char** argv) {
  try {
    if (argc != 2) fail(ErrorCode::kUsage, "results_seg JOB.json | terms");
    if (std::string_view(argv[1]) == "terms") {
      print_terms();
    } else {
      run_job(argv[1]);
    }
  } catch (const Error& error) {
    const Json line{{"error", error.what()}, {"code", static_cast<int>(error.code())}};
    std::printf("%s\n", dump_json(line).c_str());
    return static_cast<int>(error.code());
  }
  return 0;
}
}  // namespace

}  // namespace vesalius::results

int main(int argc, char** argv) { return vesalius::results::run(argc, argv); }
