// Zip archives, read: the directory is checked hard before anything in it is believed (PKWARE
// APPNOTE 6.3, with its 64-bit records).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace vesalius {

enum class ZipMethod {
  kStored,
  kDeflated,
  kOther,  // encrypted, or compressed in another way: listed, never read
};

struct ZipEntry {
  std::string name;
  Bytes packed;       // in the archive, as it stands there: of a stored entry, its content
  uint64_t size = 0;  // of the content, as the directory claims it: see unpack
  uint32_t crc = 0;   // likewise: see check_crc
  ZipMethod method = ZipMethod::kStored;
};

/// The entries of a whole file, by name; they view it. Every entry must lie before the directory,
/// have a header that agrees, and share no byte with another; no name may come twice. An Error of
/// the origin tells what is wrong; nothing is allocated on the file's word.
std::vector<ZipEntry> read_zip(Bytes file, const Origin& origin);

/// An Error of the origin if this content of the entry is not what the directory's checksum says.
void check_crc(const ZipEntry& entry, Bytes content, const Origin& origin);

/// The content of an entry, which has the size and checksum that it claims. An Error of the origin
/// if it has not, if it claims more than `max_bytes` or than deflate could give, or for kOther.
std::vector<uint8_t> unpack(const ZipEntry& entry, const Origin& origin,
                            uint64_t max_bytes = uint64_t{1} << 34);

}  // namespace vesalius
