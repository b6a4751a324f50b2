#include "tasks/existence_fit.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "tasks/outlined_volume.h"
#include "tasks/plane_masks.h"
#include "tasks/planes.h"
#include "tasks/segment_input.h"
#include "tasks/vocabulary.h"

namespace vesalius::tasks {
namespace {

using Mask = std::vector<uint8_t>;  // of the input's grid, 0 or 1

constexpr int64_t kSliceBatch = 4;

std::string kind_of_image(const OutlinedImage& image, const SegmentInput& input,
                          const ExistenceFitOptions& options) {
  const std::string& told = options.kind.empty() ? image.kind : options.kind;
  if (!told.empty()) {
    const ImageKind* known = kind_in_words(told);
    return known != nullptr ? known->key : told;
  }
  const ImageKind* shown = kind_of(hints_of(input));
  if (shown == nullptr)
    fail(ErrorCode::kUsage,
         "{}: nobody says what kind of image it is. Give the manifest a column `kind`, or all "
         "images one with --modality, for example CT-Abdomen.",
         image.image.string());
  return shown->key;
}

/// Where each target is.
std::map<std::string, Mask> truths_of(const OutlinedImage& image, const SegmentInput& input) {
  const auto masks = read_outline_masks(image, input);
  std::map<std::string, Mask> truths;
  for (const Outline& outline : image.outlines) {
    Mask& truth = truths[outline.prompt];
    truth.resize(static_cast<size_t>(input.volume.grid.voxels()));
    if (outline.mask.empty()) continue;
    const auto& labels = masks.at(outline.mask);
    for (size_t i = 0; i < truth.size(); ++i)
      truth[i] = truth[i] != 0 || outline.holds(labels[i]) ? 1 : 0;
  }
  return truths;
}

/// Of a truth that is not empty.
double dice(std::span<const float> probability, const Mask& truth) {
  int64_t found = 0, there = 0, both = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    const bool is_found = probability[i] > 0.5F, is_there = truth[i] != 0;
    found += is_found ? 1 : 0;
    there += is_there ? 1 : 0;
    both += is_found && is_there ? 1 : 0;
  }
  return 2 * static_cast<double>(both) / static_cast<double>(found + there);
}

FittedExistence fitted(std::vector<const ExistenceExample*> examples) {
  FittedExistence result{.kind = examples[0]->kind, .target = examples[0]->target};
  std::vector<MaskFeatures> usual;
  for (const auto* one : examples) {
    ++(one->there ? result.there : result.absent);
    if (one->agrees) usual.push_back(one->features);
  }
  result.agreeing = std::ssize(usual);
  try {
    result.parameters = fit_existence(usual);
  } catch (const Error& error) {
    result.problem = error.what();
    return result;
  }
  for (const auto* one : examples) {
    const bool passes = existence_statistic(one->features, *result.parameters) >= kExistenceCut;
    if (one->there && passes) ++result.kept;
    if (!one->there && !passes) ++result.dropped;
  }
  return result;
}

}  // namespace

std::vector<ExistenceExample> existence_examples(const catalog::SegmentationModel& model,
                                                 const OutlinedImage& image,
                                                 const ExistenceFitOptions& options) {
  const c10::InferenceMode inference;
  const SegmentInput input = read_segment_input(image.image);
  const std::string kind = kind_of_image(image, input, options);
  const auto truths = truths_of(image, input);
  const Planes planes(input, {.version = 1, .side = model.side(), .intensity = options.intensity});
  std::vector<std::string> targets;
  for (const auto& [target, truth] : truths) targets.push_back(target);
  const auto prompts = model.encode(targets);
  std::vector<ExistenceExample> examples;
  for (int64_t begin = 0; begin < planes.count(); begin += kSliceBatch) {
    const int64_t end = std::min(begin + kSliceBatch, planes.count());
    const auto answer =
        model.segment(planes.batch(begin, end), prompts, {}, catalog::Company::kIsolated);
    const auto found = probabilities(answer.logits, planes.layout());  // [slices, prompts, ...]
    for (int64_t slice = begin; slice < end; ++slice) {
      const auto shown = planes.shown(slice);
      int64_t prompt = 0;
      for (const auto& [target, truth] : truths) {
        const auto map = found[slice - begin][prompt++].contiguous();
        const std::span probability(map.const_data_ptr<float>(), static_cast<size_t>(map.numel()));
        const Mask outline = planes.slicing().slice(std::span<const uint8_t>(truth), slice);
        const bool there = std::ranges::find(outline, 1) != outline.end();
        examples.push_back({kind, target, there,
                            there && dice(probability, outline) >= options.agreement,
                            mask_features(probability, shown.data)});
      }
    }
  }
  return examples;
}

std::vector<FittedExistence> fit_existence(const std::vector<ExistenceExample>& examples) {
  std::map<std::pair<std::string, std::string>, std::vector<const ExistenceExample*>> groups;
  for (const auto& one : examples) groups[{one.kind, one.target}].push_back(&one);
  std::vector<FittedExistence> rows;
  for (const auto& [key, group] : groups) rows.push_back(fitted(group));
  return rows;
}

}  // namespace vesalius::tasks
