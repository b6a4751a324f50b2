// From what a user names to a list of inputs: files, folders, DICOM series.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace vesalius::media {

enum class InputKind {
  kImage,    // PNG, JPEG or TIFF by its first bytes
  kDicom,    // a DICOM image by its first bytes
  kUnknown,  // named by the user or not readable; opening it tells what is wrong
};

struct InputFile {
  fs::path path;
  InputKind kind = InputKind::kUnknown;
};

struct Inputs {
  std::vector<InputFile> files;
  int64_t skipped = 0;  // files in folders that are neither image nor DICOM image
};

/// Files as named, in their order; folders with all that is below them, by name with numbers in
/// numeric order. A folder is entered once, however many links lead to it. Error kUnsupported when
/// a path does not exist or a folder cannot be read.
Inputs walk_inputs(const std::vector<fs::path>& paths);

/// What the first bytes of a file say it is.
InputKind recognise(Bytes head);

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
