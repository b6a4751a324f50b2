#include "cli/train_files.h"

#include <malloc.h>

#include <algorithm>
#include <climits>

#include "nn/plan.h"
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

void add_loop_options(CLI::App& app, tasks::LoopOptions& o, std::string& store_as) {
  app.add_option("--epochs", o.epochs)->check(CLI::Range(1, 1'000'000))->capture_default_str();
  app.add_option("--accumulate", o.accumulate, "Batches whose gradients make one step")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  app.add_option("--learning-rate", o.learning_rate, "Its peak")->capture_default_str();
  app.add_option("--warm-up", o.warm_up, "Share of the steps in which it rises")
      ->capture_default_str();
  app.add_option("--weight-decay", o.optimizer.weight_decay)->capture_default_str();
  app.add_option("--clip", o.optimizer.clip, "Largest norm of the gradients; 0: none")
      ->capture_default_str();
  app.add_option("--smoothing", o.optimizer.smoothing,
                 "Of the moving average of the weights, which is what is kept; 0: none")
      ->capture_default_str();
  app.add_option("--freeze", o.freeze, "Regular expression of tensor names that stay; repeatable");
  app.add_option("--log-every", o.log_every, "Steps")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--store-as", store_as, "fp32 or fp16 in the file")
      ->check(CLI::IsMember({"fp32", "fp16"}))
      ->capture_default_str();
  app.add_flag("--resume", o.resume, "Go on where the same command stopped");
}

void set_loop_options(const Session& session, tasks::LoopOptions& options) {
  const auto& common = session.common;
  if (common.output.empty()) fail(ErrorCode::kUsage, "say where the model goes: -o FOLDER.");
  options.seed = common.seed;
  options.quiet = common.quiet;
  options.state = fs::path(common.output) / "state.safetensors";
  options.bf16 = common.precision == "bf16" ||
                 (common.precision == "auto" && nn::auto_precision() == nn::Precision::kBf16);
}

void keep_freed_memory() {
  ::mallopt(M_MMAP_THRESHOLD, INT_MAX);
  ::mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

}  // namespace vesalius::cli
