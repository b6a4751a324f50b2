// What a folder holds: files in order, and which of them are one DICOM series.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace vesalius::media {

/// What walk_folder meets: a file, or a folder that cannot be read.
struct Found {
  fs::path path;
  std::string problem;  // why the folder cannot be read; empty for a file
};

/// The files in a folder and below it, by name with numbers in numeric order. Hidden files and
/// folders, DICOMDIR, linked folders, pipes and devices are left out.
std::vector<Found> walk_folder(const fs::path& folder);

/// Whether a file that starts so may be a picture: PNG, JPEG, TIFF or DICOM. DICOM reports, plans
/// and directories are none; a DICOM object of an unknown class may be one.
bool may_be_image(Bytes head);

/// "slice 2" before "slice 10"; text by its bytes. A strict order.
bool natural_less(std::string_view a, std::string_view b);

/// Files of one SeriesInstanceUID, in the order of their slices.
struct Series {
  std::string uid, study_uid, modality, description;
  std::vector<fs::path> files;
};

struct SeriesGroups {
  std::vector<Series> series;         // in the order of their first files
  std::vector<std::string> failures;  // sentences, one for each file that cannot be read
};

/// Reads the header of each file. Slices are sorted by their position along the normal of the first
/// one's plane where all have one (PS3.3 C.7.6.2), else by instance number, else left as given.
SeriesGroups group_series(const std::vector<fs::path>& dicom_files);

}  // namespace vesalius::media
