#include "cli/output.h"

#include <algorithm>
#include <cmath>

namespace vesalius::cli {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

size_t characters(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

}  // namespace

JsonSink::JsonSink(Session& session) : session_(session) {
  const fs::path path = session.common.output;
  if (path.empty()) return;
  if (path.extension() != ".jsonl")
    fail(ErrorCode::kUsage, "{}: this command writes .jsonl with -o, not '{}'.", path.string(),
         path.extension().string());
  file_ = std::make_unique<FileWriter>(path);
}

void JsonSink::line(const std::string& line) {
  if (session_.common.json) print(line);
  if (file_) file_->write(line + "\n");
}

void JsonSink::finish() {
  if (!file_) return;
  file_->commit();
  session_.outputs.push_back(session_.common.output);
}

std::string vector_preview(const float* values, int64_t count) {
  constexpr int64_t kShown = 4;
  std::string text;
  for (int64_t i = 0; i < std::min(count, kShown); ++i) text += fmt::format("{:+.4f} ", values[i]);
  if (count > kShown) text += fmt::format("… {:+.4f}", values[count - 1]);
  return text;
}

std::string fitted(const std::string& text, size_t width) {
  const size_t length = characters(text);
  if (length <= width) return text + std::string(width - length, ' ');
  size_t at = 0;
  for (size_t dropped = 0; dropped < length - width + 1; ++dropped) do
      ++at;
    while (at < text.size() && is_continuation(text[at]));
  return "…" + text.substr(at);
}

std::string bar(double share, size_t width) {
  const auto cells =
      static_cast<size_t>(std::lround(std::clamp(share, 0.0, 1.0) * static_cast<double>(width)));
  std::string text;
  for (size_t i = 0; i < cells; ++i) text += "━";
  return text + std::string(width - cells, ' ');
}

}  // namespace vesalius::cli
