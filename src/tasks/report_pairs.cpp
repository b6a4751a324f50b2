#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/ascii.h"
#include "tasks/evaluate_report.h"
#include "tasks/manifest.h"

namespace vesalius::tasks {
namespace {

/// A row of a manifest, and where it stands for errors.
struct Row {
  const Json& columns;
  std::string where;
};

[[noreturn]] void refuse(const Row& row, const std::string& reason) {
  fail(ErrorCode::kUnsupported, "{}: {}. docs/reports.md shows how rows look.", row.where, reason);
}

/// The value of a column; null for none, and for an empty field of a CSV that is no text.
Json value_of(const Row& row, const std::string& name) {
  const auto found = row.columns.find(name);
  return found == row.columns.end() ? Json(nullptr) : *found;
}

/// A list, or the JSON of one in a string; null for none.
Json list_of(const Row& row, const std::string& name) {
  Json value = value_of(row, name);
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    value = trimmed(text).empty() ? Json(nullptr)
                                  : parse_json(text, row.where + ", column `" + name + "`");
  }
  if (!value.is_null() && !value.is_array())
    refuse(row, fmt::format("`{}` is {}, not a list", name, dump_json(value)));
  return value;
}

text::Box read_box(const Row& row, const std::string& name, const Json& box) {
  const auto good = [](const Json& one) {
    return one.is_number() && one.get<double>() >= 0 && one.get<double>() <= 1;
  };
  if (!box.is_array() || box.size() != 4 || !std::ranges::all_of(box, good))
    refuse(row, fmt::format("`{}` holds {}, not a box [x0, y0, x1, y1] with numbers from 0 to 1",
                            name, dump_json(box)));
  return {box[0], box[1], box[2], box[3]};
}

std::vector<text::Box> read_boxes(const Row& row, const std::string& name, const Json& list) {
  if (!list.is_array()) refuse(row, fmt::format("`{}` has no list of boxes", name));
  std::vector<text::Box> boxes;
  for (const Json& box : list) boxes.push_back(read_box(row, name, box));
  return boxes;
}

ReportText read_report(const Row& row, const std::string& name) {
  constexpr size_t kLongest = 65536;
  const Json value = value_of(row, name);
  if (value.is_null()) refuse(row, fmt::format("there is no `{}`", name));
  if (!value.is_string()) refuse(row, fmt::format("`{}` is {}, not text", name, dump_json(value)));
  const auto& written = value.get_ref<const std::string&>();
  if (written.size() > kLongest)
    refuse(row, fmt::format("`{}` has {} bytes; a report has {} at most", name, written.size(),
                            kLongest));
  ReportText report{.words = written};
  if (const auto parsed = text::parse_grounded(written); parsed.grounded) {
    report.words.clear();
    report.boxes.emplace();
    for (const auto& sentence : parsed.sentences) {
      report.words += (report.words.empty() ? "" : " ") + sentence.text;
      report.boxes->insert(report.boxes->end(), sentence.boxes.begin(), sentence.boxes.end());
    }
  }
  const Json boxes = list_of(row, name + "_boxes");
  if (!boxes.is_null()) report.boxes = read_boxes(row, name + "_boxes", boxes);
  return report;
}

JudgedSentence read_judged(const Row& row, const std::string& name, const Json& item) {
  if (!item.is_object()) refuse(row, fmt::format("`{}` holds {}", name, dump_json(item)));
  const Json entailed = item.value("entailed", Json(nullptr));
  if (!entailed.is_null() && !entailed.is_boolean())
    refuse(row, fmt::format("`{}` says \"entailed\": {}, not true, false or null", name,
                            dump_json(entailed)));
  JudgedSentence sentence{.entailed = entailed.is_boolean() && entailed.get<bool>()};
  for (const auto& [key, boxes] :
       {std::pair{"boxes", &sentence.boxes}, std::pair{"evidence", &sentence.evidence}})
    if (const Json list = item.value(key, Json(nullptr)); !list.is_null())
      *boxes = read_boxes(row, name, list);
  return sentence;
}

std::optional<std::vector<JudgedSentence>> read_answers(const Row& row, const std::string& name) {
  const Json list = list_of(row, name);
  if (list.is_null()) return std::nullopt;
  std::vector<JudgedSentence> answers;
  for (const Json& item : list) answers.push_back(read_judged(row, name, item));
  return answers;
}

std::optional<double> read_number(const Row& row, const std::string& name) {
  const Json value = value_of(row, name);
  double number = 0;
  bool good = value.is_number();
  if (good) number = value.get<double>();
  if (value.is_null() || value == "") return std::nullopt;
  if (value.is_string()) {
    const std::string_view text = trimmed(value.get_ref<const std::string&>());
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    good = read.ec == std::errc() && read.ptr == text.data() + text.size();
  }
  if (!good || !std::isfinite(number))
    refuse(row, fmt::format("`{}` is {}, not a number", name, dump_json(value)));
  return number;
}

/// Of the columns whose names begin so.
std::optional<RadCliqInput> read_radcliq(const Row& row, const std::string& prefix) {
  std::vector<std::optional<double>> numbers;
  for (const char* name : {"radgraph", "bertscore", "chexbert", "bleu_2"})
    numbers.push_back(read_number(row, prefix + name));
  const auto told = std::ranges::count_if(numbers, [](const auto& x) { return x.has_value(); });
  if (told == 0) return std::nullopt;
  if (told < std::ssize(numbers))
    refuse(row, fmt::format("RadCliQ takes `{0}radgraph`, `{0}bertscore`, `{0}chexbert` and "
                            "`{0}bleu_2` together",
                            prefix));
  return RadCliqInput{*numbers[0], *numbers[1], *numbers[2], *numbers[3]};
}

/// A system's text with what was said of it; the columns of another one than the candidate have its
/// name in front.
ReportText read_system(const Row& row, const std::string& name, const std::string& prefix) {
  ReportText report = read_report(row, name);
  const std::string judged = name + "_judged", reference = prefix + "reference_judged";
  report.judged = read_answers(row, judged);
  report.reference_judged = read_answers(row, reference);
  if (report.judged.has_value() != report.reference_judged.has_value())
    refuse(row, fmt::format("RadFact takes `{}` and `{}` together", judged, reference));
  report.radcliq = read_radcliq(row, prefix);
  return report;
}

ReportPair read_pair(const Row& row) {
  ReportPair pair{.candidate = read_system(row, "candidate", ""),
                  .reference = read_report(row, "reference")};
  if (trimmed(pair.reference.words).empty())
    refuse(row, "the `reference` is empty, so that nothing can be compared with it");
  if (row.columns.contains("other")) pair.other = read_system(row, "other", "other_");
  return pair;
}

}  // namespace

std::vector<ReportPair> read_report_pairs(const fs::path& manifest) {
  std::vector<ReportPair> pairs;
  for (const Json& columns : read_manifest(manifest)) {
    const Row row{columns, fmt::format("{}: row {}", manifest.string(), pairs.size() + 1)};
    pairs.push_back(read_pair(row));
    if (pairs.back().other.has_value() != pairs.front().other.has_value())
      refuse(row, "`other` is in some rows and not in all; systems are compared on the same rows");
  }
  if (pairs.empty())
    fail(ErrorCode::kUnsupported, "{}: has no rows with `candidate` and `reference`.",
         manifest.string());
  return pairs;
}

}  // namespace vesalius::tasks
