#include "tasks/segment.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "base/ascii.h"
#include "tasks/mask_choice.h"
#include "tasks/mask_metrics.h"
#include "tasks/plane_masks.h"

namespace vesalius::tasks {
namespace {

std::span<const float> floats(const at::Tensor& x) {
  return {x.const_data_ptr<float>(), static_cast<size_t>(x.numel())};
}

/// Probabilities of a batch of slices: [slices, prompts, height, width].
struct BatchAnswer {
  at::Tensor probability, deviation;  // the latter over samples, or undefined
  at::Tensor existence;               // [slices, prompts]; undefined in version 1
};

/// One run over an input's planes.
class Run {
 public:
  Run(const catalog::SegmentationModel& model, const SegmentInput& input, const Planes& planes,
      const SegmentOptions& options)
      : model_(model),
        input_(input),
        planes_(planes),
        options_(options),
        prompts_(model.encode(options.prompts)),
        uniforms_(options.seeded_draws ? catalog::seeded_uniforms(options.seed)
                                       : catalog::generated_uniforms(options.seed)) {
    const auto voxels = static_cast<size_t>(input.volume.grid.voxels());
    for (const std::string& prompt : options.prompts) {
      Target target{.prompt = prompt, .mask = std::vector<uint8_t>(voxels)};
      if (options.probabilities) target.probability.resize(voxels);
      if (samples() > 1) target.uncertainty.resize(voxels);
      targets_.push_back(std::move(target));
    }
  }

  void batch(int64_t begin, int64_t end) {
    const auto answer = ask(planes_.batch(begin, end));
    const auto masks = decide(answer, begin);  // u8 [slices, prompts, height, width]
    put(masks, begin, &Target::mask);
    if (options_.probabilities) put(bytes(answer.probability, 255), begin, &Target::probability);
    if (answer.deviation.defined()) put(bytes(answer.deviation, 510), begin, &Target::uncertainty);
  }

  std::vector<Target> finish() {
    for (Target& target : targets_) measure(target);
    return std::move(targets_);
  }

 private:
  bool is_volume() const { return planes_.layout().way == PlaneWay::kSliceV2; }
  int64_t samples() const { return model_.version() == 2 ? options_.samples : 1; }
  static at::Tensor bytes(const at::Tensor& share, double scale) {
    return (share * scale).round().clamp(0, 255).to(at::kByte);
  }

  BatchAnswer ask(const at::Tensor& pixels) const {
    std::vector<at::Tensor> probability, existence;
    for (int64_t i = 0; i < samples(); ++i) {
      const auto said = model_.segment(pixels, prompts_, uniforms_, options_.company);
      probability.push_back(probabilities(said.logits, planes_.layout()));
      if (said.existence.defined()) existence.push_back(said.existence.sigmoid());
    }
    BatchAnswer answer{.probability = probability[0]};
    if (!existence.empty()) answer.existence = at::stack(existence).mean(0).contiguous();
    if (samples() > 1) {
      const auto all = at::stack(probability);
      answer.probability = all.mean(0).contiguous();
      answer.deviation = all.std(0, /*unbiased=*/false);
    }
    return answer;
  }

  at::Tensor decide(const BatchAnswer& answer, int64_t begin) {
    if (model_.version() == 1) return decide_v1(answer, begin);
    note_existence(answer.existence);
    const auto certain = answer.existence > 0.5;  // [slices, prompts]
    if (!is_volume())
      return (answer.probability * certain.unsqueeze(2).unsqueeze(3) > 0.5).to(at::kByte);
    return decide_volume(answer);
  }

  void note_existence(const at::Tensor& existence) {
    const auto best = existence.amax(0).contiguous();  // [prompts]
    for (size_t i = 0; i < targets_.size(); ++i) {
      auto& known = targets_[i].existence_probability;
      known = std::max(known.value_or(0), double{floats(best)[i]});
    }
  }

