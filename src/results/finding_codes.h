// Codes for the observations that rules find in sentences; the models give none.
#pragma once

#include <map>
#include <string>

#include "base/files.h"
#include "media/segmentation.h"

namespace vesalius::results {

/// Observation (see tasks::label_names()) → code. Observations may be without one.
using FindingCodes = std::map<std::string, media::Code>;

/// SNOMED CT codes for eight observations. No terminology server has confirmed them: check before
/// relying on them, or replace them. Using SNOMED CT needs a licence in most countries.
const FindingCodes& default_finding_codes();

/// A table that replaces the one built in: CSV with the columns label, scheme, code and meaning, in
/// any order, the first line naming them. Error kUsage, with file and line, for an observation that
/// there is not, one that comes twice, and an empty or too long field (16 characters of a scheme
/// and a code, 64 of a meaning: DICOM).
FindingCodes read_finding_codes(const fs::path& path);

/// That table, or the one built in for an empty path.
FindingCodes finding_codes(const fs::path& path);

}  // namespace vesalius::results
