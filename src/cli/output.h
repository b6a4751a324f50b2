// Where a command's results go: JSON Lines or text on standard output, and files.
#pragma once

#include <memory>
#include <string>

#include "base/files.h"
#include "cli/command.h"

namespace vesalius::cli {

/// Lines to standard output (with --json) and to `-o F.jsonl`.
class JsonSink {
 public:
  /// Error kUsage when -o names another extension.
  explicit JsonSink(Session& session);
  void line(const std::string& line);
  void finish();

 private:
  Session& session_;
  std::unique_ptr<FileWriter> file_;
};

/// "0.0297 -0.0272 … -0.0329": how a vector shows itself to a person.
std::string vector_preview(const float* values, int64_t count);

/// A column of text padded to `width` characters (code points, not bytes); longer text keeps its
/// end.
std::string fitted(const std::string& text, size_t width);

/// "━━━━━━    ": a bar of `width` cells for a share from 0 to 1.
std::string bar(double share, size_t width);

}  // namespace vesalius::cli
