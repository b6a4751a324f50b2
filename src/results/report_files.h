// A report written out: for programs, for people, and for the systems of a hospital.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "results/dicom_object.h"
#include "results/report_forms.h"

namespace vesalius::results {

/// "json", "txt", "png", "sr", "gsps", "fhir" of a list separated by commas. Error kUsage for
/// another word, and for none.
std::set<std::string> report_formats(const std::string& list);

struct ReportFiles {
  fs::path folder;
  std::string stem;  // of all names
  std::set<std::string> formats;
  Algorithm algorithm;
  Json provenance;
  fs::path codes;  // a table of finding codes (see finding_codes.h); empty: the one built in
};

/// STEM.json, STEM.txt, STEM.png (see film_overlay.h), STEM.sr.dcm and STEM.report.dcm (see
/// sr_writer.h), STEM.gsps.dcm, STEM.fhir.json. Returns what was written. Error kUnsupported for
/// sr and gsps of a film that is not DICOM, before anything is written.
std::vector<fs::path> write_report_files(const tasks::Report& report, const ReportFiles& files);

}  // namespace vesalius::results
