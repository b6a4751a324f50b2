// The directory of a zip archive, checked hard before anything in it is believed (PKWARE APPNOTE
// 6.3, with its 64-bit records). Contents are views: only entries that are stored can be read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"

namespace vesalius {

struct ZipEntry {
  std::string name;
  uint64_t begin = 0, end = 0;  // bytes in the archive, from the start of the file
  uint32_t crc = 0;             // as the directory claims it: see check_crc
  bool stored = true;           // neither compressed nor encrypted
};

/// The entries of a whole file, by name. Every entry must lie before the directory, have a header
/// that agrees, and share no byte with another; no name may come twice. Error kModel names `where`
/// and what is wrong; nothing is allocated on the file's word.
std::vector<ZipEntry> read_zip_directory(Bytes file, const std::string& where);

/// Error kModel if the entry is not stored.
Bytes zip_content(Bytes file, const ZipEntry& entry, const std::string& where);

/// Error kModel if the content of the entry is not what the directory's checksum says.
void check_crc(Bytes file, const ZipEntry& entry, const std::string& where);

}  // namespace vesalius
