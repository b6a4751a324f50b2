// The SHA-256 of a weights file, which every result carries: computed beside the model's work and
// kept, so that it delays no answer.
#pragma once

#include <functional>
#include <future>
#include <string>

#include "base/files.h"

namespace vesalius::catalog {

/// SHA-256 of a whole file, read in pieces; of an index of shards, of their bytes one behind
/// another. `advance` hears of the bytes read and may throw to
/// stop.
std::string file_sha256(const fs::path& path, const std::function<void(int64_t)>& advance = {});

/// What was computed or remembered for this very file, or these shards (inode, size, time of
/// change), or an empty string. Kept under $XDG_CACHE_HOME/vesalius/hashes (default ~/.cache).
std::string known_sha256(const fs::path& path);
/// Keeps a hash that was just computed. A cache that cannot be written is no error.
void remember_sha256(const fs::path& path, const std::string& hash);

/// The hash of one file: known at once, or computed on a thread from construction on.
class WeightsHash {
 public:
  explicit WeightsHash(fs::path path);
  /// Waits for it. Error kUnsupported when the file cannot be read.
  std::string get() const { return hash_.get(); }

 private:
  std::shared_future<std::string> hash_;
};

}  // namespace vesalius::catalog
