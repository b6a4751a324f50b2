#include "tasks/report_rows.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "tasks/manifest.h"

namespace vesalius::tasks {
namespace {

[[noreturn]] void refuse(const std::string& where, const std::string& reason) {
  fail(ErrorCode::kUnsupported, "{}: {}. docs/reports.md shows how rows look.", where, reason);
}

text::Box read_box(const Json& box, const std::string& where) {
  if (!box.is_array() || box.size() != 4 ||
      !std::ranges::all_of(box, [](const Json& one) { return one.is_number(); }))
    refuse(where, "a box is " + dump_json(box) + ", not four numbers");
  const text::Box read{box[0], box[1], box[2], box[3]};
  const auto inside = [](double value) { return value >= 0 && value <= 1; };
  if (!inside(read.x0) || !inside(read.y0) || !inside(read.x1) || !inside(read.y1) ||
      read.x0 >= read.x1 || read.y0 >= read.y1)
    refuse(where, "the box " + dump_json(box) +
                      " is not x0 < x1, y0 < y1 within 0 to 1 of the whole film");
  return read;
}

text::GroundedSentence read_sentence(const Json& item, const std::string& where) {
  if (!item.is_array() || item.empty() || item.size() > 2 || !item[0].is_string())
    refuse(where, dump_json(item) + " is not [\"sentence\", boxes or null]");
  text::GroundedSentence sentence{.text = item[0].get<std::string>()};
  if (item.size() == 1 || item[1].is_null()) return sentence;
  if (!item[1].is_array()) refuse(where, dump_json(item[1]) + " is no list of boxes");
  for (const Json& box : item[1]) sentence.boxes.push_back(read_box(box, where));
  return sentence;
}

void read_findings(const Json& value, ReportRow& row, const std::string& where) {
  Json list = value;
  if (value.is_string()) {
    row.findings = value.get<std::string>();
    if (row.findings.starts_with("[[")) list = parse_json(row.findings, where);
  }
  if (list.is_array()) {
    row.grounded = true;
    for (const Json& item : list) row.sentences.push_back(read_sentence(item, where));
  }
  if (row.grounded ? row.sentences.empty() : row.findings.empty())
    refuse(where, "there are no findings");
  if (!row.context.phrase.empty() && (!row.grounded || row.sentences.size() != 1))
    refuse(where, "with a phrase, `findings` is a list of one sentence with its boxes");
}

double read_weight(const Json& columns, const std::string& where) {
  const std::string text = column_text(columns, "weight");
  if (text.empty()) return 1;
  double weight = -1;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), weight);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || !(weight >= 0))
    refuse(where, "the weight '" + text + "' is no number from 0");
  return weight;
}

/// Films and words.
ReportRow read_study(const Json& columns, const fs::path& manifest) {
  const auto text = [&](const char* name) { return column_text(columns, name); };
  const auto file = [&](const char* name) {
    const auto path = text(name);
    return path.empty() ? path : found_beside(manifest, path);
  };
  ReportRow row{.frontal = file("frontal"), .lateral = file("lateral"), .prior = file("prior")};
  row.context = {.lateral = !row.lateral.empty(),
                 .prior = !row.prior.empty(),
                 .indication = text("indication"),
                 .technique = text("technique"),
                 .comparison = text("comparison"),
                 .prior_report = text("prior_report"),
                 .phrase = text("phrase")};
  return row;
}

ReportRow read_row(const Json& columns, const fs::path& manifest, const std::string& where) {
  ReportRow row = read_study(columns, manifest);
  if (row.frontal.empty() && (row.context.lateral || row.context.prior))
    refuse(where, "there is a lateral or a prior film, but no frontal one");
  row.weight = read_weight(columns, where);
  if (!columns.contains("findings")) refuse(where, "there is no column `findings`");
  read_findings(columns.at("findings"), row, where);
  return row;
}

template <class Read>
std::vector<ReportRow> read_rows(const fs::path& manifest, const Read& read) {
  std::vector<ReportRow> rows;
  for (const Json& columns : read_manifest(manifest))
    rows.push_back(
        read(columns, manifest, fmt::format("{}, row {}", manifest.string(), rows.size() + 1)));
  if (rows.empty()) refuse(manifest.string(), "it has no rows");
  return rows;
}

}  // namespace

text::ReportTask ReportRow::task() const {
  if (!context.phrase.empty()) return text::ReportTask::kPhrase;
  return grounded ? text::ReportTask::kGroundedFindings : text::ReportTask::kFindings;
}

std::vector<ReportRow> read_report_rows(const fs::path& manifest) {
  return read_rows(manifest, read_row);
}

std::vector<ReportRow> read_study_rows(const fs::path& manifest) {
  return read_rows(manifest, [](const Json& columns, const fs::path& from, const std::string&) {
    return read_study(columns, from);
  });
}

}  // namespace vesalius::tasks
