// Files: mapped for reading, written beside and renamed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vesalius {

namespace fs = std::filesystem;
using Bytes = std::span<const uint8_t>;

/// A file mapped read-only into memory, unmapped with the last owner. An empty file maps to no
/// bytes.
class MappedFile {
 public:
  static std::shared_ptr<const MappedFile> open(const fs::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  Bytes bytes() const { return {data_, size_}; }
  const fs::path& path() const { return path_; }

 private:
  MappedFile(fs::path path, const uint8_t* data, size_t size)
      : path_(std::move(path)), data_(data), size_(size) {}
  fs::path path_;
  const uint8_t* data_;
  size_t size_;
};

/// The whole file; Error kUnsupported if it cannot be read or is larger than `max_bytes`.
std::vector<uint8_t> read_file(const fs::path& path, uint64_t max_bytes = uint64_t{1} << 32);
std::string read_text(const fs::path& path, uint64_t max_bytes = uint64_t{1} << 30);

/// Writes into a hidden file beside `path`; commit() flushes, checks and renames it into place.
/// Without commit() nothing is left behind. Every failure (disk full too) is an Error that names
/// the path.
class FileWriter {
 public:
  explicit FileWriter(fs::path path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  void write(const void* data, size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit();

 private:
  fs::path path_, temporary_;
  std::FILE* file_ = nullptr;
};

/// FileWriter in one call.
void write_file(const fs::path& path, std::string_view content);

/// `name`, or with -2, -3 … behind it where it is taken; what comes back is taken from now on.
std::string unused_name(std::set<std::string>& taken, const std::string& name);

}  // namespace vesalius
