// Attributes of DCMTK's items, read without trusting them.
#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <optional>
#include <string>
#include <vector>

#include "media/segmentation.h"

namespace vesalius::media {

/// The value without padding; several values stay joined by backslashes. Empty when absent.
std::string text_of(DcmItem& item, const DcmTagKey& tag);

/// The first of several values, likewise.
std::string first_text_of(DcmItem& item, const DcmTagKey& tag);

/// Every number of a decimal or integer string; what is not a finite number ends the list.
std::vector<double> numbers_of(DcmItem& item, const DcmTagKey& tag);

/// Unsigned short, the `index`-th value.
std::optional<int> integer_of(DcmItem& item, const DcmTagKey& tag, int index = 0);

/// Exactly three numbers, or nothing.
std::optional<Vector3> vector_of(DcmItem& item, const DcmTagKey& tag);

/// The items of a sequence, in one pass (asking for the n-th item walks over n of them).
std::vector<DcmItem*> items_of(DcmItem& item, const DcmTagKey& sequence);

/// One item of a sequence, or null.
DcmItem* item_of(DcmItem& item, const DcmTagKey& sequence, int index = 0);

/// The coded concept in the first item of `sequence`; nothing where it has no value.
std::optional<Code> code_of(DcmItem& item, const DcmTagKey& sequence);

/// Text to UTF-8, where the data set says what it is in; left as it is where that cannot be done.
void to_utf8(DcmItem& data);

/// A data set as one frame sees it: macros of the frame, else of all frames, else the data set.
struct FrameGroups {
  DcmItem* frame;
  DcmItem* shared;
  DcmItem& data;

  DcmItem& macro(const DcmTagKey& sequence) const;
};

/// One entry a frame that the per-frame groups describe; of a plain image, one.
std::vector<FrameGroups> frame_groups(DcmItem& data);

}  // namespace vesalius::media
