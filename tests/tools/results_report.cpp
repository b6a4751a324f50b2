// results_report JOB.json: writes a report that a job describes, in the formats it asks for.
//   film     a file            formats  "json,txt,…"     folder, stem
//   findings [{text, boxes, labels: [[name, polarity], …]}]
//   codes    a table, or nothing        indication, technique, comparison, prompt
// What cannot be done gives a line with `error` and `code`, and that exit code.
#include <cstdio>
#include <string>

#include "base/json.h"
#include "media/resize.h"
#include "recipes/steps.h"
#include "results/report_files.h"

namespace vesalius::results {

namespace {
tasks::Film read_film(const std::string& path) {
  tasks::Film film{.path = path};
  const recipes::Recipe recipe;
  const std::vector<uint8_t> bytes = read_file(path);
  if (media::looks_like_dicom(bytes)) {
    const media::DicomFile file = media::DicomFile::open(path);
    film.shown = media::to_rgb(recipes::shown(recipe, file, 0, path));
    film.dicom = file.info();
  } else {
    film.shown = media::to_rgb(recipes::shown(recipe, media::decode_image(bytes, path)));
  }
  return film;
}

tasks::ReportSentence read_sentence(const Json& item) {
  tasks::ReportSentence sentence{.text = item.at("text")};
  for (const Json& box : item.value("boxes", Json::array()))
    sentence.boxes.push_back({box.at(0), box.at(1), box.at(2), box.at(3)});
  for (const Json& label : item.value("labels", Json::array()))
    sentence.labels.push_back({label.at(0), label.at(1)});
  return sentence;
}

void run_job(const fs::path& path) {
  const Json job = read_json(path);
  tasks::Report report{.frontal = read_film(job.at("film"))};
  report.context.indication = job.value("indication", "");
  report.context.technique = job.value("technique", "");
  report.prompt = job.value("prompt", "");
  report.context.comparison = job.value("comparison", "");
  for (const Json& item : job.at("findings")) report.sentences.push_back(read_sentence(item));
  write_report_files(report, {.folder = job.at("folder").get<std::string>(),
                              .stem = job.value("stem", "report"),
                              .formats = report_formats(job.at("formats")),
                              .algorithm = {"MAIRA-2 (test)", "1.0", "seed 7"},
                              .provenance = {{"model", "maira-2"}, {"weights_sha256", "00ff"}},
                              .codes = job.value("codes", std::string())});
}

int run(int argc, char** argv) {
  try {
    if (argc != 2) fail(ErrorCode::kUsage, "results_report JOB.json");
    run_job(argv[1]);
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
