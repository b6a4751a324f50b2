#include "tasks/train_report.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <set>

#include "models/generation.h"
#include "tasks/finding_labels.h"
#include "tasks/report_writer.h"
#include "tasks/trained_tensors.h"

namespace vesalius::tasks {
namespace {

enum Stream : uint64_t { kChoice = 41, kChange };

bool is_vision(const std::string& name) { return name.starts_with("vision_tower."); }
bool is_projector(const std::string& name) { return name.starts_with("multi_modal_projector."); }

TensorRole role_of(ReportPart part, const std::string& name, const at::Tensor& value) {
  if (part == ReportPart::kAll || is_projector(name)) return TensorRole::kMoved;
  if (is_vision(name) || part == ReportPart::kProjector) return TensorRole::kFixed;
  if (part == ReportPart::kLanguage) return TensorRole::kMoved;
  const bool matrix = value.dim() == 2 && name.find(".layers.") != std::string::npos;
  return matrix ? TensorRole::kLowRank : TensorRole::kFixed;
}

std::unique_ptr<models::Maira2> build(const catalog::ReportArchitecture& architecture,
                                      TrainedTensors::Tensors tensors) {
  return std::make_unique<models::Maira2>(
      Weights(std::make_shared<TensorStore>("the model in training", std::move(tensors))),
      architecture.model);
}

std::vector<Parameter> parameters_of(const TrainedTensors& trained,
                                     const ReportTrainOptions& options) {
  auto parameters = make_parameters(trained.moved(), options.freeze);
  for (Parameter& parameter : parameters)
    if (is_vision(parameter.name)) parameter.rate = options.vision_rate;
  return parameters;
}

/// Samples drawn by their rows' weights.
class Draw {
 public:
  Draw(const ReportStore& store, const ReportTrainOptions& options)
      : store_(store), options_(options) {
    double sum = 0;
    for (size_t i = 0; i < store.size(); ++i) cumulative_.push_back(sum += store.row(i).weight);
    if (!(sum > 0)) fail(ErrorCode::kUnsupported, "all weights of the training rows are zero.");
  }

  std::vector<ReportSample> batch(int64_t number) const {
    std::vector<ReportSample> samples;
    for (int64_t i = 0; i < options_.batch; ++i) {
      const auto place = static_cast<uint64_t>(number * options_.batch + i);
      KeyedRandom choice({options_.seed, kChoice, place}), change({options_.seed, kChange, place});
      const auto at = std::ranges::upper_bound(cumulative_, choice.uniform(0, cumulative_.back()));
      const auto index = std::min<size_t>(at - cumulative_.begin(), store_.size() - 1);
      samples.push_back(store_.sample(index, options_.augmentation, &change));
    }
    return samples;
  }

 private:
  const ReportStore& store_;
  const ReportTrainOptions& options_;
  std::vector<double> cumulative_;
};

/// Features of all films of a batch in one pass, a slice a sample.
std::vector<at::Tensor> features_of(const models::Maira2& model,
                                    const std::vector<ReportSample>& samples) {
  std::vector<at::Tensor> pixels;
  for (const auto& sample : samples)
    if (sample.pixels.defined()) pixels.push_back(sample.pixels);
  const auto all = pixels.empty() ? at::Tensor() : model.features(at::cat(pixels));
  std::vector<at::Tensor> features;
  int64_t next = 0;
  for (const auto& sample : samples) {
    const int64_t count = sample.pixels.defined() ? sample.pixels.size(0) : 0;
    features.push_back(count > 0 ? all.narrow(0, next, count) : at::Tensor());
    next += count;
  }
  return features;
}

/// Labels with their polarity, as a set.
std::set<std::pair<std::string, std::string>> labels_of(const std::string& text) {
  std::set<std::pair<std::string, std::string>> labels;
  const auto parsed = text::parse_grounded(text);
  for (const auto& sentence : parsed.sentences)
    for (const auto& label : label_report(sentence.text))
      if (label.polarity == "present") labels.emplace(label.name, label.polarity);
  return labels;
}

/// What texts written about films come to.
struct Tally {
  double well_formed = 0, both = 0, written = 0, truth = 0, texts = 0;

  void add(const std::string& text, const std::string& wanted, bool ended) {
    const auto parsed = text::parse_grounded(text);
    well_formed += ended && parsed.repairs.empty() ? 1 : 0;
    const auto a = labels_of(text), b = labels_of(wanted);
    for (const auto& label : a) both += b.contains(label) ? 1 : 0;
    written += static_cast<double>(a.size());
    truth += static_cast<double>(b.size());
    ++texts;
  }
  double f1() const { return written + truth > 0 ? 2 * both / (written + truth) : 0; }
};

class Measure {
 public:
  Measure(const ReportTrainee& trainee, const ReportStore& held_out,
          const ReportTrainOptions& options)
      : trainee_(trainee), held_out_(held_out), options_(options) {}

