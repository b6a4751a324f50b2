#include "results/fhir_writer.h"

#include <fmt/chrono.h>

#include <chrono>

#include "base/hash.h"
#include "base/version.h"
#include "results/film_region.h"
#include "results/report_forms.h"
#include "results/thumbnail.h"
#include "results/uid.h"

namespace vesalius::results {
namespace {

using media::Code;
using tasks::Report;
using tasks::ReportSentence;

/// The URL that FHIR has for a coding scheme; others go by their name.
std::string system_of(const std::string& scheme) {
  if (scheme == "SCT") return "http://snomed.info/sct";
  if (scheme == "DCM") return "http://dicom.nema.org/resources/ontology/DCM";
  if (scheme == "LN") return "http://loinc.org";
  if (scheme == "RADLEX") return "http://radlex.org";
  return "urn:vesalius:scheme:" + scheme;
}

Json concept_of(const Code& code) {
  const Json coding{
      {"system", system_of(code.scheme)}, {"code", code.value}, {"display", code.meaning}};
  return {{"coding", Json::array({coding})}, {"text", code.meaning}};
}

Json concept_of_label(const std::string& label, const FindingCodes& codes) {
  const auto code = codes.find(label);
  return code == codes.end() ? Json{{"text", label}} : concept_of(code->second);
}

Json presence_of(const std::string& polarity) {
  if (polarity == "present") return concept_of({"52101004", "SCT", "Present"});
  if (polarity == "absent") return concept_of({"272519000", "SCT", "Absent"});
  return concept_of({"373068000", "SCT", "Undetermined"});
}

std::string now() {
  const auto time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time));
}

/// Gathers the bundle's resources, which refer to each other by their URLs.
class Bundle {
 public:
  Bundle(const Report& report, const Algorithm& algorithm, const Json& origin,
         const FindingCodes& codes)
      : report_(report), algorithm_(algorithm), origin_(origin), codes_(codes) {}

  Json make(const std::string& text) {
    device_ = add(device());
    if (has_study()) study_ = add(study());
    Json results = Json::array();
    for (size_t i = 0; i < report_.sentences.size(); ++i)
      results.push_back(reference(add(observation(report_.sentences[i], i))));
    const std::string whole = add(diagnostic_report(results, text));
    add(provenance(whole, results));
    return {{"resourceType", "Bundle"},
            {"type", "collection"},
            {"timestamp", time_},
            {"entry", entries_}};
  }

 private:
  std::string add(Json resource) {
    const std::string url = "urn:oid:" + new_uid();
    entries_.push_back({{"fullUrl", url}, {"resource", std::move(resource)}});
    return url;
  }

  /// Anonymisation may have left no UIDs.
  bool has_study() const {
    const auto& info = report_.frontal.dicom;
    return info && !info->study_instance_uid.empty() && !info->series_instance_uid.empty();
  }

  static Json note(const std::string& text) { return {{"text", text}}; }

  static Json reference(const std::string& url) { return {{"reference", url}}; }

  Json subject() const {
    const std::string id = report_.frontal.dicom ? report_.frontal.dicom->patient_id : "";
    if (id.empty()) return {{"type", "Patient"}, {"display", "not named by the film"}};
    return {{"type", "Patient"}, {"identifier", {{"value", id}}}};
  }

  static Json version_of(const char* what, std::string_view value) {
    const Json type{{"text", what}};
    return {{"type", type}, {"value", std::string(value)}};
  }

  Json device() const {
    const Json name{{"name", algorithm_.name}, {"type", "model-name"}};
    Json out{{"resourceType", "Device"},
             {"status", "active"},
             {"manufacturer", "Vesalius"},
             {"deviceName", Json::array({name})},
             {"version", Json::array({version_of("model", algorithm_.version),
                                      version_of("Vesalius", version())})}};
    if (!algorithm_.parameters.empty()) out["note"] = Json::array({note(algorithm_.parameters)});
    return out;
  }

  Json study() const {
    const media::DicomInfo& info = *report_.frontal.dicom;
    const Json modality{{"system", "http://dicom.nema.org/resources/ontology/DCM"},
                        {"code", info.modality.empty() ? "OT" : info.modality}};
    const Json identifier{{"system", "urn:dicom:uid"},
                          {"value", "urn:oid:" + info.study_instance_uid}};
    const Json instance{
        {"uid", info.sop_instance_uid},
        {"sopClass", {{"system", "urn:ietf:rfc:3986"}, {"code", "urn:oid:" + info.sop_class_uid}}}};
    const Json series{{"uid", info.series_instance_uid},
                      {"modality", modality},
                      {"instance", Json::array({instance})}};
    return {{"resourceType", "ImagingStudy"},
            {"identifier", Json::array({identifier})},
            {"status", "available"},
            {"subject", subject()},
            {"series", Json::array({series})}};
  }