  at::Tensor decide_volume(const BatchAnswer& answer) const {
    const auto by_prompt = answer.probability.transpose(0, 1).contiguous();
    const auto existence = answer.existence.t().contiguous();
    const int64_t prompts = by_prompt.size(0), slices = by_prompt.size(1);
    const MaskStack stack{.prompts = prompts,
                          .slices = slices,
                          .pixels = by_prompt[0][0].numel(),
                          .probability = floats(by_prompt),
                          .existence = floats(existence)};
    const auto kept = kept_slices(stack);
    const auto flags = at::tensor(at::ArrayRef<uint8_t>(kept), at::kByte).view({prompts, slices});
    if (options_.overlapping)
      return (answer.probability > 0.5).to(at::kByte).mul(flags.t().unsqueeze(2).unsqueeze(3));
    std::vector<uint16_t> ids;
    for (int64_t i = 0; i < prompts; ++i) ids.push_back(static_cast<uint16_t>(i + 1));
    const auto labels = merge_labels(stack, kept, ids);
    auto masks = at::empty(answer.probability.sizes(), at::kByte);
    auto* to = masks.data_ptr<uint8_t>();
    const int64_t pixels = stack.pixels;
    for (int64_t s = 0; s < slices; ++s)
      for (int64_t p = 0; p < prompts; ++p, to += pixels)
        for (int64_t i = 0; i < pixels; ++i) to[i] = labels[s * pixels + i] == p + 1 ? 1 : 0;
    return masks;
  }

  at::Tensor decide_v1(const BatchAnswer& answer, int64_t begin) {
    auto masks = (answer.probability > 0.5).to(at::kByte);
    if (options_.kind.empty()) return masks;
    for (int64_t s = 0; s < masks.size(0); ++s) {
      const auto shown = planes_.shown(begin + s);
      for (size_t p = 0; p < targets_.size(); ++p) {
        const auto place = static_cast<int64_t>(p);
        const auto features = mask_features(floats(answer.probability[s][place]), shown.data);
        const auto value =
            existence_statistic(features, options_.existence, options_.kind, targets_[p].prompt);
        if (!value) continue;
        targets_[p].p_value = std::max(targets_[p].p_value.value_or(0), *value);
        if (*value < kExistenceCut) masks[s][place].zero_();
      }
    }
    return masks;
  }

  /// [slices, prompts, height, width] of bytes into one field of every target.
  void put(const at::Tensor& values, int64_t begin, std::vector<uint8_t> Target::*field) {
    const auto slices = on_slices(values, planes_.layout());
    for (size_t p = 0; p < targets_.size(); ++p)
      put_on_grid<uint8_t>(slices.select(1, static_cast<int64_t>(p)).contiguous(), begin,
                           planes_.slicing(), targets_[p].*field);
  }

  void measure(Target& target) const {
    const auto& grid = input_.volume.grid;
    double sum = 0;
    for (size_t i = 0; i < target.mask.size(); ++i) {
      if (target.mask[i] == 0) continue;
      ++target.voxels;
      sum += input_.volume.values[i];
    }
    target.present = target.voxels > 0;
    if (target.present) target.mean_intensity = sum / static_cast<double>(target.voxels);
    if (!grid.placed && input_.kind == InputKind::kPicture) return;
    target.volume_ml = voxel_volume(grid) * static_cast<double>(target.voxels);
  }

  const catalog::SegmentationModel& model_;
  const SegmentInput& input_;
  const Planes& planes_;
  const SegmentOptions& options_;
  models::Prompts prompts_;
  models::Uniforms uniforms_;
  std::vector<Target> targets_;
};

}  // namespace

std::vector<std::string> split_prompts(const std::string& joined) {
  constexpr std::string_view kSeparator = "[SEP]";
  std::string text = joined;
  for (size_t at = text.find(kSeparator); at != std::string::npos; at = text.find(kSeparator))
    text.replace(at, kSeparator.size(), "&");
  std::vector<std::string> prompts;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find('&', start), text.size());
    std::string prompt(trimmed(std::string_view(text).substr(start, end - start)));
    if (prompt.empty())
      fail(ErrorCode::kUsage,
           "prompt '{}' has an empty part. Name targets in words, separated by '&': \"liver & "
           "spleen\".",
           joined);
    prompts.push_back(std::move(prompt));
    start = end + 1;
  }
  return prompts;
}

std::vector<Target> segment(const catalog::SegmentationModel& model, const SegmentInput& input,
                            const Planes& planes, const SegmentOptions& options,
                            const std::function<void(int64_t)>& advance) {
  if (options.prompts.empty()) fail(ErrorCode::kUsage, "there is nothing to look for: no prompts.");
  const c10::InferenceMode inference;
  Run run(model, input, planes, options);
  for (int64_t begin = 0; begin < planes.count(); begin += options.slice_batch) {
    const int64_t end = std::min(begin + options.slice_batch, planes.count());
    run.batch(begin, end);
    if (advance) advance(end - begin);
  }
  return run.finish();
}

}  // namespace vesalius::tasks
