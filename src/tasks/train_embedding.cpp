#include "tasks/train_embedding.h"

#include <c10/core/GradMode.h>

#include <cmath>
#include <set>

#include "tasks/batches.h"
#include "tasks/unicl.h"

namespace vesalius::tasks {
namespace {

constexpr uint64_t kTemplate = 12;  // stream of random numbers

constexpr double kMargin =
    1.25;  // images are kept this much larger than the model's input, for crops

std::string fill_template(const std::string& pattern, const std::string& text) {
  const size_t at = pattern.find("{}");
  return at == std::string::npos ? pattern : pattern.substr(0, at) + text + pattern.substr(at + 2);
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

 private:
  at::Tensor embed_texts(const std::vector<std::string>& texts) const {
    return trainee_.model.embed_tokens(
        tokenize(trainee_.tokenizer, texts, trainee_.model.config.text.context));
  }

  const Trainee& trainee_;
  const TrainOptions& options_;
  AdamW optimizer_;
  recipes::ModelInput input_;
};

}  // namespace

TrainResult train_embedding(const Trainee& trainee, const PairSet& training,
                            const PairSet& validation, const TrainOptions& options,
                            const TrainLog& log, const StopRequest& stop) {
  Trainer trainer(trainee, options);
  const PreparedPairs pairs(training, trainee.recipe, trainer.kept_size(), options.quiet);
  std::optional<PreparedPairs> held_out;
  if (!validation.pairs.empty())
    held_out.emplace(validation, trainee.recipe, trainer.kept_size(), options.quiet);
  BatchMaker batches(pairs, options, trainer.input());
  TrainWork work{.batches_per_epoch = batches.steps_per_epoch(), .batch = options.batch};
  work.loss = [&](int64_t number) { return trainer.batch_loss(batches.get(number), number); };
  if (held_out)
    work.measure = [&](const AdamW&, int64_t) -> Json {
      const ValidationScore score = trainer.validate(*held_out);
      return {{"validation_loss", score.loss}, {"validation_top1", score.top1}};
    };
  return run_training(trainer.optimizer(), work, options, log, stop);
}

}  // namespace vesalius::tasks
