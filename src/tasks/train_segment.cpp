#include "tasks/train_segment.h"

#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "catalog/segmentation_model.h"
#include "checkpoint/weights.h"
#include "tasks/mask_metrics.h"
#include "tasks/metrics.h"
#include "tasks/segment_loss.h"

namespace vesalius::tasks {
namespace {

constexpr uint64_t kUniforms = 31;   // stream of random numbers
constexpr size_t kExamples = 12;     // shown of a validation set
constexpr double kLowRankScale = 2;  // of B A, as alpha / rank of the paper's code

using Tensors = std::map<std::string, at::Tensor>;

bool is_buffer(const std::string& name) { return name.starts_with("pixel_"); }
bool is_tower(const std::string& name) {
  return name.starts_with("backbone.") || name.find(".language_encoder.") != std::string::npos;
}

models::BiomedParseV2 build(const models::BiomedParseConfig& config, Tensors tensors) {
  const auto store = std::make_shared<TensorStore>("the model in training", std::move(tensors));
  return {Weights(store), config};
}

/// Uniform numbers that depend on (seed, number) alone.
models::Uniforms uniforms(uint64_t seed, uint64_t number) {
  KeyedRandom key({seed, kUniforms, number});
  return catalog::generated_uniforms(key.next());
}

/// What the optimiser moves, and the model's tensors made of it.
class Trained {
 public:
  Trained(const SegmentTrainee& trainee, const SegmentTrainOptions& options) {
    for (const auto& [name, value] : trainee.tensors) {
      const bool fixed = is_buffer(name);
      const bool low_rank = options.part == TrainedPart::kLowRank && value.dim() == 2 &&
                            !is_tower(name) && name.ends_with("weight") && !fixed;
      const bool stays = fixed || (options.part != TrainedPart::kAll && is_tower(name)) ||
                         (options.part == TrainedPart::kLowRank && !low_rank);
      if (low_rank) {
        add_low_rank(name, value, options);
      } else if (stays) {
        fixed_[name] = value;
      } else {
        moved_.emplace_back(name, value.clone());
      }
    }
  }

  const std::vector<std::pair<std::string, at::Tensor>>& moved() const { return moved_; }

  /// The model's tensors from the optimiser's, which may be smoothed ones.
  Tensors tensors(const Tensors& moved) const {
    Tensors all = fixed_;
    for (const auto& [name, value] : moved) {
      const auto base = base_.find(name.substr(0, name.rfind(".low_rank_")));
      if (base == base_.end())
        all[name] = value;
      else if (name.ends_with("a"))
        all[base->first] =
            base->second + kLowRankScale * at::matmul(moved.at(base->first + ".low_rank_b"), value);
    }
    return all;
  }
  Tensors tensors() const { return tensors({moved_.begin(), moved_.end()}); }

 private:
  /// W + scale B A: A begins at random, B at zero.
  void add_low_rank(const std::string& name, const at::Tensor& value,
                    const SegmentTrainOptions& options) {
    KeyedRandom key({options.seed, static_cast<uint64_t>(base_.size())});
    const auto generator = at::detail::createCPUGenerator(key.next());
    const double deviation = 1 / std::sqrt(static_cast<double>(value.size(1)));
    base_[name] = value;
    moved_.emplace_back(name + ".low_rank_a",
                        at::empty({options.rank, value.size(1)}).normal_(0, deviation, generator));
    moved_.emplace_back(name + ".low_rank_b", at::zeros({value.size(0), options.rank}));
  }

