// The vector index, write side: build a new one, or append to one, atomically.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>

#include "tasks/index.h"

namespace vesalius::tasks {

/// Streams rows into a new segment; the index changes at commit(), all at once. Without it nothing
/// stays.
class IndexWriter {
 public:
  /// A new index. Error kUsage when `folder` is already an index (unless `replace`) or holds other
  /// files.
  static IndexWriter create(const fs::path& folder, const IndexOrigin& origin, int64_t dimension,
                            bool replace = false);
  /// One segment more. Error kModel when `origin` or `dimension` is another; kFailed while somebody
  /// else appends.
  static IndexWriter append(const fs::path& folder, const IndexOrigin& origin, int64_t dimension);

  /// `features` [dimension], any length but zero: stored L2-normalised. `entry` has "path" at
  /// least.
  void add(const at::Tensor& features, const Json& entry);
  int64_t added() const;
  void commit();

  IndexWriter(IndexWriter&&) noexcept;
  ~IndexWriter();

 private:
  struct State;
  explicit IndexWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vesalius::tasks
