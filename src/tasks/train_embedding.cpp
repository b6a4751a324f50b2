#include "tasks/train_embedding.h"

#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>

#include <chrono>
#include <cmath>
#include <set>

#include "base/progress.h"
#include "checkpoint/safetensors.h"
#include "tasks/batches.h"
#include "tasks/unicl.h"

namespace vesalius::tasks {
namespace {

enum Stream : uint64_t { kDropPath = 11, kTemplate };

constexpr double kMargin =
    1.25;  // images are kept this much larger than the model's input, for crops

/// Matrix products and convolutions in bfloat16 while it lives.
class Autocast {
 public:
  explicit Autocast(bool on) : on_(on) { set(on); }
  ~Autocast() { set(false); }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  void set(bool on) const {
    if (!on_) return;
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, on);
    if (!on) at::autocast::clear_cache();
  }
  bool on_;
};

/// Stochastic depth (arXiv 1603.09382): a branch is dropped for a whole sample, the rest scaled up.
models::DropPath make_drop_path(uint64_t seed, int64_t step) {
  auto random = std::make_shared<KeyedRandom>(
      std::initializer_list<uint64_t>{seed, kDropPath, uint64_t(step)});
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

std::string fill_template(const std::string& pattern, const std::string& text) {
  const size_t at = pattern.find("{}");
  return at == std::string::npos ? pattern : pattern.substr(0, at) + text + pattern.substr(at + 2);
}

std::vector<std::vector<int32_t>> tokenize(const text::ClipTokenizer& tokenizer,
                                           const std::vector<std::string>& texts, int64_t context) {
  std::vector<std::vector<int32_t>> ids;
  ids.reserve(texts.size());
  for (const std::string& text : texts)
    ids.push_back(tokenizer.encode(text, static_cast<int>(context)));
  return ids;
}

/// The text tower and its projection learn at a rate of their own.
std::vector<Parameter> parameters_of(const Trainee& trainee, const TrainOptions& options) {
  auto parameters = make_parameters(trainee.store.taken(), options.freeze);
  for (Parameter& parameter : parameters)
    if (parameter.name.starts_with("lang_")) parameter.rate = options.text_rate;
  return parameters;
}

class Trainer {
 public:
  Trainer(const Trainee& trainee, const TrainOptions& options)
      : trainee_(trainee),
        options_(options),
        optimizer_(parameters_of(trainee, options), options.optimizer) {
    const auto& config = trainee.model.config;
    input_.size = static_cast<int>(config.image_size);
    std::copy_n(config.mean, 3, input_.mean);
    std::copy_n(config.std, 3, input_.std);
  }

  AdamW& optimizer() { return optimizer_; }
  const recipes::ModelInput& input() const { return input_; }
  int kept_size() const { return static_cast<int>(std::lround(input_.size * kMargin)); }

  /// One step over `accumulate` batches; the mean loss and the gradients' norm.
  std::pair<double, double> step(BatchMaker& batches, int64_t number, double rate) {
    double loss = 0;
    for (int64_t part = 0; part < options_.accumulate; ++part) {
      const int64_t draw = number * options_.accumulate + part;
      const auto value = batch_loss(batches.get(draw), draw) / double(options_.accumulate);
      value.backward();
      loss += value.item<double>();
    }
    if (!std::isfinite(loss))
      fail(ErrorCode::kFailed,
           "training diverged at step {} (the loss is not a number). Lower --learning-rate.",
           number);
    return {loss, optimizer_.step(rate)};
  }

  ValidationScore validate(const PreparedPairs& pairs) const {
    const c10::NoGradGuard no_grad;
    std::set<std::string> different;
    for (size_t i = 0; i < pairs.size(); ++i)
      different.insert(pairs.texts(i).begin(), pairs.texts(i).end());
    const std::vector<std::string> texts(different.begin(), different.end());
    const auto text_features = embed_texts(texts);
    double loss = 0, hits = 0;
    const auto total = pairs.size();
    for (size_t first = 0; first < total; first += options_.batch) {
      const auto batch =
          plain_batch(pairs, first, std::min<size_t>(options_.batch, total - first), input_, texts);
      const auto features = trainee_.model.embed_images(batch.pixels);
      const auto count = static_cast<double>(features.size(0));
      loss += count * unicl_loss(features, text_features, batch.truth, trainee_.model.logit_scale)
                          .item<double>();
      const auto best =
          at::matmul(features, models::l2_normalise(text_features).t()).argmax(1, true);
      hits += batch.truth.gather(1, best).sum().item<double>();
    }
    return {loss / double(total), hits / double(total)};
  }

 private:
  at::Tensor embed_texts(const std::vector<std::string>& texts) const {
    return trainee_.model.embed_tokens(
        tokenize(trainee_.tokenizer, texts, trainee_.model.config.text.context));
  }

  at::Tensor batch_loss(const Batch& batch, int64_t draw) const {
    KeyedRandom random({options_.seed, kTemplate, static_cast<uint64_t>(draw)});
    std::vector<std::string> texts;
    for (const std::string& text : batch.texts)
      texts.push_back(fill_template(
          options_.templates[random.below(int64_t(options_.templates.size()))], text));
    at::Tensor images, words;
    {
      const Autocast autocast(options_.bf16);
      images = trainee_.model.embed_images(batch.pixels, make_drop_path(options_.seed, draw));
      words = embed_texts(texts);
    }
    // A column for every image, repeated texts too, as the published loss has it.
    return unicl_loss(images.to(at::kFloat), words.to(at::kFloat).index_select(0, batch.column),
                      batch.truth.index_select(1, batch.column), trainee_.model.logit_scale);
  }

  const Trainee& trainee_;
  const TrainOptions& options_;
  AdamW optimizer_;
  recipes::ModelInput input_;
};

void save_state(const AdamW& optimizer, const fs::path& path) {
  if (!path.empty()) write_safetensors(path, optimizer.state());
}

void restore_state(AdamW& optimizer, const TrainOptions& options) {
  if (!options.resume) return;
  if (options.state.empty() || !fs::exists(options.state))
    fail(ErrorCode::kUsage, "{}: there is no training to resume. Leave --resume out to start one.",
         options.state.string());
  optimizer.restore(read_safetensors(options.state));
}

}  // namespace

TrainResult train_embedding(const Trainee& trainee, const PairSet& training,
                            const PairSet& validation, const TrainOptions& options,
                            const TrainLog& log, const StopRequest& stop) {
  Trainer trainer(trainee, options);
  restore_state(trainer.optimizer(), options);
  const PreparedPairs pairs(training, trainee.recipe, trainer.kept_size(), options.quiet);
  std::optional<PreparedPairs> held_out;
  if (!validation.pairs.empty())
    held_out.emplace(validation, trainee.recipe, trainer.kept_size(), options.quiet);
  BatchMaker batches(pairs, options, trainer.input());
  const int64_t an_epoch = std::max<int64_t>(1, batches.steps_per_epoch() / options.accumulate);
  const int64_t total = an_epoch * options.epochs;
  const auto warm_up = std::max<int64_t>(1, std::llround(options.warm_up * double(total)));
  Progress progress("Training", total, options.quiet);
  progress.advance(trainer.optimizer().steps());
  auto since = std::chrono::steady_clock::now();
  for (int64_t step = trainer.optimizer().steps(); step < total; ++step) {
    if (stop && stop()) {
      save_state(trainer.optimizer(), options.state);
      return {trainer.optimizer().smoothed(), step, false};
    }
    const double rate = cosine_rate(step, total, warm_up, options.learning_rate);
    const auto [loss, norm] = trainer.step(batches, step, rate);
    progress.advance(1, fmt::format("loss {:.3f}", loss));
    if ((step + 1) % options.log_every == 0) {
      const auto now = std::chrono::steady_clock::now();
      const double seconds = std::chrono::duration<double>(now - since).count();
      since = now;
      log({{"step", step + 1},
           {"epoch", double(step + 1) / double(an_epoch)},
           {"loss", loss},
           {"learning_rate", rate},
           {"gradient_norm", norm},
           {"images_per_second",
            double(options.log_every * options.accumulate * options.batch) / seconds}});
    }
    if ((step + 1) % an_epoch != 0) continue;
    if (held_out) {
      const ValidationScore score = trainer.validate(*held_out);
      log({{"step", step + 1},
           {"epoch", double(step + 1) / double(an_epoch)},
           {"validation_loss", score.loss},
           {"validation_top1", score.top1}});
    }
    save_state(trainer.optimizer(), options.state);
  }
  return {trainer.optimizer().smoothed(), total, true};
}

}  // namespace vesalius::tasks
