// Writes zip archives, laid out as torch.save does: content at multiples of 64 bytes, checksums
// behind it where it is written in pieces, 64-bit records where a size or an offset needs them.
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

  /// A stored entry of which `size` bytes will be written before the next one begins.
  void begin(std::string name, uint64_t size);
  void write(Bytes bytes);
  void write(std::string_view text);
  /// A whole stored entry.
  void add(std::string name, std::string_view content);
  /// A whole deflated entry: `head` and then `body`.
  void add_deflated(std::string name, Bytes head, Bytes body);
  void commit();

 private:
  struct Entry {
    std::string name;
    uint64_t packed = 0, size = 0, offset = 0;
    uint16_t method = 0;
    uint32_t crc = 0;
    bool behind = false;   // whether the file tells sizes and checksum behind the content alone
    bool is_wide() const;  // its sizes do not fit 32 bits
    uint16_t flags() const;
  };
  void start(Entry entry);
  void end();
  void put(std::string_view bytes);

  FileWriter file_;
  uint64_t at_ = 0;
  std::vector<Entry> entries_;
  bool open_ = false;  // whether the last entry's checksum is still due
};

}  // namespace vesalius
