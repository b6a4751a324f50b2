// From the words of a segmentation target to the codes that DICOM objects carry.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "media/segmentation.h"

namespace vesalius::results {

/// SNOMED CT codes (scheme SCT) of DICOM CID 7150 and the property types below it.
struct Term {
  media::Code category, type;
  std::optional<media::Code> modifier;  // left, right, both
  std::optional<media::Code> region;    // of a lesion: the organ
  std::array<uint8_t, 3> colour{};      // sRGB, recommended for display
  bool known = true;                    // false: the words are in no table
};

/// The term for words such as "left kidney", "kidney_left", "liver tumor" or "neoplastic cells";
/// case, plurals, "the" and word order of sides do not matter. Words that are in no table give
/// "Tissue" in general and a colour of their own; whoever shows them keeps the words as a label.
Term find_term(std::string_view words);

}  // namespace vesalius::results
