#include "results/sr_items.h"

#include "base/error.h"
#include "base/version.h"

namespace vesalius::results {

using media::Code;

namespace {
constexpr size_t kLongestText = 1 << 20;
}  // namespace

ContentItem::ContentItem(DcmItem& data, const DicomSource& source, const Code& title,
                         const char* template_id)
    : item_(data), source_(source) {
  put(item_, DCM_ValueType, "CONTAINER");
  put_code(item_, DCM_ConceptNameCodeSequence, title);
  become_container(template_id);
}

void ContentItem::become_container(const char* template_id) {
  put(item_, DCM_ContinuityOfContent, "SEPARATE");
  if (template_id == nullptr) return;
  DcmItem& used = add_item(item_, DCM_ContentTemplateSequence);
  put(used, DCM_MappingResource, "DCMR");
  put(used, DCM_TemplateIdentifier, template_id);
}

DcmItem& ContentItem::add(DcmItem& to, const char* relationship, const char* type,
                          const Code& name) {
  DcmItem& added = add_item(to, DCM_ContentSequence);
  put(added, DCM_RelationshipType, relationship);
  put(added, DCM_ValueType, type);
  put_code(added, DCM_ConceptNameCodeSequence, name);
  return added;
}

ContentItem ContentItem::container(const Code& name, const char* template_id) {
  ContentItem out(add(item_, kContains, "CONTAINER", name), source_);
  out.become_container(template_id);
  return out;
}

void ContentItem::text(const char* relationship, const Code& name, std::string_view value) {
  put(add(item_, relationship, "TEXT", name), DCM_TextValue,
      clean_text(value, kLongestText, source_));
}

void ContentItem::code(const char* relationship, const Code& name, const Code& value) {
  put_code(add(item_, relationship, "CODE", name), DCM_ConceptCodeSequence, value);
}

void ContentItem::uid(const char* relationship, const Code& name, std::string_view value) {
  put(add(item_, relationship, "UIDREF", name), DCM_UID, value);
}

void ContentItem::region(const std::vector<float>& points, const SourceFrame& image) {
  DcmItem& region = add(item_, kContains, "SCOORD", {"111030", "DCM", "Image Region"});
  put(region, DCM_GraphicType, "POLYLINE");
  const OFCondition done = region.putAndInsertFloat32Array(
      DCM_GraphicData, points.data(), static_cast<unsigned long>(points.size()));
  if (done.bad())
    fail(ErrorCode::kFailed, "a region cannot be put into a report ({})", done.text());
  DcmItem& selected = add(region, "SELECTED FROM", "IMAGE", {"260753009", "SCT", "Source"});
  put_reference(add_item(selected, DCM_ReferencedSOPSequence), image);
}

void put_observer(ContentItem& root, const Algorithm& algorithm) {
  root.code(kModifier, {"121049", "DCM", "Language of Content Item and Descendants"},
            {"en-US", "RFC5646", "English (United States)"});
  root.code(kContext, {"121005", "DCM", "Observer Type"}, {"121007", "DCM", "Device"});
  const std::string device =
      "Vesalius " + std::string(version()) + " with " + algorithm.name + " " + algorithm.version;
  root.uid(kContext, {"121012", "DCM", "Device Observer UID"}, uid_of_name(device));
  root.text(kContext, {"121013", "DCM", "Device Observer Name"}, device);
  root.text(kContext, {"121014", "DCM", "Device Observer Manufacturer"}, "Vesalius");
  root.text(kContext, {"121015", "DCM", "Device Observer Model Name"}, algorithm.name);
  root.text(kContext, {"121016", "DCM", "Device Observer Serial Number"}, version());
}

void put_algorithm(ContentItem& item, const Algorithm& algorithm) {
  item.text(kModifier, {"111001", "DCM", "Algorithm Name"}, algorithm.name);
  item.text(kModifier, {"111003", "DCM", "Algorithm Version"}, algorithm.version);
  if (!algorithm.parameters.empty())
    item.text(kModifier, {"111002", "DCM", "Algorithm Parameters"}, algorithm.parameters);
}

}  // namespace vesalius::results
