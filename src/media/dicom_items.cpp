#include "media/dicom_items.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include "base/ascii.h"

namespace vesalius::media {

namespace {
constexpr std::string_view kPadding{" \0", 2};
constexpr Uint32 kMostNumberBytes = 1 << 20;  // of numbers that are written out as text

/// The value as it is stored, since asking DCMTK for its values one by one is slow on long
/// contours; of a number that is not stored as text, what DCMTK writes for it.
std::string raw_text(DcmItem& item, const DcmTagKey& tag) {
  DcmElement* element = nullptr;
  if (item.findAndGetElement(tag, element).bad() || element == nullptr) return {};
  char* value = nullptr;
  Uint32 length = 0;
  if (element->getString(value, length).good() && value != nullptr) return {value, length};
  // DCMTK reserves what the header claims before it looks whether so much is there.
  if (element->getLengthField() > kMostNumberBytes) return {};
  OFString written;
  if (element->getOFStringArray(written).bad()) return {};
  return {written.data(), written.size()};
}
}  // namespace

std::string text_of(DcmItem& item, const DcmTagKey& tag) {
  return std::string(trimmed(raw_text(item, tag), kPadding));
}

std::string first_text_of(DcmItem& item, const DcmTagKey& tag) {
  const std::string all = raw_text(item, tag);
  return std::string(trimmed(std::string_view(all).substr(0, all.find('\\')), kPadding));
}

std::vector<double> numbers_of(DcmItem& item, const DcmTagKey& tag) {
  std::vector<double> out;
  const std::string all = raw_text(item, tag);
  std::string_view rest = all;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\\'), rest.size());
    std::string_view one = trimmed(rest.substr(0, end), kPadding);
    if (one.starts_with('+')) one.remove_prefix(1);
    double number = 0;
    const auto result = std::from_chars(one.data(), one.data() + one.size(), number);
    const bool whole = result.ec == std::errc() && result.ptr == one.data() + one.size();
    if (!whole || !std::isfinite(number)) break;
    out.push_back(number);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

std::optional<int> integer_of(DcmItem& item, const DcmTagKey& tag, int index) {
  Uint16 value = 0;
  if (item.findAndGetUint16(tag, value, static_cast<unsigned>(index)).bad()) return std::nullopt;
  return value;
}

std::optional<Vector3> vector_of(DcmItem& item, const DcmTagKey& tag) {
  const std::vector<double> values = numbers_of(item, tag);
  if (values.size() != 3) return std::nullopt;
  return Vector3{values[0], values[1], values[2]};
}

std::vector<DcmItem*> items_of(DcmItem& item, const DcmTagKey& sequence) {
  std::vector<DcmItem*> items;
  DcmSequenceOfItems* found = nullptr;
  if (item.findAndGetSequence(sequence, found).bad() || found == nullptr) return items;
  for (DcmObject* at = found->nextInContainer(nullptr); at != nullptr;
       at = found->nextInContainer(at)) {
    if (auto* one = dynamic_cast<DcmItem*>(at)) items.push_back(one);
  }
  return items;
}

DcmItem* item_of(DcmItem& item, const DcmTagKey& sequence, int index) {
  DcmItem* found = nullptr;
  return item.findAndGetSequenceItem(sequence, found, index).good() ? found : nullptr;
}

std::optional<Code> code_of(DcmItem& item, const DcmTagKey& sequence) {
  DcmItem* found = item_of(item, sequence);
  if (found == nullptr) return std::nullopt;
  Code code{text_of(*found, DCM_CodeValue), text_of(*found, DCM_CodingSchemeDesignator),
            text_of(*found, DCM_CodeMeaning)};
  if (code.value.empty()) code.value = text_of(*found, DCM_LongCodeValue);
  if (code.value.empty()) return std::nullopt;
  return code;
}

void to_utf8(DcmItem& data) {
  const std::string set = text_of(data, DCM_SpecificCharacterSet);
  if (set.empty() || set == "ISO_IR 6" || set == "ISO_IR 192") return;
  data.convertToUTF8();
}

DcmItem& FrameGroups::macro(const DcmTagKey& sequence) const {
  for (DcmItem* group : {frame, shared}) {
    if (group == nullptr) continue;
    if (DcmItem* found = item_of(*group, sequence); found != nullptr) return *found;
  }
  return data;
}

std::vector<FrameGroups> frame_groups(DcmItem& data) {
  std::vector<FrameGroups> groups;
  DcmItem* shared = item_of(data, DCM_SharedFunctionalGroupsSequence);
  for (DcmItem* frame : items_of(data, DCM_PerFrameFunctionalGroupsSequence)) {
    groups.push_back({frame, shared, data});
  }
  if (groups.empty()) groups.push_back({nullptr, shared, data});
  return groups;
}

}  // namespace vesalius::media
