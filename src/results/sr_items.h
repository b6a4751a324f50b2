// Content items of DICOM structured reports (PS3.3 C.17.3).
#pragma once

#include <string_view>
#include <vector>

#include "results/dicom_object.h"

namespace vesalius::results {

/// How an item belongs to the one above it.
inline constexpr const char* kContains = "CONTAINS";
inline constexpr const char* kContext = "HAS OBS CONTEXT";
inline constexpr const char* kModifier = "HAS CONCEPT MOD";

/// One content item, to which others are added.
class ContentItem {
 public:
  /// The document's root: a container.
  ContentItem(DcmItem& data, const DicomSource& source, const media::Code& title,
              const char* template_id);

  ContentItem container(const media::Code& name, const char* template_id = nullptr);
  void text(const char* relationship, const media::Code& name, std::string_view value);
  void code(const char* relationship, const media::Code& name, const media::Code& value);
  void uid(const char* relationship, const media::Code& name, std::string_view value);
  /// A closed polyline on an image; `points` are x, y, x, y, ….
  void region(const std::vector<float>& points, const SourceFrame& image);

 private:
  ContentItem(DcmItem& item, const DicomSource& source) : item_(item), source_(source) {}
  DcmItem& add(DcmItem& to, const char* relationship, const char* type, const media::Code& name);
  void become_container(const char* template_id);

  DcmItem& item_;
  const DicomSource& source_;
};

/// Language, the device as observer (TID 1204, 1002, 1004).
void put_observer(ContentItem& root, const Algorithm& algorithm);

/// The algorithm identification (TID 4019).
void put_algorithm(ContentItem& item, const Algorithm& algorithm);

}  // namespace vesalius::results