  Json operator()(const models::Maira2& model, std::vector<ReportExample>& examples) const {
    const c10::NoGradGuard no_grad;
    double loss = 0;
    Tally tally;
    for (size_t i = 0; i < held_out_.size(); ++i) {
      loss += report_loss(model, {held_out_.sample(i, {}, nullptr)}).item<double>();
      if (std::ssize(examples) < options_.examples && !held_out_.row(i).frontal.empty())
        examples.push_back(write(model, i, tally));
    }
    Json line{{"validation_loss", loss / static_cast<double>(held_out_.size())}};
    if (tally.texts > 0) {
      line["well_formed"] = tally.well_formed / tally.texts;
      line["finding_f1"] = tally.f1();
    }
    return line;
  }

 private:
  ReportExample write(const models::Maira2& model, size_t index, Tally& tally) const {
    const auto sample = held_out_.sample(index, {}, nullptr);
    const std::vector<uint64_t> keys(static_cast<size_t>(sample.pixels.size(0)), index + 1);
    const auto prompt = model.prompt(held_out_.prompt(index), model.features(sample.pixels), keys);
    const auto& stop = trainee_.architecture.stop;
    auto made =
        models::Generation(model.language_model)
            .generate(prompt, {.max_new_tokens = usual_limit(text::ReportTask::kGroundedFindings),
                               .stop = stop});
    const bool ended = made.finished_by == models::FinishedBy::kStopToken;
    if (ended) made.ids.pop_back();
    ReportExample example{.film = held_out_.row(index).frontal,
                          .written = trainee_.tokenizer->decode(made.ids),
                          .truth = held_out_.answer(held_out_.row(index))};
    tally.add(example.written, example.truth, ended);
    return example;
  }

  const ReportTrainee& trainee_;
  const ReportStore& held_out_;
  const ReportTrainOptions& options_;
};

}  // namespace

at::Tensor report_loss(const models::Maira2& model, const std::vector<ReportSample>& samples) {
  const auto features = features_of(model, samples);
  std::vector<at::Tensor> embeds;
  int64_t longest = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const auto& ids = samples[i].ids;
    embeds.push_back(features[i].defined() ? model.embeds(ids, features[i])
                                           : model.language_model.embed(ids));
    longest = std::max<int64_t>(longest, std::ssize(ids));
  }
  for (auto& x : embeds) x = at::constant_pad_nd(x, {0, 0, 0, longest - x.size(0)});
  const auto hidden = model.language_model.forward(at::stack(embeds));  // [batch, tokens, dim]
  std::vector<at::Tensor> rows;
  std::vector<int64_t> truth;
  for (size_t i = 0; i < samples.size(); ++i) {
    const auto& [pixels, ids, answer] = samples[i];
    const int64_t count = std::ssize(ids) - answer;
    // A token is told by what stands before it.
    rows.push_back(hidden[static_cast<int64_t>(i)].narrow(0, answer - 1, count));
    truth.insert(truth.end(), ids.begin() + answer, ids.end());
  }
  const auto logits = model.language_model.logits(at::cat(rows));
  return at::cross_entropy_loss(logits.to(at::kFloat),
                                at::tensor(truth, at::kLong).to(logits.device()));
}

TrainResult train_report(const ReportTrainee& trainee, std::vector<ReportRow> training,
                         std::vector<ReportRow> validation, const ReportTrainOptions& options,
                         const TrainLog& log, const StopRequest& stop, const ShowReports& show) {
  const auto& architecture = trainee.architecture;
  const ReportStore store(std::move(training), architecture, *trainee.tokenizer, options.quiet);
  std::optional<ReportStore> held_out;
  if (!validation.empty())
    held_out.emplace(std::move(validation), architecture, *trainee.tokenizer, options.quiet);
  const TrainedTensors trained(
      trainee.tensors,
      [&](const auto& name, const auto& value) { return role_of(options.part, name, value); },
      options.rank, options.seed);
  AdamW optimizer(parameters_of(trained, options), options.optimizer);
  const Draw draw(store, options);

  TrainWork work{
      .batches_per_epoch = std::max<int64_t>(1, static_cast<int64_t>(store.size()) / options.batch),
      .batch = options.batch};
  work.loss = [&](int64_t number) {
    const auto samples = draw.batch(number);
    const auto model = build(architecture, trained.whole());
    const Autocast autocast(options.bf16);
    return report_loss(*model, samples);
  };
  if (held_out)
    work.measure = [&](const AdamW& now, int64_t epoch) {
      std::vector<ReportExample> examples;
      const auto line = Measure(trainee, *held_out, options)(
          *build(architecture, trained.whole(now.smoothed())), examples);
      if (show) show(epoch, examples);
      return line;
    };
  auto result = run_training(optimizer, work, options, log, stop);
  const c10::NoGradGuard no_grad;
  result.weights = trained.whole(result.weights);
  return result;
}

}  // namespace vesalius::tasks
