// DICOM grayscale softcopy presentation states (PS3.3 A.33.1): the film with the boxes over it.
#pragma once

#include "base/files.h"
#include "results/dicom_object.h"
#include "tasks/report.h"

namespace vesalius::results {

/// A layer for each finding with boxes, in its colour: a closed polyline in pixels a box, and the
/// number and sentence anchored to it. The film's own window and rescale are taken over, since a
/// presentation state replaces them. Read again and compared before it comes to its name. Error
/// kUnsupported for a film that is not DICOM or is in colour.
void write_gsps(const fs::path& path, const tasks::Report& report, const Algorithm& algorithm);

}  // namespace vesalius::results
