// Files of vectors: .jsonl, .csv, .npy, .safetensors, chosen by extension, written as they come.
#pragma once

#include <memory>
#include <string>

#include "tasks/embed.h"

namespace vesalius::results {

/// Takes records one by one; nothing stands at `path` before finish(), and memory does not grow
/// with them.
class VectorFile {
 public:
  virtual ~VectorFile() = default;
  virtual void add(const tasks::Record& record) = 0;
  virtual void finish() = 0;
};

/// .jsonl: one object a line. .csv: the record's keys, then provenance, then f0, f1, …
/// .npy: one float32 matrix, with F.npy.json beside it that says what the rows are.
/// .safetensors: the matrix "features" with the same in `__metadata__` ("records" and "provenance",
/// JSON). All but .jsonl need vectors of one length. Error kUsage for another extension.
std::unique_ptr<VectorFile> open_vector_file(const fs::path& path, const Json& provenance);

}  // namespace vesalius::results
