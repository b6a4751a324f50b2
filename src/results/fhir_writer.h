// A drafted report as HL7 FHIR R4.
#pragma once

#include "base/json.h"
#include "results/dicom_object.h"
#include "results/finding_codes.h"
#include "tasks/report.h"

namespace vesalius::results {

/// A Bundle of type collection: DiagnosticReport (preliminary), an Observation a sentence with the
/// observations that rules found and each box in pixels as components, the Device that wrote it,
/// its Provenance with the hashes of weights (of `provenance`) and prompt, and of a DICOM film the
/// ImagingStudy by its UIDs and the subject by identifier. The report's form for readers is `text`.
Json fhir_bundle(const tasks::Report& report, const Algorithm& algorithm, const Json& provenance,
                 const FindingCodes& codes, const std::string& text);

}  // namespace vesalius::results