  Json box_component(const text::Box& box) const {
    const std::vector<float> points = polyline_of(box, size_of(report_.frontal));
    Json code = concept_of({"111030", "DCM", "Image Region"});
    code["text"] = "Image region, pixels: left top right bottom";
    return {
        {"code", code},
        {"valueString", fmt::format("{} {} {} {}", points[0], points[1], points[4], points[5])}};
  }

  Json observation(const ReportSentence& sentence, size_t number) const {
    Json out{{"resourceType", "Observation"},
             {"status", "preliminary"},
             {"code", concept_of({"59776-5", "LN", "Findings"})},
             {"subject", subject()},
             {"valueString", words_or_none(sentence)},
             {"device", reference(device_)}};
    out["code"]["text"] = fmt::format("Finding {}", number + 1);
    if (!study_.empty()) out["derivedFrom"] = Json::array({reference(study_)});
    Json components = Json::array();
    for (const tasks::FindingLabel& label : sentence.labels) {
      components.push_back({{"code", concept_of_label(label.name, codes_)},
                            {"valueCodeableConcept", presence_of(label.polarity)}});
    }
    for (const text::Box& box : sentence.boxes) components.push_back(box_component(box));
    if (!components.empty()) out["component"] = components;
    Json notes = Json::array();
    if (!sentence.labels.empty())
      notes.push_back(note("Codes were assigned by rules, not by the model."));
    for (const std::string& mark : sentence.marks) notes.push_back(note(mark));
    if (!notes.empty()) out["note"] = notes;
    return out;
  }

  Json diagnostic_report(const Json& results, const std::string& text) const {
    Json out{{"resourceType", "DiagnosticReport"},
             {"status", "preliminary"},
             {"code", concept_of({"18748-4", "LN", "Diagnostic imaging study"})},
             {"subject", subject()},
             {"issued", time_}};
    if (!results.empty()) out["result"] = results;
    if (!study_.empty()) out["imagingStudy"] = Json::array({reference(study_)});
    std::string all;
    for (const ReportSentence& sentence : report_.sentences)
      all += (all.empty() ? "" : " ") + sentence.text;
    out["conclusion"] = (all.empty() ? "" : all + " ") + "(" + kDraft + ")";
    const Json form{{"contentType", "text/plain; charset=utf-8"},
                    {"data", base64(text.data(), text.size())}};
    out["presentedForm"] = Json::array({form});
    return out;
  }

  Json provenance(const std::string& whole, const Json& results) const {
    Json targets = Json::array({reference(whole)});
    for (const Json& result : results) targets.push_back(result);
    const Json type{{"text", "assembler"}};
    const Json agent{{"type", type}, {"who", reference(device_)}};
    Json out{{"resourceType", "Provenance"},
             {"target", targets},
             {"recorded", time_},
             {"agent", Json::array({agent})}};
    Json entities = Json::array();
    if (!study_.empty()) entities.push_back({{"role", "source"}, {"what", reference(study_)}});
    if (origin_.contains("weights_sha256"))
      entities.push_back(hashed("weights of " + algorithm_.name, origin_.at("weights_sha256")));
    if (!report_.prompt.empty()) entities.push_back(hashed("prompt", sha256(report_.prompt)));
    if (!entities.empty()) out["entity"] = entities;
    return out;
  }

  /// What the text was made from, too large or too private to stand here.
  static Json hashed(const std::string& what, const std::string& hash) {
    const Json identifier{{"system", "urn:vesalius:sha256"}, {"value", hash}};
    return {{"role", "source"}, {"what", {{"identifier", identifier}, {"display", what}}}};
  }

  const Report& report_;
  const Algorithm& algorithm_;
  const Json& origin_;
  const FindingCodes& codes_;
  Json entries_ = Json::array();
  std::string device_, study_, time_ = now();
};
}  // namespace

Json fhir_bundle(const Report& report, const Algorithm& algorithm, const Json& provenance,
                 const FindingCodes& codes, const std::string& text) {
  return Bundle(report, algorithm, provenance, codes).make(text);
}

}  // namespace vesalius::results
