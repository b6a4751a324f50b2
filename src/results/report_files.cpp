#include "results/report_files.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/hash.h"
#include "results/fhir_writer.h"
#include "results/film_overlay.h"
#include "results/film_region.h"
#include "results/finding_codes.h"
#include "results/gsps_writer.h"
#include "results/png_file.h"
#include "results/sr_writer.h"

namespace vesalius::results {
namespace {
constexpr std::array kFormats = {"json", "txt", "png", "sr", "gsps", "fhir"};

void check_format(const std::string& word) {
  if (std::ranges::find(kFormats, word) != kFormats.end()) return;
  fail(ErrorCode::kUsage,
       "'{}' is no format of a report; choose among json, txt, png, sr, gsps, fhir", word);
}

/// Nothing is written for a film that cannot have all that is asked for.
void check_film(const tasks::Film& film, const std::set<std::string>& formats) {
  for (const char* format : {"sr", "gsps"}) {
    if (formats.contains(format)) film_source(film, format);
  }
}

/// The prompt itself may name the patient's complaints; its hash tells two runs apart.
Algorithm with_prompt(Algorithm algorithm, const std::string& prompt) {
  if (prompt.empty()) return algorithm;
  std::string& parameters = algorithm.parameters;
  parameters += (parameters.empty() ? "prompt sha256 " : ", prompt sha256 ") + sha256(prompt);
  return algorithm;
}
}  // namespace

std::set<std::string> report_formats(const std::string& list) {
  std::set<std::string> out;
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    const std::string word(trimmed(std::string_view(list).substr(begin, end - begin)));
    check_format(word);
    out.insert(word);
    begin = end + 1;
  }
  return out;
}

std::vector<fs::path> write_report_files(const tasks::Report& report, const ReportFiles& files) {
  check_film(report.frontal, files.formats);
  const FindingCodes codes = finding_codes(files.codes);
  const Algorithm algorithm = with_prompt(files.algorithm, report.prompt);
  std::vector<fs::path> written;
  const auto path = [&](const char* ending) {
    return written.emplace_back(files.folder / (files.stem + ending));
  };
  if (files.formats.contains("json"))
    write_file(path(".json"), dump_json(report_json(report, files.provenance), 2) + "\n");
  if (files.formats.contains("txt")) write_file(path(".txt"), report_text(report));
  if (files.formats.contains("png")) write_png(path(".png"), film_overlay(report));
  if (files.formats.contains("sr")) {
    write_measurement_sr(path(".sr.dcm"), report, algorithm, codes);
    write_narrative_sr(path(".report.dcm"), report, algorithm);
  }
  if (files.formats.contains("gsps")) write_gsps(path(".gsps.dcm"), report, algorithm);
  if (files.formats.contains("fhir")) {
    const Json bundle =
        fhir_bundle(report, algorithm, files.provenance, codes, report_text(report));
    write_file(path(".fhir.json"), dump_json(bundle, 2) + "\n");
  }
  return written;
}

}  // namespace vesalius::results
