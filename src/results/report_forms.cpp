#include "results/report_forms.h"

#include "base/ascii.h"

namespace vesalius::results {
namespace {

using tasks::Report;
using tasks::ReportSentence;

Json boxes_json(const std::vector<text::Box>& boxes) {
  Json out = Json::array();
  for (const text::Box& box : boxes) out.push_back({box.x0, box.y0, box.x1, box.y1});
  return out;
}

Json probabilities_json(const std::vector<tasks::BoxProbabilities>& boxes) {
  Json out = Json::array();
  for (const auto& box : boxes) out.push_back(box ? Json(*box) : Json());
  return out;
}

void put_number(Json& json, const char* name, const std::optional<double>& value) {
  if (value) json[name] = *value;
}

Json sentence_json(const ReportSentence& sentence) {
  Json out{{"text", sentence.text},
           {"boxes", boxes_json(sentence.boxes)},
           {"square_boxes", boxes_json(sentence.square_boxes)},
           {"box_probabilities", probabilities_json(sentence.box_probabilities)},
           {"tokens", {sentence.first_token, sentence.first_token + sentence.token_count}},
           {"labels", Json::array()}};
  for (const tasks::FindingLabel& label : sentence.labels)
    out["labels"].push_back({{"name", label.name}, {"polarity", label.polarity}});
  put_number(out, "mean_log_probability", sentence.mean_log_probability);
  put_number(out, "box_sharpness", sentence.box_sharpness);
  put_number(out, "agreement", sentence.agreement);
  put_number(out, "similarity", sentence.similarity);
  out["marks"] = sentence.marks;
  return out;
}

void put_uids(Json& json, const tasks::Film& film) {
  if (!film.dicom) return;
  json["study_instance_uid"] = film.dicom->study_instance_uid;
  json["series_instance_uid"] = film.dicom->series_instance_uid;
  json["sop_instance_uid"] = film.dicom->sop_instance_uid;
}

std::string sentence_text(const ReportSentence& sentence, size_t number) {
  std::string out =
      fmt::format("{:>3}. {}{}\n", number, sentence.boxes.empty() ? "" : "* ", sentence.text);
  for (const std::string& mark : sentence.marks) out += "       ! " + mark + "\n";
  return out;
}
}  // namespace

std::string words_or_none(const ReportSentence& sentence) {
  return trimmed(sentence.text).empty() ? "(no words)" : sentence.text;
}

Json report_json(const Report& report, const Json& provenance) {
  Json out{{"input", report.frontal.path}, {"task", std::string(text::name_of(report.task))}};
  if (report.lateral) out["lateral"] = report.lateral->path;
  if (report.prior) out["prior"] = report.prior->path;
  out["findings"] = Json::array();
  for (const ReportSentence& sentence : report.sentences)
    out["findings"].push_back(sentence_json(sentence));
  out["warnings"] = report.warnings;
  out["diagnostics"] = Json::array();
  for (const text::Repair& repair : report.repairs) {
    out["diagnostics"].push_back(
        {{"code", repair.code}, {"message", repair.message}, {"at", repair.at}});
  }
  out["prompt"] = report.prompt;
  out["raw_text"] = report.raw_text;
  out["output_ids"] = report.output_ids;
  out["output_log_probabilities"] = report.output_log_probabilities;
  out["complete"] = report.complete;
  put_uids(out, report.frontal);
  out["notice"] = kDraft;
  if (provenance.is_object()) out.update(provenance);
  return out;
}

std::string report_text(const Report& report) {
  std::string out = report.frontal.path + "\n\n";
  bool boxes = false;
  for (size_t i = 0; i < report.sentences.size(); ++i) {
    out += sentence_text(report.sentences[i], i + 1);
    boxes = boxes || !report.sentences[i].boxes.empty();
  }
  if (report.sentences.empty()) out += "No findings were written.\n";
  if (boxes) out += "\n* shown by a box on the film\n";
  if (!report.complete) out += "\nThe report broke off before its end.\n";
  if (!report.warnings.empty()) out += "\n";
  for (const std::string& warning : report.warnings) out += "Warning: " + warning + "\n";
  return out + "\n" + kDraft + "\n";
}

}  // namespace vesalius::results
