// Writes zip archives of stored entries as torch.save lays them out: content at multiples of 64
// bytes, checksums behind it, 64-bit records where a size or an offset needs them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace vesalius {

/// Nothing is held in memory but the directory. Every failure is an Error that names the path;
/// without commit() nothing is left behind.
class ZipWriter {
 public:
  explicit ZipWriter(const fs::path& path) : file_(path) {}

  /// An entry of which `size` bytes will be written before the next one begins.
  void begin(std::string name, uint64_t size);
  void write(Bytes bytes);
  void write(std::string_view text);
  /// A whole entry.
  void add(std::string name, std::string_view content);
  void commit();

 private:
  struct Entry {
    std::string name;
    uint64_t size = 0, offset = 0;
    uint32_t crc = 0;
  };
  void end();
  void put(std::string_view bytes);

  FileWriter file_;
  uint64_t at_ = 0;
  std::vector<Entry> entries_;
  bool open_ = false;  // whether the last entry's checksum is still due
};

}  // namespace vesalius
