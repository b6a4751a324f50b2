#include "tasks/segment_score.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <map>
#include <span>

#include "tasks/mask_metrics.h"
#include "tasks/metrics.h"
#include "tasks/segment_step.h"

namespace vesalius::tasks {
namespace {

constexpr size_t kExamples = 12;  // shown of a validation set

std::span<const uint8_t> bytes(const at::Tensor& mask) {
  return {mask.const_data_ptr<uint8_t>(), static_cast<size_t>(mask.numel())};
}

/// Figures of masks [side, side] in pixels.
MaskFigures figures_of(const at::Tensor& truth, const at::Tensor& found) {
  const auto a = truth.to(at::kByte).contiguous(), b = found.to(at::kByte).contiguous();
  return compare_masks(bytes(a), bytes(b), {.size = {a.size(1), a.size(0), 1}});
}

SegmentScore::Target summary(const std::string& prompt, const std::vector<MaskFigures>& figures) {
  std::vector<std::optional<double>> dice, surface, distance;
  for (const auto& one : figures) {
    dice.emplace_back(one.dice.value_or(0));
    surface.emplace_back(one.surface_dice.value_or(0));
    distance.push_back(one.hausdorff_95);
  }
  return {.prompt = prompt,
          .dice = mean_of(dice).value_or(0),
          .surface_dice = mean_of(surface).value_or(0),
          .hausdorff_95 = mean_of(distance),
          .images = std::ssize(figures)};
}

}  // namespace

SegmentScore score_segments(const catalog::ParseModel& model, const text::ClipTokenizer& tokenizer,
                            const OutlineStore& store,
                            const std::function<models::Uniforms(uint64_t image)>& uniforms,
                            std::vector<SegmentExample>* examples) {
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
    const auto answers = answer_image(model, tokenizer, sample.pixels, names, uniforms(i));
    for (size_t j = 0; j < names.size(); ++j) {
      const auto place = static_cast<int64_t>(j);
      const bool there = j < sample.present.size();
      scores.push_back(answers.existence[place].item<double>());
      truths.push_back(there);
      if (!there) continue;
      const auto mask = answers.masks[place] > 0, truth = sample.masks[place] > 0;
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

}  // namespace vesalius::tasks
