// Bytes kept on disk until their number is known: an unlinked file beside the target.
#pragma once

#include "base/files.h"

namespace vesalius::results {

class Spool {
 public:
  /// In the folder of `target`, which it names in errors. Vanishes with the object or the process.
  explicit Spool(const fs::path& target);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  void write(const void* data, size_t size);
  /// Appends all of it to `out`.
  void copy_to(FileWriter& out);
  /// All of it as text.
  std::string text();
  /// Back to the first byte; from there next() gives what was written, piece by piece.
  void rewind();
  std::string next(size_t size);

 private:
  template <class Take>
  void read(const Take& take);
  fs::path target_;
  std::FILE* file_ = nullptr;
};

}  // namespace vesalius::results