  Tensors fixed_, base_;
  std::vector<std::pair<std::string, at::Tensor>> moved_;
};

std::vector<Parameter> parameters_of(const Trained& trained, const SegmentTrainOptions& options) {
  auto parameters = make_parameters(trained.moved(), options.freeze);
  for (Parameter& parameter : parameters) {
    if (parameter.name.starts_with("backbone.")) parameter.rate = options.backbone_rate;
    if (parameter.name.find(".language_encoder.") != std::string::npos)
      parameter.rate = options.text_rate;
  }
  return parameters;
}

/// Differentiable answers to a batch: each prompt to its own image.
Answers answer(const models::BiomedParseV2& model, const text::ClipTokenizer& tokenizer,
               const OutlineBatch& batch, const models::Uniforms& draws,
               const models::DropPath& drop) {
  const int64_t images = batch.pixels.size(0), each = batch.masks.size(1);
  const std::set<std::string> different(batch.prompts.begin(), batch.prompts.end());
  const std::vector<std::string> names(different.begin(), different.end());
  const auto encoded =
      model.language_encoder(tokenize(tokenizer, names, model.config.text.context));
  models::Prompts prompts;
  for (const std::string& prompt : batch.prompts) {
    const auto place = std::distance(different.begin(), different.find(prompt));
    prompts.tokens.push_back(encoded.tokens[place]);
  }
  const auto pixels = (batch.pixels - model.pixel_mean) / model.pixel_std;
  const auto features = model.features(pixels, drop);
  const auto found = model.parse_each(pixels, features, prompts, draws);
  return {.masks = found.masks.flatten(0, 1),
          .edges = found.edges.defined() ? found.edges.flatten(0, 1) : at::Tensor(),
          .existence = found.existence.view({images * each})};
}

Json to_json(const SegmentScore& score) {
  Json targets = Json::object();
  for (const auto& target : score.targets) {
    Json& row = targets[target.prompt];
    row = {{"dice", target.dice}, {"nsd", target.surface_dice}, {"images", target.images}};
    if (target.hausdorff_95) row["hd95"] = *target.hausdorff_95;
  }
  Json line{{"validation_dice", score.dice}, {"targets", targets}};
  if (score.existence_auroc) line["existence_auroc"] = *score.existence_auroc;
  return line;
}

std::span<const uint8_t> bytes(const at::Tensor& mask) {
  return {mask.const_data_ptr<uint8_t>(), static_cast<size_t>(mask.numel())};
}

/// Figures of masks [side, side] in pixels.
MaskFigures figures_of(const at::Tensor& truth, const at::Tensor& found) {
  const auto a = truth.to(at::kByte).contiguous(), b = found.to(at::kByte).contiguous();
  return compare_masks(bytes(a), bytes(b), {.size = {a.size(1), a.size(0), 1}});
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

SegmentScore::Target summary(const std::string& prompt, const std::vector<MaskFigures>& figures) {
  std::vector<double> dice, surface, distance;
  for (const auto& one : figures) {
    dice.push_back(one.dice.value_or(0));
    surface.push_back(one.surface_dice.value_or(0));
    if (one.hausdorff_95) distance.push_back(*one.hausdorff_95);
  }
  SegmentScore::Target target{.prompt = prompt,
                              .dice = mean(dice),
                              .surface_dice = mean(surface),
                              .hausdorff_95 = {},
                              .images = std::ssize(figures)};
  if (!distance.empty()) target.hausdorff_95 = mean(distance);
  return target;
}

}  // namespace

SegmentScore score_segments(const models::BiomedParseV2& model,
                            const text::ClipTokenizer& tokenizer, const OutlineStore& store,
                            uint64_t seed, std::vector<SegmentExample>* examples) {
  const c10::InferenceMode inference;
  std::map<std::string, std::vector<MaskFigures>> figures;
  std::vector<double> scores;
  std::vector<bool> truths;
  const size_t every = std::max<size_t>(1, store.size() / kExamples);
  for (size_t i = 0; i < store.size(); ++i) {
    const auto& sample = store[i];
    auto names = sample.present;
    names.insert(names.end(), sample.absent.begin(), sample.absent.end());
    if (names.empty()) continue;
    const auto prompts =
        model.language_encoder(tokenize(tokenizer, names, model.config.text.context));
    const auto pixels =
        (sample.pixels.to(at::kFloat).unsqueeze(0) - model.pixel_mean) / model.pixel_std;
    const auto found = model(pixels, prompts, uniforms(seed, i));
    const auto logits = at::_upsample_bicubic2d_aa(found.masks, sample.pixels.sizes().slice(1),
                                                   /*align_corners=*/false)[0];
    for (size_t j = 0; j < names.size(); ++j) {
      const auto place = static_cast<int64_t>(j);
      const bool there = j < sample.present.size();
      scores.push_back(found.existence[0][place].item<double>());
      truths.push_back(there);
      if (!there) continue;
      const auto mask = logits[place] > 0, truth = sample.masks[place] > 0;
      figures[names[j]].push_back(figures_of(truth, mask));
      if (examples != nullptr && j == 0 && i % every == 0 && examples->size() < kExamples)
        examples->push_back({sample.name, names[j], sample.pixels, truth, mask});
    }
  }
  SegmentScore score;
  for (const auto& [prompt, values] : figures) {
    score.targets.push_back(summary(prompt, values));
    score.dice += score.targets.back().dice / static_cast<double>(figures.size());
  }
  score.existence_auroc = roc_auc(truths, scores);
  return score;
}

TrainResult train_segment(const SegmentTrainee& trainee, const std::vector<OutlinedImage>& training,
                          const std::vector<OutlinedImage>& validation,
                          const SegmentTrainOptions& options, const TrainLog& log,
                          const StopRequest& stop, const ShowExamples& show) {
  const OutlineStore store(training, trainee.side, options.quiet);
  std::optional<OutlineStore> held_out;
  if (!validation.empty()) held_out.emplace(validation, trainee.side, options.quiet);
  OutlineBatches batches(store, options.sampling);
  const Trained trained(trainee, options);
  AdamW optimizer(parameters_of(trained, options), options.optimizer);
  auto config = trainee.config;
  config.backbone.drop_path = options.drop_path;

  TrainWork work{.batches_per_epoch = batches.per_epoch(), .batch = options.sampling.batch};
  work.loss = [&](int64_t number) {
    const auto batch = batches.get(number);
    const auto model = build(config, trained.tensors());
    Answers answers;
    {
      const Autocast autocast(options.bf16);
      answers = answer(model, *trainee.tokenizer, batch,
                       uniforms(options.seed, static_cast<uint64_t>(number)),
                       make_drop_path(options.seed, number));
    }
    return segment_loss(answers, batch.masks.flatten(0, 1));
  };
  if (held_out)
    work.measure = [&](const AdamW& now, int64_t epoch) {
      std::vector<SegmentExample> examples;
      const auto model = build(config, trained.tensors(now.smoothed()));
      const auto score =
          score_segments(model, *trainee.tokenizer, *held_out, options.seed, &examples);
      if (show) show(epoch, examples);
      return to_json(score);
    };
  auto result = run_training(optimizer, work, options, log, stop);
  const c10::NoGradGuard no_grad;
  result.weights = trained.tensors(result.weights);
  return result;
}

}  // namespace vesalius::tasks
