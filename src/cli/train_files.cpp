#include "cli/train_files.h"

#include <malloc.h>

#include <algorithm>
#include <climits>

#include "results/loss_plot.h"

namespace vesalius::cli {

TrainFiles::TrainFiles(const Session& session, fs::path folder, bool resume)
    : session_(session), folder_(std::move(folder)) {
  if (!resume || !fs::exists(folder_ / "log.jsonl")) return;
  const std::string text = read_text(folder_ / "log.jsonl");
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    if (end > start) lines_.push_back(parse_json(text.substr(start, end - start), "log.jsonl"));
    start = end + 1;
  }
}

void TrainFiles::add(const Json& line) {
  lines_.push_back(line);
  if (session_.common.json) print(dump_json(line));
  if (!line.contains("loss")) write();
}

void TrainFiles::write() const {
  std::string text;
  for (const Json& line : lines_) text += dump_json(line) + "\n";
  write_file(folder_ / "log.jsonl", text);
  write_file(folder_ / "training.svg", results::loss_plot(lines_, folder_.filename().string()));
}

void keep_freed_memory() {
  ::mallopt(M_MMAP_THRESHOLD, INT_MAX);
  ::mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

}  // namespace vesalius::cli
