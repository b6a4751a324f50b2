#include "tasks/train_loop.h"

#include <ATen/autocast_mode.h>

#include <chrono>
#include <cmath>

#include "base/progress.h"
#include "checkpoint/safetensors.h"
#include "tasks/random.h"

namespace vesalius::tasks {
namespace {

constexpr uint64_t kDropPath = 11;  // stream of random numbers

void save_state(const AdamW& optimizer, const fs::path& path) {
  if (!path.empty()) write_safetensors(path, optimizer.state());
}

void restore_state(AdamW& optimizer, const LoopOptions& options) {
  if (!options.resume) return;
  if (options.state.empty() || !fs::exists(options.state))
    fail(ErrorCode::kUsage, "{}: there is no training to resume. Leave --resume out to start one.",
         options.state.string());
  optimizer.restore(read_safetensors(options.state));
}

/// One step over `accumulate` batches; the mean loss and the gradients' norm.
std::pair<double, double> take_step(AdamW& optimizer, const TrainWork& work,
                                    const LoopOptions& options, int64_t number, double rate) {
  double loss = 0;
  for (int64_t part = 0; part < options.accumulate; ++part) {
    const auto value =
        work.loss(number * options.accumulate + part) / static_cast<double>(options.accumulate);
    value.backward();
    loss += value.item<double>();
  }
  if (!std::isfinite(loss))
    fail(ErrorCode::kFailed,
         "training diverged at step {} (the loss is not a number). Lower --learning-rate.", number);
  return {loss, optimizer.step(rate)};
}

}  // namespace

Autocast::Autocast(bool on) : on_(on) { set(on); }
Autocast::~Autocast() { set(false); }

void Autocast::set(bool on) const {
  if (!on_) return;
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, on);
  if (!on) at::autocast::clear_cache();
}

std::vector<std::vector<int32_t>> tokenize(const text::ClipTokenizer& tokenizer,
                                           const std::vector<std::string>& texts, int64_t context) {
  std::vector<std::vector<int32_t>> ids;
  ids.reserve(texts.size());
  for (const std::string& text : texts)
    ids.push_back(tokenizer.encode(text, static_cast<int>(context)));
  return ids;
}

models::DropPath make_drop_path(uint64_t seed, int64_t step) {
  auto random = std::make_shared<KeyedRandom>(
      std::initializer_list<uint64_t>{seed, kDropPath, static_cast<uint64_t>(step)});
  return [random](const at::Tensor& branch, double rate) {
    if (rate <= 0) return branch;
    auto keep = at::empty({branch.size(0)});
    for (int64_t i = 0; i < keep.numel(); ++i)
      keep.data_ptr<float>()[i] = random->chance(rate) ? 0 : static_cast<float>(1 / (1 - rate));
    std::vector<int64_t> shape(branch.dim(), 1);
    shape[0] = branch.size(0);
    return branch * keep.view(shape).to(branch.scalar_type());
  };
}

TrainResult run_training(AdamW& optimizer, const TrainWork& work, const LoopOptions& options,
                         const TrainLog& log, const StopRequest& stop) {
  restore_state(optimizer, options);
  const int64_t an_epoch = std::max<int64_t>(1, work.batches_per_epoch / options.accumulate);
  const int64_t total = an_epoch * options.epochs;
  const auto warm_up =
      std::max<int64_t>(1, std::llround(options.warm_up * static_cast<double>(total)));
  const auto epoch_of = [&](int64_t steps) {
    return static_cast<double>(steps) / static_cast<double>(an_epoch);
  };
  Progress progress("Training", total, options.quiet);
  progress.advance(optimizer.steps());
  auto since = std::chrono::steady_clock::now();
  for (int64_t step = optimizer.steps(); step < total; ++step) {
    if (stop && stop()) {
      save_state(optimizer, options.state);
      return {optimizer.smoothed(), step, false};
    }
    const double rate = cosine_rate(step, total, warm_up, options.learning_rate);
    const auto [loss, norm] = take_step(optimizer, work, options, step, rate);
    progress.advance(1, fmt::format("loss {:.3f}", loss));
    if ((step + 1) % options.log_every == 0) {
      const auto now = std::chrono::steady_clock::now();
      const double seconds = std::chrono::duration<double>(now - since).count();
      since = now;
      log({{"step", step + 1},
           {"epoch", epoch_of(step + 1)},
           {"loss", loss},
           {"learning_rate", rate},
           {"gradient_norm", norm},
           {"images_per_second",
            static_cast<double>(options.log_every * options.accumulate * work.batch) / seconds}});
    }
    if ((step + 1) % an_epoch != 0) continue;
    if (work.measure) {
      Json line{{"step", step + 1}, {"epoch", epoch_of(step + 1)}};
      line.update(work.measure(optimizer, (step + 1) / an_epoch));
      log(line);
    }
    save_state(optimizer, options.state);
  }
  return {optimizer.smoothed(), total, true};
}

}  // namespace vesalius::tasks
