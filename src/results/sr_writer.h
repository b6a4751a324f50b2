// DICOM structured reports of a drafted report.
#pragma once

#include "base/files.h"
#include "results/dicom_object.h"
#include "results/finding_codes.h"
#include "tasks/report.h"

namespace vesalius::results {

/// TID 1500 in a Comprehensive SR: a measurement group a sentence, with a tracking identifier, the
/// sentence as text, the finding's code where rules found something that is or may be there, each
/// observation as a qualitative evaluation (present, absent, undetermined; text where no code is
/// known), and a region in the pixels of the film for each box. Groups of one box are TID 1410,
/// others TID 1501. Partial and unverified.
///
/// Read again by DCMTK's reader of reports, which checks the structure, before it comes to its
/// name; regions must be the same. Error kUnsupported for a film that is not DICOM.
void write_measurement_sr(const fs::path& path, const tasks::Report& report,
                          const Algorithm& algorithm, const FindingCodes& codes);

/// TID 2000 in a Basic Text SR, for readers that show text alone: the sentences as findings, and
/// indication, technique and comparison as they were given.
void write_narrative_sr(const fs::path& path, const tasks::Report& report,
                        const Algorithm& algorithm);

}  // namespace vesalius::results
