// The rows behind terminology.h.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace vesalius::results {

/// Categories of segmented properties, DICOM CID 7150.
enum class Property { kAnatomy, kTissue, kAbnormal, kObject, kSubstance };

struct TermRow {
  const char* words;  // lower case, without left and right
  Property property;
  const char* code;  // SNOMED CT
  const char* meaning;
  std::array<uint8_t, 3> colour;  // sRGB
};

/// Other words for a term, and where it is in the patient, in the words of another.
struct AliasRow {
  const char* words;
  const char* term;
  const char* region;  // may be empty
};

std::span<const TermRow> term_rows();
std::span<const AliasRow> alias_rows();

}  // namespace vesalius::results
