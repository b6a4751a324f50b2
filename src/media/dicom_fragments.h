// Encapsulated pixel data: which fragments make up which frame (DICOM PS3.5 A.4).
#pragma once

#include <string>
#include <vector>

#include "base/files.h"

namespace vesalius::media {

/// Splits fragments into `frames` frames. `offsets` is the basic offset table, in bytes from the
/// first fragment's item tag; it may be empty or wrong, and then frames are found by their number
/// or by the end markers of JPEG code streams. Error kUnsupported when there are fewer frames than
/// claimed.
std::vector<std::vector<Bytes>> split_frames(const std::vector<Bytes>& fragments,
                                             const std::vector<uint64_t>& offsets, int frames,
                                             const std::string& where);

/// Fragments one behind the other.
std::vector<uint8_t> join(const std::vector<Bytes>& fragments);

}  // namespace vesalius::media
