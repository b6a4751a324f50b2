// Zip archives as NumPy writes them: entries that are stored or deflated (APPNOTE 6.3).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"

namespace vesalius::media {

struct ZipEntry {
  std::string name;
  Bytes packed;
  uint64_t size = 0;  // unpacked
  uint32_t crc32 = 0;
  bool deflated = false;
};

/// The entries of the central directory, zip64 too. They point into `archive`. Error kUnsupported
/// for what is no zip or not whole, encrypted, or compressed in another way.
std::vector<ZipEntry> read_zip(Bytes archive, const std::string& where);

/// The content of an entry. Error kUnsupported when it has not the size and checksum that it claims
/// or claims more than `max_bytes`.
std::vector<uint8_t> unpack(const ZipEntry& entry, const std::string& where,
                            uint64_t max_bytes = uint64_t{1} << 34);

/// Writes entries one by one, deflated.
class ZipWriter {
 public:
  explicit ZipWriter(const fs::path& path);
  /// The content is `head` and then `body`.
  void add(const std::string& name, Bytes head, Bytes body);
  void commit();

 private:
  void write(const std::vector<uint8_t>& bytes);
  FileWriter file_;
  std::string path_;
  std::vector<uint8_t> directory_;
  uint64_t at_ = 0;
  uint16_t entries_ = 0;
};

}  // namespace vesalius::media
